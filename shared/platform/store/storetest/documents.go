package storetest

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

func testDocuments(t *testing.T, su suite) {
	s, _ := su.store(t)
	got := thing{Kind: "untouched"}
	wantKind(t, "reading an absent document", s.Get(t.Context(), "things", "a", &got), fault.NotFound)
	if got.Kind != "untouched" {
		t.Errorf("reading an absent document changed the target to %+v", got)
	}
	put(t, s, "things", map[string]any{"a": thing{V: 1, Kind: "x"}, "b": thing{V: 1, Kind: "y"}})
	put(t, s, "things", map[string]any{"a": thing{V: 2, Count: 7}}) // replaces, does not merge
	if err := s.Get(t.Context(), "things", "a", &got); err != nil || got != (thing{V: 2, Count: 7}) {
		t.Errorf("a replaced document is %+v, %v", got, err)
	}
	for range 2 { // the second time it is absent: no error
		if err := s.Tx(t.Context(), func(tx store.Tx) error { return tx.Delete("things", "a") }); err != nil {
			t.Fatalf("deleting: %v", err)
		}
	}
	wantKind(t, "reading a deleted document", s.Get(t.Context(), "things", "a", &got), fault.NotFound)
	wantKind(t, "reading its neighbour", s.Get(t.Context(), "things", "b", &got), "")
	wantKind(t, "reading from an undeclared collection", s.Get(t.Context(), "other", "a", &got), fault.Misconfigured)
	wantKind(t, "writing to an undeclared collection",
		s.Tx(t.Context(), func(tx store.Tx) error { return tx.Put("other", "a", thing{V: 1}) }), fault.Misconfigured)
	wantKind(t, "deleting from an undeclared collection",
		s.Tx(t.Context(), func(tx store.Tx) error { return tx.Delete("other", "a") }), fault.Misconfigured)
}

func testValuesAreKept(t *testing.T, su suite) {
	s, _ := su.store(t)
	doc := map[string]any{
		"v":       int64(1),
		"beyond":  int64(1)<<53 + 1,
		"most":    int64(math.MaxInt64),
		"least":   int64(math.MinInt64),
		"half":    0.5,
		"huge":    1e300,
		"yes":     true,
		"nothing": nil,
		"text":    "é 😀 \u2028 <&> \\ufffd \ufffd \"",
		"zero":    "a\x00b",
		"empty":   "",
		"map":     map[string]any{},
		"list":    []any{},
		"deep":    map[string]any{"list": []any{int64(1), "two", map[string]any{"three": []any{nil}}, false}},
		"a.b`c/d": "a field's name is not a path",
	}
	put(t, s, "plain", map[string]any{"a": doc})
	var raw json.RawMessage
	if err := s.Get(t.Context(), "plain", "a", &raw); err != nil {
		t.Fatal(err)
	}
	got, want := map[string]any{}, map[string]any{}
	again, _ := json.Marshal(doc)
	for text, into := range map[string]*map[string]any{string(raw): &got, string(again): &want} {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values changed (-want +got):\n%s", diff)
	}
}

func testDecodeReplaces(t *testing.T, su suite) {
	s, _ := su.store(t)
	put(t, s, "plain", map[string]any{"a": map[string]any{"v": 1, "m": map[string]int{"new": 1}}, "b": map[string]any{"v": "one"}})
	type mapped struct {
		V int
		M map[string]int
		X string
	}
	got := mapped{M: map[string]int{"old": 1}, X: "old"}
	if err := s.Get(t.Context(), "plain", "a", &got); err != nil {
		t.Fatal(err)
	}
	want := mapped{V: 1, M: map[string]int{"new": 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the target held before was merged (-want +got):\n%s", diff)
	}
	wantKind(t, "decoding another shape", s.Get(t.Context(), "plain", "b", &got), fault.Misconfigured)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a failed decoding changed the target (-want +got):\n%s", diff)
	}
	wantKind(t, "decoding into no pointer", s.Get(t.Context(), "plain", "a", got), fault.Invalid)
}

func testLimits(t *testing.T, su suite) {
	s, _ := su.store(t)
	// nested lies in n maps and lists below the document.
	nested := func(n int) any {
		var v any = "x"
		for i := range n {
			if i%2 == 0 {
				v = []any{v}
			} else {
				v = map[string]any{"m": v}
			}
		}
		return v
	}
	text := func(n int) string { return strings.Repeat("x", n) }
	frame := len(`{"a":""}`)
	for _, c := range []struct {
		name string
		doc  any
		want fault.Kind
	}{
		{"largest", map[string]any{"a": text(store.MaxDocumentBytes - frame)}, ""},
		{"too large", map[string]any{"a": text(store.MaxDocumentBytes - frame + 1)}, fault.Invalid},
		{"deepest", map[string]any{"a": nested(store.MaxDepth)}, ""},
		{"too deep", map[string]any{"a": nested(store.MaxDepth + 1)}, fault.Invalid},
		{"most values", map[string]any{"a": make([]int, store.MaxValues-1)}, ""},
		{"too many values", map[string]any{"a": make([]int, store.MaxValues)}, fault.Invalid},
		{"list in list", map[string]any{"a": []any{[]any{1}}}, fault.Invalid},
		{"longest name", map[string]any{text(store.MaxNameBytes): 1}, ""},
		{"name too long", map[string]any{text(store.MaxNameBytes + 1): 1}, fault.Invalid},
		{"name empty", map[string]any{"m": map[string]any{"": 1}}, fault.Invalid},
		{"name reserved", map[string]any{"m": map[string]any{"__a__": 1}}, fault.Invalid},
		{"not an object", []int{1}, fault.Invalid},
		{"nothing", nil, fault.Invalid},
		{"not encodable", map[string]any{"a": func() {}}, fault.Invalid},
		{"not finite", json.RawMessage(`{"a":1e999}`), fault.Invalid},
		{"unsigned beyond", map[string]any{"a": uint64(math.MaxInt64) + 1}, fault.Invalid},
		{"not UTF-8", map[string]any{"a": "\xff"}, fault.Invalid},
		{"name not UTF-8", map[string]any{"\xff": "a"}, fault.Invalid},
		{"longest indexed", thing{Kind: text(store.MaxIndexedBytes)}, ""},
		{"indexed too long", thing{Kind: text(store.MaxIndexedBytes + 1)}, fault.Invalid},
		{"indexed null", map[string]any{"kind": nil}, fault.Invalid},
		{"indexed fraction", map[string]any{"rank": 0.5}, fault.Invalid},
		{"indexed list", map[string]any{"rank": []int{}}, fault.Invalid},
		{"expires undeclared", thing{Expires: start}, fault.Misconfigured},
	} {
		wantKind(t, c.name, s.Tx(t.Context(), func(tx store.Tx) error { return tx.Put("things", "a", c.doc) }), c.want)
	}
	large := map[string]any{"a": text(store.MaxDocumentBytes - frame)}
	wantKind(t, "a transaction too large", s.Tx(t.Context(), func(tx store.Tx) error {
		for i := range store.MaxTransactionBytes/store.MaxDocumentBytes + 1 {
			_ = tx.Put("things", string(rune('a'+i)), large) // the failure sticks
		}
		return nil
	}), fault.Invalid)
}

func testIDs(t *testing.T, su suite) {
	s, _ := su.store(t)
	for id, want := range map[string]fault.Kind{
		"a": "", "é 😀": "", "a\x00b": "", "a.b": "", "...": "", "__": "", "___": "", "a__": "", "\n": "", "a b": "",
		strings.Repeat("x", store.MaxIDBytes):   "",
		strings.Repeat("x", store.MaxIDBytes+1): fault.Invalid,
		"":                                      fault.Invalid, ".": fault.Invalid, "..": fault.Invalid, "a/b": fault.Invalid,
		"__a__": fault.Invalid, "____": fault.Invalid, "\xff": fault.Invalid,
	} {
		wantKind(t, "putting "+id, s.Tx(t.Context(), func(tx store.Tx) error { return tx.Put("plain", id, thing{V: 1, Kind: id}) }), want)
		var got thing
		if err := s.Get(t.Context(), "plain", id, &got); want == "" && got.Kind != id {
			t.Errorf("document %q came back as %+v, %v", id, got, err)
		} else {
			wantKind(t, "reading "+id, err, want)
		}
		wantKind(t, "deleting "+id, s.Tx(t.Context(), func(tx store.Tx) error { return tx.Delete("plain", id) }), want)
	}
}

func testEnding(t *testing.T, su suite) {
	s, _ := su.store(t)
	ctx, cancel := context.WithCancel(t.Context())
	var got thing
	wantKind(t, "a context cancelled within a transaction", s.Tx(ctx, func(tx store.Tx) error {
		cancel()
		return tx.Put("plain", "a", thing{V: 1})
	}), fault.Transient)
	_, err := s.Query(ctx, store.Query{Collection: "plain", Limit: 1})
	wantKind(t, "querying with a cancelled context", err, fault.Transient)
	wantKind(t, "reading with a cancelled context", s.Get(ctx, "plain", "a", &got), fault.Transient)
	called := false
	wantKind(t, "a transaction with a cancelled context", s.Tx(ctx, func(store.Tx) error { called = true; return nil }), fault.Transient)
	if called {
		t.Error("a transaction's body ran under a cancelled context")
	}
	wantKind(t, "reading what was not committed", s.Get(t.Context(), "plain", "a", &got), fault.NotFound)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	wantKind(t, "reading from a closed store", s.Get(t.Context(), "plain", "a", &got), fault.Transient)
}

func testExpiry(t *testing.T, su suite) {
	s, clk := su.store(t)
	end := start.Add(time.Hour)
	zone := time.FixedZone("east", 3600)
	put(t, s, "passing", map[string]any{"a": thing{V: 1, Expires: end.In(zone).Add(999 * time.Nanosecond)}, "null": map[string]any{"expires": nil}})
	var got thing
	if err := s.Get(t.Context(), "passing", "a", &got); err != nil || !got.Expires.Equal(end) || got.Expires.Location() != time.UTC {
		t.Errorf("before its end: %+v, %v; want the end in UTC, cut to microseconds", got, err)
	}
	wantKind(t, "creating over a living document",
		s.Tx(t.Context(), func(tx store.Tx) error { return tx.Create("passing", "a", thing{V: 2}) }), fault.Conflict)
	if err := clk.Set(end); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "reading a document at its end", s.Get(t.Context(), "passing", "a", &got), fault.NotFound)
	wantKind(t, "reading it in a transaction",
		s.Tx(t.Context(), func(tx store.Tx) error { return tx.Get("passing", "a", &got) }), fault.NotFound)
	wantKind(t, "reading one without an end", s.Get(t.Context(), "passing", "null", &got), "")
	wantKind(t, "creating over an expired document", s.Tx(t.Context(), func(tx store.Tx) error {
		return tx.Create("passing", "a", thing{V: 3})
	}), "")
	if err := s.Get(t.Context(), "passing", "a", &got); err != nil || got.V != 3 {
		t.Errorf("the document created over an expired one: %+v, %v", got, err)
	}
	for name, doc := range map[string]any{
		"the zero time": map[string]any{"expires": time.Time{}}, "a number": map[string]any{"expires": 1}, "a date": map[string]any{"expires": "2026-01-01"},
	} {
		wantKind(t, "expiry at "+name, s.Tx(t.Context(), func(tx store.Tx) error { return tx.Put("passing", "b", doc) }), fault.Invalid)
	}
	put(t, s, "passing", map[string]any{"epoch": thing{V: 1, Expires: time.Unix(0, 0)}})
	wantKind(t, "reading what expired in 1970", s.Get(t.Context(), "passing", "epoch", &got), fault.NotFound)
}

func testExpiryInQueries(t *testing.T, su suite) {
	s, clk := su.store(t)
	docs := map[string]any{}
	for i, id := range strings.Split("a b c d e f g h", " ") {
		doc := thing{V: 1, Rank: i, Expires: start.Add(time.Duration(i) * time.Hour)}
		if i%3 == 2 {
			doc.Expires = time.Time{}
		}
		docs[id] = doc
	}
	put(t, s, "passing", docs)
	if err := clk.Set(start.Add(3*time.Hour + 30*time.Minute)); err != nil {
		t.Fatal(err)
	}
	byRank := &store.Range{Name: "rank"}
	byEnd := &store.Range{Name: "expires", From: start.Add(4 * time.Hour).In(time.FixedZone("", -3600)).Format(time.RFC3339)}
	for _, c := range []struct {
		q    store.Query
		want string
	}{
		{store.Query{Limit: 3}, "c e f"}, // the limit counts what is alive
		{store.Query{Limit: 3, After: &store.Cursor{ID: "c"}}, "e f g"},
		{store.Query{Limit: 10, Range: byRank}, "c e f g h"},
		{store.Query{Limit: 4, Range: byRank, Descending: true}, "h g f e"},
		{store.Query{Limit: 1, Range: byRank, After: &store.Cursor{ID: "c", Value: 2}}, "e"},
		{store.Query{Limit: 2, Range: byEnd}, "e g"},
		{store.Query{Limit: 9, Range: byEnd, After: &store.Cursor{ID: "e", Value: start.Add(4 * time.Hour).Format(time.RFC3339)}}, "g h"},
	} {
		c.q.Collection = "passing"
		if got := ids(t, s, c.q); got != c.want {
			t.Errorf("%+v found %q; want %q", c.q, got, c.want)
		}
	}
}

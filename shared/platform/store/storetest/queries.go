package storetest

import (
	"math"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

func testOrderByID(t *testing.T, su suite) {
	s, _ := su.store(t)
	want := []string{"10", "9", "A", "B", "a", "a\x00", "a\x00b", "aa", "b", "é", "\uffff", "😀"} // by bytes of UTF-8
	docs := map[string]any{}
	for _, id := range want {
		docs[id] = thing{V: 1}
	}
	put(t, s, "plain", docs)
	put(t, s, "things", map[string]any{"elsewhere": thing{V: 1}})
	if got := ids(t, s, store.Query{Collection: "plain", Limit: 1000}); got != strings.Join(want, " ") {
		t.Errorf("order by id is %q; want %q", got, want)
	}
	var paged []string
	q := store.Query{Collection: "plain", Limit: 5}
	for {
		page, err := s.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page {
			paged = append(paged, d.ID)
		}
		if len(page) < q.Limit {
			break
		}
		q.After = &store.Cursor{ID: page[len(page)-1].ID}
	}
	if strings.Join(paged, " ") != strings.Join(want, " ") {
		t.Errorf("pages by id are %q; want %q", paged, want)
	}
}

func testPages(t *testing.T, su suite) {
	s, _ := su.store(t)
	docs, want := map[string]any{}, []string{}
	for _, rank := range []int64{math.MinInt64, -1 << 40, -2, -1, 0, 1, 2, 1 << 40, math.MaxInt64} {
		for _, id := range []string{"x", "y", "z"} { // equal ranks order by id
			id += strings.Repeat("'", len(want)/3)
			want = append(want, id)
			docs[id] = thing{V: 1, Kind: "k", Rank: rank}
		}
	}
	put(t, s, "things", docs)
	put(t, s, "things", map[string]any{"rankless": thing{V: 1, Kind: "k"}, "other": thing{V: 1, Kind: "l", Rank: 0}})
	for _, descending := range []bool{false, true} {
		q := store.Query{
			Collection: "things", Equal: []store.Field{{Name: "kind", Value: "k"}}, Range: &store.Range{Name: "rank"},
			Descending: descending, Limit: 4,
		}
		var got []string
		for {
			page, err := s.Query(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range page {
				got = append(got, d.ID)
			}
			if len(page) < q.Limit {
				break
			}
			var last struct{ Rank int64 }
			if err := page[len(page)-1].Decode(&last); err != nil {
				t.Fatal(err)
			}
			q.After = &store.Cursor{Value: last.Rank, ID: page[len(page)-1].ID}
		}
		expected := strings.Join(want, " ")
		if descending {
			reversed := make([]string, len(want))
			for i, id := range want {
				reversed[len(want)-1-i] = id
			}
			expected = strings.Join(reversed, " ")
		}
		if strings.Join(got, " ") != expected {
			t.Errorf("descending %v: pages are %q; want %q", descending, got, expected)
		}
	}
}

type kind string // values of named types are compared by what they hold

func testBounds(t *testing.T, su suite) {
	s, _ := su.store(t)
	yes, no := true, false
	put(t, s, "things", map[string]any{
		"false": thing{Rank: false, Kind: "k", Done: &yes},
		"true":  thing{Rank: true, Kind: "k", Done: &no},
		"minus": thing{Rank: -5, Kind: "k", Done: &no},
		"zero":  thing{Rank: 0, Kind: "k", Done: &yes},
		"five":  thing{Rank: 5, Kind: "k", Done: &no},
		"text":  thing{Rank: "a", Kind: "k"},
		"text0": thing{Rank: "a\x00", Kind: "k"},
		"textb": thing{Rank: "ab", Kind: "k\x00"},
		"none":  thing{Kind: "k"},
	})
	equal := func(value any) []store.Field { return []store.Field{{Name: "kind", Value: value}} }
	done := func(value any) []store.Field {
		return append([]store.Field{{Name: "done", Value: value}}, equal("k")...)
	}
	between := func(from, to any) *store.Range { return &store.Range{Name: "rank", From: from, To: to} }
	for name, c := range map[string]struct {
		q    store.Query
		want string
	}{
		"all in order of types": {store.Query{Range: between(nil, nil)}, "false true minus zero five text text0 textb"},
		"downwards":             {store.Query{Range: between(nil, nil), Descending: true}, "textb text0 text five zero minus true false"},
		"from is inclusive":     {store.Query{Range: between(0, nil)}, "zero five"},
		"to is exclusive":       {store.Query{Range: between(nil, 5)}, "minus zero"},
		"both":                  {store.Query{Range: between(-5, 5), Descending: true}, "zero minus"},
		"nothing between":       {store.Query{Range: between(5, -5)}, ""},
		"an instant":            {store.Query{Range: between(5, 5)}, ""},
		"bools from":            {store.Query{Range: between(true, nil)}, "true"},
		"bools to":              {store.Query{Range: between(nil, true)}, "false"},
		"texts":                 {store.Query{Range: between("a\x00", nil)}, "text0 textb"},
		"texts to":              {store.Query{Range: between(nil, "ab"), Descending: true}, "text0 text"},
		"empty text":            {store.Query{Range: between("", "a\x00")}, "text"},
		"equal":                 {store.Query{Equal: equal(kind("k\x00"))}, "textb"},
		"equal finds rankless":  {store.Query{Equal: equal("k"), Limit: 3}, "false five minus"},
		"equal then range":      {store.Query{Equal: equal("k"), Range: between(uint8(1), nil)}, "five"},
		"three fields":          {store.Query{Equal: done(false), Range: between(nil, 5)}, "minus"},
		"three fields, order":   {store.Query{Equal: done(true), Range: between(nil, nil)}, "false zero"},
		"cursor before From":    {store.Query{Range: between(0, nil), After: &store.Cursor{Value: -9, ID: "a"}}, "zero five"},
		"cursor behind To":      {store.Query{Range: between(nil, 0), After: &store.Cursor{Value: 9, ID: "a"}, Descending: true}, "minus"},
		"cursor of another id":  {store.Query{Range: between(0, nil), After: &store.Cursor{Value: 0, ID: "zz"}}, "five"},
		"limit":                 {store.Query{Range: between(nil, nil), Limit: 2}, "false true"},
	} {
		c.q.Collection = "things"
		if c.q.Limit == 0 {
			c.q.Limit = 100
		}
		if got := ids(t, s, c.q); got != c.want {
			t.Errorf("%s: found %q; want %q", name, got, c.want)
		}
		if err := s.Tx(t.Context(), func(tx store.Tx) error {
			docs, err := tx.Query(c.q)
			if got := join(docs); err == nil && got != c.want {
				t.Errorf("%s, in a transaction: found %q; want %q", name, got, c.want)
			}
			return err
		}); err != nil {
			t.Errorf("%s, in a transaction: %v", name, err)
		}
	}
}

func testIndexFollows(t *testing.T, su suite) {
	s, _ := su.store(t)
	find := func() string {
		return ids(t, s, store.Query{Collection: "things", Equal: []store.Field{{Name: "kind", Value: "k"}}, Range: &store.Range{Name: "rank"}, Limit: 9})
	}
	for _, c := range []struct {
		doc  any
		want string
	}{
		{thing{Kind: "k", Rank: 2}, "b a"},
		{thing{Kind: "k", Rank: 0}, "a b"},
		{thing{Kind: "k"}, "b"},
		{thing{Kind: "k", Rank: 1}, "a b"},
		{thing{Kind: "l", Rank: 1}, "b"},
		{thing{Kind: "k", Rank: "text"}, "b a"},
		{nil, "b"},
	} {
		put(t, s, "things", map[string]any{"b": thing{Kind: "k", Rank: 1}})
		if err := s.Tx(t.Context(), func(tx store.Tx) error {
			if c.doc == nil {
				return tx.Delete("things", "a")
			}
			return tx.Put("things", "a", c.doc)
		}); err != nil {
			t.Fatal(err)
		}
		if got := find(); got != c.want {
			t.Errorf("after writing %+v the index holds %q; want %q", c.doc, got, c.want)
		}
	}
}

func testRefusedQueries(t *testing.T, su suite) {
	s, _ := su.store(t)
	rank := &store.Range{Name: "rank"}
	for name, c := range map[string]struct {
		q    store.Query
		want fault.Kind
	}{
		"collection":           {store.Query{Collection: "other", Limit: 1}, fault.Misconfigured},
		"undeclared field":     {store.Query{Equal: []store.Field{{Name: "v", Value: 1}}, Limit: 1}, fault.Misconfigured},
		"undeclared range":     {store.Query{Range: &store.Range{Name: "kind"}, Equal: []store.Field{{Name: "rank", Value: 1}}, Limit: 1}, fault.Misconfigured},
		"part of an index":     {store.Query{Equal: []store.Field{{Name: "done", Value: true}}, Range: rank, Limit: 1}, fault.Misconfigured},
		"no limit":             {store.Query{}, fault.Invalid},
		"limit too high":       {store.Query{Limit: store.MaxQueryResults + 1}, fault.Invalid},
		"descending by id":     {store.Query{Limit: 1, Descending: true}, fault.Invalid},
		"field twice":          {store.Query{Limit: 1, Equal: []store.Field{{Name: "kind", Value: "a"}, {Name: "kind", Value: "a"}}}, fault.Invalid},
		"comparing a fraction": {store.Query{Limit: 1, Equal: []store.Field{{Name: "kind", Value: 0.5}}}, fault.Invalid},
		"comparing nothing":    {store.Query{Limit: 1, Equal: []store.Field{{Name: "kind"}}}, fault.Invalid},
		"bounds of two types":  {store.Query{Limit: 1, Range: &store.Range{Name: "rank", From: 1, To: "a"}}, fault.Invalid},
		"bound of a list":      {store.Query{Limit: 1, Range: &store.Range{Name: "rank", To: []int{1}}}, fault.Invalid},
		"cursor without value": {store.Query{Limit: 1, Range: rank, After: &store.Cursor{ID: "a"}}, fault.Invalid},
		"cursor without id":    {store.Query{Limit: 1, Range: rank, After: &store.Cursor{Value: 1}}, fault.Invalid},
		"cursor of a type":     {store.Query{Limit: 1, Range: &store.Range{Name: "rank", From: 1}, After: &store.Cursor{Value: "a", ID: "a"}}, fault.Invalid},
		"cursor without range": {store.Query{Limit: 1, After: &store.Cursor{Value: 1, ID: "a"}}, fault.Invalid},
	} {
		if c.q.Collection == "" {
			c.q.Collection = "things"
		}
		_, err := s.Query(t.Context(), c.q)
		wantKind(t, name, err, c.want)
	}
}

package auditlog_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

func TestOperationKey(t *testing.T) {
	t.Parallel()
	begin, end := fixture(t, "firewall-first"), fixture(t, "firewall-last")
	if begin.OperationKey() == "" || begin.OperationKey() != end.OperationKey() {
		t.Error("two keys for one operation")
	}
	both := one(t, with(t, "firewall-first", func(e, _ map[string]any) {
		e["operation"] = map[string]any{"id": "x", "first": true, "last": true}
	}), auditlog.Mapping{})
	if fixture(t, "iam-project-delta").OperationKey() != "" || both.OperationKey() != "" {
		t.Error("an entry that stands alone has a key")
	}
}

var evening = time.Date(2026, 3, 3, 20, 0, 0, 0, time.UTC)

// Whatever the order, and however often each part comes, there is one entry, once.
func TestFoldOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	parts := []auditlog.Entry{fixture(t, "split-0"), fixture(t, "split-1"), fixture(t, "split-2")}
	want := ""
	for seed := range uint64(25) {
		random := rand.New(rand.NewPCG(seed, 1))
		stream := append(append(slices.Clone(parts), parts...), parts...)
		random.Shuffle(len(stream), func(i, j int) { stream[i], stream[j] = stream[j], stream[i] })
		f := auditlog.NewFolder()
		var ready []auditlog.Entry
		for _, e := range stream {
			ready = append(ready, f.Fold(e, evening)...)
		}
		text, err := json.Marshal(append(ready, f.Overdue(evening)...))
		if err != nil || len(ready) != 1 || ready[0].Part() {
			t.Fatalf("seed %d: %d entries, %v", seed, len(ready), err)
		}
		if want == "" {
			want = string(text)
		}
		if string(text) != want {
			t.Fatalf("seed %d:\n%s\nnot\n%s", seed, text, want)
		}
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	first := fixture(t, "split-0")
	whole := auditlog.Join([]auditlog.Entry{fixture(t, "split-2"), first, fixture(t, "split-1")})
	var request struct {
		Type, Note string
		Flag       bool
		Policy     struct{ Bindings []any }
	}
	if err := json.Unmarshal(whole.Request, &request); err != nil {
		t.Fatal(err)
	}
	if request.Note != "<ab>c" || !request.Flag || len(request.Policy.Bindings) != 2 {
		t.Errorf("%s", whole.Request)
	}
	if !strings.Contains(string(whole.Payload), string(whole.Request)) {
		t.Error("the payload has not all of the request")
	}
	if want := `"big":12345678901234567890`; !strings.Contains(string(whole.Response), want) {
		t.Errorf("%s lacks %s", whole.Response, want)
	}
	if d, _ := whole.IAMDelta(); len(d.Added) != 2 {
		t.Errorf("%+v", d)
	}
	if whole.ID != first.WholeID() || whole.Part() || !whole.Time.Equal(first.Time) || !whole.Received.Equal(first.Received) ||
		whole.Asset != first.Asset || whole.Actor.Key != first.Actor.Key || whole.IP != first.IP || whole.LogName != first.LogName || len(whole.Gaps) > 0 {
		t.Errorf("%+v", whole)
	}
	some := auditlog.Join([]auditlog.Entry{fixture(t, "split-2"), first})
	if !some.Part() || some.ID != whole.ID || some.WholeID() != whole.ID || some.Resource != whole.Resource {
		t.Errorf("%+v", some)
	}
}

// What was called, on what, may stand in another part than what was asked for.
func TestJoinFillsIn(t *testing.T) {
	t.Parallel()
	bare := one(t, with(t, "split-0", func(_, p map[string]any) {
		for _, name := range []string{"serviceName", "methodName", "resourceName", "authenticationInfo"} {
			delete(p, name)
		}
	}), auditlog.Mapping{})
	want := fixture(t, "split-1")
	got := auditlog.Join([]auditlog.Entry{bare, want, fixture(t, "split-2")})
	if got.Part() || got.Verb != want.Verb || got.Asset != want.Asset || got.Actor.Key != want.Actor.Key || len(got.Gaps) > 0 {
		t.Errorf("%+v", got)
	}
	if d, _ := got.IAMDelta(); len(d.Added) != 2 {
		t.Errorf("%+v", d)
	}
}

// Written entries read as they were.
func TestWritten(t *testing.T) {
	t.Parallel()
	for _, line := range compacted(t) {
		e := one(t, line, auditlog.Mapping{})
		if e.Kind != auditlog.Audit || e.Stream == auditlog.AccessTransparency || len(e.Gaps) > 0 {
			continue
		}
		data, err := e.Written()
		if err != nil {
			t.Fatal(err)
		}
		again := one(t, data, auditlog.Mapping{})
		again.ID = e.ID
		a, _ := json.Marshal(e)
		b, _ := json.Marshal(again)
		if string(a) != string(b) {
			t.Errorf("%s\nnot\n%s", b, a)
		}
	}
}

// split is a part of what, with any numbers.
func split(t *testing.T, log, uid string, index, total int) auditlog.Entry {
	t.Helper()
	return one(t, with(t, "split-0", func(e, _ map[string]any) {
		e["logName"], e["insertId"] = log, fmt.Sprint(uid, index)
		e["split"] = map[string]any{"uid": uid, "index": index, "totalSplits": total}
	}), auditlog.Mapping{})
}

// Whatever a split says of itself, its entry is returned once, in bounded memory, and what is not whole is known to be none.
func TestFoldHostile(t *testing.T) {
	t.Parallel()
	const here, there = "projects/a/logs/cloudaudit.googleapis.com%2Factivity", "projects/b/logs/cloudaudit.googleapis.com%2Factivity"
	for name, c := range map[string]struct {
		parts []auditlog.Entry
		want  string // whole or not, of each
		rest  int    // at the end
	}{
		"too many parts":     {[]auditlog.Entry{split(t, here, "a", 0, 1_000_000), split(t, here, "a", 999_999, 1_000_000)}, "part", 0},
		"negative":           {[]auditlog.Entry{split(t, here, "a", -1, 2), split(t, here, "a", 0, 2)}, "part", 0},
		"beyond the last":    {[]auditlog.Entry{split(t, here, "a", 2, 2)}, "part", 0},
		"no total":           {[]auditlog.Entry{split(t, here, "a", 0, 0), split(t, here, "a", 1, 0)}, "part", 0},
		"one of one":         {[]auditlog.Entry{split(t, here, "a", 0, 1), split(t, here, "a", 0, 1)}, "whole", 0},
		"totals that differ": {[]auditlog.Entry{split(t, here, "a", 0, 2), split(t, here, "a", 1, 3), split(t, here, "a", 1, 2)}, "whole", 1},
		"of two logs":        {[]auditlog.Entry{split(t, here, "a", 0, 2), split(t, there, "a", 1, 2)}, "", 2},
	} {
		f := auditlog.NewFolder()
		var got []string
		for _, e := range append(c.parts, c.parts...) {
			for _, ready := range f.Fold(e, evening) {
				got = append(got, map[bool]string{true: "part", false: "whole"}[ready.Part()])
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if early, rest := f.Overdue(evening.Add(-1)), f.Overdue(evening); len(early) != 0 || len(rest) != c.rest {
			t.Errorf("%s: %d too early, %d at the end, want %d", name, len(early), len(rest), c.rest)
		}
	}
	app := fixture(t, "split-0")
	if app.Kind = auditlog.Application; app.Part() || app.WholeID() != app.ID {
		t.Error("what an application says of a split is believed")
	}
}

// A flood of splits that never end gives up the oldest, and each is returned once.
func TestFoldFlood(t *testing.T) {
	t.Parallel()
	f, returned := auditlog.NewFolder(), map[string]int{}
	e := fixture(t, "split-0")
	e.Payload = json.RawMessage(`{"serviceName":"` + strings.Repeat("s", 200_000) + `"}`)
	most := 0
	for i := range 300 {
		e.Split.UID = fmt.Sprint(i)
		for _, ready := range f.Fold(e, evening) {
			returned[ready.ID]++
		}
		most = max(most, i+1-len(returned))
	}
	for _, ready := range f.Overdue(evening) {
		returned[ready.ID]++
	}
	if len(returned) != 300 || most*len(e.Payload) > 33<<20 {
		t.Errorf("%d returned, %d held", len(returned), most)
	}
	for id, n := range returned {
		if n != 1 {
			t.Errorf("%s %d times", id, n)
		}
	}
}

// More bytes than an entry may have are not put together.
func TestFoldTooLarge(t *testing.T) {
	t.Parallel()
	f := auditlog.NewFolder()
	var ready []auditlog.Entry
	for i := range 20 {
		e := fixture(t, "split-0")
		e.Split.Index, e.Split.Total = i, 20
		e.Payload = json.RawMessage(`{"serviceName":"s","request":"` + strings.Repeat("x", 500_000) + `"}`)
		ready = append(ready, f.Fold(e, evening)...)
	}
	if len(ready) != 1 || !ready[0].Part() || ready[0].Method == "" {
		t.Errorf("%d entries", len(ready))
	}
}

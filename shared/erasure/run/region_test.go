package run_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
)

// TestElsewhere: what lies in a region in which this deployment does not work is neither searched nor erased from here. The plan
// says so, and no search says that nothing is left.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use("identifiers:\n", "regions: [europe-west1]\nidentifiers:\n",
		`  - {id: sessions, store: "firestore://p/d", place: sessions, region: europe-west1,`, `  - {id: sessions, store: "firestore://p/away", place: sessions, region: us-west1,`)
	w.fill(3)
	open := w.config.Reader
	w.config.Reader = func(ctx context.Context, url string) (erasure.Reader, error) {
		if strings.Contains(url, "away") {
			t.Errorf("%s is opened", url)
		}
		return open(ctx, url)
	}
	erases := w.config.Eraser
	w.config.Eraser = func(ctx context.Context, url string) (erasure.Store, error) {
		if strings.Contains(url, "away") {
			t.Errorf("%s is opened to erase", url)
		}
		return erases(ctx, url)
	}
	p := w.plan(job(1))
	for _, e := range p.Entries {
		if away := e.ID == "sessions"; away != (e.Why == "region") {
			t.Errorf("planned: %+v", e)
		}
	}
	if s := p.Summary(""); s.Blind != 1 {
		t.Errorf("the plan says %+v", s)
	}
	x := w.execute(job(1))
	j := job(1)
	j.Executed = w.clock.Now()
	if o := w.search(j, 1); !slices.Equal(o.Open, []request.Open{{Entry: "sessions", Why: "region"}}) || o.Left != 0 {
		t.Errorf("it ends with %+v after %+v", o, x)
	}
	if got := w.people.export("acme"); strings.Count(got, "sessions/acme-u1-") != 3 {
		t.Errorf("left:\n%s", got)
	}
	if r, err := w.engine().Account(t.Context(), j); err != nil || !slices.ContainsFunc(r.Entries, func(e run.EntryCount) bool { return e.Entry == "sessions" && e.Open == "region" }) {
		t.Errorf("the receipt is made of %+v, %v", r.Entries, err)
	}
	w.use("identifiers:\n", "regions: [us-west1]\nidentifiers:\n", "place: sessions, region: europe-west1,", "place: sessions, region: us-west1,",
		`- {id: users, store: "firestore://p/d"`, `- {id: users, store: "firestore://p/users"`)
	if _, _, err := w.engine().OnFile(t.Context(), "acme", "jo@acme.example"); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a directory elsewhere: %v", err)
	}
}

// TestElsewhereDone: what lies in another region a person says was done there, and nothing here stands open for it any longer:
// neither what could not be looked up in it, nor what it lies inside of.
func TestElsewhereDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use("identifiers:\n", "regions: [europe-west1]\nidentifiers:\n",
		`{id: profiles, store: "firestore://p/d", place: profiles, region: europe-west1`, `{id: profiles, store: "firestore://p/away", place: profiles, region: us-west1`,
		`place: "**/files", region: europe-west1`, `place: "**/files", region: us-west1`)
	w.fill(1)
	w.people.put("folders", "f", "uid", "u1")
	w.plan(job(1))
	w.execute(job(1))
	j := job(1)
	j.Executed = w.clock.Now()
	asked := []request.Open{{Entry: "files", Why: "region"}, {Entry: "folders", Why: "after_region"}, {Entry: "orders", Why: "unasked"}, {Entry: "profiles", Why: "region"}}
	if o := w.search(j, 1); !same(o.Open, asked) {
		t.Fatalf("open is %+v", o.Open)
	}
	j.Round, j.Reviewed = 2, map[string]int64{"profiles:region": 0, "files:region": 0, "orders": 0}
	if o := w.search(j, 1); len(o.Open) > 0 || o.Left == 0 || len(o.Settled) != 3 {
		t.Fatalf("once it was done there: %+v", o)
	}
	w.execute(j)
	j.Round = 3
	if o := w.search(j, 1); len(o.Open) > 0 || o.Left > 0 || w.people.docs["folders/f"] != nil {
		t.Errorf("in the end: %+v", o)
	}
}

// same reports whether two lists hold the same.
func same(a, b []request.Open) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(o request.Open) bool { return !slices.Contains(b, o) })
}

package run_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
)

// dying is a store that erases a page and dies before it says so, once.
type dying struct {
	erasure.Store
	dead bool
}

func (d *dying) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	results, err := d.Store.Erase(ctx, q, items)
	if !d.dead && q.Sums() && err == nil {
		d.dead = true
		return nil, fault.New(fault.Transient, "the connection broke")
	}
	return results, err
}

// A total that outlives the people it was made of keeps their requests open while it is of fewer than the map asks for, however
// many items it counts and however often somebody died; once it is of enough the next search says so.
func TestTotalOfFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use("fields: [{field: uid, do: delete}, {field: name, do: delete}]", `fields: [{field: uid, do: delete}, {field: minutes, do: aggregate, into: "firestore://p/d/totals"}], group: {fields: [city], min: 5}`,
		"backups:\n", "no_personal_data: [\"firestore://p/d/totals\"]\nbackups:\n")
	data, err := local.Open(filepath.Join(t.TempDir(), "data.db"), "firestore://p/d")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = data.Close() })
	w.config.Reader = func(context.Context, string) (erasure.Reader, error) { return data, nil }
	var jobs []run.Job
	for n := range 5 {
		uid := fmt.Sprint("u", n)
		for i := range 7 {
			if err := data.Put("usage", fmt.Sprint(uid, "-", i), map[string]any{"tenant": "acme", "uid": uid, "minutes": 3, "city": "Ulm"}, start); err != nil {
				t.Fatal(err)
			}
		}
		store := &dying{Store: data}
		w.config.Eraser = func(context.Context, string) (erasure.Store, error) { return store, nil }
		j := run.Job{Request: fmt.Sprint("r", n), Round: 1, Tenant: "acme", Scope: run.Person, IDs: []datamap.Identifier{{Kind: "uid", Value: uid, Verified: true}}}
		jobs = append(jobs, w.erased(j))
		want := []request.Open{{Entry: "usage", Why: request.Group, Items: 7}}
		if n == 4 {
			want = nil
		}
		if o := w.search(jobs[n], 1); fmt.Sprint(named(o.Open)) != fmt.Sprint(want) || !store.dead {
			t.Errorf("of %d: %+v, want %+v", n+1, o.Open, want)
		}
	}
	for _, j := range jobs {
		if o := w.search(j, 2); len(named(o.Open)) > 0 {
			t.Errorf("of five: %+v", o.Open)
		}
	}
	totals := 0
	if err := data.Each(func(place, _ string, fields map[string]any) error {
		if text := fmt.Sprint(fields); place == "totals" {
			if totals++; fields["total"] != int64(5*7*3) || fields["items"] != int64(5*7) || strings.Contains(text, "u0") {
				t.Errorf("the total is %s", text)
			}
		}
		return nil
	}); err != nil || totals != 1 {
		t.Errorf("%d totals, %v", totals, err)
	}
}

// named leaves out places that nobody could ask about.
func named(all []request.Open) (some []request.Open) {
	for _, o := range all {
		if o.Why == request.Group {
			some = append(some, o)
		}
	}
	return some
}

package run_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
)

// A store that tells of some items only, and not of the first, is taken at its word for those and no others.
func TestGaps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(10)
	w.plan(job(1))
	once := false
	w.people.fail = func(call string) error {
		if !once && call == "erased sessions/acme-u1-00004" {
			once = true
			return fault.New(fault.Transient, "the connection broke")
		}
		return nil
	}
	w.people.skip = 3
	if x := w.execute(job(1)); x.Totals.Erased != 13 || x.Totals.Gone != 0 || len(x.Open) > 0 {
		t.Errorf("executed %+v", x)
	}
	if o := w.search(job(1), 1); o.Left != 0 {
		t.Errorf("left %+v", o)
	}
}

// Names of any length can be written down.
func TestLongNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	for i := range 310 {
		w.people.put("sessions", fmt.Sprintf("%s-%03d", strings.Repeat("<&", 700), i), "uid", "u1")
	}
	w.plan(job(1))
	if x := w.execute(job(1)); x.Totals.Erased != 4+310 || len(x.Open) > 0 {
		t.Errorf("executed %+v", x)
	}
}

// A store that refuses holds up nothing but what comes after it: the directory stays, so that a later search can find.
func TestRefused(t *testing.T) {
	t.Parallel()
	for kind, why := range map[fault.Kind]string{fault.Denied: "denied", fault.NotFound: "missing", fault.Invalid: "refused", fault.Transient: "unreachable"} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fill(2)
			w.plan(job(1))
			w.people.fail = func(call string) error {
				if call == "erase notes" {
					return fault.New(kind, "no")
				}
				return nil
			}
			x := w.execute(job(1))
			if len(x.Open) != 2 || x.Open[0] != (request.Open{Entry: "notes", Why: why}) || x.Open[1] != (request.Open{Entry: "users", Why: "after_" + why}) {
				t.Fatalf("open %v", x.Open)
			}
			w.people.fail = nil
			if o := w.search(job(1), 1); o.Left != 2 {
				t.Errorf("left %+v", o)
			}
		})
	}
}

// A document that is written while it is being erased is found again.
func TestChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	w.plan(job(1))
	once := false
	w.people.fail = func(call string) error {
		if call == "erase sessions" && !once {
			once = true
			for ref, doc := range w.people.docs {
				if strings.HasPrefix(ref, "sessions/acme-u1-") {
					doc["version"] += "b"
				}
			}
		}
		return nil
	}
	if x := w.execute(job(1)); x.Totals.Erased != 5 || len(x.Open) > 0 {
		t.Errorf("executed %+v", x)
	}
}

// deaf is a store that does not hear the first Erase of a place.
type deaf struct {
	*people
	place string
}

func (d *deaf) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	if q.Place == d.place {
		d.place = ""
		return nil, fault.New(fault.Transient, "the connection broke")
	}
	return d.people.Erase(ctx, q, items)
}

// An item that an entry recognises in two ways is planned, erased and counted once.
func TestTwoWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	w.people.put("users", "other", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z") // by her address alone
	if s := w.plan(job(1)).Summary(""); s.Items != 6 {
		t.Errorf("planned %+v", s)
	}
	d := &deaf{w.people, "users"}
	w.config.Eraser = func(context.Context, string) (erasure.Store, error) { return d, nil }
	if x := w.execute(job(1)); x.Totals.Erased != 5 || w.people.erased != 5 || d.place != "" {
		t.Errorf("counted %+v, erased %d", x.Totals, w.people.erased)
	}
}

// Whoever wakes up when another has done the work says nothing any more.
func TestStale(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1_000)
	w.plan(job(1))
	j, pages := job(1), 0
	j.Still = func(context.Context) error {
		if pages++; pages == 2 {
			w.pass(time.Hour)
			w.execute(job(1))
		}
		return nil
	}
	if _, done, err := w.engine().Execute(t.Context(), j, forever); err != nil && !fault.Is(err, fault.Transient) || done {
		t.Errorf("done %v, %v", done, err)
	}
	if x := w.execute(job(1)); x.Totals.Erased != 1_003 || x.Totals.Gone != 0 {
		t.Errorf("executed %+v", x.Totals)
	}
}

// A round that is given up while it has a page in hand, of which nobody knows what became, is counted by the next.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	for _, part := range []int{0, 150, 300} {
		w := newWorld(t)
		w.fill(400)
		w.plan(job(1))
		w.config.Eraser = func(context.Context, string) (erasure.Store, error) { return &mute{w.people, part}, nil }
		if _, done, err := w.engine().Execute(t.Context(), job(1), forever); err != nil || done {
			t.Fatalf("done %v, %v", done, err)
		}
		w.config.Eraser = func(context.Context, string) (erasure.Store, error) { return w.people, nil }
		w.pass(time.Hour)
		for round := 2; round < 4; round++ { // a plan that is made twice changes nothing
			w.plan(job(round))
		}
		if x := w.execute(job(3)); x.Totals.Erased != 403 || x.Totals.Anonymised != 1 || x.Totals.Gone != 0 || w.people.erased != 403 {
			t.Errorf("%d of a page: counted %+v, erased %d", part, x.Totals, w.people.erased)
		}
	}
}

// mute is a store that erases a part of what it is asked to, and never says so.
type mute struct {
	*people
	part int
}

func (m *mute) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	if _, err := m.people.Erase(ctx, q, items[:min(m.part, len(items))]); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.Transient, "the connection broke")
}

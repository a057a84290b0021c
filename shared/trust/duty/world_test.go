package duty

import (
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/trust/desk/desktest"
	"ostiary.internal/shared/trust/notice"
)

// world is a Service on a desk whose store can be made to fail.
type world struct {
	*Service
	*desktest.Rig
	t    *testing.T
	left int // calls of the store that pass; negative: all
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, files(duties))
}

func newWorldOf(t *testing.T, files map[string]string) *world {
	t.Helper()
	w := &world{t: t, left: -1, Rig: desktest.New(t, files, Collection()...)}
	w.Fail = func(storetest.Point, int) error {
		if w.left == 0 {
			return fault.New(fault.Transient, "an injected failure")
		}
		w.left--
		return nil
	}
	rules, _ := ReadRules(w.Rig.Policy)
	var err error
	if w.Service, err = New(w.Rig.Desk, rules); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) tick() {
	w.t.Helper()
	if err := w.Tick(w.t.Context(), w.Now()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) by(id string) By { return By{Person: w.Person(id)} }

func (w *world) task(id string) Task {
	w.t.Helper()
	t, _, err := w.Get(w.t.Context(), id, w.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// about returns the records that name a promise, in the order they came.
func (w *world) about(promise string, kinds ...record.Kind) []record.Record {
	var found []record.Record
	for _, r := range w.Records() {
		for _, id := range r.Promises {
			for _, kind := range kinds {
				if id == promise && r.Kind == kind {
					found = append(found, r)
				}
			}
		}
	}
	return found
}

// notices returns how many notices of a kind were given, and to whom the last one was.
func (w *world) notices(kind notice.Kind) (count int, to []string) {
	for _, n := range w.Told() {
		if n.Kind == kind {
			count, to = count+1, n.To
		}
	}
	return count, to
}

var start = desktest.Start

const dayLong = 24 * time.Hour

package run_test

import (
	"fmt"
	"strings"
	"testing"

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

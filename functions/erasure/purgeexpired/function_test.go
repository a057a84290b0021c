package purgeexpired

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/testdata/sample"
)

const me = "purgeexpired"

func newWorld(t testing.TB) *erasuretest.World {
	t.Helper()
	w := erasuretest.New(t, nil, Function)
	for _, tenant := range sample.Twins {
		for i := range 3 {
			w.Put("sessions", tenant, sample.Document{Name: fmt.Sprint("stale-", i), Created: functiontest.Start.AddDate(0, -5, 0), Fields: map[string]any{
				"uid": "u1", "started_at": functiontest.Start.AddDate(0, -5, i).Format(time.RFC3339),
			}})
		}
	}
	return w
}

// stale counts the sessions of a tenant that are older than the rule says.
func stale(w *erasuretest.World, tenant string) int {
	return strings.Count(w.Export(tenant), "sessions stale-")
}

// passes counts the records of passes by whether they were dry, and what they erased of sessions.
func passes(t testing.TB, w *erasuretest.World) (dry, real int, erased string) {
	t.Helper()
	for _, r := range w.Records(t) {
		if r.Kind != record.Observation || r.Facts["rule"] != "old-sessions" {
			continue
		}
		if r.Facts["dry"] == "yes" {
			dry++
			continue
		}
		if real++; r.Facts["erased"] != "0" {
			erased += r.Facts["erased"]
		}
	}
	return dry, real, erased
}

// TestPurge: the first pass counts and erases nothing, the next day's erases what is old enough in each tenant, and no more
// than once a day.
func TestPurge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		w.Tick(t, me).Want(t, 204, "")
		w.Advance(t, 10*time.Minute)
	}
	tenants := len(w.Policy.Tenants)
	if dry, real, _ := passes(t, w); dry != tenants || real != 0 || stale(w, erasuretest.Nord) != 3 {
		t.Fatalf("the first day: %d passes that count, %d that erase, %d left", dry, real, stale(w, erasuretest.Nord))
	}
	before := strings.Count(w.Export(erasuretest.Nord), "\n")
	w.Advance(t, 24*time.Hour)
	for range 3 {
		w.Tick(t, me).Want(t, 204, "")
		w.Advance(t, 10*time.Minute)
	}
	if dry, real, erased := passes(t, w); dry != tenants || real != tenants || erased != "33" {
		t.Errorf("the second day: %d passes that count, %d that erase, erased %q", dry, real, erased)
	}
	if n := stale(w, erasuretest.Nord) + stale(w, erasuretest.Sud); n != 0 || strings.Count(w.Export(erasuretest.Nord), "\n") != before-3 {
		t.Errorf("%d are left, %d lines before and %d after", n, before, strings.Count(w.Export(erasuretest.Nord), "\n"))
	}
}

// TestHold: nothing of an entry on which two people hold something goes, in that tenant; once the hold is over it does.
func TestHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Tick(t, me).Want(t, 204, "")
	due := calendar.Date(w.Clock.Now().AddDate(0, 1, 0), time.UTC)
	hold := request.Request{
		Deadline: request.Deadline{Due: due, Conservative: due, NoticeBy: due},
		V:        1, ID: "aaaaaaaaaaaaaaaa", State: request.Retained, Tenant: erasuretest.Nord, Next: w.Clock.Now().AddDate(1, 0, 0).UnixMicro(),
		Holds: []request.Hold{{ID: "h", Entry: "sessions", Until: calendar.Date(w.Clock.Now().AddDate(1, 0, 0), time.UTC)}},
	}
	put := func(r request.Request) {
		if err := w.Raw("erasure").Tx(t.Context(), func(tx store.Tx) error { return tx.Put(request.Requests, r.ID, r) }); err != nil {
			t.Fatal(err)
		}
	}
	put(hold)
	w.Advance(t, 24*time.Hour)
	w.Tick(t, me).Want(t, 204, "")
	if nord, sud := stale(w, erasuretest.Nord), stale(w, erasuretest.Sud); nord != 3 || sud != 0 {
		t.Errorf("while it is held %d are left, and %d where nothing is", nord, sud)
	}
	hold.Holds = nil
	put(hold)
	w.Advance(t, 24*time.Hour)
	w.Tick(t, me).Want(t, 204, "")
	if n := stale(w, erasuretest.Nord); n != 0 {
		t.Errorf("afterwards %d are left", n)
	}
}

// TestOutages: a store that does not answer holds up the run, not the other tenants' for ever; a run that died is gone on
// with, and counts nothing twice.
func TestOutages(t *testing.T) {
	t.Parallel()
	for n := 0; ; n += 7 {
		w := newWorld(t)
		w.Tick(t, me).Want(t, 204, "")
		w.Advance(t, 24*time.Hour)
		w.Data(fault.New(fault.Transient, "an injected failure"), n)
		w.Tick(t, me).Want(t, 204, "")
		failed := w.DataFailed()
		w.Data(nil, 0)
		w.Restart()
		w.Advance(t, 10*time.Minute)
		w.Tick(t, me).Want(t, 204, "")
		if _, _, erased := passes(t, w); erased != "33" || stale(w, erasuretest.Nord)+stale(w, erasuretest.Sud) != 0 {
			t.Errorf("failed after %d calls: erased %q", n, erased)
		}
		if !failed {
			t.Logf("%d calls", n)
			return
		}
	}
}

// TestDeath: at whatever call of the database an instance dies, the next goes on, and what was erased is counted once.
func TestDeath(t *testing.T) {
	t.Parallel()
	for n := 0; ; n += 37 {
		w := newWorld(t)
		w.Tick(t, me).Want(t, 204, "")
		w.Advance(t, 24*time.Hour)
		w.Store.DownAfter(n)
		got := w.Tick(t, me).Status
		failed := w.Store.Failed() > 0
		w.Store.Up()
		if failed != (got == 503) {
			t.Fatalf("dead after %d calls: answered %d", n, got)
		}
		w.Restart()
		w.Advance(t, 10*time.Minute)
		w.Tick(t, me).Want(t, 204, "")
		if _, _, erased := passes(t, w); erased != "33" || stale(w, erasuretest.Nord)+stale(w, erasuretest.Sud) != 0 {
			t.Errorf("dead after %d calls: erased %q", n, erased)
		}
		if !failed {
			t.Logf("%d calls", n)
			return
		}
	}
}

// TestGate: nobody but the function's own invoker runs the schedule.
func TestGate(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	s, _ := erasuretest.Setup(t, nil, Function)
	functiontest.MachineGate(t, s, &seen, me, functiontest.Request{Method: "POST", Path: "/purgeexpired/tick"})
	w := functiontest.New(t, s)
	w.Store.Down()
	seen.Saw(w.Tick(t, me)).Want(t, 503, "unavailable")
	seen.Complete(t, me, w.Routes(me))
}

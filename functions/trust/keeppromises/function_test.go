package keeppromises

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/trust/page/shelf"
)

// TestMinutes: a promise is kept while its check says so, and no longer; a page is made when a state changes and once in
// a quarter of an hour; every page can be computed again by strangers.
func TestMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.Tick(t, name).Want(t, 204, "") // before there is a log
	if got := w.of(t, record.Page); len(got) != 0 {
		t.Fatalf("a page without a log: %+v", got)
	}
	if got := w.of(t, record.Policy); len(got) != 1 || got[0].Facts["policy"] != "sha256:"+w.Policy.Digest {
		t.Errorf("the policy on record: %+v", got)
	}
	w.good(t)
	if got := w.state(t, "D24"); got != record.Unknown {
		t.Errorf("before its check spoke it is %s", got)
	}
	w.say(t, record.Run, "ip-daily", record.Kept, "D24")
	w.good(t)
	if got := w.state(t, "D24"); got != record.Kept {
		t.Errorf("a minute after its check spoke it is %s", got)
	}
	made := len(w.of(t, record.Page))
	for range 14 {
		w.good(t)
	}
	if got := len(w.of(t, record.Page)); got != made {
		t.Errorf("%d pages although nothing changed", got-made)
	}
	if now, _ := w.newest(t); now.Counts[record.Kept] == 0 || now.At.After(w.Clock.Now().Add(-14*time.Minute)) {
		t.Errorf("the page of %s counts %v", now.At, now.Counts)
	}
	w.good(t)
	if got := len(w.of(t, record.Page)); got != made+1 {
		t.Errorf("%d pages after a quarter of an hour", got-made)
	}
	for range 5 {
		w.good(t)
	}
	if got := w.state(t, "D24"); got != record.Unknown {
		t.Errorf("after 20 minutes of silence it is %s", got)
	}
	if n := w.proven(t); n != made+2 {
		t.Errorf("%d pages are proven", n)
	}
}

// TestHeartbeat: the function says of itself once in a quarter of an hour how much of the log it followed.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for range 40 {
		w.good(t)
	}
	runs := w.runs(t)
	for i, r := range runs {
		if r.Run != int64(i+1) || r.Result.State != record.Kept {
			t.Errorf("run %d: %+v", i+1, r)
		}
	}
	if len(runs) != 4 { // of 8:45, 9:00, 9:15 and 9:30
		t.Errorf("%d runs in 40 minutes", len(runs))
	}
}

// TestKeys: a log signed by a key that the trust file does not hold is not believed.
func TestKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.good(t)
	before, _ := w.newest(t)
	right := w.trust
	other := newWorld(t, nil)
	w.trust = sign.Trust{V: sign.TrustVersion, Origin: origin, Keys: other.trust.Keys}
	w.aim(t, w.url)
	w.Restart()
	if a := w.minute(t); a.Status < 500 {
		t.Errorf("answered %d", a.Status)
	}
	if now, _ := w.newest(t); now.Size != before.Size {
		t.Errorf("the page went from %d to %d", before.Size, now.Size)
	}
	w.trust = right
	w.aim(t, w.url)
	w.Restart()
	w.good(t)
	w.proven(t)
}

// TestProbes: what the policy lets probes look at is looked at, also while the log cannot be followed; what was not seen
// is not kept.
func TestProbes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.good(t)
	w.good(t)
	other := func(r record.Record) bool { return r.Control != "malformed-refused" }
	beats := slices.DeleteFunc(w.of(t, record.Run), other)
	if len(beats) != 1 || !slices.Equal(beats[0].Promises, []string{"D27"}) || beats[0].Result.State != record.Unknown {
		t.Errorf("the probe's runs: %+v", beats)
	}
	before := len(slices.DeleteFunc(w.of(t, record.Observation), other))
	w.replace(t, 1)
	w.Advance(t, time.Hour)
	if a := w.Tick(t, name); a.Status < 500 {
		t.Errorf("answered %d", a.Status)
	}
	if n := len(slices.DeleteFunc(w.of(t, record.Observation), other)); before != 1 || n != 2 {
		t.Errorf("%d observations, then %d", before, n)
	}
}

// TestOutages: whatever does not answer, the run fails, the rest of it is done, and the next one makes it good.
func TestOutages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.good(t)
	for _, part := range []*functiontest.Switch{&w.Store, &w.MessageKey} {
		w.Restart() // what is in memory needs no answer
		w.say(t, record.Run, "ip-daily", record.Kept, "D24")
		part.Down()
		if a := w.minute(t); a.Status < 500 {
			t.Errorf("answered %d", a.Status)
		}
		part.Up()
		w.good(t)
	}
	w.Inbox.Down()
	for range 20 {
		w.good(t) // records wait in the outbox
	}
	if n := w.Pending(t, name); n == 0 {
		t.Error("no record waits")
	}
	w.Inbox.Up()
	w.Advance(t, time.Hour)
	for range 3 {
		w.good(t)
	}
	if n := w.Pending(t, name); n != 0 {
		t.Errorf("%d records wait", n)
	}
	w.proven(t)
}

// TestDeaths: the process dies at every call of the store, with the call done or not; the next ones make it good, and
// every page there is can be computed again.
func TestDeaths(t *testing.T) {
	t.Parallel()
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprintf("applied %v", applied), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.good(t)
			gate := &w.Store
			if applied {
				gate = &w.Applied
			}
			stride := max(3/require.Seeds(1), 1)
			for n := 0; ; n += stride {
				w.say(t, record.Run, "ip-daily", record.Kept, "D24")
				w.Advance(t, 15*time.Minute)
				w.seal(t)
				w.Restart()
				failed := gate.Failed()
				gate.DownAfter(n)
				w.Tick(t, name)
				gate.Up()
				died := gate.Failed() > failed
				w.Restart()
				for range 2 {
					w.good(t)
				}
				if !died {
					break
				}
			}
			w.Advance(t, time.Hour) // what the outbox has put off
			w.good(t)
			w.good(t)
			if n := w.Pending(t, name); n != 0 {
				t.Errorf("%d records wait", n)
			}
			w.proven(t)
		})
	}
}

// TestClock: a clock that jumps ahead leaves promises unknown. One that stands a little behind the last page makes none
// until it has caught up; a page dated further ahead gives way to the next one.
func TestClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.say(t, record.Run, "ip-daily", record.Kept, "D24")
	w.good(t)
	w.Advance(t, 40*24*time.Hour)
	w.good(t)
	if got := w.state(t, "D24"); got != record.Unknown {
		t.Errorf("after 40 days it is %s", got)
	}
	w.proven(t)
	k := w.another(t)
	head, err := k.follow(t.Context(), w.Clock.Now())
	must(t, err)
	pages := len(w.of(t, record.Page))
	must(t, k.show(t.Context(), w.Clock.Now().Add(-time.Minute), head))
	if got := len(w.of(t, record.Page)); got != pages {
		t.Errorf("%d pages from the past", got-pages)
	}
	w.say(t, record.Run, "ip-daily", record.Kept, "D24")
	w.good(t)
	must(t, k.read(t.Context(), w.Clock.Now()))
	_, head = w.leaves(t)
	must(t, k.show(t.Context(), w.Clock.Now().Add(10*24*time.Hour), head))
	if got := w.state(t, "D24"); got != record.Unknown {
		t.Errorf("on a page of the future it is %s", got)
	}
	for range 2 {
		w.say(t, record.Run, "ip-daily", record.Kept, "D24")
		w.good(t)
		if now, _ := w.newest(t); w.state(t, "D24") != record.Kept || w.Clock.Now().Sub(now.At).Abs() > time.Minute {
			t.Errorf("after a page of the future, the page of %s says %s", now.At, w.state(t, "D24"))
		}
	}
	w.proven(t)
}

// TestDays: each day has a page of its own, however little has changed.
func TestDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	midnight := w.Clock.Now().Truncate(24 * time.Hour).Add(24 * time.Hour)
	w.Advance(t, midnight.Add(-3*time.Minute).Sub(w.Clock.Now()))
	for range 4 {
		w.good(t)
	}
	of, err := shelf.New(w.Raw("trust")).Of(t.Context(), w.Clock.Now(), time.Time{})
	if err != nil || len(of) == 0 || of[0].At.Format(time.TimeOnly) != "00:00:00" {
		t.Errorf("pages of the new day: %+v, %v", of, err)
	}
}

// TestRegister: when the policy changes, that is on record with both digests, the ledger is made again from the first leaf,
// and old pages can still be computed from the register they name.
func TestRegister(t *testing.T) {
	t.Parallel()
	const gone = "X1"
	w := newWorld(t, map[string]string{"promises/900-gone.yaml": "promises:\n" +
		"  - {id: " + gone + ", text: {en: It goes.}, source: {file: x, section: y}, check: ip-daily, severity: low, kept_by: [{records: ip-daily}]}\n"})
	w.say(t, record.Run, "ip-daily", record.Kept, "D24")
	w.good(t)
	w.good(t)
	changed := newWorld(t, nil).Policy
	w.Policy = changed
	w.Restart()
	w.good(t)
	s, _ := w.newest(t)
	for _, row := range s.Promises {
		if row.ID == gone {
			t.Errorf("the page still tells of %s", gone)
		}
	}
	if s.Policy != changed.Digest || w.state(t, "D24") != record.Kept {
		t.Errorf("the page is of policy %s, and D24 %s", s.Policy, w.state(t, "D24"))
	}
	on := w.of(t, record.Policy)
	if len(on) != 2 || on[0].Facts["register"] == on[1].Facts["register"] || on[1].Facts["register"] != s.Register {
		t.Errorf("policies on record: %+v", on)
	}
	k := w.another(t)
	must(t, k.read(t.Context(), w.Clock.Now()))
	if _, head := w.leaves(t); k.ledger.Size() != head.Size {
		t.Errorf("the next instance reads a ledger of %d leaves", k.ledger.Size())
	}
	w.good(t)
	w.proven(t)
}

// TestStoredLedger: a stored ledger that is damaged is made again; one that is whole is taken as it is.
func TestStoredLedger(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"heads", "promise-D24"} {
		w := newWorld(t, nil)
		w.say(t, record.Run, "ip-daily", record.Kept, "D24")
		w.good(t)
		must(t, w.Raw("trust").Tx(t.Context(), func(tx store.Tx) error { return tx.Put(pieces, id, piece{version, []byte("damaged")}) }))
		w.Restart()
		w.good(t)
		if got := w.state(t, "D24"); got != record.Kept || len(w.of(t, record.Policy)) != 1 {
			t.Errorf("with %s damaged it is %s", id, got)
		}
		w.good(t)
		w.proven(t)
	}
}

func TestCallers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	setup := w.setup
	delete(setup.Env, "OSTIARY_IAM")
	var seen functiontest.Coverage
	functiontest.MachineGate(t, setup, &seen, name, functiontest.Request{Method: "POST", Path: "/keeppromises/tick"})
	v := functiontest.New(t, setup)
	v.Issuer.Down()
	seen.Saw(v.Tick(t, name)).Want(t, 503, "unavailable")
	seen.Complete(t, name, v.Routes(name))
}

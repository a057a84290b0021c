package syncallowlist

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/access/internal/accesstest"
	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

// TestUndecodable: what cannot be understood is recorded once, acknowledged each time, and ends nothing.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	put(t, w, "emma1", "emma", home)
	now := w.Clock.Now()
	bodies := []string{
		"", "{", "[]", `{"message":{}}`,
		message("unknown.topic", `{"lease":"x"}`, now), message(lease.Topic, "", now), message(lease.Topic, `{"lease":7}`, now), message(lease.Topic, `{}`, now),
		message(TopicSuspended, `{"person":""}`, now), message(TopicSuspended, `"emma"`, now), message(parts.TopicEnded, `{"person":["emma"]}`, now),
		strings.Replace(message(TopicSuspended, `{"person":"emma"}`, now), name+"--", "deliver--no.", 1),
		strings.Repeat("x", 17<<20),
	}
	before := w.State(t)
	for i, body := range bodies {
		for range 2 {
			w.Event(t, name, body).Want(t, 204, "")
			w.Advance(t, time.Second)
		}
		if n := len(w.Records(t)); n != i+1 {
			t.Errorf("%d records after %d undecodable events; the last was %.80q", n, i+1, body)
		}
	}
	w.Unchanged(t, before)
	for id, r := range w.Records(t) {
		if r.Kind != record.Gap || r.Result.State != record.Undetermined || r.Control != name {
			t.Errorf("record %s: %+v", id, r)
		}
	}
	// While it cannot be recorded it is delivered again.
	w.Inbox.Down()
	if got := w.Event(t, name, "once more"); got.Status != 503 {
		t.Errorf("answered %d without a record", got.Status)
	}
}

// TestFailures: what goes wrong with a message that was understood is tried again, never set aside.
func TestFailures(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	put(t, w, "emma1", "emma", home)
	push := message(TopicSuspended, `{"person":"emma"}`, w.Clock.Now())
	for _, kind := range []fault.Kind{fault.Transient, fault.Invalid, fault.NotFound, fault.Denied, fault.Conflict, fault.Misconfigured} {
		w.Store.Fail(fault.New(kind, "an injected failure"))
		if got := w.Event(t, name, push); got.Status != 503 {
			t.Errorf("%s: the event is answered %d", kind, got.Status)
		}
		if got := w.Tick(t, name); got.Status < 500 {
			t.Errorf("%s: the schedule is answered %d", kind, got.Status)
		}
	}
	w.Store.Panic("an injected failure")
	if event, tick := w.Event(t, name, push), w.Tick(t, name); event.Status != 500 || tick.Status != 500 {
		t.Errorf("a panic: the event is answered %d, the schedule %d", event.Status, tick.Status)
	}
	w.Store.Up()
	if n := len(w.Records(t)); n != 0 {
		t.Errorf("%d records of events that were understood", n)
	}
	w.Event(t, name, push).Want(t, 204, "")
	if l := get(t, w, "emma1"); l.Why != lease.Suspended {
		t.Errorf("lease ended by %q", l.Why)
	}
}

// TestDeaths: the store stops answering somewhere in an event, at every call of it in the soak; the next delivery makes
// it good.
func TestDeaths(t *testing.T) {
	t.Parallel()
	stride := 40 / require.Seeds(1) // 40, and 1 in the soak
	for n := 0; ; n += max(stride/3, 1) {
		w := functiontest.New(t, setup)
		put(t, w, "emma1", "emma", home)
		w.Event(t, name, message(lease.Topic, `{"lease":"emma1"}`, w.Clock.Now())).Want(t, 204, "")
		push := message(parts.TopicEnded, `{"person":"emma","why":"lost"}`, w.Clock.Now())
		w.Store.DownAfter(n)
		w.Event(t, name, push)
		died := w.Store.Failed() > 0
		w.Store.Up()
		w.Restart()
		w.Advance(t, 3*time.Minute) // whatever lease or wait the dead one left is over
		w.Event(t, name, push).Want(t, 204, "")
		w.Tick(t, name).Want(t, 204, "")
		if l, got := get(t, w, "emma1"), accesstest.Door(t, w, name); l.Why != lease.Lost || l.Open || got != "["+office+"]" || w.Pending(t, name) != 0 {
			t.Fatalf("killed after %d calls: lease %s by %q, open %v, door %s, %d entries wait", n, l.State, l.Why, l.Open, got, w.Pending(t, name))
		}
		if !died {
			return
		}
	}
}

// TestTickGoesOn: the sweep and the doors do not wait for each other.
func TestTickGoesOn(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	put(t, w, "emma1", "emma", home)
	w.Bus.Down()
	w.Inbox.Down()
	w.Tick(t, name).Want(t, 204, "")
	if l := get(t, w, "emma1"); l.State != lease.Confirmed || w.Pending(t, name) == 0 {
		t.Errorf("lease %s, %d entries wait", l.State, w.Pending(t, name))
	}
	w.Bus.Up()
	w.Inbox.Up()
	w.Advance(t, time.Minute)
	w.Tick(t, name).Want(t, 204, "")
	if n := w.Pending(t, name); n != 0 {
		t.Errorf("%d entries wait after the sweep", n)
	}
}

// TestTargetDown: a door that cannot be written leaves the lease pending and is tried again.
func TestTargetDown(t *testing.T) {
	t.Parallel()
	blocked := filepath.Join(t.TempDir(), "blocked")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := setup
	s.Env = map[string]string{parts.EnvTargets: "edge=file:" + filepath.Join(blocked, "edge")}
	w := functiontest.New(t, s)
	put(t, w, "emma1", "emma", home)
	if got := w.Event(t, name, message(lease.Topic, `{"lease":"emma1"}`, w.Clock.Now())); got.Status != 503 {
		t.Errorf("the event is answered %d", got.Status)
	}
	if l := get(t, w, "emma1"); l.State != lease.Received {
		t.Errorf("lease is %s", l.State)
	}
	w.Tick(t, name) // before the next attempt is due
	if r := said(t, w, "ip-allowlist"); r.Result.State != record.Unknown || r.Population.Errors != 1 {
		t.Errorf("what is said of a door that cannot be written: %+v", r)
	}
	if err := errors.Join(os.Remove(blocked), os.Mkdir(blocked, 0o700)); err != nil {
		t.Fatal(err)
	}
	w.Advance(t, time.Minute)
	w.Tick(t, name).Want(t, 204, "")
	if l := get(t, w, "emma1"); l.State != lease.Confirmed {
		t.Errorf("lease is %s after the door is back", l.State)
	}
}

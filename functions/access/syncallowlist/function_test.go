package syncallowlist

import (
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/access/internal/accesstest"
	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/directory/people"
	"ostiary.internal/shared/platform/store"
)

var setup = functiontest.Setup{Functions: []wiring.Function{Function}}

const name = "syncallowlist"

// put stores a lease as registration leaves it, begun now.
func put(t *testing.T, w *functiontest.World, id, person, address string) {
	t.Helper()
	now := w.Clock.Now()
	prefix := netip.PrefixFrom(netip.MustParseAddr(address), 32)
	l := lease.Lease{V: 1, ID: id, Person: person, Prefix: prefix, Family: lease.IPv4, Date: now.Format(time.DateOnly), Generation: 1, Started: now,
		Ends: now.Add(12 * time.Hour), Until: now.Add(12 * time.Hour).UnixMicro(), Zone: "Europe/Paris", State: lease.Received, Open: true, Expires: now.Add(lease.Retention)}
	mark := func(value string) string {
		return record.Commitment([]byte("a salt of 16 bytes and more"), "lease", value)
	}
	l.Marks = lease.Marks{Lease: mark(id), Person: mark(person), Prefix: mark(address)}
	if err := w.Raw("access").Tx(t.Context(), func(tx store.Tx) error { return tx.Create("leases", id, l) }); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, w *functiontest.World, id string) lease.Lease {
	t.Helper()
	var l lease.Lease
	if err := w.Raw("access").Get(t.Context(), "leases", id, &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// message is a push as the outbox of a function of ours causes it.
func message(topic, data string, at time.Time) string {
	return functiontest.Push(name, functiontest.Published{Topic: topic, At: at, Message: bus.Message{Data: []byte(data),
		Attributes: map[string]string{bus.AttributeID: topic + data, bus.AttributeTime: at.Format(time.RFC3339Nano)}}})
}

const (
	office = "81.2.69.192/28"
	home   = "81.2.69.142"
	mobile = "92.40.1.7"
)

func TestReconcile(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	put(t, w, "emma1", "emma", home)
	w.Event(t, name, message(lease.Topic, `{"lease":"emma1"}`, w.Clock.Now())).Want(t, 204, "")
	if got := accesstest.Door(t, w, name); got != "["+home+"/32 "+office+"]" {
		t.Errorf("the door lets in %s", got)
	}
	if l := get(t, w, "emma1"); l.State != lease.Confirmed {
		t.Errorf("state %s", l.State)
	}
	// The schedule says once in a quarter of an hour what it saw. The same again changes nothing and writes nothing.
	w.Tick(t, name).Want(t, 204, "")
	before, records := w.State(t), len(w.Records(t))
	w.Event(t, name, message(lease.Topic, `{"lease":"emma1"}`, w.Clock.Now())).Want(t, 204, "")
	w.Tick(t, name).Want(t, 204, "")
	w.Unchanged(t, before)
	if len(w.Records(t)) != records {
		t.Error("a run that found everything in order left a record")
	}
	w.Advance(t, 12*time.Hour)
	w.Tick(t, name).Want(t, 204, "")
	if got := accesstest.Door(t, w, name); got != "["+office+"]" {
		t.Errorf("after the day the door lets in %s", got)
	}
}

// TestLook: the schedule tells once in a quarter of an hour what the checks saw, and what is not in order is no proof.
func TestLook(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	runs := func() map[string]string {
		said := map[string]string{}
		for _, r := range w.Records(t) {
			if r.Kind == record.Run {
				said[r.Control] = fmt.Sprintf("%s %d/%d run %d %v", r.Result.State, r.Population.Seen, r.Population.Expected, r.Run, r.Promises)
			}
		}
		w.Forget()
		return said
	}
	w.Tick(t, name).Want(t, 204, "")
	want := map[string]string{"ip-allowlist": "kept 1/1 run 1 [D23]", "ip-daily": "kept 0/0 run 1 [D24]", "otp-gate": "kept 0/0 run 1 [D25]"}
	if got := runs(); !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
	put(t, w, "emma1", "emma", home) // whose owner never had an authenticator
	w.Tick(t, name).Want(t, 204, "")
	if got := runs(); len(got) != 0 {
		t.Errorf("the same quarter of an hour: %v", got)
	}
	w.Advance(t, 15*time.Minute)
	w.Tick(t, name).Want(t, 204, "")
	want = map[string]string{"ip-allowlist": "kept 1/1 run 2 [D23]", "ip-daily": "kept 1/1 run 2 [D24]", "otp-gate": "unknown 0/1 run 2 [D25]"}
	if got := runs(); !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// TestStanding: whoever lost her standing loses her lease within a run; an unknown standing ends nothing.
func TestStanding(t *testing.T) {
	t.Parallel()
	for c, ends := range map[people.Change]bool{people.Suspend: true, people.Remove: true, people.TwoStepOff: true, people.Unsuspend: false} {
		t.Run(string(c), func(t *testing.T) {
			t.Parallel()
			w := functiontest.New(t, setup)
			put(t, w, "emma1", "emma", home)
			put(t, w, "gone1", "nobody", mobile)
			w.Directory.Down()
			w.Tick(t, name).Want(t, 204, "")
			if l := get(t, w, "emma1"); l.State != lease.Confirmed {
				t.Errorf("without the directory: %s", l.State)
			}
			w.Directory.Up()
			if err := w.People.Change(t.Context(), "emma.dubois@sharedcontacts.example", c); err != nil {
				t.Fatal(err)
			}
			w.Advance(t, time.Minute)
			w.Tick(t, name).Want(t, 204, "")
			if l := get(t, w, "emma1"); (l.State == lease.Ended) != ends || ends && l.Why != lease.Suspended {
				t.Errorf("lease is %s, %s", l.State, l.Why)
			}
			if l := get(t, w, "gone1"); l.State != lease.Ended || l.Why != lease.Withdrawn {
				t.Errorf("the lease of somebody who left the policy is %s, %s", l.State, l.Why)
			}
		})
	}
}

// TestPersonEvents: a suspension, a lost authenticator and a reset end what was registered before, at whatever time the
// word arrives, and nothing that was registered after.
func TestPersonEvents(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		topic, data string
		why         lease.Why
	}{
		"suspended":   {TopicSuspended, `{"person":"emma"}`, lease.Suspended},
		"lost":        {parts.TopicEnded, `{"person":"emma","why":"lost"}`, lease.Lost},
		"compromised": {parts.TopicEnded, `{"person":"emma","why":"compromised"}`, lease.Lost},
		"reset":       {parts.TopicEnded, `{"person":"emma","why":"reset"}`, lease.Reset},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := functiontest.New(t, setup)
			put(t, w, "before", "emma", home)
			put(t, w, "other", "asha", mobile)
			push := message(test.topic, test.data, w.Clock.Now().Add(300*time.Millisecond))
			w.Advance(t, time.Second) // another instance's clock is a little ahead
			put(t, w, "moment", "emma", "92.40.1.8")
			w.Advance(t, time.Minute)
			put(t, w, "after", "emma", "92.40.1.9")
			for range 2 {
				w.Event(t, name, push).Want(t, 204, "")
			}
			for id, want := range map[string]lease.Why{"before": test.why, "moment": test.why, "other": "", "after": ""} {
				if l := get(t, w, id); l.Why != want {
					t.Errorf("lease %s ended by %q, want %q", id, l.Why, want)
				}
			}
			if got := accesstest.Door(t, w, name); strings.Contains(got, home) || !strings.Contains(got, "92.40.1.9/32") {
				t.Errorf("the door lets in %s", got)
			}
		})
	}
}

// said is the run record of a check.
func said(t *testing.T, w *functiontest.World, check string) (found record.Record) {
	t.Helper()
	for _, r := range w.Records(t) {
		if r.Kind == record.Run && r.Control == check {
			found = r
		}
	}
	return found
}

// TestForeignHand: what somebody else wrote to a door is a finding, and put right; that closes it.
func TestForeignHand(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Tick(t, name).Want(t, 204, "")
	door := accesstest.Target(t, w, name)
	held, err := door.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := door.Apply(t.Context(), allowlist.Set{}, allowlist.Write{Fence: held.Fence, Etag: held.Etag}); err != nil {
		t.Fatal(err)
	}
	w.Advance(t, time.Minute)
	w.Tick(t, name).Want(t, 204, "")
	kinds := map[record.Kind]int{}
	for _, r := range w.Records(t) {
		kinds[r.Kind]++
	}
	if got := accesstest.Door(t, w, name); got != "["+office+"]" || kinds[record.Finding] != 1 || kinds[record.Remediation] != 1 {
		t.Errorf("the door lets in %s, on record are %v", got, kinds)
	}
}

func TestCallers(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	push := message(lease.Topic, `{"lease":"x"}`, functiontest.Start)
	functiontest.MachineGate(t, setup, &seen, name, functiontest.Request{Method: "POST", Path: "/syncallowlist/events", Body: push},
		functiontest.Request{Method: "POST", Path: "/syncallowlist/tick"})
	w := functiontest.New(t, setup)
	w.Issuer.Down()
	seen.Saw(w.Tick(t, name)).Want(t, 503, "unavailable")
	seen.Saw(w.Event(t, name, push)).Want(t, 503, "unavailable")
	seen.Complete(t, name, w.Routes(name))
}

func FuzzEvent(f *testing.F) {
	w := functiontest.New(f, setup)
	token := w.Invoker(name)
	for _, seed := range []string{message(lease.Topic, `{"lease":"x"}`, functiontest.Start), message(TopicSuspended, `{"person":"emma"}`, functiontest.Start), `{"message":{"data":"!"}}`, ""} {
		f.Add([]byte(seed))
	}
	w.Tick(f, name)
	f.Fuzz(func(t *testing.T, body []byte) {
		w.Forget()
		if got := w.Call(t, functiontest.Request{Method: "POST", Path: "/syncallowlist/events", Body: body, Token: token}); got.Status != 204 {
			t.Errorf("answered %d", got.Status)
		}
	})
}

// TestAssetsOfOthers: of the calls the watch tells of, those to no door are taken and leave nothing; what is no message is refused.
func TestAssetsOfOthers(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Tick(t, name).Want(t, 204, "")
	before := w.State(t)
	w.Event(t, name, message(TopicChanged, `{"v":2,"asset":"//storage.googleapis.com/b","person":"simone","entry":"e1","at":"2026-03-03T08:00:00Z","new":1}`, w.Clock.Now())).Want(t, 204, "")
	w.Unchanged(t, before)
	for _, data := range []string{`{"asset":""}`, `{"asset":"//storage.googleapis.com/b"}`, `[]`, `{`} {
		if got := w.Event(t, name, message(TopicChanged, data, w.Clock.Now())); got.Status >= 500 {
			t.Errorf("%s: status %d, it would come again", data, got.Status)
		}
	}
}

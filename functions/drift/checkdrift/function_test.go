package checkdrift

import (
	"slices"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

const emma = "user:emma.dubois@sharedcontacts.example"

// TestStory: somebody changes a bucket by hand; the watch tells of it; within the minute there is a finding with her name; two
// accept it for a while; the value changes and nothing is accepted any more; it is put right, and healed.
func TestStory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick(3)
	if got := w.findings(); len(got) > 0 {
		t.Fatalf("in order, and found: %v", got)
	}
	w.cloud.files(emma)
	for range 2 { // it comes twice
		w.push(TopicChanged, w.changed("e1", "emma")).Want(t, 204, "")
	}
	if got := w.findings(); !slices.Equal(got, []string{"customer-data-members open", "live-data-members open"}) {
		t.Fatalf("after the message: %v", got)
	}
	p := w.parts()
	// Data of people lies there by the data map: what waits elsewhere for the change to be whole does not wait here.
	if f, err := p.Findings.Get(t.Context(), finding.ID(key, "customer-data-members")); err != nil || f.Data != "personal" || f.Severity != policy.Critical {
		t.Errorf("not graver: %+v %v", f, err)
	}
	id := finding.ID(key, "live-data-members")
	f, err := p.Findings.Get(t.Context(), id)
	if err != nil || len(f.Actors) == 0 || f.Actors[0].Person != "emma" || f.Got != "roles/storage.objectViewer "+emma {
		t.Errorf("the finding: %+v %v", f, err)
	}
	w.tick(4)
	if got := w.findings(); !slices.Equal(got, []string{"customer-data-members open", "live-data-members open"}) {
		t.Fatalf("it stands: %v", got)
	}
	wish := finding.Wish{Reason: "until the new bucket is there", Ticket: "T-1", Got: f.Got, Until: w.Clock.Now().Add(48 * time.Hour)}
	var by int
	for _, person := range w.Policy.People {
		if _, err := p.Findings.Accept(t.Context(), id, wish, person, w.Clock.Now()); err == nil {
			by++
		}
		if by == 2 {
			break
		}
	}
	if got := w.findings(); !slices.Equal(got, []string{"customer-data-members open", "live-data-members accepted"}) {
		t.Fatalf("accepted by %d: %v", by, got)
	}
	w.cloud.files(emma, "allUsers")
	w.push(TopicFeed, w.feed()).Want(t, 204, "")
	if got := w.findings(); !slices.Equal(got, []string{"customer-data-members open", "live-data-members open"}) {
		t.Fatalf("another value: %v", got)
	}
	w.cloud.files()
	w.push(TopicFeed, w.feed()).Want(t, 204, "")
	w.tick(2)
	if got := w.findings(); !slices.Equal(got, []string{"customer-data-members healed", "live-data-members healed"}) {
		t.Fatalf("put right: %v", got)
	}
	all := w.written()
	if all["finding drift"] == 0 || all["remediation drift"] == 0 || all["waiver drift"] == 0 {
		t.Errorf("on record: %v", all)
	}
	if len(w.Published("message.requested")) == 0 || w.Pending(t, "checkdrift") != 0 {
		t.Errorf("%d messages, %d wait", len(w.Published("message.requested")), w.Pending(t, "checkdrift"))
	}
}

// TestBeats: once a quarter of an hour each assertion that keeps a promise says that it looked; what cannot be read is not
// looked at.
func TestBeats(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick(17)
	runs := func() (kept, unknown int) {
		for _, r := range w.Records(t) {
			if r.Kind != record.Run {
				continue
			}
			if len(r.Promises) == 0 || r.Facts[record.Mechanism] != "assertion" {
				t.Fatalf("run: %+v", r)
			}
			if r.Control == "live-data-members" {
				if r.Result.State == record.Kept {
					kept++
				} else {
					unknown++
				}
			}
		}
		return kept, unknown
	}
	if kept, unknown := runs(); kept+unknown != 2 {
		t.Errorf("%d kept, %d unknown", kept, unknown)
	}
	w.cloud.mu.Lock()
	w.cloud.err = fault.New(fault.Denied, "not allowed")
	w.cloud.mu.Unlock()
	_, before := runs()
	w.Advance(t, 24*time.Hour)
	w.tick(20)
	if _, unknown := runs(); unknown == before {
		t.Errorf("nothing can be read, and it says kept: %d", unknown)
	}
}

// TestUnreadable: a message nobody can read is set aside and put on record; one about an asset that cannot be asked for
// comes again, or is nothing anybody can tell.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, data := range []string{"{}", "no JSON", `{"asset":{}}`, `[]`} {
		w.push(TopicFeed, data).Want(t, 204, "")
		w.push(TopicChanged, data).Want(t, 204, "")
	}
	if w.written()["gap checkdrift"] == 0 {
		t.Errorf("on record: %v", w.written())
	}
	w.cloud.mu.Lock()
	w.cloud.err = fault.New(fault.Transient, "away")
	w.cloud.mu.Unlock()
	w.push(TopicFeed, w.feed()).Want(t, 503, "")
	w.cloud.mu.Lock()
	w.cloud.err = fault.New(fault.Denied, "not allowed")
	w.cloud.mu.Unlock()
	w.push(TopicFeed, w.feed()).Want(t, 204, "")
	w.push(TopicChanged, w.changed("e", "emma")).Want(t, 204, "")
}

// TestGate: nobody but the function's own invoker wakes it; without the database a run fails.
func TestGate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var seen functiontest.Coverage
	functiontest.MachineGate(t, setup(t.Name()), &seen, "checkdrift", functiontest.Request{Method: "POST", Path: "/checkdrift/tick"})
	functiontest.MachineGate(t, setup(t.Name()), &seen, "checkdrift", functiontest.Request{Method: "POST", Path: "/checkdrift/events", Body: functiontest.Push("checkdrift", functiontest.Published{Topic: TopicFeed, At: w.Clock.Now()})})
	w.Store.Down()
	seen.Saw(w.Tick(t, "checkdrift")).Want(t, 503, "unavailable")
	w.Store.Up()
	w.MessageKey.Down()
	w.Restart()
	seen.Saw(w.Tick(t, "checkdrift")).Want(t, 503, "unavailable")
}

// TestDeath: at whatever call of the database, the inbox, the bus or the key of messages an instance dies, the next does what is
// left.
func TestDeath(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]func(*world) *functiontest.Switch{
		"store": func(w *world) *functiontest.Switch { return &w.Store }, "applied": func(w *world) *functiontest.Switch { return &w.Applied },
		"bus": func(w *world) *functiontest.Switch { return &w.Bus }, "inbox": func(w *world) *functiontest.Switch { return &w.Inbox },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 0; ; n += map[string]int{"store": 97, "applied": 13, "bus": 2, "inbox": 5}[name] {
				w := newWorld(t)
				w.tick(1)
				w.cloud.files(emma)
				cut := part(w)
				cut.DownAfter(n)
				w.push(TopicChanged, w.changed("e1", "emma"))
				w.Tick(t, "checkdrift")
				died := cut.Failed() > 0
				cut.Up()
				w.Restart()
				w.Advance(t, 3*time.Minute)
				w.push(TopicChanged, w.changed("e1", "emma")).Want(t, 204, "")
				w.tick(6)
				if got := w.findings(); !slices.Equal(got, []string{"customer-data-members open", "live-data-members open"}) {
					t.Fatalf("dead after %d calls: %v", n, got)
				}
				if w.Pending(t, "checkdrift") != 0 {
					t.Fatalf("dead after %d calls: %d wait", n, w.Pending(t, "checkdrift"))
				}
				if !died {
					return
				}
			}
		})
	}
}

package run_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/evidence/heartbeat"
	evidence "ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	sealing "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/policy"
)

// office is requests, engine and everything that leaves them.
type office struct {
	*world
	settings request.Config
	requests *request.Service
	clerk    run.Clerk
	keys     seal.Keys

	mu     sync.Mutex
	queue  []outbox.Entry // messages to the engine
	mail   map[string]message.Content
	leaked leaks // whatever left in clear

	receipts map[int]run.Report // by number
	stop     string             // messages of this topic are not delivered
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{world: newWorld(t), mail: map[string]message.Content{}, receipts: map[int]run.Report{}, keys: sealing.New(filepath.Join(t.TempDir(), "key"), rand.Reader)}
	schema := slices.Concat(store.Schema{outbox.Collection(), heartbeat.Collection()}, request.Collection(), run.Collection())
	s, err := memory.New(store.Options{Schema: schema, Clock: o.clock})
	if err != nil {
		t.Fatal(err)
	}
	o.store, o.config.Store = s, s
	letters, err := letter.Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	p, problems, err := policy.Load(files(mapText), "x")
	if err != nil {
		t.Fatal(err, problems)
	}
	o.settings = request.Config{
		Policy: p, Digest: "sha256:" + strings.Repeat("0", 64), Keys: o.keys, Messages: seal.NewCache(o.keys, rand.Reader, o.clock),
		Mark: bytes.Repeat([]byte("k"), request.LeastKey), Letters: letters, Page: "https://x.example/", Desk: "https://x.example/",
		Rules: request.Rules{Zone: time.UTC, Country: "DE", AutoApprove: 5_000, Strict: true},
		Commit: func(_ context.Context, s vault.Subject, _ time.Time) (evidence.Subject, error) {
			return evidence.Subject{Type: s.Type, C: evidence.Commitment([]byte(strings.Repeat("s", 32)), s.Type, s.ID)}, nil
		},
	}
	o.clerk = o.hire(s)
	o.requests = o.clerk.Requests
	return o
}

// hire returns a clerk who works on a store.
func (o *office) hire(s store.Store) run.Clerk {
	o.t.Helper()
	o.config.Store, o.settings.Store = s, s
	engine := o.engine()
	o.settings.Directory = engine
	o.settings.Box = outbox.New(s, o.clock, slog.New(slog.NewJSONHandler(&o.leaked, nil)), map[outbox.Kind]outbox.Sink{outbox.Record: o.keep, outbox.Message: o.send})
	requests, err := request.New(o.settings)
	if err != nil {
		o.t.Fatal(err)
	}
	return run.Clerk{Requests: requests, Engine: engine, Budget: time.Hour, Issue: o.issue}
}

// leaks is what several write at once.
type leaks struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *leaks) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *leaks) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (o *office) issue(_ context.Context, w request.Work, r run.Report) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.receipts[w.Owed] = r
	return nil
}

func (o *office) keep(_ context.Context, e outbox.Entry) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.leaked.Write(e.Data)
	return nil
}

func (o *office) send(ctx context.Context, e outbox.Entry) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.leaked.Write(e.Data)
	fmt.Fprintln(&o.leaked, e.Key, e.Attributes)
	if e.Target != message.TopicRequested {
		o.queue = append(o.queue, e)
		return nil
	}
	var r message.Request
	if err := json.Unmarshal(e.Data, &r); err != nil {
		return fault.New(fault.Invalid, "a letter: %w", err)
	}
	c, err := r.Open(ctx, o.keys)
	o.mail[e.Key] = c
	return err
}

// deliver hands over all messages, some of them twice and in any order, until none is left.
func (o *office) deliver(r *mathrand.Rand) {
	o.t.Helper()
	for range 10_000 {
		o.mu.Lock()
		if o.queue = slices.DeleteFunc(o.queue, func(e outbox.Entry) bool { return e.Target == o.stop }); len(o.queue) == 0 {
			o.mu.Unlock()
			return
		}
		i := r.IntN(len(o.queue))
		e := o.queue[i]
		if r.IntN(4) != 0 { // else it comes again
			o.queue = slices.Delete(o.queue, i, i+1)
		}
		o.mu.Unlock()
		var n request.Notice
		if err := json.Unmarshal(e.Data, &n); err != nil {
			o.t.Fatal(err)
		}
		do := o.clerk.Search
		if e.Target == request.TopicRun {
			do = o.clerk.Carry
		}
		again, err := do(o.t.Context(), n.Request)
		if err != nil && !fault.Is(err, fault.Transient) {
			o.t.Fatalf("%s: %v", e.Target, err)
		}
		if again || err != nil {
			o.mu.Lock()
			o.queue = append(o.queue, e)
			o.mu.Unlock()
			if err := o.clock.Set(o.clock.Now().Add(3 * time.Minute)); err != nil {
				o.t.Fatal(err)
			}
		}
	}
	o.t.Fatal("messages without an end")
}

// work is deliver with a clock that calls again whoever has fallen silent, until nothing is under way.
func (o *office) work(id string, r *mathrand.Rand) {
	o.t.Helper()
	for range 200 {
		o.deliver(r)
		w, err := o.requests.Work(o.t.Context(), id, o.clock.Now())
		if fault.CodeOf(err) == "request_unknown" {
			return
		} else if err != nil {
			o.t.Fatal(err)
		}
		if w.Search == 0 && w.Owed == 0 && !w.Forget && !slices.Contains([]request.State{request.Received, request.Planning, request.Approved, request.Executing, request.Verifying}, w.State) {
			return
		}
		if err := errors.Join(o.clock.Set(o.clock.Now().Add(request.Idle+time.Minute)), o.requests.Tick(o.t.Context(), o.clock.Now())); err != nil {
			o.t.Fatal(err)
		}
	}
	o.t.Fatalf("the request is still %s", o.state(id))
}

var codeForm = regexp.MustCompile(`#([a-z2-9]+)\.([a-z2-9]+)`)

// prove follows the link that was mailed, and returns its code.
func (o *office) prove() (code string) { return o.proveBy("/link/") }

// proveBy does so with the link of another letter.
func (o *office) proveBy(kind string) (code string) {
	o.t.Helper()
	number := ""
	o.mu.Lock()
	for key, c := range o.mail {
		if found := codeForm.FindStringSubmatch(c.Text); found != nil && strings.Contains(key, kind) {
			number, code = found[1], found[2]
		}
	}
	o.mu.Unlock()
	if _, err := o.requests.Confirm(o.t.Context(), number, code, o.clock.Now()); err != nil {
		o.t.Fatalf("proving %s: %v (code %d letters)", number, err, len(code))
	}
	return code
}

func (o *office) state(id string) request.State {
	o.t.Helper()
	w, err := o.requests.Work(o.t.Context(), id, o.clock.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	return w.State
}

package run_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
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
	requests *request.Service
	clerk    run.Clerk
	keys     seal.Keys

	mu     sync.Mutex
	queue  []outbox.Entry // messages to the engine
	mail   map[string]message.Content
	leaked bytes.Buffer // whatever left in clear
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{world: newWorld(t), mail: map[string]message.Content{}, keys: sealing.New(filepath.Join(t.TempDir(), "key"), rand.Reader)}
	schema := slices.Concat(store.Schema{outbox.Collection(), heartbeat.Collection()}, request.Collection(), run.Collection())
	s, err := memory.New(store.Options{Schema: schema, Clock: o.clock})
	if err != nil {
		t.Fatal(err)
	}
	o.store, o.config.Store = s, s
	box := outbox.New(s, o.clock, slog.New(slog.NewJSONHandler(&o.leaked, nil)), map[outbox.Kind]outbox.Sink{outbox.Record: o.keep, outbox.Message: o.send})
	letters, err := letter.Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	p, problems, err := policy.Load(files(mapText), "x")
	if err != nil {
		t.Fatal(err, problems)
	}
	engine := o.engine()
	o.requests, err = request.New(request.Config{
		Store: s, Box: box, Policy: p, Digest: "sha256:" + strings.Repeat("0", 64), Keys: o.keys, Messages: seal.NewCache(o.keys, rand.Reader, o.clock),
		Mark: bytes.Repeat([]byte("k"), request.LeastKey), Letters: letters, Directory: engine, Page: "https://x.example/", Desk: "https://x.example/",
		Rules: request.Rules{Zone: time.UTC, Country: "DE", AutoApprove: 5_000, Strict: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.clerk = run.Clerk{Requests: o.requests, Engine: engine, Budget: time.Hour}
	return o
}

func (o *office) keep(_ context.Context, e outbox.Entry) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.leaked.Write(e.Data)
	return nil
}

func (o *office) send(ctx context.Context, e outbox.Entry) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.leaked.Write(e.Data)
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
		if len(o.queue) == 0 {
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

var codeForm = regexp.MustCompile(`#([a-z2-9]+)\.([a-z2-9]+)`)

// prove follows the link that was mailed, and returns its code.
func (o *office) prove(number string) (code string) {
	o.t.Helper()
	o.mu.Lock()
	for key, c := range o.mail {
		if found := codeForm.FindStringSubmatch(c.Text); found != nil && found[1] == number && strings.Contains(key, "/link/") {
			code = found[2]
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

// A person asks on the page, proves who she is by the link to the address on file, and is gone; a search each time for a
// month says so. Messages come twice and in any order; stores fail; nothing of her leaves but in sealed letters.
func TestForgotten(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			o, r := newOffice(t), mathrand.New(mathrand.NewPCG(seed, 1))
			o.fill(400)
			twin := o.people.export("twin")
			o.people.fail = func(string) error {
				if r.IntN(25) == 0 {
					return fault.New(fault.Transient, "a death")
				}
				return nil
			}
			asked, err := o.requests.Ask(t.Context(), request.Ask{Tenant: "acme", Email: "jo@acme.example", Language: "en"}, o.clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			stranger, err := o.requests.Ask(t.Context(), request.Ask{Tenant: "acme", Email: "nobody@acme.example", Language: "en"}, o.clock.Now())
			if err != nil || stranger.State != asked.State || stranger.Due != asked.Due {
				t.Fatalf("%+v, %v beside %+v", stranger, err, asked)
			}
			o.deliver(r)
			code := o.prove(asked.Number)
			o.deliver(r)
			if got := o.state(asked.ID); got != request.Retained {
				t.Fatalf("the request is %s", got)
			}
			for _, after := range request.Passes()[1:] {
				if err := o.clock.Set(start.Add(after + 12*time.Hour)); err != nil {
					t.Fatal(err)
				}
				if after == 24*time.Hour {
					o.people.put("sessions", "late", "uid", "u1") // written by a queue that was behind
				}
				if err := o.requests.Tick(t.Context(), o.clock.Now()); err != nil {
					t.Fatal(err)
				}
				o.deliver(r)
			}
			o.people.fail = nil
			v, err := o.requests.Status(t.Context(), asked.Number, code)
			if err != nil || v.State != request.Retained || v.Erased != 405 || v.Passed != 5 || len(v.Kept) != 1 || v.Kept[0].Until.String() != "2030-05-05" {
				t.Errorf("%+v, %v", v, err)
			}
			if got := o.people.export("acme"); strings.Contains(got, "jo@") || strings.Contains(got, "late") || strings.Count(got, "uid:u10 ") != 400 {
				t.Errorf("left: %d of u10", strings.Count(got, "uid:u10 "))
			}
			if o.people.export("twin") != twin {
				t.Error("the twin tenant was touched")
			}
			if text := o.leaked.String(); strings.Contains(text, "jo@") || strings.Contains(text, "u1-") || strings.Contains(text, "acme-u1") {
				t.Error("something of the person left in clear")
			}
		})
	}
}

package message_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
	"ostiary.internal/shared/platform/store/memory"
)

var (
	start  = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	schema = store.Schema{message.Collection(), outbox.Collection()}
)

// topicOf says where a state is answered.
var topicOf = map[message.State]string{
	message.StateAccepted: message.TopicAccepted, message.StateFailed: message.TopicFailed,
	message.StateDead: message.TopicFailed, message.StateUnknown: message.TopicUnknown,
}

const address = "ana@customer.example"

// world is what outlives a process: the database, the mail server, the bus, the time.
type world struct {
	t       *testing.T
	store   store.Store
	clock   *clock.Manual
	keys    seal.Keys
	dataKey *seal.DataKey

	mu      sync.Mutex
	sent    []message.Message             // what the server took, whatever it said
	answers map[string]message.Answer     // by key and topic
	reply   func(try int) message.Outcome // the server's; tries count from 1
	arrives bool                          // an unknown outcome is one of a mail that arrived
	tries   int
	during  func() // runs while a message is being sent
	log     *slog.Logger
	logged  bytes.Buffer
}

func newWorld(t *testing.T, outcomes ...message.Outcome) *world {
	t.Helper()
	clk := clock.NewManual(start)
	s, err := memory.New(store.Options{Schema: schema, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	return worldOn(t, s, clk, outcomes...)
}

func worldOnBolt(t *testing.T, outcomes ...message.Outcome) *world {
	t.Helper()
	clk := clock.NewManual(start)
	s, err := bolt.Open(filepath.Join(t.TempDir(), "ostiary.db"), "breach", store.Options{Schema: schema, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return worldOn(t, s, clk, outcomes...)
}

// worldOn has a mail server that answers with the outcomes in turn, and with the last of them for ever.
func worldOn(t *testing.T, s store.Store, clk *clock.Manual, outcomes ...message.Outcome) *world {
	t.Helper()
	keys := local.New(filepath.Join(t.TempDir(), "keys"), nil)
	dataKey, err := seal.NewDataKey(t.Context(), keys, rand.Reader, message.Bound())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: s, clock: clk, keys: keys, dataKey: dataKey, answers: map[string]message.Answer{},
		reply: func(try int) message.Outcome { return outcomes[min(try, len(outcomes))-1] }}
	w.log = slog.New(slog.NewJSONHandler(&w.logged, nil))
	return w
}

func (w *world) request(key string, kind message.Kind) message.Request {
	w.t.Helper()
	r, err := message.Request{Key: key, Kind: kind, Person: "p1", Channel: message.Mail, Language: "en"}.
		Seal(w.dataKey, rand.Reader, message.Content{Subject: "About " + key, Text: "The text of " + key})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// courier is a process of this world, over a store that may fail.
func (w *world) courier(s store.Store) *message.Courier {
	return &message.Courier{
		Store: s, Clock: w.clock, Keys: w.keys, Log: w.log, Random: rand.Reader,
		Box:      outbox.New(s, w.clock, w.log, map[outbox.Kind]outbox.Sink{outbox.Message: w.publish}),
		Channels: map[string]message.Channel{message.Mail: server{w}},
		Resolve: func(_ context.Context, r message.Request) (string, error) {
			if r.Person != "p1" {
				return "", fault.New(fault.NotFound, "no person with %s", address)
			}
			return address, nil
		},
	}
}

func (w *world) publish(_ context.Context, e outbox.Entry) error {
	var a message.Answer
	if err := json.Unmarshal(e.Data, &a); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[a.Key+" "+e.Target] = a
	return nil
}

// server is the mail server as a channel.
type server struct{ *world }

func (s server) Send(ctx context.Context, m message.Message) (message.Outcome, error) {
	s.mu.Lock()
	s.tries++
	outcome, during := s.reply(s.tries), s.during
	if outcome == message.Accepted || outcome == message.Unknown && s.arrives {
		s.sent = append(s.sent, m)
	}
	s.mu.Unlock()
	if during != nil {
		during()
	}
	if outcome == message.Accepted {
		return outcome, nil
	}
	return outcome, errors.New("450 4.2.1")
}

func (server) Close() error { return nil }

// pass lets time go by in steps of a sweep.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	c := w.courier(w.store)
	for end := w.clock.Now().Add(d); w.clock.Now().Before(end); {
		w.advance(min(5*time.Minute, end.Sub(w.clock.Now())))
		if _, err := c.Sweep(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		if _, err := c.Box.Sweep(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) advance(d time.Duration) {
	w.t.Helper()
	if err := w.clock.Set(w.clock.Now().Add(d)); err != nil {
		w.t.Fatal(err)
	}
}

// deliveries returns what is on record.
func (w *world) deliveries() []message.Delivery {
	w.t.Helper()
	all, err := store.Find[message.Delivery](w.store.Query(w.t.Context(), store.Query{Collection: message.Deliveries, Limit: 100}))
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// wantState checks the one delivery on record, how often the server took it, and that it was answered once, alike.
func (w *world) wantState(state message.State, sent int) {
	w.t.Helper()
	all := w.deliveries()
	if len(all) != 1 || all[0].State != state || len(w.sent) != sent {
		w.t.Fatalf("%d deliveries, the first %q, sent %d times; want one %q sent %d times", len(all), all[0].State, len(w.sent), state, sent)
	}
	topic := topicOf[state]
	if topic == "" {
		if len(w.answers) != 0 {
			w.t.Errorf("answered before it is settled: %v", w.answers)
		}
		return
	}
	if a, ok := w.answers[all[0].Request.Key+" "+topic]; !ok || len(w.answers) != 1 || a.State != state || a.V != 1 || a.Kind != all[0].Request.Kind {
		w.t.Errorf("answers %+v, want one %q on %s", w.answers, state, topic)
	}
	if all[0].Request.Body.V != 0 {
		w.t.Error("a settled delivery keeps its text")
	}
	if log := w.logged.String(); strings.Contains(log, address) || strings.Contains(log, "The text") || strings.Contains(log, "About") {
		w.t.Errorf("the log shows a person's data: %s", log)
	}
}

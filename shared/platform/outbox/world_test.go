package outbox

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/emulatortest"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
	"ostiary.internal/shared/platform/store/firestore/firestoretest"
	"ostiary.internal/shared/platform/store/memory"
)

func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }

var (
	start  = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	schema = store.Schema{Collection(), {Name: "events"}}
	silent = slog.New(slog.DiscardHandler)
)

// stores are the databases the outbox is tested on.
var stores = map[string]func(*testing.T, clock.Clock) store.Store{
	"memory": inMemory,
	"bolt": func(t *testing.T, clk clock.Clock) store.Store {
		s, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"), "control", store.Options{Schema: schema, Clock: clk})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	},
	"firestore": func(t *testing.T, clk clock.Clock) store.Store {
		return firestoretest.New(t, store.Options{Schema: schema, Clock: clk})
	},
}

func inMemory(t *testing.T, clk clock.Clock) store.Store {
	t.Helper()
	s, err := memory.New(store.Options{Schema: schema, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// receiver is a sink that keeps what it accepts, and refuses with err while that is set.
type receiver struct {
	mu       sync.Mutex
	err      error
	accepted []Entry
	calls    int
}

func (r *receiver) sink(_ context.Context, e Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.err == nil {
		r.accepted = append(r.accepted, e)
	}
	return r.err
}

func (r *receiver) set(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *receiver) sinks() map[Kind]Sink { return map[Kind]Sink{Message: r.sink, Record: r.sink} }

// one commits one message under the key.
func one(t *testing.T, b *Box, key string) {
	t.Helper()
	if err := b.Commit(t.Context(), func(_ store.Tx, batch *Batch) error {
		return batch.Message("lease.changed", key, map[string]string{"lease": key})
	}); err != nil {
		t.Fatal(err)
	}
}

func wantPending(t *testing.T, b *Box, want int) {
	t.Helper()
	if got, err := b.Pending(t.Context()); err != nil || got != want {
		t.Errorf("%d entries pending, %v; want %d", got, err, want)
	}
}

func wantSweep(t *testing.T, b *Box, want int) {
	t.Helper()
	if got, err := b.Sweep(t.Context()); err != nil || got != want {
		t.Errorf("the sweep relayed %d, %v; want %d", got, err, want)
	}
}

// publisher is a bus that keeps the last message.
type publisher struct {
	topic   string
	message bus.Message
}

func (p *publisher) Publish(_ context.Context, topic string, m bus.Message) error {
	p.topic, p.message = topic, m
	return nil
}

func (*publisher) Close() error { return nil }

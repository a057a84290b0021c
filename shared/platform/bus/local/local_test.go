package local_test

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/bus/bustest"
	"ostiary.internal/shared/platform/bus/local"
	"ostiary.internal/shared/platform/driver"
)

func open(t testing.TB, path string) *local.Bus {
	t.Helper()
	b, err := local.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

// functions are the handlers of a test by name, as a server has them.
type functions struct {
	mu sync.Mutex
	of map[string]http.Handler
}

func (f *functions) handler(name string) http.Handler {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.of[name]
}

// deliver runs Deliver until the test ends.
func deliver(t testing.TB, b *local.Bus, to local.Target) {
	to.Log = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		if err := b.Deliver(ctx, to); err != nil {
			t.Errorf("Deliver: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); group.Wait() })
}

func TestSuite(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t *testing.T) bustest.Driver { return driverOn(t, filepath.Join(t.TempDir(), "bus.db")) })
}

func driverOn(t testing.TB, path string) bustest.Driver {
	b := open(t, path)
	b.Hasten()
	f := &functions{of: map[string]http.Handler{}}
	return bustest.Driver{
		Publisher: b,
		Topic:     "lease.changed",
		Attempts:  local.MaxAttempts,
		Consume: func(t testing.TB, function string, h http.Handler) {
			if err := b.Subscribe(function, "lease.changed", ""); err != nil {
				t.Fatal(err)
			}
			f.mu.Lock()
			f.of[function] = h
			first := len(f.of) == 1
			f.mu.Unlock()
			if first {
				deliver(t, b, local.Target{Handler: f.handler})
			}
		},
		Dead: func(t testing.TB) int {
			letters, err := b.DeadLetters()
			if err != nil {
				t.Fatal(err)
			}
			return len(letters)
		},
		Restart: func(t testing.TB) bustest.Driver {
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			return driverOn(t, path)
		},
	}
}

func TestDriverURL(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bus.db")
	p, err := bus.Drivers.Open(t.Context(), driver.URL("bolt", path), bus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Publish(t.Context(), "lease.changed", bus.Message{Data: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	if n, err := open(t, path).Pending(); n != 1 || err != nil {
		t.Errorf("Pending on another handle: %d, %v; want 1", n, err)
	}
	for _, raw := range []string{"bolt:", driver.URL("bolt", path, "tree", "access"), "bolt://host/bus.db", driver.URL("bolt", path) + "#x"} {
		if _, err := bus.Drivers.Open(t.Context(), raw, bus.Options{}); err == nil {
			t.Errorf("%s opened", raw)
		}
	}
}

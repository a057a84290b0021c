package local_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/bus/local"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
)

const topic = "lease.changed"

func publish(t testing.TB, b *local.Bus, data string, attributes map[string]string) {
	t.Helper()
	if err := b.Publish(context.Background(), topic, bus.Message{Data: []byte(data), Attributes: attributes}); err != nil {
		t.Fatalf("Publish: %v", err)
	}
}

func subscribe(t testing.TB, b *local.Bus, function, filter string) {
	t.Helper()
	if err := b.Subscribe(function, topic, filter); err != nil {
		t.Fatalf("Subscribe: %v", err)
	}
}

func idle(t testing.TB, b *local.Bus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := b.Idle(ctx); err != nil {
		n, _ := b.Pending()
		t.Fatalf("Idle: %v, %d pending", err, n)
	}
}

// always sends every function's pushes to one handler.
func always(h http.HandlerFunc) local.Target {
	return local.Target{Handler: func(string) http.Handler { return h }}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func TestPushIsWhatPubSubSends(t *testing.T) {
	t.Parallel()
	b, err := local.Open(filepath.Join(t.TempDir(), "bus.db"), clock.NewManual(time.Date(2026, 11, 22, 2, 14, 0, 5000, time.UTC)))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	subscribe(t, b, "syncallowlist", "")
	publish(t, b, `{"lease": "l1"}`, map[string]string{bus.AttributeID: "l1/3", bus.AttributeTime: "2026-11-22T02:13:59.123456Z"})

	type seen struct{ line, auth, kind, body string }
	pushes, decoded := make(chan seen, 1), make(chan event.Event, 1)
	to := always(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		e, err := event.Decode(r, event.Accepts{Topics: []string{topic}})
		if err != nil {
			t.Errorf("Decode: %v", err)
		}
		pushes <- seen{r.Method + " " + r.Host + r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)}
		decoded <- e
		w.WriteHeader(http.StatusNoContent)
	})
	to.Authorization = func(_ context.Context, function string) (string, error) { return "Bearer for-" + function, nil }
	deliver(t, b, to)
	want := seen{
		"POST localhost/syncallowlist/events", "Bearer for-syncallowlist", "application/json",
		`{"message":{"attributes":{"id":"l1/3","time":"2026-11-22T02:13:59.123456Z"},"data":"eyJsZWFzZSI6ICJsMSJ9","messageId":"1","message_id":"1",` +
			`"publishTime":"2026-11-22T02:14:00.000005Z","publish_time":"2026-11-22T02:14:00.000005Z"},` +
			`"subscription":"projects/ostiary-local/subscriptions/syncallowlist--lease.changed","deliveryAttempt":1}`,
	}
	if got := <-pushes; got != want {
		t.Errorf("pushed\n%+v, want\n%+v", got, want)
	}
	e := <-decoded
	if e.Topic != topic || e.ID != "l1/3" || string(e.Data) != `{"lease": "l1"}` || e.Time.Nanosecond() != 123456000 {
		t.Errorf("decoded %+v", e)
	}
	idle(t, b)
}

func TestWhatAcknowledges(t *testing.T) {
	t.Parallel()
	answers := map[string]struct {
		handler http.HandlerFunc
		taken   bool
	}{
		"102":              {status(102), true},
		"200":              {status(200), true},
		"201":              {status(201), true},
		"202":              {status(202), true},
		"204":              {status(204), true},
		"nothing written":  {func(http.ResponseWriter, *http.Request) {}, true},
		"body only":        {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }, true},
		"first one counts": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503); w.WriteHeader(204) }, false},
		"203":              {status(203), false},
		"206":              {status(206), false},
		"302":              {status(302), false},
		"400":              {status(400), false},
		"429":              {status(429), false},
		"500":              {status(500), false},
		"503":              {status(503), false},
		"panic":            {func(http.ResponseWriter, *http.Request) { panic("out of order") }, false},
		"panic after 204":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204); panic("out of order") }, false},
		"no function":      {nil, false},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, filepath.Join(t.TempDir(), "bus.db"))
			b.Hasten()
			subscribe(t, b, "consumer", "")
			publish(t, b, `{}`, nil)
			var calls atomic.Int64
			deliver(t, b, local.Target{Handler: func(string) http.Handler {
				calls.Add(1)
				if answer.handler == nil {
					return nil
				}
				return answer.handler
			}})
			idle(t, b)
			letters, err := b.DeadLetters()
			if err != nil {
				t.Fatal(err)
			}
			wantCalls, wantDead := 1, 0
			if !answer.taken {
				wantCalls, wantDead = local.MaxAttempts, 1
			}
			if int(calls.Load()) != wantCalls || len(letters) != wantDead {
				t.Errorf("%d attempts and %d dead letters, want %d and %d", calls.Load(), len(letters), wantCalls, wantDead)
			}
		})
	}
}

// TestRetriesInTime holds the waits to what the package says, in a bubble where an hour passes at once.
func TestRetriesInTime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bus.db")
	synctest.Test(t, func(t *testing.T) {
		b := open(t, path)
		subscribe(t, b, "consumer", "")
		publish(t, b, `{}`, nil)
		start := time.Now()
		var at []time.Duration
		deliver(t, b, always(func(w http.ResponseWriter, _ *http.Request) {
			at = append(at, time.Since(start))
			w.WriteHeader(http.StatusServiceUnavailable)
		}))
		if err := b.Idle(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{0, 100, 300, 700, 1500, 3100, 6300, 11300, 16300, 21300}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(at, want) {
			t.Errorf("attempts at %v, want %v", at, want)
		}
	})
}

// TestHangingHandler shows that a handler that never answers is given up after a minute and holds up nobody.
func TestHangingHandler(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bus.db")
	synctest.Test(t, func(t *testing.T) {
		b := open(t, path)
		subscribe(t, b, "deaf", "")
		publish(t, b, `{}`, nil)
		hang := make(chan struct{})
		defer close(hang)
		start := time.Now()
		var second time.Duration
		var calls atomic.Int64
		deliver(t, b, always(func(w http.ResponseWriter, r *http.Request) {
			if calls.Add(1) == 1 {
				<-hang // deaf to the end of its context too
			}
			second = time.Since(start)
		}))
		if err := b.Idle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := local.AttemptTimeout + time.Second + 100*time.Millisecond; second != want {
			t.Errorf("second attempt after %v, want %v", second, want)
		}
	})
}

func TestEightAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bus.db")
	synctest.Test(t, func(t *testing.T) {
		b := open(t, path)
		subscribe(t, b, "slow", "")
		for range 20 {
			publish(t, b, `{}`, nil)
		}
		var now, most atomic.Int64
		deliver(t, b, always(func(http.ResponseWriter, *http.Request) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			now.Add(-1)
		}))
		if err := b.Idle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if most.Load() != local.MaxParallel {
			t.Errorf("%d at once, want %d", most.Load(), local.MaxParallel)
		}
	})
}

// TestEndOfDelivery shows that Deliver waits for what is under way, and that an attempt it cut short neither counts
// nor is lost.
func TestEndOfDelivery(t *testing.T) {
	t.Parallel()
	b := open(t, filepath.Join(t.TempDir(), "bus.db"))
	subscribe(t, b, "consumer", "")
	publish(t, b, `{}`, nil)
	ctx, cancel := context.WithCancel(t.Context())
	returned := false
	to := always(func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
		returned = true
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	to.Log = slog.New(slog.DiscardHandler)
	if err := b.Deliver(ctx, to); err != nil || !returned {
		t.Fatalf("Deliver: %v, handler returned: %v", err, returned)
	}
	if n, err := b.Pending(); n != 1 || err != nil {
		t.Errorf("Pending: %d, %v; want 1", n, err)
	}
	attempts := make(chan string, 1)
	deliver(t, b, always(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		attempts <- string(body)
	}))
	if body := <-attempts; !strings.Contains(body, `"deliveryAttempt":1`) {
		t.Errorf("delivered again as %s", body)
	}
}

func TestOneDeliveryAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bus.db")
	one, other := open(t, path), open(t, path)
	subscribe(t, one, "consumer", "")
	started := make(chan struct{})
	deliver(t, one, always(func(http.ResponseWriter, *http.Request) { close(started) }))
	publish(t, other, `{}`, nil) // and a publisher with a handle of its own wakes it
	<-started
	if err := other.Deliver(t.Context(), always(status(204))); !fault.Is(err, fault.Conflict) {
		t.Errorf("second Deliver: %v, want Conflict", err)
	}
	idle(t, other)
}

func TestCloseEndsDelivery(t *testing.T) {
	t.Parallel()
	b := open(t, filepath.Join(t.TempDir(), "bus.db"))
	subscribe(t, b, "consumer", "")
	publish(t, b, `{}`, nil)
	deliver(t, b, always(status(204)))
	idle(t, b)
	if err := b.Close(); err != nil { // while Deliver still runs
		t.Fatal(err)
	}
	if _, err := b.Pending(); !fault.Is(err, fault.Transient) {
		t.Errorf("Pending on a closed bus: %v, want Transient", err)
	}
	if err := b.Deliver(t.Context(), always(status(204))); !fault.Is(err, fault.Transient) {
		t.Errorf("Deliver on a closed bus: %v, want Transient", err)
	}
}

func TestIdleEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := open(t, filepath.Join(t.TempDir(), "bus.db"))
	idle(t, b)
	publish(t, b, `{}`, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Idle(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Idle: %v, want the context's error", err)
	}
}

// TestIdleWaitsForWhatFollows lets every message cause the next one: idle is when the last is through.
func TestIdleWaitsForWhatFollows(t *testing.T) {
	t.Parallel()
	b := open(t, filepath.Join(t.TempDir(), "bus.db"))
	subscribe(t, b, "consumer", "")
	publish(t, b, `{}`, nil)
	var calls atomic.Int64
	deliver(t, b, always(func(http.ResponseWriter, *http.Request) {
		if calls.Add(1) < 20 {
			publish(t, b, `{}`, nil)
		}
	}))
	idle(t, b)
	if calls.Load() != 20 {
		t.Errorf("idle after %d messages, want 20", calls.Load())
	}
}

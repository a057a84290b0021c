package local_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/bus/local"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/bolt"
)

// TestRedeliver follows two dead letters over a restart: both are listed, one is delivered again, one stays.
func TestRedeliver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bus.db")
	b := open(t, path)
	b.Hasten()
	subscribe(t, b, "one", "")
	subscribe(t, b, "two", "")
	publish(t, b, `{"n":1}`, map[string]string{bus.AttributeID: "k1"})
	deliver(t, b, always(status(503)))
	idle(t, b)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = open(t, path)
	letters, err := b.DeadLetters()
	if err != nil || len(letters) != 2 {
		t.Fatalf("DeadLetters: %d, %v; want 2", len(letters), err)
	}
	slices.SortFunc(letters, func(x, y local.DeadLetter) int { return len(x.Function) - len(y.Function) })
	if l := letters[0]; l.ID != "1" || l.Topic != topic || string(l.Data) != `{"n":1}` || l.Attributes[bus.AttributeID] != "k1" ||
		l.Attempts != local.MaxAttempts || l.Why != "answered 503" || l.Published.IsZero() {
		t.Errorf("dead letter %+v", l)
	}
	if n, err := b.Redeliver("one"); n != 1 || err != nil {
		t.Errorf("Redeliver: %d, %v; want 1", n, err)
	}
	if n, err := b.Redeliver("absent"); n != 0 || err != nil {
		t.Errorf("Redeliver of a function without any: %d, %v; want 0", n, err)
	}
	var got []string
	var mu sync.Mutex
	deliver(t, b, local.Target{Handler: func(function string) http.Handler {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, function)
		return status(204)
	}})
	idle(t, b)
	if !slices.Equal(got, []string{"one"}) {
		t.Errorf("delivered again to %v, want one", got)
	}
	if n, err := b.Redeliver(""); n != 1 || err != nil { // while Deliver runs
		t.Errorf("Redeliver of all: %d, %v; want 1", n, err)
	}
	idle(t, b)
	if letters, err := b.DeadLetters(); len(letters) != 0 || err != nil {
		t.Errorf("DeadLetters in the end: %d, %v; want 0", len(letters), err)
	}
}

// TestRedeliverTheNamed: those that are named are queued again, once, or none of them is.
func TestRedeliverTheNamed(t *testing.T) {
	t.Parallel()
	b := open(t, filepath.Join(t.TempDir(), "bus.db"))
	b.Hasten()
	subscribe(t, b, "one", "")
	subscribe(t, b, "two", "")
	publish(t, b, `{"n":1}`, nil)
	publish(t, b, `{"n":2}`, nil)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	to := always(status(503))
	to.Log = slog.New(slog.DiscardHandler)
	go func() { ended <- b.Deliver(ctx, to) }()
	idle(t, b)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	first, second := bus.Subscription("one", topic)+"/1", bus.Subscription("two", topic)+"/2"
	for _, refused := range [][]string{{first, "one--absent/1"}, {second, first + "0"}} {
		if n, err := b.Redeliver("", refused...); n != 0 || !fault.Is(err, fault.Conflict) || fault.CodeOf(err) != "letter_gone" {
			t.Errorf("%v: %d, %v", refused, n, err)
		}
	}
	if n, err := b.Redeliver("two", first); n != 0 || !fault.Is(err, fault.Conflict) {
		t.Errorf("of another function: %d, %v", n, err)
	}
	var wait sync.WaitGroup
	var moved atomic.Int32
	for range 8 {
		wait.Go(func() {
			n, err := b.Redeliver("", first, second)
			if moved.Add(int32(n)); (n == 2) != (err == nil) || err != nil && !fault.Is(err, fault.Conflict) {
				t.Errorf("%d, %v", n, err)
			}
		})
	}
	wait.Wait()
	if letters, err := b.DeadLetters(); moved.Load() != 2 || len(letters) != 2 || err != nil || letters[0].Name() == first || letters[1].Name() == second {
		t.Errorf("%d moved; left %+v, %v", moved.Load(), letters, err)
	}
}

func TestFiltersDecideWhoReceives(t *testing.T) {
	t.Parallel()
	b := open(t, filepath.Join(t.TempDir(), "bus.db"))
	subscribe(t, b, "all", "")
	subscribe(t, b, "eu", `hasPrefix(attributes.region, "eu-") AND NOT attributes.kind = "test"`)
	var all, eu atomic.Int64
	count := map[string]*atomic.Int64{"all": &all, "eu": &eu}
	deliver(t, b, local.Target{Handler: func(function string) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { count[function].Add(1) })
	}})
	publish(t, b, `{}`, map[string]string{"region": "eu-west1"})
	publish(t, b, `{}`, map[string]string{"region": "eu-west1", "kind": "test"})
	publish(t, b, `{}`, nil)
	if err := b.Publish(t.Context(), "nobody.listens", bus.Message{Data: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	idle(t, b)
	if all.Load() != 3 || eu.Load() != 1 {
		t.Errorf("all received %d and eu %d, want 3 and 1", all.Load(), eu.Load())
	}
}

func TestSubscribeRefuses(t *testing.T) {
	t.Parallel()
	b := open(t, filepath.Join(t.TempDir(), "bus.db"))
	subscribe(t, b, "consumer", "")
	for _, s := range [][3]string{
		{"consumer", topic, ""}, {"", topic, ""}, {"a--b", topic, ""}, {"consumer", "", ""}, {"consumer", "x/y/z", ""},
		{"other", topic, "attributes.a = b"}, {"1st", topic, ""},
	} {
		if err := b.Subscribe(s[0], s[1], s[2]); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("Subscribe(%q): %v, want Misconfigured", s, err)
		}
	}
}

func TestSigningFails(t *testing.T) {
	t.Parallel()
	b := open(t, filepath.Join(t.TempDir(), "bus.db"))
	b.Hasten()
	subscribe(t, b, "consumer", "")
	publish(t, b, `{}`, nil)
	to := always(func(http.ResponseWriter, *http.Request) { t.Error("pushed without a signature") })
	to.Authorization = func(context.Context, string) (string, error) { return "", errors.New("no key") }
	deliver(t, b, to)
	idle(t, b)
	if letters, err := b.DeadLetters(); err != nil || len(letters) != 1 || letters[0].Why != "signing the push: no key" {
		t.Errorf("DeadLetters: %+v, %v", letters, err)
	}
}

// TestForeignEntries shows that a file of a later build, or a damaged one, stops the delivery instead of losing what
// it cannot read.
func TestForeignEntries(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{`{"v":2,"topic":"lease.changed","function":"consumer"}`, `{}`, `damaged`} {
		for _, name := range []string{"arrivals", "queued", "dead"} {
			path := filepath.Join(t.TempDir(), "bus.db")
			b := open(t, path)
			db, release, err := bolt.File(path)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("@bus")).Bucket([]byte(name)).Put([]byte("\x00\x00\x00\x00\x00\x00\x00\x01consumer--lease.changed"), []byte(doc))
			})
			if err = errors.Join(err, release()); err != nil {
				t.Fatal(err)
			}
			if name == "dead" {
				_, err = b.DeadLetters()
			} else {
				err = b.Deliver(t.Context(), always(status(204)))
			}
			if !fault.Is(err, fault.Misconfigured) {
				t.Errorf("%s in %s: %v, want Misconfigured", doc, name, err)
			}
			if _, err := b.Redeliver(""); name == "dead" && !fault.Is(err, fault.Misconfigured) {
				t.Errorf("Redeliver of %s: %v, want Misconfigured", doc, err)
			}
		}
	}
}

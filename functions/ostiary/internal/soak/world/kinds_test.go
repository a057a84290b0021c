package world

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/secret"
	"ostiary.internal/shared/platform/store"

	_ "ostiary.internal/shared/access/allowlist/file"
)

var begin = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

// stand is one kind of fault that strikes at every call, and what it strikes.
type stand struct {
	*testing.T
	around *around
	dir    string
	ctx    context.Context // of a function
}

// url leads to a driver behind the faults.
func (s stand) url(to string) string { return s.around.leading(to) }

func (s stand) path(name string) string { return filepath.Join(s.dir, name) }

// fails holds an error against the injected one.
func (s stand) fails(what string, err error) {
	s.Helper()
	if !errors.Is(err, errInjected) || !fault.Is(err, fault.Transient) {
		s.Errorf("%s: %v, want the injected failure", what, err)
	}
}

func (s stand) holds(what string, is, want any) {
	s.Helper()
	if is != want {
		s.Errorf("%s: %v, want %v", what, is, want)
	}
}

func must[T any](s stand) func(T, error) T {
	return func(v T, err error) T {
		s.Helper()
		if err != nil {
			s.Fatal(err)
		}
		return v
	}
}

// shows are what each kind does.
var shows = map[Kind]func(s stand){
	StoreBefore: func(s stand) { s.stores(false) },
	StoreLost:   func(s stand) { s.stores(true) },
	StoreTwice: func(s stand) {
		ran := 0
		db := must[store.Store](s)(store.Drivers.Open(s.ctx, s.url(driver.URL("bolt", s.path("a.db"), "tree", "a")), store.Options{Schema: store.Schema{{Name: "things"}}, Clock: clock.System{}}))
		err := db.Tx(s.ctx, func(tx store.Tx) error { ran++; return tx.Create("things", "a", map[string]int{"v": 1}) })
		s.holds("the transaction", err, nil)
		s.holds("its body ran", ran, 2)
	},
	BusBefore:       func(s stand) { s.publishes(0) },
	BusLost:         func(s stand) { s.publishes(1) },
	DeliveryTwice:   func(s stand) { s.holds("handled", s.delivers(begin), 2) },
	DeliveryUnacked: func(s stand) { s.holds("handled before it was spared", s.delivers(begin), spared) },
	DeliveryOrder:   func(s stand) { s.holds("handled", s.delivers(begin), 1) },
	DeliveryLate: func(s stand) {
		s.holds("handled at once", s.delivers(begin), 0)
		s.holds("handled a day later, by another process", s.delivers(begin.Add(longestLate)), 1)
	},
	TargetBefore: func(s stand) { s.enforces(0) },
	TargetPart:   func(s stand) { s.enforces(1) },
	TargetOther: func(s stand) {
		t, w := s.target()
		s.holds("the write", t.Apply(s.ctx, entries, w), nil)
		s.holds("read back", len(must[allowlist.Observed](s)(t.Read(s.ctx)).Prefixes), 1)
		s.holds("there", len(must[allowlist.Observed](s)(t.Read(context.Background())).Prefixes), 2)
	},
	MessageRefused: func(s stand) { s.sends(message.Deferred, message.TraceNone) },
	MessageLost:    func(s stand) { s.sends(message.Unknown, message.TraceTaken) },
	MessageSilent: func(s stand) {
		s.sends(message.Accepted, message.TraceSilent)
	},
	KeyOut: func(s stand) {
		k := must[seal.Keys](s)(seal.Drivers.Open(s.ctx, s.url(driver.URL("local", s.path("key"))), seal.Options{}))
		_, _, err := k.Wrap(s.ctx, make([]byte, seal.KeyBytes), nil)
		s.fails("wrapping", err)
		wrapped, _, err := k.Wrap(context.Background(), make([]byte, seal.KeyBytes), nil)
		s.holds("wrapping by somebody else", err, nil)
		_, err = k.Unwrap(s.ctx, wrapped, nil)
		s.fails("unwrapping", err)
	},
	SecretOut: func(s stand) {
		kept := must[secret.Store](s)(secret.Drivers.Open(s.ctx, s.url(driver.URL("file", s.path("secrets"), "key", s.path("key"))), secret.Options{}))
		_, err := kept.Get(s.ctx, "a")
		s.fails("reading a secret", err)
		_, err = kept.Get(context.Background(), "a")
		s.holds("whether it is there", fault.Is(err, fault.NotFound), true)
	},
	DirectoryOut:   func(s stand) { s.looksUp() },
	EvidenceBefore: func(s stand) { s.records(0) },
	EvidenceLost:   func(s stand) { s.records(1) },
	LogBefore:      func(s stand) { s.logs(0) },
	LogLost:        func(s stand) { s.logs(1) },
	DataBefore:     func(s stand) { s.erases(0) },
	DataLost:       func(s stand) { s.erases(1) },
	Slow: func(s stand) {
		begun := time.Now()
		for range 8 {
			_ = s.around.faults.before(s.ctx, StoreBefore)
		}
		if took := time.Since(begun); took < 8*longestSlow/1000 {
			s.Errorf("eight slow calls took %s", took)
		}
	},
	AnswerLost: func(s stand) {
		var did atomic.Int64
		w := &World{around: s.around}
		server := httptest.NewServer(w.cutting(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { did.Add(1) })))
		defer server.Close()
		_, err := http.Post(server.URL+"/registerip/v1/leases", "application/json", http.NoBody)
		s.holds("whether the caller hears of it", err == nil, false)
		s.holds("done", did.Load(), int64(1))
		own, err := http.Post(server.URL+"/_local/settle", "application/json", http.NoBody)
		if err != nil {
			s.Fatal(err)
		}
		_ = own.Body.Close()
	},
}

// TestEachKind has each kind of fault strike, and looks at what was done and at what the caller is told.
func TestEachKind(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			faults, err := openFaults(filepath.Join(dir, "injected"), 1)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = faults.Close() })
			if err := faults.Set(map[Kind]float64{kind: 1}); err != nil {
				t.Fatal(err)
			}
			a := &around{faults: faults}
			a.enter()
			t.Cleanup(a.leave)
			show := shows[kind]
			if show == nil {
				t.Fatal("nothing shows what it does")
			}
			show(stand{t, a, dir, bears(t.Context())})
			_, injected := faults.state()
			written, err := os.ReadFile(filepath.Join(dir, "injected"))
			if n := strings.Count(string(written), string(kind)+"\n"); err != nil || n == 0 || n != injected[kind] {
				t.Errorf("%d counted, %d on file, %v", injected[kind], n, err)
			}
		})
	}
}

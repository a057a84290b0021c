package otp

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
	"ostiary.internal/shared/platform/store/memory"
)

// world is a Service on a real store, outbox and key file, with what left it.
type world struct {
	*Service
	t       testing.TB
	clock   *clock.Manual
	rotate  func() (string, error)
	store   *unreliable
	keys    *brittle
	log     strings.Builder
	request atomic.Int64

	mu      sync.Mutex
	resent  bool // a death may have lost the word that a record was taken: then it comes again
	notices []Notice
	records map[string]record.Record
}

type kindOfStore func(t testing.TB, o store.Options) store.Store

func inMemory(t testing.TB, o store.Options) store.Store {
	s, err := memory.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func onDisk(t testing.TB, o store.Options) store.Store {
	s, err := bolt.Open(filepath.Join(t.TempDir(), "ostiary.db"), "access", o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newWorld(t testing.TB) *world { return newWorldOn(t, inMemory) }

func newWorldOn(t testing.TB, open kindOfStore) *world {
	w := &world{t: t, clock: clock.NewManual(noon), records: map[string]record.Record{}}
	schema := append(store.Schema{outbox.Collection()}, Collection()...)
	w.store = &unreliable{Store: open(t, store.Options{Schema: schema, Clock: w.clock})}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	keys := local.New(filepath.Join(t.TempDir(), "keys"), nil)
	w.keys, w.rotate = &brittle{Keys: keys}, keys.Rotate
	box := outbox.New(w.store, w.clock, slog.New(slog.NewTextHandler(&w.log, nil)), map[outbox.Kind]outbox.Sink{
		outbox.Message: w.heard, outbox.Record: w.recorded,
	})
	var err error
	w.Service, err = New(Config{
		Store: w.store, Box: box, Keys: w.keys, Rules: DefaultRules(), Promises: []string{"L24", "D25"},
		Policy: record.Digest([]byte("a policy")),
		Notify: func(b *outbox.Batch, n Notice) error { return b.Message("notices", n.Key, n) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.cost = argonCost{time: 1, memory: 64} // what a check truly costs is one test's concern
	return w
}

func (w *world) heard(_ context.Context, e outbox.Entry) error {
	var n Notice
	if err := json.Unmarshal(e.Data, &n); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.ContainsFunc(w.notices, func(known Notice) bool { return known.Key == n.Key }) {
		w.notices = append(w.notices, n)
	}
	return nil
}

func (w *world) recorded(_ context.Context, e outbox.Entry) error {
	r, err := record.Parse(e.Data)
	if err != nil {
		w.t.Errorf("a record that does not parse: %v", err)
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.records[e.Key]; known && !w.resent {
		w.t.Errorf("record %s twice", e.Key)
	}
	w.records[e.Key] = r
	return nil
}

// told returns the kinds of the notices since it was asked last, in order of their names.
func (w *world) told() (kinds []NoticeKind) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.notices {
		kinds = append(kinds, n.Kind)
	}
	w.notices = nil
	slices.Sort(kinds)
	return kinds
}

// outcomes counts the records by action and outcome.
func (w *world) outcomes() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	count := map[string]int{}
	for _, r := range w.records {
		count[strings.TrimSuffix(r.Facts["action"]+" "+r.Facts["outcome"], " ")]++
	}
	return count
}

// meta is a fresh request of the person herself, or of an actor.
func (w *world) meta(actor ...string) Meta {
	m := Meta{Request: "request-" + strconv.FormatInt(w.request.Add(1), 10), Source: netip.MustParsePrefix("81.2.69.142/32"), Subject: "subject-of-ada"}
	if len(actor) > 0 {
		m.Actor, m.Subject = actor[0], ""
	}
	return m
}

func (w *world) now() time.Time { return w.clock.Now() }

func (w *world) pass(d time.Duration) {
	if err := w.clock.Set(w.now().Add(d)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) account(person string) Account {
	w.t.Helper()
	acc, err := w.read(w.t.Context(), person)
	if err != nil {
		w.t.Fatal(err)
	}
	return acc
}

// device is what a person holds: it has the secret and shows codes.
type device struct {
	w      *world
	id     string
	secret []byte
	step   int64 // of a counter
}

func (d *device) code(offset int64) string {
	return reference(SHA1, d.secret, uint64(d.w.now().Unix()/Period+offset), 6)
}

func (d *device) count(counter uint64) string { return reference(SHA1, d.secret, counter, 6) }

// enrol begins an authenticator and returns the device that scanned it.
func (w *world) enrol(person string, req EnrolRequest) *device {
	w.t.Helper()
	e, err := w.Enrol(w.t.Context(), person, req, w.meta(), w.now())
	if err != nil {
		w.t.Fatalf("enrolling: %v", err)
	}
	return w.device(e)
}

func (w *world) device(e Enrolment) *device {
	w.t.Helper()
	secret, err := base32NoPad.DecodeString(e.Secret)
	if err != nil {
		w.t.Fatal(err)
	}
	return &device{w: w, id: e.ID, secret: secret}
}

// confirm binds a device and fails the test unless it works.
func (w *world) confirm(person string, d *device, oldCode string) Confirmation {
	w.t.Helper()
	done, result, err := w.Confirm(w.t.Context(), person, d.id, d.code(0), oldCode, w.meta(), w.now())
	if err != nil || !result.Granted() {
		w.t.Fatalf("confirming: %+v %v", result, err)
	}
	return done
}

// phone binds a person's first authenticator and lets its step pass.
func (w *world) phone(person string) (*device, Confirmation) {
	w.t.Helper()
	d := w.enrol(person, EnrolRequest{Name: "phone", Label: "ada@example.com"})
	done := w.confirm(person, d, "")
	w.pass(Period * time.Second)
	w.told()
	return d, done
}

func (w *world) check(person, code string, want Outcome) Result {
	w.t.Helper()
	result, err := w.CheckOnce(w.t.Context(), person, code, w.meta(), w.now())
	if err != nil {
		w.t.Fatalf("checking: %v", err)
	}
	if result.Outcome != want {
		w.t.Fatalf("outcome %s, want %s", result.Outcome, want)
	}
	return result
}

// checkAs is check for somebody whose sign-in account is not ada's.
func (w *world) checkAs(person, code string, want Outcome) Result {
	w.t.Helper()
	meta := w.meta("gateway")
	result, err := w.CheckOnce(w.t.Context(), person, code, meta, w.now())
	if err != nil || result.Outcome != want {
		w.t.Fatalf("outcome %s %v, want %s", result.Outcome, err, want)
	}
	return result
}

// refused holds an error against the code a caller reads.
func refused(t testing.TB, err error, code string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

// unreliable runs every transaction's body twice, the first time in vain, as a contended database does, and fails
// on demand.
type unreliable struct {
	store.Store
	down   atomic.Bool // everything fails
	commit atomic.Bool // transactions fail at the end
	once   atomic.Bool // bodies run once
	fuse   atomic.Int64
}

// dieAfter lets n more transactions commit; the one after is lost, once. 0 is never.
func (s *unreliable) dieAfter(n int64) { s.fuse.Store(n + min(n, 1)) }

var errDown = fault.New(fault.Transient, "the store is down")

var errLost = errors.New("lost against another transaction")

func (s *unreliable) Get(ctx context.Context, collection, id string, into any) error {
	if s.down.Load() {
		return errDown
	}
	return s.Store.Get(ctx, collection, id, into)
}

func (s *unreliable) Query(ctx context.Context, q store.Query) ([]store.Document, error) {
	if s.down.Load() {
		return nil, errDown
	}
	return s.Store.Query(ctx, q)
}

func (s *unreliable) Tx(ctx context.Context, fn func(tx store.Tx) error) error {
	if s.down.Load() {
		return errDown
	}
	if !s.once.Load() {
		err := s.Store.Tx(ctx, func(tx store.Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			return errLost
		})
		if !errors.Is(err, errLost) {
			return err
		}
	}
	dies := s.fuse.Load() > 0 && s.fuse.Add(-1) == 0
	return s.Store.Tx(ctx, func(tx store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if dies || s.commit.Load() {
			return errDown
		}
		return nil
	})
}

// brittle is a key service that fails on demand, and calls during before it unwraps.
type brittle struct {
	seal.Keys
	down      atomic.Bool
	unwrapped atomic.Int64
	during    func()
}

func (k *brittle) Wrap(ctx context.Context, dataKey, bound []byte) ([]byte, string, error) {
	if k.down.Load() {
		return nil, "", fault.New(fault.Transient, "the key service is down")
	}
	return k.Keys.Wrap(ctx, dataKey, bound)
}

func (k *brittle) Unwrap(ctx context.Context, wrapped, bound []byte) ([]byte, error) {
	if k.down.Load() {
		return nil, fault.New(fault.Transient, "the key service is down")
	}
	k.unwrapped.Add(1)
	if during := k.during; during != nil {
		k.during = nil
		during()
	}
	return k.Keys.Unwrap(ctx, wrapped, bound)
}

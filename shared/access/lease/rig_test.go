package lease_test

import (
	"context"
	"encoding/base32"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

// start is a Tuesday morning, at the beginning of a step.
var start = time.Date(2026, 3, 3, 7, 0, 0, 0, time.UTC)

const (
	home = "81.2.69.142"
	cafe = "92.40.1.7"
)

// rig is a lease service over a real one-time-password service, with everything it sent out.
type rig struct {
	t      *testing.T
	clock  *clock.Manual
	store  store.Store
	box    *outbox.Box
	otp    *otp.Service
	leases *lease.Service
	faults storetest.Fault // may be set between calls
	keys   *brokenKeys
	paris  *time.Location
	n      int

	mu       sync.Mutex
	messages []outbox.Entry
	records  []outbox.Entry
}

func newRig(t *testing.T, change ...func(*lease.Config)) *rig {
	t.Helper()
	r := &rig{t: t, clock: clock.NewManual(start), keys: &brokenKeys{Keys: local.New(filepath.Join(t.TempDir(), "keys"), nil)}}
	var err error
	r.paris, err = calendar.Zone("Europe/Paris")
	must(t, err)
	var schema store.Schema
	schema = append(append(schema, lease.Collection()...), otp.Collection()...)
	schema = append(schema, outbox.Collection())
	base, err := memory.New(store.Options{Schema: schema, Clock: r.clock})
	must(t, err)
	r.store = storetest.Faulty(storetest.Twice(base), func(p storetest.Point, n int) error {
		if r.faults == nil {
			return nil
		}
		return r.faults(p, n)
	})
	r.box = outbox.New(r.store, r.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{
		outbox.Message: r.keep(&r.messages), outbox.Record: r.keep(&r.records),
	})
	r.otp, err = otp.New(otp.Config{Store: r.store, Box: r.box, Keys: r.keys, Rules: otp.DefaultRules(),
		Notify: func(*outbox.Batch, otp.Notice) error { return nil }})
	must(t, err)
	config := lease.Config{Store: r.store, Box: r.box, OTP: r.otp, Clock: r.clock,
		Rules: access.Lease{DayEnd: "24:00", Weekend: access.Allow, MaxHours: 24, Devices: 2, ChangesPerDay: 10}}
	for _, fn := range change {
		fn(&config)
	}
	r.leases, err = lease.New(config)
	must(t, err)
	return r
}

func (r *rig) keep(list *[]outbox.Entry) outbox.Sink {
	return func(_ context.Context, e outbox.Entry) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		*list = append(*list, e)
		return nil
	}
}

// brokenKeys is a key service that can be switched off.
type brokenKeys struct {
	seal.Keys
	down bool
}

func (k *brokenKeys) Unwrap(ctx context.Context, wrapped, bound []byte) ([]byte, error) {
	if k.down {
		return nil, fault.New(fault.Transient, "the key service is away")
	}
	return k.Keys.Unwrap(ctx, wrapped, bound)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func secret(person string) []byte {
	return []byte(strings.Repeat(person+"............", 4)[:20])
}

// enrol gives a person a TOTP authenticator.
func (r *rig) enrol(people ...string) {
	r.t.Helper()
	for _, person := range people {
		text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret(person))
		_, err := r.otp.Import(r.t.Context(), person, otp.ImportRequest{Name: "phone", Secret: text},
			otp.Meta{Request: "import " + person, Actor: "sec"}, r.clock.Now())
		must(r.t, err)
	}
}

// code is what the person's phone shows now.
func (r *rig) code(person string) string {
	return otp.NewKey(otp.SHA1, secret(person), 6).Value(uint64(r.clock.Now().Unix() / 30))
}

// pass moves the clock on.
func (r *rig) pass(d time.Duration) { must(r.t, r.clock.Set(r.clock.Now().Add(d))) }

// request is a fresh request of a person from an address with the present code.
func (r *rig) request(person, addr string) lease.Request {
	r.n++
	n := strconv.Itoa(r.n)
	code := r.code(person)
	return lease.Request{Person: person, Zone: r.paris, Address: netip.MustParseAddr(addr), Code: code, Key: "key-" + n,
		BodyHash: "body with " + code, ID: "request-" + n}
}

func (r *rig) send(q lease.Request) (lease.Lease, error) {
	return r.leases.Register(r.t.Context(), q, r.clock.Now())
}

// register registers with the present code and moves on to the next one.
func (r *rig) register(person, addr string) lease.Lease {
	r.t.Helper()
	l, err := r.send(r.request(person, addr))
	must(r.t, err)
	r.pass(30 * time.Second)
	return l
}

func (r *rig) list(person string) []lease.Lease {
	r.t.Helper()
	found, err := r.leases.List(r.t.Context(), person)
	must(r.t, err)
	return found
}

func (r *rig) account(person string) otp.Account {
	r.t.Helper()
	var acc otp.Account
	must(r.t, r.store.Get(r.t.Context(), otp.Accounts, person, &acc))
	return acc
}

// advance moves one lease, as the reconciler does.
func (r *rig) advance(step lease.Step) []lease.Lease {
	r.t.Helper()
	moved, err := r.leases.Advance(r.t.Context(), []lease.Step{step}, r.clock.Now())
	must(r.t, err)
	return moved
}

func (r *rig) wantCode(err error, code string, status int) {
	r.t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != code || (status != 0 && e.Status != status) || e.Detail == "" || e.Next == "" {
		r.t.Fatalf("error %v (%+v), want code %s with status %d, a detail and a next step", err, e, code, status)
	}
}

// sent counts the messages that leases changed since the last call.
func (r *rig) sent() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, m := range r.messages {
		if m.Target == lease.Topic {
			n++
		}
	}
	r.messages = nil
	return n
}

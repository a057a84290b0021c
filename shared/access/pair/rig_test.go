package pair_test

import (
	"context"
	"encoding/base32"
	"encoding/json"
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
	"ostiary.internal/shared/access/pair"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

var start = time.Date(2026, 3, 3, 7, 0, 0, 0, time.UTC)

const (
	home4  = "81.2.69.142"
	home6  = "2a02:6b8:0:1::7"
	other6 = "2a02:6b8:0:2::7"
	cafe4  = "92.40.1.7"
)

// rig is pairing over real leases and one-time passwords.
type rig struct {
	t       *testing.T
	clock   *clock.Manual
	store   store.Store
	leases  *lease.Service
	otp     *otp.Service
	pairs   *pair.Service
	faults  storetest.Fault
	n       int
	records []outbox.Entry
	sent    []outbox.Entry
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// seeded gives bytes that repeat in no test.
type seeded struct{ n byte }

// Read implements io.Reader.
func (s *seeded) Read(b []byte) (int, error) {
	for i := range b {
		s.n += 37
		b[i] = s.n ^ byte(i)
	}
	return len(b), nil
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, clock: clock.NewManual(start)}
	schema := append(append(append(store.Schema{outbox.Collection()}, lease.Collection()...), otp.Collection()...), pair.Collection()...)
	base, err := memory.New(store.Options{Schema: schema, Clock: r.clock})
	must(t, err)
	r.store = storetest.Faulty(storetest.Twice(base), func(p storetest.Point, n int) error {
		if r.faults == nil {
			return nil
		}
		return r.faults(p, n)
	})
	var mu sync.Mutex // entries are sent side by side
	keep := func(into *[]outbox.Entry) outbox.Sink {
		return func(_ context.Context, e outbox.Entry) error {
			mu.Lock()
			defer mu.Unlock()
			*into = append(*into, e)
			return nil
		}
	}
	box := outbox.New(r.store, r.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Message: keep(&r.sent), outbox.Record: keep(&r.records)})
	r.otp, err = otp.New(otp.Config{Store: r.store, Box: box, Keys: local.New(filepath.Join(t.TempDir(), "keys"), nil), Rules: otp.DefaultRules(),
		Notify: func(*outbox.Batch, otp.Notice) error { return nil }})
	must(t, err)
	r.leases, err = lease.New(lease.Config{Store: r.store, Box: box, OTP: r.otp, Clock: r.clock,
		Rules: access.Lease{DayEnd: "24:00", Weekend: access.Allow, MaxHours: 24, Devices: 2, ChangesPerDay: 10}})
	must(t, err)
	r.pairs, err = pair.New(pair.Config{Store: r.store, Leases: r.leases, Key: []byte(strings.Repeat("k", 32)), Random: &seeded{}})
	must(t, err)
	return r
}

func secret(person string) []byte { return []byte(strings.Repeat(person+"............", 4)[:20]) }

func (r *rig) enrol(people ...string) {
	r.t.Helper()
	for _, person := range people {
		text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret(person))
		_, err := r.otp.Import(r.t.Context(), person, otp.ImportRequest{Name: "phone", Secret: text}, otp.Meta{Request: "import " + person, Actor: "sec"}, r.clock.Now())
		must(r.t, err)
	}
}

// request is a registration from an address with the present code, that issues a ticket.
func (r *rig) request(person, from string) lease.Request {
	r.t.Helper()
	r.n++
	zone, err := calendar.Zone("Europe/Paris")
	must(r.t, err)
	issue, err := r.pairs.Issue(r.clock.Now())
	must(r.t, err)
	n := strconv.Itoa(r.n)
	code := otp.NewKey(otp.SHA1, secret(person), 6).Value(uint64(r.clock.Now().Unix() / 30))
	return lease.Request{Person: person, Zone: zone, Address: netip.MustParseAddr(from), Code: code, Key: "key-" + n, BodyHash: code, ID: "request-" + n, Granted: issue}
}

func (r *rig) register(person, from string) lease.Lease {
	r.t.Helper()
	l, err := r.leases.Register(r.t.Context(), r.request(person, from), r.clock.Now())
	must(r.t, err)
	return l
}

// token is the ticket's that the newest registration of a person issued.
func (r *rig) token(person string) string {
	r.t.Helper()
	waiting := r.waiting(person)
	if len(waiting) == 0 {
		r.t.Fatal("no registration waits")
	}
	newest := waiting[0]
	for _, w := range waiting {
		if w.Until.After(newest.Until) {
			newest = w
		}
	}
	return newest.Token
}

func (r *rig) waiting(person string) []pair.Ticket {
	r.t.Helper()
	waiting, err := r.pairs.Waiting(r.t.Context(), person, r.clock.Now())
	must(r.t, err)
	return waiting
}

func (r *rig) redeem(token, from string) (lease.Lease, error) {
	r.n++
	return r.pairs.Redeem(r.t.Context(), token, netip.MustParseAddr(from), "request-"+strconv.Itoa(r.n), r.clock.Now())
}

func (r *rig) live(person string) []lease.Lease {
	r.t.Helper()
	found, err := r.leases.List(r.t.Context(), person)
	must(r.t, err)
	var live []lease.Lease
	for _, l := range found {
		if l.Live(r.clock.Now()) {
			live = append(live, l)
		}
	}
	return live
}

// confirm moves every live lease of a person as far as doors would.
func (r *rig) confirm(person string) {
	r.t.Helper()
	var steps []lease.Step
	for _, l := range r.live(person) {
		steps = append(steps, lease.Step{ID: l.ID, To: []lease.State{lease.Written, lease.Confirmed}})
	}
	_, err := r.leases.Advance(r.t.Context(), steps, r.clock.Now())
	must(r.t, err)
}

func (r *rig) pass(d time.Duration) { must(r.t, r.clock.Set(r.clock.Now().Add(d))) }

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != code || e.Detail == "" || e.Next == "" {
		t.Fatalf("error %v, want code %q", err, code)
	}
}

// stored is every document of the collections, as text.
func (r *rig) stored(collections ...string) string {
	r.t.Helper()
	var all strings.Builder
	for _, c := range collections {
		docs, err := r.store.Query(r.t.Context(), store.Query{Collection: c, Limit: store.MaxQueryResults})
		must(r.t, err)
		for _, d := range docs {
			var fields map[string]any
			must(r.t, d.Decode(&fields))
			text, err := json.Marshal(fields)
			must(r.t, err)
			all.WriteString(c + "/" + d.ID + " " + string(text) + "\n")
		}
	}
	return all.String()
}

func (r *rig) account(person string) otp.Account {
	r.t.Helper()
	var acc otp.Account
	must(r.t, r.store.Get(r.t.Context(), otp.Accounts, person, &acc))
	return acc
}

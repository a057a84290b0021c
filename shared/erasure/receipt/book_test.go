package receipt

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

// shelf is a Book on a store that can be made to fail, with what it put on record.
type shelf struct {
	*Book
	raw     store.Store
	clock   *clock.Manual
	mu      sync.Mutex
	records map[string]record.Record
}

func newShelf(t testing.TB, fail storetest.Fault) *shelf {
	t.Helper()
	clk := clock.NewManual(noon)
	raw, err := memory.New(store.Options{Schema: append(store.Schema{outbox.Collection()}, Collection()...), Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{raw: raw, clock: clk, records: map[string]record.Record{}}
	on := storetest.Twice(raw)
	if fail != nil {
		on = storetest.Faulty(on, fail)
	}
	box := outbox.New(on, clk, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: s.keep})
	s.Book = &Book{Store: on, Box: box, Policy: record.Digest([]byte("policy")), Promises: []string{"P1"}}
	return s
}

func (s *shelf) keep(_ context.Context, e outbox.Entry) error {
	r, err := record.Parse(e.Data)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[e.Key] = r
	return nil
}

// of is the sample for a request of a tenant.
func of(request, tenant string) Receipt {
	r := sample()
	r.Request, r.Tenant = request, record.Commitment(salt, "tenant", tenant)
	return r
}

func issued(t testing.TB, s *shelf, n int, draft Receipt) Receipt {
	t.Helper()
	r, err := s.Issue(t.Context(), n, draft)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestBook: a receipt is made once whatever is asked again, follows the tenant's one before, amends the request's own, and is
// handed out once it is signed.
func TestBook(t *testing.T) {
	t.Parallel()
	s, k := newShelf(t, nil), newKey(1, keyName)
	first := issued(t, s, 1, of("aaaaaaaa", "acme"))
	if _, err := s.File(t.Context(), first.Request); !fault.Is(err, fault.NotFound) {
		t.Errorf("a receipt nobody signed is handed out: %v", err)
	}
	changed := of("aaaaaaaa", "acme")
	changed.Entries[0].Erased = 99
	if again := issued(t, s, 1, changed); again.Entries[0].Erased != first.Entries[0].Erased || again.Seq != 1 {
		t.Errorf("asked again it is another one: %+v", again)
	}
	other := issued(t, s, 1, of("bbbbbbbb", "acme"))
	apart := issued(t, s, 1, of("cccccccc", "zeta"))
	early := of("aaaaaaaa", "acme")
	early.Issued = early.Issued.Add(-time.Minute) // by a clock that is behind
	amended := issued(t, s, 2, early)
	name, err := first.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if err := Chain(first, other, amended); err != nil || amended.Amends != name || apart.Seq != 1 || apart.Previous != "" {
		t.Errorf("the chain: %v; amended %q, want %q; another tenant's begins at %d", err, amended.Amends, name, apart.Seq)
	}
	for range 2 {
		if err := s.Sign(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	file, err := s.File(t.Context(), "aaaaaaaa")
	if err != nil {
		t.Fatal(err)
	}
	if got := Verify(file, trust(t, k)); got.Outcome != verify.Good || got.Seq != 3 {
		t.Errorf("the newest: %+v", got)
	}
	if waiting, err := s.Unsigned(t.Context()); err != nil || len(waiting) != 0 {
		t.Errorf("%d wait, %v", len(waiting), err)
	}
	if _, err := s.File(t.Context(), "nobodyss"); !fault.Is(err, fault.NotFound) {
		t.Errorf("of a request there is not: %v", err)
	}
	var said []string
	for _, r := range s.records {
		said = append(said, r.Facts["receipt"])
	}
	if !slices.Contains(said, name) || len(said) != 4 {
		t.Errorf("on record are %v", said)
	}
}

// TestAttach: only the file of a receipt that was made is kept, and once.
func TestAttach(t *testing.T) {
	t.Parallel()
	s, k := newShelf(t, nil), newKey(1, keyName)
	r := issued(t, s, 1, of("aaaaaaaa", "acme"))
	made := signed(t, r, k)
	other := r
	other.Entries = slices.Clone(r.Entries)
	other.Entries[0].Erased--
	for name, file := range map[string][]byte{
		"no receipt": []byte("{}"), "one nobody made": signed(t, other, k), "another request's": signed(t, func() Receipt { o := r; o.Request = "bbbbbbbb"; return o }(), k),
	} {
		if err := s.Attach(t.Context(), file); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, file := range [][]byte{made, made, signed(t, r, newKey(2, keyName))} {
		if err := s.Attach(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	if file, err := s.File(t.Context(), r.Request); err != nil || string(file) != string(made) {
		t.Errorf("what was signed first does not stay: %v", err)
	}
}

// TestSignerDown: one receipt that cannot be signed waits, and holds up none; the next time it is signed.
func TestSignerDown(t *testing.T) {
	t.Parallel()
	s, k := newShelf(t, nil), newKey(1, keyName)
	first := issued(t, s, 1, of("aaaaaaaa", "acme"))
	issued(t, s, 1, of("bbbbbbbb", "acme"))
	canonical, err := first.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	down := newKey(1, keyName)
	down.sign = func(text []byte) ([]byte, error) {
		if string(text) == string(statement(canonical)) {
			return nil, errDown
		}
		return k.Sign(t.Context(), text)
	}
	if err := s.Sign(t.Context(), down); err == nil {
		t.Error("nobody is told that the key service is down")
	}
	if waiting, err := s.Unsigned(t.Context()); err != nil || len(waiting) != 1 || waiting[0].Request != first.Request {
		t.Errorf("%d wait, %v", len(waiting), err)
	}
	if err := s.Sign(t.Context(), k); err != nil {
		t.Error(err)
	}
	if _, err := s.File(t.Context(), first.Request); err != nil {
		t.Error(err)
	}
}

// TestBookDeath: at whatever call of the store a process dies, what is asked again makes one chain without a gap, each
// receipt once and on record, and all of them signed.
func TestBookDeath(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		calls, dead := 0, false
		s := newShelf(t, func(storetest.Point, int) error {
			if calls++; calls == n {
				dead = true
				return fault.New(fault.Transient, "died")
			}
			return nil
		})
		k := newKey(1, keyName)
		do := func(fn func() error) {
			for try := 0; ; try++ {
				if err := fn(); err == nil {
					return
				} else if try > 0 {
					t.Fatalf("dead at call %d: %v", n, err)
				}
			}
		}
		for _, one := range []struct {
			request string
			n       int
		}{{"aaaaaaaa", 1}, {"bbbbbbbb", 1}, {"aaaaaaaa", 2}} {
			do(func() error { _, err := s.Issue(t.Context(), one.n, of(one.request, "acme")); return err })
			do(func() error { return s.Sign(t.Context(), sign.Signer(k)) })
		}
		if err := s.clock.Set(noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		do(func() error { _, err := s.Box.Sweep(t.Context()); return err })
		var all []Receipt
		for _, id := range []string{"aaaaaaaa.1", "bbbbbbbb.1", "aaaaaaaa.2"} {
			var p page
			if err := s.raw.Get(t.Context(), receipts, id, &p); err != nil || p.Waits {
				t.Fatalf("dead at call %d: %s is not signed: %v", n, id, err)
			}
			r, err := p.receipt()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
		if err := Chain(all...); err != nil || len(s.records) != 3 {
			t.Errorf("dead at call %d: %v, %d records", n, err, len(s.records))
		}
		if !dead {
			t.Logf("%d calls", n)
			return
		}
	}
}

// TestRace: many at once make one chain.
func TestRace(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	var all sync.WaitGroup
	var mu sync.Mutex
	var made []Receipt
	for i := range 12 {
		all.Go(func() {
			r, err := s.Issue(t.Context(), 1, of(fmt.Sprintf("request%d", i%6), "acme"))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			made = append(made, r)
		})
	}
	all.Wait()
	slices.SortFunc(made, func(a, b Receipt) int { return int(a.Seq - b.Seq) })
	made = slices.CompactFunc(made, func(a, b Receipt) bool { return a.Seq == b.Seq && a.Request == b.Request })
	if err := Chain(made...); err != nil || len(made) != 6 {
		t.Errorf("%d receipts: %v", len(made), err)
	}
}

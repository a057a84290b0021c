package ledger

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	_ "ostiary.internal/shared/platform/store/bolt"
	"ostiary.internal/shared/platform/store/memory"
)

var noon = time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)

const month = 30 * 24 * time.Hour

func key(version string, seed byte) Key { return Key{version, bytes.Repeat([]byte{seed}, LeastKey)} }

var (
	first  = key("1", 1)
	second = key("2", 2)
)

func options(clk clock.Clock) store.Options {
	return store.Options{Schema: store.Schema{Collection()}, Clock: clk}
}

func inMemory(t testing.TB, clk clock.Clock) store.Store {
	t.Helper()
	s, err := memory.New(options(clk))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func onDisk(t testing.TB, clk clock.Clock) store.Store {
	t.Helper()
	s, err := store.Drivers.Open(t.Context(), driver.URL("bolt", filepath.Join(t.TempDir(), "ledger.db"), "tree", "ledger"), options(clk))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func open(t testing.TB, s store.Store, keys ...Key) *Ledger {
	t.Helper()
	l, err := New(s, month, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func add(t testing.TB, l *Ledger, s Subject, at time.Time) {
	t.Helper()
	if err := l.Add(t.Context(), s, at); err != nil {
		t.Fatal(err)
	}
}

func matches(t testing.TB, l *Ledger, s Subject, created time.Time) bool {
	t.Helper()
	yes, err := l.Match(t.Context(), s, created)
	if err != nil {
		t.Fatal(err)
	}
	return yes
}

// all are the stored entries by id.
func all(t testing.TB, s store.Store) map[string]entry {
	t.Helper()
	found, err := s.Query(t.Context(), store.Query{Collection: entries, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]entry{}
	for _, doc := range found {
		var e entry
		if err := doc.Decode(&e); err != nil {
			t.Fatal(err)
		}
		out[doc.ID] = e
	}
	return out
}

func put(t testing.TB, s store.Store, id string, e entry) {
	t.Helper()
	if err := s.Tx(t.Context(), func(tx store.Tx) error { return tx.Put(entries, id, e) }); err != nil {
		t.Fatal(err)
	}
}

// crowd lists people in pages of three.
type crowd []Known

func (c crowd) Page(_ context.Context, cursor string) ([]Known, string, error) {
	from := 0
	if cursor != "" {
		from, _ = strconv.Atoi(cursor)
	}
	to := min(from+3, len(c))
	if to == len(c) {
		return c[from:], "", nil
	}
	return c[from:to], strconv.Itoa(to), nil
}

// row is one item of a place.
type row struct {
	ref, tenant string
	created     time.Time
	fields      map[string]string
}

// place is a store of personal data with one place in it, which finds as package erasure asks.
type place struct {
	erasure.Reader
	rows []row
}

func (p place) Find(_ context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	if err := q.Check(); err != nil || q.Match.Kind != erasure.MatchTenant || q.Action != "" || q.Descend {
		return erasure.Page{}, fmt.Errorf("matching by %s to %s: %w", q.Match.Kind, q.Action, err)
	}
	var page erasure.Page
	for _, r := range p.rows {
		if r.ref <= cursor || r.tenant != q.Tenant.ID {
			continue
		}
		if len(page.Items) == min(limit, 2) {
			page.Next = page.Items[1].Ref
			break
		}
		page.Items = append(page.Items, q.Shows(erasure.Item{Ref: r.ref, Tenant: r.tenant, Created: r.created}, func(field string) string { return r.fields[field] }))
	}
	return page, nil
}

func replay(t testing.TB, l *Ledger, people People, taken time.Time) ([]Again, Summary) {
	t.Helper()
	var got []Again
	sum, err := l.Replay(t.Context(), people, taken, func(_ context.Context, a Again) error {
		got = append(got, a)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, sum
}

func refused(t testing.TB, why string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: %v, want %s", why, err, kind)
	}
}

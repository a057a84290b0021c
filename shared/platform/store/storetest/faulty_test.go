package storetest_test

import (
	"errors"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

type doc struct {
	V int `json:"v"`
}

func newMemory(t *testing.T) store.Store {
	t.Helper()
	s, err := memory.New(store.Options{
		Schema: store.Schema{{Name: "plain"}},
		Clock:  clock.NewManual(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// transaction passes begin, tx get, tx query, tx create, tx put, tx delete, commit, committed.
func transaction(tx store.Tx) error {
	if err := tx.Get("plain", "a", &doc{}); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if _, err := tx.Query(store.Query{Collection: "plain", Limit: 1}); err != nil {
		return err
	}
	return errors.Join(tx.Create("plain", "a", doc{1}), tx.Put("plain", "b", doc{1}), tx.Delete("plain", "c"))
}

func TestFaultyFailsAtEachPoint(t *testing.T) {
	t.Parallel()
	points := []storetest.Point{
		storetest.Begin, storetest.TxGet, storetest.TxQuery, storetest.TxCreate, storetest.TxPut, storetest.TxDelete,
		storetest.Commit, storetest.Applied, storetest.Get, storetest.Query,
	}
	for i, point := range points {
		for name, injected := range map[string]storetest.Fault{"by number": storetest.FailNth(i + 1), "by point": storetest.FailAt(point, 1)} {
			inner := newMemory(t)
			s := storetest.Faulty(inner, injected)
			var got storetest.Point
			fail := func(p storetest.Point, err error) {
				if errors.Is(err, storetest.ErrInjected) {
					got = p
				}
			}
			err := s.Tx(t.Context(), transaction)
			if fail("in the transaction", err); i >= 8 && err != nil {
				t.Errorf("%s, %s: the transaction failed: %v", point, name, err)
			}
			written := inner.Get(t.Context(), "plain", "a", &doc{}) == nil
			if want := i >= 7; written != want {
				t.Errorf("%s, %s: written %v; want %v", point, name, written, want)
			}
			fail(storetest.Get, s.Get(t.Context(), "plain", "a", &doc{}))
			_, err = s.Query(t.Context(), store.Query{Collection: "plain", Limit: 1})
			fail(storetest.Query, err)
			if want := point; got != want && !(i < 8 && got == "in the transaction") {
				t.Errorf("%s, %s: failed at %q", point, name, got)
			}
		}
	}
}

func TestTwiceShowsSideEffects(t *testing.T) {
	t.Parallel()
	inner := newMemory(t)
	s := storetest.Twice(inner)
	var kept []string
	if err := s.Tx(t.Context(), func(tx store.Tx) error {
		kept = append(kept, "a") // the fault to be found
		return tx.Create("plain", "a", doc{1})
	}); err != nil {
		t.Fatal(err)
	}
	if len(kept) != 2 {
		t.Errorf("the side effect happened %d times; want 2", len(kept))
	}
	if err := inner.Get(t.Context(), "plain", "a", &doc{}); err != nil {
		t.Errorf("reading what the second run wrote: %v", err)
	}
}

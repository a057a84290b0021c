package storetest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

func testCreate(t *testing.T, su suite) {
	s, _ := su.store(t)
	for _, collection := range []string{"plain", "passing"} {
		create := func(tx store.Tx) error { return tx.Create(collection, "a", thing{V: 1}) }
		wantKind(t, "creating", s.Tx(t.Context(), create), "")
		wantKind(t, "creating again", s.Tx(t.Context(), create), fault.Conflict)
		var created atomic.Int64
		var group sync.WaitGroup
		for range su.rivals {
			group.Go(func() {
				err := s.Tx(t.Context(), func(tx store.Tx) error { return tx.Create(collection, "race", thing{V: 1}) })
				if err == nil {
					created.Add(1)
				} else {
					wantKind(t, "creating in a race", err, fault.Conflict)
				}
			})
		}
		group.Wait()
		if created.Load() != 1 {
			t.Errorf("%d of %d parallel creations succeeded", created.Load(), su.rivals)
		}
	}
}

func testUserError(t *testing.T, su suite) {
	s, _ := su.store(t)
	calls := 0
	err := s.Tx(t.Context(), func(tx store.Tx) error {
		calls++
		if err := tx.Put("plain", "a", thing{V: 1}); err != nil {
			return err
		}
		return errUser
	})
	if err != errUser || calls != 1 {
		t.Errorf("the transaction returned %v after %d calls; want the user's error as it is, after one", err, calls)
	}
	var got thing
	wantKind(t, "reading what a failed transaction wrote", s.Get(t.Context(), "plain", "a", &got), fault.NotFound)
	wantKind(t, "a NotFound that the body goes on from", s.Tx(t.Context(), func(tx store.Tx) error {
		if err := tx.Get("plain", "a", &got); !fault.Is(err, fault.NotFound) {
			t.Errorf("reading an absent document: %v", err)
		}
		return tx.Put("plain", "a", thing{V: 1})
	}), "")
	wantKind(t, "a transaction without writes", s.Tx(t.Context(), func(tx store.Tx) error { return tx.Get("plain", "a", &got) }), "")
}

func testReadsFirst(t *testing.T, su suite) {
	s, _ := su.store(t)
	var got thing
	for name, read := range map[string]func(store.Tx) error{
		"Get":   func(tx store.Tx) error { return tx.Get("plain", "a", &got) },
		"Query": func(tx store.Tx) error { _, err := tx.Query(store.Query{Collection: "plain", Limit: 1}); return err },
	} {
		wantKind(t, name+" after a write", s.Tx(t.Context(), func(tx store.Tx) error {
			if err := tx.Put("plain", "a", thing{V: 1}); err != nil {
				return err
			}
			return read(tx)
		}), fault.Invalid)
	}
	var kept store.Tx
	if err := s.Tx(t.Context(), func(tx store.Tx) error { kept = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "reading in a transaction that has ended", kept.Get("plain", "a", &got), fault.Invalid)
	wantKind(t, "writing in a transaction that has ended", kept.Put("plain", "a", thing{V: 1}), fault.Invalid)
	wantKind(t, "reading what it wrote", s.Get(t.Context(), "plain", "a", &got), fault.NotFound)
}

func testFailureSticks(t *testing.T, su suite) {
	s, _ := su.store(t)
	var got thing
	put(t, s, "plain", map[string]any{"odd": map[string]any{"v": "one"}})
	for name, c := range map[string]struct {
		call func(store.Tx) error
		want fault.Kind
	}{
		"a query without an index": {func(tx store.Tx) error {
			_, err := tx.Query(store.Query{Collection: "plain", Equal: []store.Field{{Name: "a", Value: 1}}, Limit: 1})
			return err
		}, fault.Misconfigured},
		"a document of another shape": {func(tx store.Tx) error { return tx.Get("plain", "odd", &got) }, fault.Misconfigured},
		"a document refused":          {func(tx store.Tx) error { return tx.Put("plain", "b", "no object") }, fault.Invalid},
	} {
		wantKind(t, name+", ignored", s.Tx(t.Context(), func(tx store.Tx) error {
			wantKind(t, name, c.call(tx), c.want)
			return tx.Put("plain", "a", thing{V: 1})
		}), c.want)
		wantKind(t, "reading after "+name, s.Get(t.Context(), "plain", "a", &got), fault.NotFound)
	}
}

// testJoinedWrites writes one document several times in one transaction: c creates, p puts, d deletes.
func testJoinedWrites(t *testing.T, su suite) {
	for steps, c := range map[string]struct {
		onAbsent, onPresent fault.Kind
		want                int // version kept; 0 is deleted
	}{
		"c":   {"", fault.Conflict, 1},
		"cp":  {"", fault.Conflict, 2},
		"cc":  {fault.Conflict, fault.Conflict, 0},
		"pc":  {fault.Conflict, fault.Conflict, 0},
		"pp":  {"", "", 2},
		"pd":  {"", "", 0},
		"dc":  {"", "", 2},
		"dp":  {"", "", 2},
		"dcp": {"", "", 3},
		"cd":  {fault.Invalid, fault.Invalid, 0},
	} {
		t.Run(steps, func(t *testing.T) {
			t.Parallel()
			s, _ := su.store(t)
			for id, want := range map[string]fault.Kind{"absent": c.onAbsent, "present": c.onPresent} {
				if id == "present" {
					put(t, s, "plain", map[string]any{id: thing{V: 9}})
				}
				err := s.Tx(t.Context(), func(tx store.Tx) error { return joined(tx, id, steps) })
				wantKind(t, id, err, want)
				var got thing
				err = s.Get(t.Context(), "plain", id, &got)
				switch {
				case want == "" && c.want == 0 || want != "" && id == "absent":
					wantKind(t, id+", read", err, fault.NotFound)
				case want != "":
					if err != nil || got.V != 9 {
						t.Errorf("%s: a failed transaction left %+v, %v", id, got, err)
					}
				case err != nil || got.V != c.want:
					t.Errorf("%s: left %+v, %v; want version %d", id, got, err, c.want)
				}
			}
		})
	}
}

func joined(tx store.Tx, id, steps string) error {
	for i, step := range steps {
		var err error
		switch doc := (thing{V: i + 1}); step {
		case 'c':
			err = tx.Create("plain", id, doc)
		case 'p':
			err = tx.Put("plain", id, doc)
		case 'd':
			err = tx.Delete("plain", id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func testAtomic(t *testing.T, su suite) {
	s, _ := su.store(t)
	put(t, s, "plain", map[string]any{"kept": thing{V: 1}, "taken": thing{V: 1}})
	wantKind(t, "a transaction whose last write conflicts", s.Tx(t.Context(), func(tx store.Tx) error {
		for _, write := range []func() error{
			func() error { return tx.Put("plain", "new", thing{V: 2}) },
			func() error { return tx.Put("things", "new", thing{V: 2, Kind: "x"}) },
			func() error { return tx.Delete("plain", "kept") },
			func() error { return tx.Create("plain", "taken", thing{V: 2}) },
		} {
			if err := write(); err != nil {
				return err
			}
		}
		return nil
	}), fault.Conflict)
	if got := ids(t, s, store.Query{Collection: "plain", Limit: 9}); got != "kept taken" {
		t.Errorf("the failed transaction left %q", got)
	}
	if got := ids(t, s, store.Query{Collection: "things", Equal: []store.Field{{Name: "kind", Value: "x"}}, Limit: 9}); got != "" {
		t.Errorf("the failed transaction left %q in an index", got)
	}
}

func testBodyRunTwice(t *testing.T, su suite) {
	s, _ := su.store(t)
	twice := Twice(s)
	for want := int64(1); want <= 3; want++ {
		calls := 0
		if err := twice.Tx(t.Context(), func(tx store.Tx) error { calls++; return increment(tx) }); err != nil {
			t.Fatal(err)
		}
		var got thing
		if err := s.Get(t.Context(), "plain", "counter", &got); err != nil || got.Count != want || calls != 2 {
			t.Errorf("after %d calls the counter is %d, %v; want %d", calls, got.Count, err, want)
		}
	}
}

func increment(tx store.Tx) error {
	var counter thing
	if err := tx.Get("plain", "counter", &counter); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	runtime.Gosched() // so that a store without isolation shows it
	counter.V = 1
	counter.Count++
	return tx.Put("plain", "counter", counter)
}

func testCounters(t *testing.T, su suite) {
	s, _ := su.store(t)
	var group sync.WaitGroup
	for range su.writers {
		group.Go(func() { wantKind(t, "incrementing", insist(t.Context(), s, increment), "") })
	}
	group.Wait()
	var got thing
	if err := s.Get(t.Context(), "plain", "counter", &got); err != nil || got.Count != int64(su.writers) {
		t.Errorf("%d increments made %d, %v", su.writers, got.Count, err)
	}
}

// testPhantoms lets parallel transactions count by a query and add while fewer than three are there: a store that
// does not guard what a query did not find would let more in.
func testPhantoms(t *testing.T, su suite) {
	s, _ := su.store(t)
	const most = 3
	q := store.Query{Collection: "things", Equal: []store.Field{{Name: "kind", Value: "lease"}}, Limit: 10}
	var group sync.WaitGroup
	for i := range max(su.rivals, most+1) {
		group.Go(func() {
			err := insist(t.Context(), s, func(tx store.Tx) error {
				docs, err := tx.Query(q)
				if err != nil || len(docs) >= most {
					return err
				}
				return tx.Put("things", fmt.Sprint(i), thing{V: 1, Kind: "lease"})
			})
			wantKind(t, "adding", err, "")
		})
	}
	group.Wait()
	if got := strings.Fields(ids(t, s, q)); len(got) != most {
		t.Errorf("%d documents got in; want %d", len(got), most)
	}
}

func testParallelUse(t *testing.T, su suite) {
	s, _ := su.store(t)
	var group sync.WaitGroup
	for i := range su.writers {
		group.Go(func() {
			id := fmt.Sprintf("%02d", i)
			wantKind(t, "putting", insist(t.Context(), s, func(tx store.Tx) error {
				return tx.Put("things", id, thing{V: 1, Kind: "k", Rank: i})
			}), "")
			var got thing
			wantKind(t, "reading", s.Get(t.Context(), "things", id, &got), "")
			_, err := s.Query(t.Context(), store.Query{Collection: "things", Range: &store.Range{Name: "rank", From: i}, Limit: 5})
			wantKind(t, "querying", err, "")
		})
	}
	group.Wait()
	if got := strings.Fields(ids(t, s, store.Query{Collection: "things", Limit: 1000})); len(got) != su.writers {
		t.Errorf("%d parallel writers left %d documents", su.writers, len(got))
	}
}

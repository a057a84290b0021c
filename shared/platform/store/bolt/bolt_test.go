package bolt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/disk"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
	"ostiary.internal/shared/platform/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, schema store.Schema, clk clock.Clock) store.Store {
		return open(t, filepath.Join(t.TempDir(), "store.db"), "control", store.Options{Schema: schema, Clock: clk})
	})
}

func open(t testing.TB, path, tree string, o store.Options) store.Store {
	t.Helper()
	s, err := bolt.Open(path, tree, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func options(indexes ...store.Index) store.Options {
	return store.Options{
		Schema: store.Schema{{Name: "things", Indexes: indexes}},
		Clock:  clock.NewManual(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)),
	}
}

type thing struct {
	V    int `json:"v"`
	Rank int `json:"rank"`
}

func put(t testing.TB, s store.Store, id string, rank int) {
	t.Helper()
	if err := s.Tx(t.Context(), func(tx store.Tx) error { return tx.Put("things", id, thing{1, rank}) }); err != nil {
		t.Fatal(err)
	}
}

func find(t testing.TB, s store.Store) (ranks []int) {
	t.Helper()
	found, err := store.Find[thing](s.Query(t.Context(), store.Query{Collection: "things", Range: &store.Range{Name: "rank"}, Limit: 100}))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		ranks = append(ranks, f.Rank)
	}
	return ranks
}

func TestDocumentsSurviveAndIndexesAreBuiltLater(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new folder", "store.db")
	s := open(t, path, "control", options())
	for i, id := range []string{"c", "b", "a"} {
		put(t, s, id, i)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, "control", options(store.Index{"rank"}))
	if got := find(t, s); fmt.Sprint(got) != "[0 1 2]" {
		t.Errorf("an index built at open finds %v", got)
	}
	_ = s.Close()

	s = open(t, path, "control", options()) // the index is not declared for a while
	put(t, s, "d", 3)
	put(t, s, "c", 9)
	_ = s.Close()
	s = open(t, path, "control", options(store.Index{"rank"}))
	if got := find(t, s); fmt.Sprint(got) != "[1 2 3 9]" {
		t.Errorf("an index declared again finds %v", got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
}

func TestTreesOfOneFileAreApart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var stores []store.Store
	for _, tree := range []string{"access", "breach", "access"} {
		s, err := store.Drivers.Open(t.Context(), driver.URL("bolt", filepath.Join(dir, "a store.db"), "tree", tree), options(store.Index{"rank"}))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		stores = append(stores, s)
	}
	put(t, stores[0], "a", 1)
	if a, b, c := len(find(t, stores[0])), len(find(t, stores[1])), len(find(t, stores[2])); a != 1 || b != 0 || c != 1 {
		t.Errorf("the trees access, breach, access hold %d, %d, %d documents", a, b, c)
	}
	if _, err := os.Stat(filepath.Join(dir, "a store.db")); err != nil {
		t.Error(err)
	}
}

func TestRefusedURLs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "x.db")
	for _, raw := range []string{
		driver.URL("bolt", file), driver.URL("bolt", file, "tree", ""), driver.URL("bolt", file, "tree", "A"), driver.URL("bolt", file, "tree", "a", "tree", "b"),
		driver.URL("bolt", file, "tree", "a", "sync", "no"), "bolt://host/x.db?tree=a", "bolt:?tree=a", "bolt:%zz?tree=a", driver.URL("bolt", dir, "tree", "a"),
	} {
		if _, err := store.Drivers.Open(t.Context(), raw, options()); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
	o := options(store.Index{})
	if _, err := bolt.Open(filepath.Join(dir, "y.db"), "a", o); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a faulty schema: %v", err)
	}
}

func TestFileIsSharedAndClosedWithItsLastUser(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "shared.db")
	db, release, err := bolt.File(path)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	same, releaseSame, err := bolt.File(link)
	if err != nil || same != db {
		t.Fatalf("another name of the file gave %p, %v; want %p", same, err, db)
	}
	for range 2 { // the second call does nothing
		if err := release(); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.View(func(*bbolt.Tx) error { return nil }); err != nil {
		t.Errorf("the file was closed under its second user: %v", err)
	}
	if err := releaseSame(); err != nil {
		t.Fatal(err)
	}
	if err := db.View(func(*bbolt.Tx) error { return nil }); err == nil {
		t.Error("the file is open after its last user")
	}
}

// TestAnotherProcessGetsConflict runs itself as the process that holds the file.
func TestAnotherProcessGetsConflict(t *testing.T) {
	if path := os.Getenv("BOLT_TEST_HOLD"); path != "" {
		if _, _, err := bolt.File(path); err != nil {
			t.Fatal(err)
		}
		fmt.Println("held")
		_, _ = os.Stdin.Read(make([]byte, 1)) // until the parent is done
		return
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "held.db")
	child := exec.Command(os.Args[0], "-test.run=^TestAnotherProcessGetsConflict$")
	child.Env = append(os.Environ(), "BOLT_TEST_HOLD="+path)
	in, errIn := child.StdinPipe()
	out, errOut := child.StdoutPipe()
	if err := errors.Join(errIn, errOut, child.Start()); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	began := time.Now()
	_, _, err := bolt.File(path)
	if took := time.Since(began); !fault.Is(err, fault.Conflict) || took > time.Second {
		t.Errorf("a file held by another process: %v after %s; want Conflict within a second", err, took)
	}
	_ = in.Close()
	_ = child.Wait()
	if _, release, err := bolt.File(path); err != nil {
		t.Errorf("after that process ended: %v", err)
	} else {
		_ = release()
	}
}

func TestAPanickingBodyLeavesTheStoreUsable(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "store.db"), "control", options(store.Index{"rank"}))
	func() {
		defer func() { _ = recover() }()
		_ = s.Tx(t.Context(), func(tx store.Tx) error {
			if err := tx.Put("things", "a", thing{1, 1}); err != nil {
				return err
			}
			panic("a fault of the body")
		})
	}()
	put(t, s, "b", 2)
	if got := find(t, s); fmt.Sprint(got) != "[2]" {
		t.Errorf("after a panic the store holds %v", got)
	}
}

func TestATransactionWithoutWritesWaitsForNoDisk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path, "control", options())
	put(t, s, "a", 1)
	db, release, err := bolt.File(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = release() }()
	stats := db.Stats()
	before := stats.TxStats.GetWrite()
	if err := s.Tx(t.Context(), func(tx store.Tx) error { return tx.Get("things", "a", &thing{}) }); err != nil {
		t.Fatal(err)
	}
	_ = open(t, path, "control", options()) // nor does opening a file that is complete
	stats = db.Stats()
	if wrote := stats.TxStats.GetWrite() - before; wrote != 0 {
		t.Errorf("reading made %d writes to the disk", wrote)
	}
}

// What is put off does not wait for the disk; who commits behind Settle does again, and nothing is different otherwise.
func TestPutOff(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path, "control", options(store.Index{"rank"}))
	db, release, err := bolt.File(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = release() }()
	write := func(ctx context.Context, id string) {
		t.Helper()
		if err := s.Tx(ctx, func(tx store.Tx) error { return tx.Put("things", id, thing{1, 1}) }); err != nil {
			t.Fatal(err)
		}
	}
	write(disk.PutOff(t.Context()), "a")
	if !db.NoSync {
		t.Error("what was put off waited")
	}
	write(t.Context(), "b")
	if db.NoSync {
		t.Error("what was not put off did not wait")
	}
	write(disk.PutOff(t.Context()), "c")
	if err := bolt.Settle(db); err != nil || db.NoSync {
		t.Errorf("settled: %v, waiting %v", err, !db.NoSync)
	}
	if found := find(t, s); len(found) != 3 {
		t.Errorf("found %v", found)
	}
	if err := bolt.Clear(db); err != nil {
		t.Fatal(err)
	}
	if found := find(t, open(t, path, "control", options(store.Index{"rank"}))); len(found) != 0 {
		t.Errorf("cleared, and found %v", found)
	}
}

// TestKilledProcessLosesNothingCommitted kills a child that writes one document after another, and counts them.
func TestKilledProcessLosesNothingCommitted(t *testing.T) {
	if path := os.Getenv("BOLT_TEST_WRITE"); path != "" {
		s := open(t, path, "control", options(store.Index{"rank"}))
		for i := 0; ; i++ {
			put(t, s, fmt.Sprintf("%09d", i), i%7)
			fmt.Println(i)
		}
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "killed.db")
	child := exec.Command(os.Args[0], "-test.run=^TestKilledProcessLosesNothingCommitted$")
	child.Env = append(os.Environ(), "BOLT_TEST_WRITE="+path)
	out, err := child.StdoutPipe()
	if err := errors.Join(err, child.Start()); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	committed := 0
	for committed < 50 && lines.Scan() {
		committed++
	}
	_ = child.Process.Kill()
	for lines.Scan() {
		committed++
	}
	_ = child.Wait()
	s := open(t, path, "control", options(store.Index{"rank"}))
	docs, err := s.Query(t.Context(), store.Query{Collection: "things", Limit: 1000})
	if err != nil || len(docs) < committed {
		t.Errorf("%d documents survive, %v; %d were reported as committed", len(docs), err, committed)
	}
	indexed, err := s.Query(t.Context(), store.Query{Collection: "things", Range: &store.Range{Name: "rank"}, Limit: 1000})
	if err != nil || len(indexed) != len(docs) {
		t.Errorf("the index holds %d of %d documents, %v", len(indexed), len(docs), err)
	}
}

// BenchmarkReadModifyWrite measures one small transaction that has reached the disk, with two indexes to maintain.
func BenchmarkReadModifyWrite(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "store.db"), "control", options(store.Index{"rank"}, store.Index{"v", "rank"}))
	increment := func(tx store.Tx) error {
		var counter thing
		if err := tx.Get("things", "a", &counter); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		counter.Rank++
		return tx.Put("things", "a", counter)
	}
	b.Run("one writer", func(b *testing.B) {
		for b.Loop() {
			if err := s.Tx(b.Context(), increment); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("eight writers", func(b *testing.B) {
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range b.N/8 + 1 {
					if err := s.Tx(b.Context(), increment); err != nil {
						b.Error(err)
					}
				}
			})
		}
		group.Wait()
	})
	b.Run("get", func(b *testing.B) {
		var counter thing
		for b.Loop() {
			if err := s.Get(b.Context(), "things", "a", &counter); err != nil {
				b.Fatal(err)
			}
		}
	})
}

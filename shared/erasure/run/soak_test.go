package run_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	sealing "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

const (
	perSecond = 500              // of the map below
	rest      = 20 * time.Second // what the archive asks for when it has had enough
	mostHeap  = 256 << 20
)

// archive is a store with one place of very many items, on disk. It refuses now and then, and notes who does not listen.
type archive struct {
	people // what it does not know about
	t      *testing.T
	db     *bbolt.DB
	r      *mathrand.Rand
	begun  time.Time
	calls  int
	fuse   int       // calls until the process is killed; 0 is dead
	tired  time.Time // nobody calls before
	asked  int64     // items returned since begun
	starts int       // finds from the start
	heap   uint64
}

var (
	sessions  = []byte("sessions")
	errKilled = fault.New(fault.Transient, "killed")
)

func newArchive(t *testing.T, items int) *archive {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "archive"), 0o600, &bbolt.Options{NoSync: true, NoFreelistSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for at := 0; at < items; at += 10_000 {
		if err := db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(sessions)
			for i := at; i < min(at+10_000, items) && err == nil; i++ {
				err = b.Put(fmt.Appendf(nil, "%08d", i), []byte("acme"))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return &archive{people: people{docs: map[string]map[string]string{}, reads: map[string]int{}}, t: t, db: db, r: mathrand.New(mathrand.NewPCG(1, 1)), begun: time.Now()}
}

// alive is asked before each call of either store.
func (a *archive) alive() error {
	if a.fuse == 0 {
		return errKilled
	}
	a.fuse--
	return nil
}

// call is what each call of the archive goes through.
func (a *archive) call() error {
	if err := a.alive(); err != nil {
		return err
	}
	now := time.Now()
	if now.Before(a.tired) {
		a.t.Errorf("called %s before it was ready", a.tired.Sub(now))
	}
	if a.calls++; a.calls%97 == 0 {
		a.tired = now.Add(rest)
		return &fault.Error{Kind: fault.Exhausted, Err: errors.New("slower"), RetryAfter: rest}
	}
	if a.calls%50 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		a.heap = max(a.heap, m.HeapInuse)
	}
	// Half as much again each five minutes, and never more at once than a page.
	may, rate := 2.0*erasure.MaxPage, float64(perSecond)
	for left := now.Sub(a.begun); left > 0; left -= 5 * time.Minute {
		may += rate * min(left, 5*time.Minute).Seconds()
		rate *= 1.5
	}
	if float64(a.asked) > may {
		a.t.Errorf("%d items after %s", a.asked, now.Sub(a.begun))
	}
	return nil
}

func (a *archive) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (page erasure.Page, err error) {
	if q.Place != string(sessions) {
		return a.people.Find(ctx, q, cursor, limit)
	}
	if err := a.call(); err != nil {
		return page, err
	}
	if cursor == "" {
		a.starts++
	}
	err = a.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(sessions).Cursor()
		key, tenant := c.First()
		if cursor != "" {
			if key, tenant = c.Seek([]byte(cursor)); string(key) == cursor {
				key, tenant = c.Next()
			}
		}
		for ; key != nil && len(page.Items) < limit; key, tenant = c.Next() {
			page.Items = append(page.Items, erasure.Item{Ref: string(key), Version: "1", Tenant: string(tenant)})
		}
		if key != nil {
			page.Next = page.Items[limit-1].Ref
		}
		return nil
	})
	a.asked += int64(len(page.Items))
	return page, err
}

func (a *archive) Erase(_ context.Context, _ erasure.Query, items []erasure.Item) (results []erasure.Result, err error) {
	if err := a.call(); err != nil {
		return nil, err
	}
	err = a.db.Update(func(tx *bbolt.Tx) error {
		for _, i := range items {
			outcome := erasure.OutcomeGone
			if b := tx.Bucket(sessions); b.Get([]byte(i.Ref)) != nil {
				if outcome = erasure.OutcomeErased; b.Delete([]byte(i.Ref)) != nil {
					return errKilled
				}
			}
			results = append(results, erasure.Result{Ref: i.Ref, Outcome: outcome})
		}
		return nil
	})
	return results, errors.Join(err, a.alive()) // killed before anybody hears of it
}

// A walk of very many items takes no more memory than one of few, goes on where it was killed, and asks no more of the store
// than it bears.
func TestVeryMany(t *testing.T) {
	t.Parallel()
	items := 20_000
	if os.Getenv("OSTIARY_SOAK") != "" {
		items = 1_000_000
	}
	synctest.Test(t, func(t *testing.T) { veryMany(t, items) })
}

func veryMany(t *testing.T, items int) {
	a := newArchive(t, items)
	s, err := memory.New(store.Options{Schema: run.Collection(), Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	text := mapText[:len(mapText)-len("rate_per_second: 10000}\nstrict: true\n")] + fmt.Sprintf("rate_per_second: %d}\nstrict: true\n", perSecond)
	config := run.Config{
		Store: storetest.Faulty(s, func(storetest.Point, int) error { return a.alive() }), Keys: sealing.New(filepath.Join(t.TempDir(), "key"), rand.Reader),
		Random: rand.Reader, Clock: clock.System{}, Map: readMap(t, text), Zone: time.UTC,
		Reader: func(context.Context, string) (erasure.Reader, error) { return a, nil },
		Eraser: func(context.Context, string) (erasure.Store, error) { return a, nil },
	}
	j := run.Job{Request: "r1", Round: 1, Tenant: "acme", Scope: run.Person, IDs: []datamap.Identifier{
		{Kind: "uid", Value: "u1", Verified: true}, {Kind: "email", Value: "jo@acme.example", Verified: true},
	}}
	kills := 0
	repeat := func(phase string, call func(e *run.Engine, until time.Time) (bool, error)) {
		a.begun, a.asked, a.starts = time.Now(), 0, 0
		for done := false; !done; {
			a.fuse = 1 + a.r.IntN(3_000) // calls: of a process that lives for some minutes
			e, err := run.New(config)
			if err != nil {
				t.Fatal(err)
			}
			if done, err = call(e, time.Now().Add(8*time.Minute)); err != nil && !fault.Is(err, fault.Transient) {
				t.Fatal(err)
			}
			if a.fuse == 0 {
				kills++
			}
			if !done {
				time.Sleep(3 * time.Minute) // its leases run out
			}
		}
		if a.starts > 10 || a.asked > int64(items)+int64(kills+20)*erasure.MaxPage {
			t.Errorf("to %s, %d items were read, %d times from the start, in spite of %d deaths", phase, a.asked, a.starts, kills)
		}
	}
	repeat("plan", func(e *run.Engine, until time.Time) (bool, error) {
		_, done, err := e.Plan(t.Context(), j, until)
		return done, err
	})
	var x run.Execution
	repeat("erase", func(e *run.Engine, until time.Time) (done bool, err error) {
		x, done, err = e.Execute(t.Context(), j, until)
		return done, err
	})
	if x.Totals.Erased != int64(items) || len(x.Open) > 0 || kills == 0 {
		t.Errorf("erased %+v, open %v, killed %d times", x.Totals, x.Open, kills)
	}
	if a.heap > mostHeap {
		t.Errorf("%d MiB of memory", a.heap>>20)
	}
	t.Logf("%d items, killed %d times, %d MiB", items, kills, a.heap>>20)
}

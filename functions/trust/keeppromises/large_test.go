package keeppromises

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/trust/page/shelf"
)

// large is a policy of 300 promises beside the sample's, kept by 70 checks.
func large() map[string]string {
	var text strings.Builder
	text.WriteString("promises:\n")
	for i := range 300 {
		fmt.Fprintf(&text, `  - id: Z%d
    text: {en: "This is the sentence of promise %d of a long policy, as it was published."}
    source: {file: own.txt, section: All}
    check: check-%d
    severity: high
    kept_by:
      - records: check-%d
`, i, i, i%70, i%70)
	}
	return map[string]string{"promises/large.yaml": text.String()}
}

// fill gives the log a year and more of a page record a day, with runs of every check between them.
func (w *world) fill(t testing.TB, days int) {
	t.Helper()
	end := w.Clock.Now()
	var seq int64
	for day := range days {
		at := end.AddDate(0, 0, day-days)
		if day%8 == 0 {
			seq++
			for c := range 70 {
				r := record.New(record.Run, fmt.Sprintf("check-%d", c), fmt.Sprint(day))
				r.Source.Observed, r.Source.Collected, r.Expires = at, at, at.Add(time.Duration(c)*time.Hour)
				r.Run, r.Population = seq, &record.Population{Expected: 1, Seen: 1}
				w.hand(t, r)
			}
		}
		for i := range 2 { // the first begins a span, the second ends it
			r := record.New(record.Page, "trust-page", fmt.Sprint(day, i))
			r.Source.Observed, r.Source.Collected = at.Add(time.Duration(i+1)*time.Minute), at.Add(time.Duration(i+1)*time.Minute)
			w.hand(t, r)
		}
	}
	for range 10 { // a pass takes in part of what there is
		_, err := w.sequencer.Run(t.Context())
		must(t, err)
	}
}

// TestLarge: more than a year of 357 promises is followed in one run, fits into the store's transactions, and is read
// back whole by the next instance.
func TestLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, large())
	w.fill(t, 420)
	// An instance without time to spare follows one step a run, and says nothing until it has come to the end.
	hasty := w.another(t)
	d := *hasty.Deps
	d.Clock = &hurrying{now: w.Clock.Now()}
	hasty.Deps = &d
	must(t, hasty.run(t.Context(), w.Clock.Now()))
	if _, err := shelf.New(w.Raw("trust")).Newest(t.Context()); hasty.ledger.Size() != step || !fault.Is(err, fault.NotFound) {
		t.Errorf("after %d leaves there is a page: %v", hasty.ledger.Size(), err)
	}
	begun := time.Now()
	w.Tick(t, name).Want(t, 204, "")
	first := time.Since(begun)
	var bytes, count int
	must(t, w.Raw("trust").Tx(t.Context(), func(tx store.Tx) error {
		bytes, count = 0, 0
		return each(tx, func(_ string, p piece) { bytes, count = bytes+len(p.Data), count+1 })
	}))
	_, page := w.newest(t)
	_, head := w.leaves(t)
	begun = time.Now()
	w.Restart()
	w.good(t)
	t.Logf("%d leaves followed in %s; %d pieces of %d bytes together; a page of %d bytes; read again and paged in %s", head.Size, first, count, bytes, len(page), time.Since(begun))
	if head.Size < 4000 || count != 358 {
		t.Errorf("%d leaves, %d pieces", head.Size, count)
	}
	if bytes > store.MaxTransactionBytes/2 {
		t.Errorf("the ledger takes %d bytes of a transaction's %d", bytes, store.MaxTransactionBytes)
	}
	w.good(t)
	w.proven(t)
}

// narrow is a store that takes few documents in one transaction.
type narrow struct {
	store.Store
	most int
	kind fault.Kind
}

type narrowTx struct {
	store.Tx
	written *int
}

func (n narrow) Tx(ctx context.Context, fn func(tx store.Tx) error) error {
	return n.Store.Tx(ctx, func(tx store.Tx) error {
		written := 0
		if err := fn(narrowTx{tx, &written}); err != nil || written <= n.most {
			return err
		}
		return fault.New(n.kind, "the transaction writes %d documents", written)
	})
}

func (n narrowTx) Put(collection, id string, doc any) error {
	*n.written++
	return n.Tx.Put(collection, id, doc)
}

// through is an instance whose database takes few documents at once.
func (w *world) through(t testing.TB, most int, kind fault.Kind) *keeppromises {
	t.Helper()
	k := w.another(t)
	d := *k.Deps
	d.Store = narrow{d.Store, most, kind}
	d.Box = outbox.New(d.Store, d.Clock, d.Log, nil)
	k.Deps = &d
	return k
}

// TestNarrow: a database that refuses large transactions gets smaller ones, and ends with the same ledger.
func TestNarrow(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.Exhausted, fault.Invalid} {
		w := newWorld(t, large())
		w.say(t, record.Run, "ip-daily", record.Kept, "D24")
		w.say(t, record.Page, "trust-page", record.Pass)
		w.seal(t)
		k := w.through(t, 100, kind)
		head, err := k.follow(t.Context(), w.Clock.Now())
		must(t, err)
		if k.ledger.Size() != head.Size || k.place.Torn != 0 || k.most > 100 {
			t.Errorf("%d of %d leaves, torn %d, %d at once", k.ledger.Size(), head.Size, k.place.Torn, k.most)
		}
		next := w.another(t)
		must(t, next.read(t.Context(), w.Clock.Now()))
		if !maps.EqualFunc(maps.Collect(next.ledger.Pieces()), maps.Collect(k.ledger.Pieces()), slices.Equal) || next.ledger.Size() != head.Size {
			t.Errorf("the next instance reads another ledger, of %d leaves", next.ledger.Size())
		}
		w.good(t)
		w.good(t)
		w.proven(t)
	}
	w := newWorld(t, nil)
	if err := w.through(t, 0, fault.Invalid).run(t.Context(), w.Clock.Now()); !fault.Is(err, fault.Invalid) {
		t.Errorf("a database that takes nothing: %v", err)
	}
}

// TestTorn: killed between the transactions of one step, the ledger is not believed; it is made again, once whoever wrote it
// must be gone.
func TestTorn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.good(t)
	stride := max(7/require.Seeds(1), 1)
	torn := 0
	for n := 0; ; n += stride {
		w.say(t, record.Run, "ip-daily", record.Kept, "D24")
		w.say(t, record.Page, "trust-page", record.Pass)
		w.Advance(t, 15*time.Minute)
		w.seal(t)
		k := w.another(t)
		k.most = 10
		failed := w.Store.Failed()
		w.Store.DownAfter(n)
		_, err := k.follow(t.Context(), w.Clock.Now())
		w.Store.Up()
		if w.Store.Failed() == failed {
			must(t, err)
			break
		}
		next := w.another(t)
		if err := next.read(t.Context(), w.Clock.Now()); k.place.Torn > 0 && !fault.Is(err, fault.Transient) {
			t.Errorf("after %d calls a torn ledger is read: %v", n, err)
		} else if k.place.Torn > 0 {
			torn++
		}
		w.Advance(t, patience)
		w.Restart()
		w.good(t)
	}
	if torn == 0 {
		t.Error("the ledger was never torn: the test shows nothing")
	}
	w.Advance(t, time.Hour) // what the outbox has put off
	w.good(t)
	w.good(t)
	w.proven(t)
	if on := w.of(t, record.Policy); len(on) != 1 {
		t.Errorf("%d policies on record", len(on))
	}
}

// hurrying is a clock on which nothing takes less than an hour.
type hurrying struct{ now time.Time }

// Now implements clock.Clock.
func (h *hurrying) Now() time.Time {
	h.now = h.now.Add(time.Hour)
	return h.now
}

// TestParse: a leaf that is no record is a gap, and the log goes on.
func TestParse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.good(t)
	k := w.another(t)
	must(t, k.read(t.Context(), w.Clock.Now()))
	size := k.ledger.Size()
	r := k.parse(t.Context(), w.Clock.Now(), size, []byte(`{"v":1}`))
	must(t, k.ledger.Add(size, r))
	if r.Kind != record.Gap || k.ledger.Size() != size+1 {
		t.Errorf("%+v", r)
	}
}

// TestEnvironment: without a trust file, a log or word of where probes may look nothing starts.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	d := *w.Deps(name)
	env := d.Env
	for variable, value := range map[string]string{"OSTIARY_TRUST": "{}", "OSTIARY_LOG_TILES": "", "OSTIARY_LOG_HEAD": "nowhere:", EnvProbes: ""} {
		d.Env = func(name string) (string, bool) {
			if name == variable {
				return value, true
			}
			return env(name)
		}
		if _, err := start(t.Context(), &d); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s=%q: %v", variable, value, err)
		}
	}
}

// BenchmarkMinute is a run that finds nothing new in a log of 357 promises.
func BenchmarkMinute(b *testing.B) {
	w := newWorld(b, large())
	w.fill(b, 420)
	w.Tick(b, name).Want(b, 204, "")
	k := w.another(b)
	for b.Loop() {
		must(b, k.run(b.Context(), w.Clock.Now()))
	}
}

// BenchmarkFollow makes the ledger of 357 promises from 4,555 leaves of 420 days, and the page from that.
func BenchmarkFollow(b *testing.B) {
	w := newWorld(b, large())
	w.fill(b, 420)
	for b.Loop() {
		k := w.another(b)
		must(b, k.read(b.Context(), w.Clock.Now()))
		must(b, k.begin(b.Context(), w.Clock.Now(), k.place, nil))
		must(b, k.run(b.Context(), w.Clock.Now()))
	}
}

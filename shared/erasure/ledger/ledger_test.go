package ledger

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/storetest"
)

const ours = datamap.Controller

var erika = Subject{"acme", ours, "uid", "u-4711"}

func TestMatch(t *testing.T) {
	t.Parallel()
	for name, fresh := range map[string]func(testing.TB, clock.Clock) store.Store{"memory": inMemory, "bolt": onDisk} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := open(t, fresh(t, clock.NewManual(noon)), first)
			if matches(t, l, erika, noon.Add(-time.Hour)) {
				t.Error("somebody is known to an empty ledger")
			}
			add(t, l, erika, noon)
			for why, c := range map[string]struct {
				who     Subject
				created time.Time
				want    bool
			}{
				"older data":                 {erika, noon.Add(-time.Microsecond), true},
				"data of that very instant":  {erika, noon, false},
				"a new account":              {erika, noon.Add(time.Second), false},
				"the same id elsewhere":      {Subject{"other", ours, "uid", "u-4711"}, noon.Add(-time.Hour), false},
				"another kind of id":         {Subject{"acme", ours, "customer_id", "u-4711"}, noon.Add(-time.Hour), false},
				"her own, a customer's":      {Subject{"acme", datamap.Processor, "uid", "u-4711"}, noon.Add(-time.Hour), false},
				"somebody else":              {Subject{"acme", ours, "uid", "u-471"}, noon.Add(-time.Hour), false},
				"parts that run together":    {Subject{"acmeu", ours, "id", "u-4711"}, noon.Add(-time.Hour), false},
				"a longer id that begins so": {Subject{"acme", ours, "uid", "u-47110"}, noon.Add(-time.Hour), false},
			} {
				if got := matches(t, l, c.who, c.created); got != c.want {
					t.Errorf("%s: %v", why, got)
				}
			}
		})
	}
}

// The latest erasing counts, in whatever order they are told, and however often.
func TestAddAgain(t *testing.T) {
	t.Parallel()
	s := inMemory(t, clock.NewManual(noon))
	l := open(t, s, first)
	for _, at := range []time.Time{noon, noon, noon.Add(time.Hour), noon.Add(-time.Hour), noon.Add(time.Hour)} {
		add(t, l, erika, at)
	}
	found := all(t, s)
	for _, e := range found {
		if e.Deleted != noon.Add(time.Hour).UnixMicro() || !e.Expires.Equal(noon.Add(time.Hour+month+Margin)) {
			t.Errorf("got %+v", e)
		}
	}
	if len(found) != 1 || !matches(t, l, erika, noon.Add(30*time.Minute)) || matches(t, l, erika, noon.Add(2*time.Hour)) {
		t.Errorf("%d entries", len(found))
	}
	var several sync.WaitGroup
	for i := range 8 {
		several.Go(func() {
			if err := l.Add(t.Context(), erika, noon.Add(time.Duration(10+i%4)*time.Hour)); err != nil {
				t.Error(err)
			}
		})
	}
	several.Wait()
	if !matches(t, l, erika, noon.Add(12*time.Hour)) || matches(t, l, erika, noon.Add(13*time.Hour)) {
		t.Error("of several at once the latest does not count")
	}
}

// An entry outlives the longest backup, and not by much.
func TestEntriesEnd(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(noon)
	l := open(t, onDisk(t, now), first)
	add(t, l, erika, noon)
	for after, want := range map[time.Duration]bool{month + Margin - time.Second: true} {
		if err := now.Set(noon.Add(after)); err != nil {
			t.Fatal(err)
		}
		if got := matches(t, l, erika, noon.Add(-time.Hour)); got != want {
			t.Errorf("%s after the erasing: %v", after, got)
		}
	}
	if err := now.Set(noon.Add(month + Margin)); err != nil {
		t.Fatal(err)
	}
	used, err := l.InUse(t.Context(), first.Version)
	if err != nil || used || matches(t, l, erika, noon.Add(-time.Hour)) {
		t.Errorf("the entry outlives its time: %v", err)
	}
}

// A key is changed while entries of the old one count, and the old one ends with them.
func TestKeysChange(t *testing.T) {
	t.Parallel()
	s := inMemory(t, clock.NewManual(noon))
	add(t, open(t, s, first), erika, noon)
	both := open(t, s, second, first)
	max := Subject{"acme", ours, "uid", "u-12"}
	add(t, both, max, noon)
	if !matches(t, both, erika, noon.Add(-1)) || !matches(t, both, max, noon.Add(-1)) {
		t.Error("an entry is not found under both keys")
	}
	if e := all(t, s)[second.name(max)]; e.Key != second.Version {
		t.Errorf("a new entry is of the key %q", e.Key)
	}
	add(t, both, erika, noon.Add(time.Hour))
	if !matches(t, both, erika, noon.Add(time.Minute)) {
		t.Error("a later erasing under the new key does not count")
	}
	for version, want := range map[string]bool{"1": true, "2": true, "3": false} {
		if used, err := both.InUse(t.Context(), version); err != nil || used != want {
			t.Errorf("key %s is in use: %v, %v", version, used, err)
		}
	}
	_, err := open(t, s, second).Replay(t.Context(), crowd{}, noon, nil)
	refused(t, "the key of entries is missing", err, fault.Misconfigured)
}

// Who may write the store and has no key makes no entry, moves none in time and exchanges none.
func TestAlteredEntries(t *testing.T) {
	t.Parallel()
	name := first.name(erika)
	for why, change := range map[string]func(e *entry, foreign entry){
		"later, so that a new account goes":  func(e *entry, _ entry) { e.Deleted += 1_000_000 },
		"earlier, so that old data comes":    func(e *entry, _ entry) { e.Deleted -= 1_000_000 },
		"a seal of its own":                  func(e *entry, _ entry) { e.Seal = key("9", 9).seal(name, *e) },
		"said to be of a whole tenant":       func(e *entry, _ entry) { e.Whole = true },
		"no seal":                            func(e *entry, _ entry) { e.Seal = "" },
		"the entry of somebody else":         func(e *entry, foreign entry) { *e = foreign },
		"said to be of another version":      func(e *entry, _ entry) { e.Key = second.Version },
		"of a shape this code does not know": func(e *entry, _ entry) { e.V = 1 },
	} {
		s := inMemory(t, clock.NewManual(noon))
		l := open(t, s, first, second)
		add(t, l, erika, noon)
		add(t, l, Subject{"acme", ours, "uid", "u-12"}, noon.Add(time.Hour))
		found := all(t, s)
		e := found[name]
		for id, other := range found {
			if id != name {
				change(&e, other)
			}
		}
		put(t, s, name, e)
		_, err := l.Match(t.Context(), erika, noon.Add(-time.Hour))
		refused(t, why+": looking up", err, fault.Misconfigured)
		refused(t, why+": adding", l.Add(t.Context(), erika, noon.Add(time.Hour)), fault.Misconfigured)
		_, err = l.Replay(t.Context(), crowd{}, noon, nil)
		refused(t, why+": replaying", err, fault.Misconfigured)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := inMemory(t, clock.NewManual(noon))
	for why, keys := range map[string][]Key{
		"no key": nil, "a short key": {{"1", make([]byte, LeastKey-1)}}, "a version twice": {first, key("1", 3)}, "no version": {key("", 1)}, "a long name": {key(strings.Repeat("x", 65), 1)},
	} {
		_, err := New(s, month, keys...)
		refused(t, why, err, fault.Misconfigured)
	}
	_, err := New(s, LeastKeep-1, first)
	refused(t, "kept too short", err, fault.Misconfigured)
	l := open(t, s, first)
	for why, who := range map[string]Subject{
		"no tenant": {"", ours, "uid", "u1"}, "no kind": {"acme", ours, "", "u1"}, "no id": {"acme", ours, "uid", ""}, "an address": {"acme", ours, "email", "erika@customer.example"},
		"no role": {"acme", "", "uid", "u1"}, "no such role": {"acme", "joint", "uid", "u1"}, "a very long id": {"acme", ours, "uid", strings.Repeat("x", maxID+1)},
	} {
		refused(t, why, l.Add(t.Context(), who, noon), fault.Invalid)
		_, err := l.Match(t.Context(), who, noon)
		refused(t, why, err, fault.Invalid)
		if strings.Contains(fmt.Sprint(err), "erika") {
			t.Errorf("%s: %v", why, err)
		}
	}
	refused(t, "no time", l.Add(t.Context(), erika, time.Time{}), fault.Invalid)
	_, err = l.Match(t.Context(), erika, time.Time{})
	refused(t, "no age", err, fault.Invalid)
	_, err = l.Replay(t.Context(), crowd{}, time.Time{}, nil)
	refused(t, "a backup of no time", err, fault.Invalid)
	if len(all(t, s)) != 0 {
		t.Error("what was refused is there")
	}
}

// What is stored says nothing of whom it is about.
func TestNamesNobody(t *testing.T) {
	t.Parallel()
	s := inMemory(t, clock.NewManual(noon))
	add(t, open(t, s, first), Subject{"tenant-canary", ours, "kind-canary", "id-canary"}, noon)
	if text := fmt.Sprintf("%+v", all(t, s)); strings.Contains(text, "canary") || len(all(t, s)) != 1 {
		t.Errorf("stored: %s", text)
	}
}

// Wherever the store fails, an erasing that was said to be added is there, and one that was not can be added again.
func TestFailures(t *testing.T) {
	t.Parallel()
	for nth := 1; ; nth++ {
		s := inMemory(t, clock.NewManual(noon))
		err := open(t, storetest.Faulty(storetest.Twice(s), storetest.FailNth(nth)), first).Add(t.Context(), erika, noon)
		whole := open(t, s, first)
		if err == nil {
			if !matches(t, whole, erika, noon.Add(-1)) {
				t.Error("it is not there")
			}
			if nth < 4 {
				t.Errorf("only %d points were passed", nth-1)
			}
			return
		}
		refused(t, "a failing store", err, fault.Transient)
		add(t, whole, erika, noon)
		if !matches(t, whole, erika, noon.Add(-1)) {
			t.Errorf("point %d: it is not there after a second try", nth)
		}
		_, err = open(t, storetest.Faulty(s, storetest.FailNth(1)), first).Match(t.Context(), erika, noon)
		refused(t, "a failing store", err, fault.Transient)
		_, err = open(t, storetest.Faulty(s, storetest.FailNth(1)), first).Replay(t.Context(), crowd{}, noon, nil)
		refused(t, "a failing store", err, fault.Transient)
	}
}

func seeds() int {
	if os.Getenv("OSTIARY_SOAK") == "1" {
		return 40 * 25
	}
	return 25
}

// Through any history of erasings and changes of the key, who matches is who was erased after her data was made.
func TestHistories(t *testing.T) {
	t.Parallel()
	for seed := range seeds() {
		random := rand.New(rand.NewPCG(uint64(seed), 45))
		s := inMemory(t, clock.NewManual(noon))
		keys, erased := []Key{first}, map[Subject]time.Time{}
		who := func() Subject {
			return Subject{"t" + fmt.Sprint(random.IntN(2)), []datamap.Role{ours, datamap.Processor}[random.IntN(2)], "uid", "u" + fmt.Sprint(random.IntN(12))}
		}
		at := func() time.Time { return noon.Add(time.Duration(random.IntN(1000)) * time.Second) }
		for range 60 {
			if random.IntN(20) == 0 {
				n := len(keys) + 1
				keys = append([]Key{key(fmt.Sprint(n), byte(n))}, keys...)
			}
			l := open(t, s, keys...)
			one, when := who(), at()
			if random.IntN(2) == 0 {
				add(t, l, one, when)
				if erased[one].Before(when) {
					erased[one] = when
				}
			}
			one, when = who(), at()
			if got, want := matches(t, l, one, when), when.Before(erased[one]); got != want {
				t.Errorf("seed %d: data of %s, %v: %v, want %v", seed, when, one, got, want)
			}
		}
	}
}

// No two subjects have one name.
func FuzzNames(f *testing.F) {
	f.Add("acme", "controller", "uid", "u1", "acme", "controller", "uid", "u10")
	f.Add("acme", "controller", "uid", "u1", "acme", "processor", "uid", "u1")
	f.Add("a", "", "bc", "d", "ab", "", "c", "d")
	f.Fuzz(func(t *testing.T, t1, r1, k1, i1, t2, r2, k2, i2 string) {
		one, two := Subject{t1, datamap.Role(r1), k1, i1}, Subject{t2, datamap.Role(r2), k2, i2}
		if (first.name(one) == first.name(two)) != (one == two) || first.name(one) == second.name(one) {
			t.Errorf("%q and %q are called %s and %s", one, two, first.name(one), first.name(two))
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	l := open(b, inMemory(b, clock.NewManual(noon)), second, first)
	add(b, l, erika, noon)
	for b.Loop() {
		if !matches(b, l, erika, noon.Add(-1)) {
			b.Fatal("not found")
		}
	}
}

package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

func uid(id string) Subject { return Subject{"acme", ours, "uid", id} }

func known(id string, created time.Time) Known { return Known{Subject: uid(id), Created: created} }

// A backup of the day before brings back who was erased since; who came back by herself stays.
func TestReplay(t *testing.T) {
	t.Parallel()
	s := inMemory(t, clock.NewManual(noon))
	add(t, open(t, s, first), uid("erased"), noon)
	l := open(t, s, second, first)
	add(t, l, uid("long-gone"), noon.Add(-48*time.Hour))
	add(t, l, uid("ageless"), noon)
	add(t, l, uid("back"), noon.Add(-48*time.Hour))
	add(t, l, Subject{"other", ours, "uid", "alive"}, noon)
	taken := noon.Add(-24 * time.Hour)
	old := noon.Add(-1000 * time.Hour)
	got, sum := replay(t, l, crowd{
		known("alive", old), known("erased", old), known("ageless", time.Time{}), known("long-gone", time.Time{}),
		known("back", noon.Add(-30*time.Hour)), known("alive-too", time.Time{}),
	}, taken)
	want := []Again{
		{Known: known("erased", old), Before: noon},
		{Known: known("ageless", time.Time{}), Before: noon},
		{Known: known("long-gone", time.Time{}), Before: noon.Add(-48 * time.Hour), Doubtful: true},
	}
	if !slices.Equal(got, want) || sum != (Summary{Seen: 6, Again: 2, Doubtful: 1, Newer: 1}) {
		t.Errorf("got %v, %+v", got, sum)
	}
	if got, sum := replay(t, l, crowd{}, taken); got != nil || sum != (Summary{}) {
		t.Errorf("of nobody: %v, %+v", got, sum)
	}
}

// Who was erased in the data of one role is told by items of the other as well, and that is said: her own account is not what
// a customer of ours had erased.
func TestReplayOfTheOtherRole(t *testing.T) {
	t.Parallel()
	l := open(t, inMemory(t, clock.NewManual(noon)), first)
	theirs := Subject{"acme", datamap.Processor, "uid", "u1"}
	add(t, l, theirs, noon)
	add(t, l, uid("u2"), noon)
	add(t, l, Subject{"acme", datamap.Processor, "uid", "u2"}, noon.Add(time.Hour))
	old := noon.Add(-time.Hour)
	got, sum := replay(t, l, crowd{known("u1", old), known("u2", old), {Subject: theirs, Created: old}}, noon)
	both := Known{Subject{"acme", datamap.Processor, "uid", "u2"}, old, "", ""}
	want := []Again{
		{Known: Known{Subject: theirs, Created: old}, Before: noon, Elsewhere: true}, {Known: known("u2", old), Before: noon},
		{Known: both, Before: noon.Add(time.Hour), Elsewhere: true}, {Known: Known{Subject: theirs, Created: old}, Before: noon},
	}
	if !slices.Equal(got, want) || sum != (Summary{Seen: 3, Again: 2}) {
		t.Errorf("got %+v, %+v", got, sum)
	}
}

// Who was erased from what is of no tenant is told by items of the tenant's, of whatever role.
func TestReplayOfNoTenant(t *testing.T) {
	t.Parallel()
	l := open(t, inMemory(t, clock.NewManual(noon)), first)
	nowhere := Subject{"acme", datamap.Global, "uid", "u1"}
	add(t, l, nowhere, noon)
	old := noon.Add(-time.Hour)
	theirs := Known{Subject: Subject{"acme", datamap.Processor, "uid", "u1"}, Created: old}
	got, sum := replay(t, l, crowd{known("u1", old), theirs, known("u1", noon)}, noon)
	again := Again{Known: Known{Subject: nowhere, Created: old}, Before: noon, Elsewhere: true}
	if !slices.Equal(got, []Again{again, again}) || sum != (Summary{Seen: 3}) {
		t.Errorf("got %+v, %+v", got, sum)
	}
}

// An account that was closed is in no policy any more: that nobody looked at its tenant is told, and no key or entry of a person
// counts for one.
func TestUnlooked(t *testing.T) {
	t.Parallel()
	s := inMemory(t, clock.NewManual(noon))
	add(t, open(t, s, first), Subject{Tenant: "gone", Kind: Whole, ID: "gone"}, noon)
	l := open(t, s, second, first)
	add(t, l, Subject{Tenant: "closed", Kind: Whole, ID: "closed"}, noon)
	add(t, l, uid("erased"), noon)
	for n, tenants := range map[int][]string{2: {"acme"}, 1: {"acme", "gone"}, 0: {"closed", "gone"}} {
		if got, err := l.Unlooked(t.Context(), tenants); got != n || err != nil {
			t.Errorf("looked at %v: %d, %v", tenants, got, err)
		}
	}
}

// People whom nobody can look up are counted, and nobody calls the rest everybody; those who could be are listed all the same.
func TestReplayOfTheNameless(t *testing.T) {
	t.Parallel()
	l := open(t, inMemory(t, clock.NewManual(noon)), first)
	add(t, l, uid("erased"), noon)
	old, listed := noon.Add(-time.Hour), 0
	sum, err := l.Replay(t.Context(), crowd{known("", old), known("erased", old), known("alive", old), known("", old)}, noon, func(context.Context, Again) error {
		listed++
		return nil
	})
	refused(t, "people without a name", err, fault.Misconfigured)
	if listed != 1 || sum != (Summary{Seen: 4, Again: 1, Nameless: 2}) || err == nil || !strings.Contains(err.Error(), "2 of 4") || !strings.Contains(err.Error(), "derives") {
		t.Errorf("%d are listed, %+v, %v", listed, sum, err)
	}
}

// Whoever carries out what is listed can stop, and begin again.
func TestReplayStops(t *testing.T) {
	t.Parallel()
	l := open(t, inMemory(t, clock.NewManual(noon)), first)
	var people crowd
	for i := range 10 {
		people = append(people, known(fmt.Sprint("u", i), noon.Add(-time.Hour)))
		add(t, l, people[i].Subject, noon)
	}
	full, left := errors.New("the disk is full"), 4
	sum, err := l.Replay(t.Context(), people, noon, func(context.Context, Again) error {
		if left--; left == 0 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || sum.Seen != 4 {
		t.Errorf("stopped after %+v: %v", sum, err)
	}
	if got, _ := replay(t, l, people[4:], noon); len(got) != 6 {
		t.Errorf("of the rest %d are listed", len(got))
	}
}

// A ledger larger than one page, a restored database, any history: listed is who was erased after her data was made, and
// nobody else.
func TestReplayInGeneral(t *testing.T) {
	t.Parallel()
	for seed := range seeds() {
		random := rand.New(rand.NewPCG(uint64(seed), 46))
		s := inMemory(t, clock.NewManual(noon))
		ledgers := []*Ledger{open(t, s, first), open(t, s, second, first)}
		erased := map[string]time.Time{}
		n := 40
		if seed == 0 {
			n = 2500
		}
		for i := range n {
			id := fmt.Sprint("u", random.IntN(n))
			at := noon.Add(time.Duration(random.IntN(1000)) * time.Minute)
			add(t, ledgers[2*i/n], uid(id), at)
			if erased[id].Before(at) {
				erased[id] = at
			}
		}
		taken := noon.Add(500 * time.Minute)
		var people crowd
		var want []Again
		for i := range n {
			id := fmt.Sprint("u", i)
			made := time.Time{}
			if random.IntN(4) > 0 {
				made = noon.Add(time.Duration(random.IntN(500)) * time.Minute)
			}
			people = append(people, known(id, made))
			at, gone := erased[id]
			switch {
			case gone && made.IsZero():
				want = append(want, Again{Known: known(id, made), Before: at, Doubtful: at.Before(taken)})
			case gone && made.Before(at):
				want = append(want, Again{Known: known(id, made), Before: at})
			}
		}
		if got, _ := replay(t, ledgers[1], people, taken); !slices.Equal(got, want) {
			t.Errorf("seed %d: listed %v\nwant %v", seed, got, want)
		}
	}
}

func BenchmarkReplay(b *testing.B) {
	l := open(b, inMemory(b, clock.NewManual(noon)), first)
	var people crowd
	for i := range 10_000 {
		people = append(people, known(fmt.Sprint("u", i), noon.Add(-time.Hour)))
		if i%10 == 0 {
			add(b, l, people[i].Subject, noon)
		}
	}
	for b.Loop() {
		if got, _ := replay(b, l, people, noon); len(got) != 1000 {
			b.Fatalf("%d are listed", len(got))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/person")
}

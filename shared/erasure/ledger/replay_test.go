package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/clock"
)

func uid(id string) Subject { return Subject{"acme", "uid", id} }

// A backup of the day before brings back who was erased since; who came back by herself stays.
func TestReplay(t *testing.T) {
	t.Parallel()
	s := inMemory(t, clock.NewManual(noon))
	add(t, open(t, s, first), uid("erased"), noon)
	l := open(t, s, second, first)
	add(t, l, uid("long-gone"), noon.Add(-48*time.Hour))
	add(t, l, uid("ageless"), noon)
	add(t, l, uid("back"), noon.Add(-48*time.Hour))
	add(t, l, Subject{"other", "uid", "alive"}, noon)
	taken := noon.Add(-24 * time.Hour)
	old := noon.Add(-1000 * time.Hour)
	got, sum := replay(t, l, crowd{
		{uid("alive"), old}, {uid("erased"), old}, {uid("ageless"), time.Time{}}, {uid("long-gone"), time.Time{}},
		{uid(""), old}, {uid("back"), noon.Add(-30 * time.Hour)}, {uid("alive-too"), time.Time{}},
	}, taken)
	want := []Again{
		{uid("erased"), noon, false},
		{uid("ageless"), noon, false},
		{uid("long-gone"), noon.Add(-48 * time.Hour), true},
	}
	if !slices.Equal(got, want) || sum != (Summary{Seen: 7, Again: 2, Doubtful: 1, Newer: 1, Nameless: 1}) {
		t.Errorf("got %v, %+v", got, sum)
	}
	if got, sum := replay(t, l, crowd{}, taken); got != nil || sum != (Summary{}) {
		t.Errorf("of nobody: %v, %+v", got, sum)
	}
}

// The directory of the data map tells who is there, by the name of the item or by a field, of one tenant.
func TestDirectory(t *testing.T) {
	t.Parallel()
	l := open(t, inMemory(t, clock.NewManual(noon)), first)
	old := noon.Add(-time.Hour)
	people := place{rows: []row{
		{"tenants/acme/users/u1", "acme", old, map[string]string{"uid": "n1"}},
		{"tenants/acme/users/u2", "acme", old, nil},
		{"tenants/acme/users/u3", "acme", noon.Add(time.Hour), map[string]string{"uid": "n3"}},
		{"tenants/acme/users/u4", "acme", old, map[string]string{"uid": "n4"}},
		{"tenants/acme/users/u5", "acme", old, map[string]string{"uid": "n5"}},
		{"tenants/other/users/u1", "other", old, map[string]string{"uid": "n1"}},
	}}
	q := erasure.Query{Entry: "profile", Place: "tenants/acme/users", Tenant: erasure.Tenant{Binding: erasure.BindPath, ID: "acme"},
		Match: erasure.Match{Kind: erasure.MatchDocument, Values: []string{"nobody"}}, Action: erasure.ActionDelete}
	for _, id := range []string{"u1", "u3", "u5", "n3", "n4"} {
		add(t, l, uid(id), noon)
	}
	byName, sum := replay(t, l, Directory{Reader: people, Query: q, Kind: "uid"}, noon.Add(-time.Minute))
	if fmt.Sprint(byName) != fmt.Sprint([]Again{{uid("u1"), noon, false}, {uid("u5"), noon, false}}) || sum != (Summary{Seen: 5, Again: 2, Newer: 1}) {
		t.Errorf("by name: %v, %+v", byName, sum)
	}
	byField, sum := replay(t, l, Directory{Reader: people, Query: q, Kind: "uid", Field: "uid"}, noon.Add(-time.Minute))
	if fmt.Sprint(byField) != fmt.Sprint([]Again{{uid("n4"), noon, false}}) || sum != (Summary{Seen: 5, Again: 1, Newer: 1, Nameless: 1}) {
		t.Errorf("by field: %v, %+v", byField, sum)
	}
	q.Tenant.ID = ""
	if _, err := l.Replay(t.Context(), Directory{Reader: people, Query: q, Kind: "uid"}, noon, nil); err == nil {
		t.Error("people of no tenant are listed")
	}
}

// Whoever carries out what is listed can stop, and begin again.
func TestReplayStops(t *testing.T) {
	t.Parallel()
	l := open(t, inMemory(t, clock.NewManual(noon)), first)
	var people crowd
	for i := range 10 {
		people = append(people, Known{uid(fmt.Sprint("u", i)), noon.Add(-time.Hour)})
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
			people = append(people, Known{uid(id), made})
			at, gone := erased[id]
			switch {
			case gone && made.IsZero():
				want = append(want, Again{uid(id), at, at.Before(taken)})
			case gone && made.Before(at):
				want = append(want, Again{uid(id), at, false})
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
		people = append(people, Known{uid(fmt.Sprint("u", i)), noon.Add(-time.Hour)})
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

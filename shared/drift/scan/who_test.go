package scan

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/fault"
)

// call is a call of somebody's about an asset, now.
func (w *world) call(person, key string) {
	w.t.Helper()
	h := attribution.Hint{Asset: key, Person: person, Kind: "human", Method: "update", Entry: person + key + w.clock.Now().String(), At: w.clock.Now()}
	if err := w.Hint(w.t.Context(), h); err != nil {
		w.t.Fatal(err)
	}
}

func persons(f finding.Finding) (all []string) {
	for _, a := range f.Actors {
		if a.Person != "" {
			all = append(all, a.Person)
		}
	}
	return all
}

// TestNeighboursCulprit: who changed what a finding rests on may have made it, of an asset and of the company, and does not
// accept it; who touched the asset while all was in order did not.
func TestNeighboursCulprit(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, "told", assertion("asset: ["+bucket+"]\n", `assets("`+sink+`").exists(s, !has(s.data.disabled))`, "high"))
	w.cloud.page = 100
	for n := range oneByOne + 5 { // of so many it is not asked one by one
		off := logs("live")
		off.Key += strconv.Itoa(n)
		off.Data = asset.Object{"name": off.Key, "disabled": true}
		w.cloud.set(off)
	}
	w.ticks(1)
	for range 4 {
		w.pass(24 * time.Hour)
		w.ticks(1)
	}
	f := files("live", "f")

	w.ticks(1)
	w.call("dora", f.Key)
	w.look(f.Key)
	w.pass(time.Hour)
	off := logs("live")
	off.Data = asset.Object{"name": "all", "disabled": true}
	w.cloud.set(off)
	w.call("sara", off.Key)
	w.look(off.Key)
	w.ticks(5)
	for _, key := range []string{"", f.Key} {
		what := "told"
		if key == "" {
			what = "log"
		}
		found := w.get(key, what)
		if got := persons(found); found.State != finding.Open || !slices.Contains(got, "sara") || slices.Contains(got, "dora") && key == "" {
			t.Errorf("%s of %q: %s by %v", what, key, found.State, found.Actors)
		}
		sara, _ := w.policy.PersonByID("sara")
		_, err := w.found.Accept(t.Context(), found.ID, finding.Wish{Reason: "a reason", Got: found.Got, Until: w.clock.Now().Add(24 * time.Hour)}, sara, w.clock.Now())
		if fault.CodeOf(err) != "own_change" {
			t.Errorf("%s of %q: she accepts it: %v", what, key, err)
		}
	}
}

// TestSinceLastNight: what the list before did not find was in order then: who called long before is not named, and it is not said
// that somebody may have who called before anybody listened.
func TestSinceLastNight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := door("live", "b", "").Key
	w.call("sara", key)
	for range 6 {
		w.ticks(1)
		w.pass(24 * time.Hour)
	}
	w.cloud.set(door("live", "b", "0.0.0.0/0"))
	w.call("dora", key)
	w.pass(time.Hour)
	w.ticks(5)
	f := w.get(key, "doors")
	if got := persons(f); !slices.Equal(got, []string{"dora"}) || len(f.Actors) != 1 {
		t.Errorf("%+v", f.Actors)
	}
}

// TestInOrder: the list before the one that may have found it.
func TestInOrder(t *testing.T) {
	t.Parallel()
	var all []night
	for n := range 3 {
		all = append(all, night{start.AddDate(0, 0, n), start.AddDate(0, 0, n).Add(time.Hour)})
	}
	for first, want := range map[time.Time]time.Time{
		start: {}, start.Add(time.Hour): {}, start.AddDate(0, 0, 1).Add(2 * time.Hour): start.Add(-Lag), start.AddDate(0, 0, 9): start.AddDate(0, 0, 1).Add(-Lag),
	} {
		if got := inOrder(all, first); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", first, got, want)
		}
	}
}

// TestEveryoneIsNamed: of however many findings it is asked who it may have been.
func TestEveryoneIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cloud.page = 1000
	const n = mostNamed + 30
	for i := range n {
		a := files("live", fmt.Sprintf("x%03d", i), "allUsers")
		w.cloud.set(a)
		w.call("dora", a.Key)
	}
	w.pass(time.Minute)
	off := logs("live")
	off.Data = asset.Object{"name": "all", "disabled": true} // one of the company, that nobody made
	w.cloud.set(off)
	w.ticks(5)
	for i := range n {
		if f := w.get(files("live", fmt.Sprintf("x%03d", i)).Key, "files"); !slices.Equal(persons(f), []string{"dora"}) {
			t.Fatalf("%s: %+v", f.Asset, f.Actors)
		}
	}
}

// TestOperationRuns: while an operation runs a difference has time to settle, whatever else is judged meanwhile.
func TestOperationRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ticks(1)
	w.pass(time.Hour)
	key := door("live", "a", "").Key
	h := attribution.Hint{Asset: key, Kind: "service", Method: "patch", Entry: "begin", Operation: "o", Running: true, At: w.clock.Now()}
	if err := w.Hint(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	w.cloud.set(door("live", "a", "0.0.0.0/0"))
	w.look(key)
	for range 6 {
		w.cloud.set(door("live", "b", fmt.Sprintf("10.0.%d.0/24", w.clock.Now().Minute())))
		w.look(door("live", "b", "").Key)
		w.ticks(1)
	}
	w.want("it runs", "a doors settling")
	h.Entry, h.Running, h.At = "end", false, w.clock.Now()
	if err := w.Hint(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	w.ticks(2)
	w.want("it ended", "a doors open")
}

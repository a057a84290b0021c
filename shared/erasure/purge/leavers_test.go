package purge

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// office is a world with the databases of the other controls, in which somebody who left a while ago and somebody who is
// there still have left what they have.
type office struct {
	*world
	t         *testing.T
	file      string
	forgotten []string
	refuse    error
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{world: newWorld(t), t: t, file: filepath.Join(t.TempDir(), "data.db")}
	o.Eraser = func(_ context.Context, url string) (erasure.Store, error) {
		return local.Open(o.file, erasure.Bare(url))
	}
	o.Forget = func(_ context.Context, p policy.Person, _ time.Time) (bool, error) {
		if o.refuse != nil {
			return false, o.refuse
		}
		again := slices.Contains(o.forgotten, p.ID)
		o.forgotten = append(o.forgotten, p.ID)
		return !again, nil
	}
	o.People = []policy.Person{
		{ID: "zoe", Until: calendar.Day{Year: 2026, Month: 1, Day: 31}}, {ID: "otto", Until: calendar.Day{Year: 2019, Month: 1, Day: 31}},
		{ID: "leaving", Until: calendar.Day{Year: 2026, Month: 2, Day: 28}}, {ID: "here"},
	}
	for _, who := range []string{"zoe", "leaving", "here"} {
		o.put("access", "accounts", who, map[string]any{"person": who, "seal": "x"})
		o.put("access", "authenticators", who+"-phone", map[string]any{"person": who})
		o.put("access", "leases", who+"-old", map[string]any{"person": who, "prefix": "192.0.2.7/32", "ends": "2026-01-10T00:00:00Z"})
		o.put("access", "leases", who+"-new", map[string]any{"person": who, "prefix": "192.0.2.7/32", "ends": "2026-02-20T00:00:00Z"})
		o.put("watch", "episodes", who+"-e", map[string]any{"person": who, "rule": "r", "words": "what " + who + " said", "closed": "2026-01-20T00:00:00Z"})
	}
	return o
}

func (o *office) put(database, place, name string, fields map[string]any) {
	o.t.Helper()
	tree, err := local.Open(o.file, "firestore://sharedcontacts-live/"+database)
	if err == nil {
		err = tree.Put(place, name, fields, noon.AddDate(-1, 0, 0))
	}
	if err != nil {
		o.t.Fatal(err)
	}
	if err := tree.Close(); err != nil {
		o.t.Fatal(err)
	}
}

// has are the names of what is kept.
func (o *office) has() (names []string) {
	o.t.Helper()
	for _, database := range []string{"access", "watch"} {
		tree, err := local.Open(o.file, "firestore://sharedcontacts-live/"+database)
		if err != nil {
			o.t.Fatal(err)
		}
		err = tree.Each(func(_, name string, fields map[string]any) error {
			if fields["words"] != nil {
				name += " in words"
			}
			names = append(names, name)
			return nil
		})
		if err != nil || tree.Close() != nil {
			o.t.Fatal(err)
		}
	}
	slices.Sort(names)
	return names
}

func (o *office) day() {
	o.t.Helper()
	if done, err := o.Run(o.t.Context(), o.clock.Now().Add(time.Hour)); err != nil || !done {
		o.t.Fatal(done, err)
	}
}

func (o *office) next() {
	o.t.Helper()
	if err := o.clock.Set(o.clock.Now().Add(24 * time.Hour)); err != nil {
		o.t.Fatal(err)
	}
}

// TestLeavers: of somebody who left thirty days ago goes what no law keeps, and what a law keeps without what it does not
// need; evidence forgets her when nothing is kept by any law. The first day only counts, and nobody else loses anything.
func TestLeavers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	all := o.has()
	o.day()
	if got := o.has(); !slices.Equal(got, all) || len(o.forgotten) > 0 {
		t.Fatalf("the first day left %q, forgot %q", got, o.forgotten)
	}
	o.next()
	for range 2 {
		o.day()
	}
	want := []string{
		"here", "here-e in words", "here-new", "here-old", "here-phone", "leaving", "leaving-e in words", "leaving-new", "leaving-old", "leaving-phone", "zoe-e", "zoe-new",
	}
	if got := o.has(); !slices.Equal(got, want) {
		t.Errorf("left is %q", got)
	}
	if !slices.Equal(o.forgotten, []string{"otto"}) {
		t.Errorf("forgotten are %q", o.forgotten)
	}
	erased, rules := "", map[string]bool{}
	for _, r := range o.records {
		rules[r.Facts["rule"]] = true
		if r.Facts["rule"] == forgetting && r.Facts["dry"] == "" {
			erased = r.Facts["erased"]
		}
		text, err := r.Canonical()
		if err != nil || strings.Contains(string(text), "zoe") || strings.Contains(string(text), "leaving") || strings.Contains(string(text), "otto") {
			t.Errorf("a record names somebody: %s, %v", text, err)
		}
	}
	if erased != "1" || !rules["left.own-accounts"] || !rules["left.own-leases.over"] || !rules["left.own-episodes"] {
		t.Errorf("on record: %v, forgotten %q", rules, erased)
	}
	beats, err := o.Look(t.Context(), o.clock.Now())
	if err != nil || len(beats) != 1 || beats[0].Population.Expected <= 4 || beats[0].Population.Seen != beats[0].Population.Expected {
		t.Errorf("it stands as %+v, %v", beats, err)
	}
}

// TestLeaversHeld: what two people hold of one of these entries stays, and what evidence cannot forget yet is tried again.
func TestLeaversHeld(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.held = map[string][]string{tenant: {"own-accounts"}}
	o.day()
	o.next()
	o.refuse = fault.New(fault.Transient, "not now")
	if _, err := o.Run(t.Context(), o.clock.Now().Add(time.Hour)); err == nil {
		t.Error("nobody is told that evidence forgets nobody")
	}
	o.refuse = nil
	if err := o.clock.Set(o.clock.Now().Add(10 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	o.day()
	if got := o.has(); !slices.Contains(got, "zoe") || slices.Contains(got, "zoe-phone") || !slices.Equal(o.forgotten, []string{"otto"}) {
		t.Errorf("left is %q, forgotten %q", got, o.forgotten)
	}
}

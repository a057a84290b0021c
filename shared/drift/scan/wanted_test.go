package scan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
)

func (w *world) wanted() Wanted {
	w.t.Helper()
	s, err := StatusOf(w.t.Context(), w.store)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Wanted
}

// TestStateFails: what Terraform wants is believed for an hour after it could be read last; then nobody can tell, which heals
// nothing, and both are named.
func TestStateFails(t *testing.T) {
	t.Parallel()
	state := &terraform{text: rules, version: "1"}
	w := newWorld(t, state)
	w.Named = []string{"gs://company-state/live.tfstate"}
	w.cloud.set(door("live", "a", "10.0.0.0/9"))
	w.ticks(4)
	const at = "google_compute_firewall.a source_ranges"
	if s := w.wanted(); len(s.States) != 1 || s.States[0].Name != w.Named[0] || s.States[0].Resources != 1 || s.States[0].Failed != "" || s.States[0].Unknown || s.Compared != 1 {
		t.Fatalf("%+v", s)
	}
	read := w.wanted().States[0].Read
	state.err = denied
	w.ticks(2)
	if s := w.wanted().States[0]; s.Failed != "denied" || s.Unknown || s.Read.Before(read) {
		t.Errorf("at first: %+v", s)
	}
	w.pass(StateLasts)
	w.cloud.set(door("live", "a", "10.0.0.0/8"))
	w.look(door("live", "a", "").Key)
	w.ticks(2)
	if s := w.wanted(); !s.States[0].Unknown || s.Compared != 0 {
		t.Errorf("after an hour: %+v", s)
	}
	if f := w.get(door("live", "a", "").Key, at); f.State != finding.Open || f.Unknown.IsZero() {
		t.Errorf("after an hour: %+v", f)
	}
	state.err = nil
	w.ticks(2)
	if s := w.wanted().States[0]; s.Failed != "" || s.Unknown {
		t.Errorf("read again: %+v", s)
	}
	if f := w.get(door("live", "a", "").Key, at); f.State != finding.Healed {
		t.Errorf("read again: %+v", f)
	}
}

// TestStateTooLong: a state beyond what there is room for is refused, and named so; the others count.
func TestStateTooLong(t *testing.T) {
	t.Parallel()
	long := &terraform{text: `{"version":4,"check_results":["` + strings.Repeat("x", StatesMost) + `"],"resources":[]}`, version: "1"}
	w := newWorld(t, &terraform{text: rules, version: "1"}, long)
	w.ticks(1)
	s := w.wanted()
	if len(s.States) != 2 || s.States[0].Failed != "" || s.States[1].Failed != diff.TooLong || !s.States[1].Unknown || s.States[1].Name != "2" || s.Compared != 0 {
		t.Errorf("%+v", s)
	}
}

// TestGapsAndDoubts: what no rule compares, and what nobody could tell, is named.
func TestGapsAndDoubts(t *testing.T) {
	t.Parallel()
	more := strings.Replace(rules, `"resources":[`, `"resources":[{"mode":"managed","type":"google_strange_thing","name":"s","provider":"p","instances":[{"attributes":{"a":1}}]},
		{"mode":"managed","type":"google_storage_bucket","name":"n","provider":"p","instances":[{"attributes":{"project":"live"}}]},`, 1)
	w := newWorld(t, &terraform{text: more, version: "1"})
	w.ticks(1)
	s := w.wanted()
	if want := []diff.Gap{{Type: "google_strange_thing", Count: 1}}; !slices.Equal(s.Gaps, want) {
		t.Errorf("gaps: %+v", s.Gaps)
	}
	if want := []Doubt{{Address: "google_storage_bucket.n", Why: diff.Unnamed}}; !slices.Equal(s.Doubts, want) || s.More != 0 {
		t.Errorf("doubts: %+v and %d", s.Doubts, s.More)
	}
	var many strings.Builder
	for i := range 3 * mostTold {
		fmt.Fprintf(&many, `{"mode":"managed","type":"google_strange_thing%d","name":"s","provider":"p","instances":[{"attributes":{"a":1}}]},`, i)
	}
	w = newWorld(t, &terraform{text: strings.Replace(rules, `"resources":[`, `"resources":[`+many.String(), 1), version: "1"})
	w.ticks(1)
	if s := w.wanted(); len(s.Gaps) != mostTold || s.More != 2*mostTold {
		t.Errorf("%d gaps and %d more", len(s.Gaps), s.More)
	}
}

// TestPlanned: code that was not applied is told from what somebody changed, by a message too.
func TestPlanned(t *testing.T) {
	t.Parallel()
	firewall := func(from string) string {
		return `{"address":"google_compute_firewall.a","mode":"managed","type":"google_compute_firewall","values":{"name":"a","project":"live","source_ranges":["` + from + `"]}}`
	}
	plan := &terraform{text: `{"format_version":"1.2","planned_values":{"root_module":{"resources":[` + firewall("10.0.0.0/9") + `]}},"prior_state":{"values":{"root_module":{"resources":[` + firewall("10.0.0.0/8") + `]}}}}`, version: "1"}
	w := newWorld(t, plan)
	w.ticks(1)
	const at = "google_compute_firewall.a source_ranges"
	key := door("live", "a", "").Key
	if f := w.get(key, at); f.Class != string(diff.StaleDesired) {
		t.Errorf("%+v", f)
	}
	w.look(key)
	if f := w.get(key, at); f.Class != string(diff.StaleDesired) {
		t.Errorf("after a message: %+v", f)
	}
	w.cloud.set(door("live", "a", "10.0.0.0/7"))
	w.look(key)
	if f := w.get(key, at); f.Class != string(diff.Changed) {
		t.Errorf("changed by hand: %+v", f)
	}
	other := strings.NewReplacer(`"a"`, `"b"`, "wall.a", "wall.b").Replace(firewall("10.0.0.0/8"))
	plan.text, plan.version = strings.Replace(plan.text, `]}}}}`, `,`+other+`]}}}}`, 1), "2"
	w.pass(time.Minute)
	w.ticks(1)
	w.look(door("live", "b", "").Key)
	if f := w.get(door("live", "b", "").Key, string(diff.StaleDesired)); f.Class != string(diff.StaleDesired) || f.State.Over() {
		t.Errorf("to be removed: %+v", f)
	}
}

// TestNobodyWants: what the policy promises no more, and what Terraform wants no more, is not healed: it is dropped.
func TestNobodyWants(t *testing.T) {
	t.Parallel()
	state := &terraform{text: rules, version: "1"}
	w := newWorldOf(t, "more", assertion("asset: ["+firewall+"]\n", `data.sourceRanges == ["10.0.0.0/8"]`, "high"), state)
	w.cloud.set(door("live", "a", "10.0.0.0/9"))
	w.ticks(4)
	key := door("live", "a", "").Key
	const at = "google_compute_firewall.a source_ranges"
	is := func(what string, promised, wanted finding.State) {
		t.Helper()
		if got := [2]finding.State{w.get(key, "more").State, w.get(key, at).State}; got != [2]finding.State{promised, wanted} {
			t.Errorf("%s: %v", what, got)
		}
	}
	is("at first", finding.Open, finding.Open)
	w.policy = loaded(t, "", "")
	w.restart()
	w.look(key)
	is("promised no more", finding.Dropped, finding.Open)
	state.text, state.version = strings.ReplaceAll(rules, "google_compute_firewall", "google_compute_route"), "2"
	w.pass(time.Minute)
	w.ticks(2)
	is("wanted no more", finding.Dropped, finding.Dropped)
	state.text, state.version = rules, "3"
	w.ticks(4)
	is("wanted again", finding.Dropped, finding.Open)
	w.States, w.states = nil, nil
	w.restart()
	w.ticks(1)
	is("without Terraform", finding.Dropped, finding.Dropped)
}

// TestStaleFacts: what was read too long ago says nothing of now, though the list that tells it is new.
func TestStaleFacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cloud.set(files("live", "f", "allUsers"))
	w.ticks(4)
	w.cloud.stands = w.clock.Now()
	w.pass(Stale + time.Hour)
	w.cloud.set(files("live", "f"))
	w.ticks(2)
	f := w.get(files("live", "f").Key, "files")
	if f.State != finding.Open || f.Unknown.IsZero() {
		t.Errorf("of an old export it is believed that it is in order: %+v", f)
	}
	counts, is, err := w.Counts(t.Context())
	if err != nil || !is || counts[0].Assertion != "doors" || counts[0].Undetermined != counts[0].Expected {
		t.Errorf("%+v, %v", counts, err)
	}
	w.cloud.stands = time.Time{}
	w.pass(24 * time.Hour)
	w.ticks(2)
	if f = w.get(files("live", "f").Key, "files"); f.State != finding.Healed {
		t.Errorf("exported again: %+v", f)
	}
}

// TestVanished: what a list does not tell of any more is asked for by itself: gone it is healed, and otherwise it is as it is found; what
// cannot be asked for nobody can tell; and what lies where nobody looks any more is not healed.
func TestVanished(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(w *world, key string)
		want   string
	}{
		"still there, and open": {func(w *world, key string) { w.cloud.skip(key) }, "f files open"},
		"there, and closed":     {func(w *world, key string) { w.cloud.set(files("live", "f")); w.cloud.skip(key) }, "f files healed"},
		"deleted":               {func(w *world, key string) { w.cloud.drop(key) }, "f files healed"},
		"not readable":          {func(w *world, key string) { w.cloud.skip(key); w.cloud.fail(key, denied) }, "f files open unknown"},
	} {
		w := newWorld(t)
		w.cloud.set(files("live", "more"))
		w.cloud.set(files("live", "f", "allUsers"))
		w.ticks(1)
		w.want(name+", at first", "f files open")
		c.change(w, files("live", "f").Key)
		w.pass(24 * time.Hour)
		w.ticks(2)
		w.want(name, c.want)
		w.restart()
		w.ticks(2)
		w.want(name+", in another process", c.want)
	}
	w := newWorld(t)
	w.cloud.set(door("other", "d", "0.0.0.0/0"))
	w.ticks(4)
	w.cloud.scopes = []string{"projects/live"}
	w.restart()
	w.pass(time.Hour)
	w.ticks(2)
	w.want("nobody looks there any more", "d doors dropped")
}

// TestStateEmpty: a state that suddenly wants nothing is not believed, in another process neither.
func TestStateEmpty(t *testing.T) {
	t.Parallel()
	state := &terraform{text: rules, version: "1"}
	w := newWorld(t, state)
	w.cloud.set(door("live", "a", "10.0.0.0/9"))
	w.ticks(4)
	const at = "google_compute_firewall.a source_ranges"
	state.text, state.version = `{"version":4,"resources":[]}`, "2"
	for range 2 {
		w.pass(time.Minute)
		w.ticks(2)
		if s := w.wanted().States[0]; s.Failed != StateEmpty || s.Resources != 1 {
			t.Errorf("%+v", s)
		}
		if f := w.get(door("live", "a", "").Key, at); f.State != finding.Open {
			t.Errorf("%+v", f)
		}
		w.restart()
	}
	w = newWorld(t, state)
	w.ticks(1)
	if s := w.wanted().States[0]; s.Failed != "" || s.Unknown {
		t.Errorf("one that never had any: %+v", s)
	}
}

// TestLeftBehind: a lock gives time to settle to what its state wants, and to what no state knows yet; one that is held for an hour was
// left behind, is named, and gives none.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	other := strings.NewReplacer("firewalls/a", "firewalls/b", `"name":"a"`, `"name":"b"`).Replace(rules)
	held := &terraform{text: rules, version: "1", applying: true}
	w := newWorld(t, held, &terraform{text: other, version: "1"})
	for key, want := range map[string]bool{door("live", "a", "").Key: true, door("live", "b", "").Key: false, door("live", "c", "").Key: true, "": true} {
		w.ticks(1)
		if got := w.Applying(t.Context(), finding.Finding{Asset: key}); got != want {
			t.Errorf("%q: something is applied: %t", key, got)
		}
	}
	w.pass(LockLasts)
	for range 2 {
		w.ticks(2)
		if w.Applying(t.Context(), finding.Finding{Asset: door("live", "a", "").Key}) {
			t.Error("after an hour it is being applied still")
		}
		if s := w.wanted().States[0]; s.Locked.IsZero() || w.clock.Now().Sub(s.Locked) < LockLasts {
			t.Errorf("%+v", s)
		}
		w.restart()
	}
	held.applying = false
	w.pass(time.Minute)
	w.ticks(1)
	held.applying = true
	w.pass(time.Minute)
	w.ticks(1)
	if !w.Applying(t.Context(), finding.Finding{Asset: door("live", "a", "").Key}) {
		t.Error("another apply counts for nothing")
	}
}

// TestUnmanagedValue: an asset that Terraform does not know is accepted as it is configured: another under its name is not.
func TestUnmanagedValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &terraform{text: rules, version: "1"})
	stray := door("live", "c", "10.0.0.0/8")
	value := func() string {
		t.Helper()
		w.look(stray.Key)
		w.ticks(1)
		return w.get(stray.Key, "unmanaged").Got
	}
	w.ticks(4)
	first := value()
	stray.Data["etag"] = "another"
	w.cloud.set(stray)
	if got := value(); got != first || first == "" {
		t.Errorf("what passes is another value: %q, %q", first, got)
	}
	w.cloud.set(door("live", "c", "0.0.0.0/0"))
	if value() == first {
		t.Error("other ranges are the same value")
	}
}

// TestUntold: what an assertion could not tell is named with why, at most a few of each, and says no value that somebody configured.
func TestUntold(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, "more", assertion("asset: ["+firewall+"]\n", `internet(data.note) || data.missing == "x"`, "high"))
	for i := range 2 * untoldEach {
		a := door("live", fmt.Sprintf("n%d", i), "10.0.0.0/8")
		a.Data = asset.Object{"note": "hunter2"}
		w.cloud.set(a)
	}
	w.cloud.hide(sink, true)
	w.cloud.fail("projects/other resource", denied)
	w.ticks(1)
	s, err := w.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	each, why := map[string]int{}, map[string]map[string]bool{}
	for _, u := range s.Untold {
		if each[u.Assertion]++; why[u.Assertion] == nil {
			why[u.Assertion] = map[string]bool{}
		}
		why[u.Assertion][strings.TrimSpace(u.Why+" "+u.About)] = true
		if strings.Contains(u.About, "hunter2") {
			t.Errorf("it says a value: %+v", u)
		}
	}
	if each["doors"] != untoldEach || !why["doors"][NoField+" sourceRanges"] || each["more"] != untoldEach || !why["log"][NoType+" "+sink] || !why["more"][NoReason] {
		t.Errorf("%v: %v", each, why)
	}
	for _, c := range s.Counts {
		if (c.Undetermined > 0) != (each[c.Assertion] > 0) {
			t.Errorf("%+v, and %d are named", c, each[c.Assertion])
		}
	}
}

// TestRenamed: what Terraform calls a resource is no part of what is wrong with it.
func TestRenamed(t *testing.T) {
	t.Parallel()
	state := &terraform{text: rules, version: "1"}
	w := newWorld(t, state)
	w.cloud.set(door("live", "a", "10.0.0.0/7"))
	w.ticks(3)
	key := door("live", "a", "").Key
	was := w.get(key, "google_compute_firewall.a source_ranges")
	state.version, state.text = "2", strings.Replace(rules, `"name":"a","provider"`, `"name":"renamed","provider"`, 1)
	if state.text == rules {
		t.Fatal("nothing was renamed")
	}
	w.pass(2 * time.Hour)
	w.ticks(3)
	if f := w.get(key, "google_compute_firewall.renamed source_ranges"); f.ID != was.ID || f.State.Over() || f.What != "google_compute_firewall.renamed source_ranges" {
		t.Errorf("once it is called otherwise: %+v", f)
	}
}

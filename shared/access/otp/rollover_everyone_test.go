package otp

import (
	"fmt"
	"testing"
	"time"
)

// bind gives a person an authenticator, as of now.
func (w *world) bind(person string) string {
	w.t.Helper()
	id, err := w.Import(w.t.Context(), person, ImportRequest{Secret: base32NoPad.EncodeToString(rfcSeeds[SHA1])}, w.meta("sec"), w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// has reports whether the authenticator is still one of the person's, and whether it must be replaced.
func (w *world) has(person, id string) (here, due bool) {
	w.t.Helper()
	acc := w.account(person)
	i := acc.at(id)
	return i >= 0, i >= 0 && !acc.Authenticators[i].Until.IsZero()
}

func (w *world) step(id string, state RolloverState, changed int) {
	w.t.Helper()
	if all, n, err := w.StepEveryone(w.t.Context(), id, w.meta("sec"), w.now()); err != nil || all.State != state || n != changed {
		w.t.Fatalf("step: %s, %d changed, %v; want %s and %d", all.State, n, err, state, changed)
	}
}

// TestBoundDuringARollover: what people replaced theirs with, between two steps, stays theirs; what they had before does not,
// though it was confirmed after.
func TestBoundDuringARollover(t *testing.T) {
	t.Parallel()
	for _, why := range []Reason{Compromised, RolledOver} {
		w := newWorld(t)
		w.stock(fileID, seeds(0, 3)...)
		old := map[string]string{}
		for i := range StepPeople + 5 {
			person := fmt.Sprintf("person-%02d", i)
			old[person] = w.bind(person)
		}
		first, last, early, late := "person-00", "person-54", "person-53", "person-52"
		waiting := w.assign(early, "GA-0001")
		w.pass(time.Minute)
		all, err := w.ForceEveryone(t.Context(), roll(w.now(), why), w.now())
		if err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		w.step(all.ID, RolloverOpen, StepPeople)
		w.pass(time.Minute)
		anew := map[string]string{first: w.bind(first), last: w.bind(last), late: w.assign(late, "GA-0002")}
		token := &device{w: w, secret: seed(1).Secret}
		if result, err := w.Resync(t.Context(), early, waiting, []string{token.code(0), token.code(1)}, w.meta(), w.now()); err != nil || !result.Granted() {
			t.Fatalf("the token's first codes: %+v %v", result, err)
		}
		w.pass(time.Minute)
		w.step(all.ID, RolloverDone, 5)
		for person, id := range anew {
			if here, due := w.has(person, id); !here || due {
				t.Errorf("%s: what %s bound after it started: here %t, due %t", why, person, here, due)
			}
		}
		for person, id := range old {
			if here, due := w.has(person, id); here != (why == RolledOver) || due != here {
				t.Errorf("%s: what %s had: here %t, due %t", why, person, here, due)
			}
		}
		if here, due := w.has(early, waiting); here != (why == RolledOver) || due {
			t.Errorf("%s: the token that waited: here %t, due %t", why, here, due)
		}
	}
}

// TestRolloverLeftAlone: a rollover that nobody goes on with is over as it is, and its words are forgotten.
func TestRolloverLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 2*StepPeople + 1 {
		w.bind(fmt.Sprintf("person-%03d", i))
	}
	all, err := w.ForceEveryone(t.Context(), roll(w.now(), RolledOver), w.now())
	if err != nil {
		t.Fatal(err)
	}
	open := func(want int) {
		t.Helper()
		if found, err := w.OpenRollovers(t.Context(), w.now()); err != nil || len(found) != want {
			t.Errorf("%d open, %v; want %d", len(found), err, want)
		}
	}
	w.pass(RolloverLife - time.Second)
	open(1)
	w.step(all.ID, RolloverOpen, StepPeople)
	w.pass(RolloverLife - time.Second) // since it was gone on with, not since it began
	w.step(all.ID, RolloverOpen, StepPeople)
	w.pass(RolloverLife)
	open(0)
	_, changed, err := w.StepEveryone(t.Context(), all.ID, w.meta("sec"), w.now())
	if refused(t, err, "rollover_unknown"); changed != 0 || !w.account("person-100").Authenticators[0].Until.IsZero() {
		t.Errorf("%d changed after its end", changed)
	}
	var kept Everyone
	if err := w.Store.Get(t.Context(), Rollovers, all.ID, &kept); err != nil || kept.State != RolloverDone || kept.Reason != "" || kept.Ended.IsZero() {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

package otp

import (
	"fmt"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
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
		all, err := w.ForceEveryone(t.Context(), roll(atOnce, why), w.now())
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
	all, err := w.ForceEveryone(t.Context(), roll(atOnce, RolledOver), w.now())
	if err != nil {
		t.Fatal(err)
	}
	open := func(want int) {
		t.Helper()
		if found, err := w.OpenRollovers(t.Context()); err != nil || len(found) != want {
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
	if err := w.Store.Get(t.Context(), Rollovers, all.ID, &kept); !fault.Is(err, fault.NotFound) {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

// TestTheSameRollover: a command that was cut off and is repeated goes on, and takes nothing people got meanwhile, though its
// date has come; so does one whose answer was lost. Another one in the same words, the same day, is new.
func TestTheSameRollover(t *testing.T) {
	t.Parallel()
	for _, hours := range []int{0, 1} {
		w := newWorld(t)
		for i := range StepPeople + 5 {
			w.bind(fmt.Sprintf("person-%02d", i))
		}
		asked := roll(atOnce, RolledOver)
		if hours > 0 {
			asked.By = w.now().Add(time.Hour)
		}
		w.pass(time.Minute)
		first := w.mustForce(asked)
		w.step(first.ID, RolloverOpen, StepPeople)
		w.pass(2 * time.Hour)
		anew := w.bind("person-00")
		if again := w.mustForce(asked); again.ID != asked.ID || !again.Started.Equal(first.Started) || !again.By.Equal(first.By) || again.State != RolloverOpen {
			t.Fatalf("repeated: %+v, want %+v", again, first)
		}
		w.step(first.ID, RolloverDone, 5)
		w.pass(2 * 24 * time.Hour)
		if done := w.mustForce(asked); done.State != RolloverDone || !done.Started.Equal(first.Started) {
			t.Errorf("repeated when it was done: %+v", done)
		}
		if here, due := w.has("person-00", anew); !here || due {
			t.Errorf("what she got since: here %t, due %t", here, due)
		}
		other := asked
		other.Why = Compromised
		_, err := w.ForceEveryone(t.Context(), other, w.now())
		refused(t, err, "rollover_differs")
	}
}

// TestASecondTheft: one that is left open does not stand for another in the same words: what somebody set up in between is
// taken too.
func TestASecondTheft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range StepPeople + 5 {
		w.bind(fmt.Sprintf("person-%02d", i))
	}
	left := w.mustForce(roll(atOnce, Compromised))
	w.step(left.ID, RolloverOpen, StepPeople)
	w.pass(29 * 24 * time.Hour)
	stolen := w.bind("person-00")
	w.pass(time.Minute)
	second := w.mustForce(roll(atOnce, Compromised))
	if !second.Started.Equal(w.now()) {
		t.Errorf("started %s, want %s", second.Started, w.now())
	}
	w.step(second.ID, RolloverDone, 6)
	if here, _ := w.has("person-00", stolen); here {
		t.Error("what somebody stole since still vouches")
	}
}

func (w *world) mustForce(r Rollover) Everyone {
	w.t.Helper()
	all, err := w.ForceEveryone(w.t.Context(), r, w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// TestTheSameRolloverOfOne: asked for again because the answer was lost, it takes nothing the person got meanwhile, whether it
// found something to change the first time or not. Another one in the same words takes it.
func TestTheSameRolloverOfOne(t *testing.T) {
	t.Parallel()
	for _, had := range []bool{true, false} {
		for _, why := range []Reason{RolledOver, Compromised} {
			w := newWorld(t)
			if had {
				w.bind("ada")
			} else {
				w.enrol("ada", EnrolRequest{}) // begun, and never confirmed
			}
			w.pass(time.Minute)
			force := func(r Rollover, want bool) {
				t.Helper()
				if changed, err := w.ForceRollover(t.Context(), "ada", r, w.meta("sec"), w.now()); err != nil || changed != want {
					t.Errorf("%s, had one %t: changed %t, %v; want %t", why, had, changed, err, want)
				}
			}
			asked := roll(atOnce, why)
			force(asked, had)
			w.pass(time.Minute)
			anew := w.bind("ada")
			force(asked, false)
			if here, due := w.has("ada", anew); !here || due {
				t.Errorf("%s, had one %t: what she got since: here %t, due %t", why, had, here, due)
			}
			other := asked
			other.By = w.now().Add(time.Hour)
			_, err := w.ForceRollover(t.Context(), "ada", other, w.meta("sec"), w.now())
			refused(t, err, "rollover_differs")
			force(roll(atOnce, why), true)
		}
	}
}

// TestRolloverWithoutAnEnd: one that was stored before rollovers had an end has one from then on, counted from when somebody last
// went on with it; nothing of it stays for ever.
func TestRolloverWithoutAnEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	put := func(id string, state RolloverState, stepped time.Duration) {
		t.Helper()
		old := map[string]any{"v": 1, "id": id, "state": string(state), "by": w.now(), "why": "rollover", "reason": "Ada lost hers", "started": w.now().Add(-2 * RolloverLife), "stepped": w.now().Add(-stepped)}
		if err := w.Store.Tx(t.Context(), func(tx store.Tx) error { return tx.Put(Rollovers, id, old) }); err != nil {
			t.Fatal(err)
		}
	}
	put("left", RolloverOpen, RolloverLife)
	put("done", RolloverDone, time.Hour)
	put("open", RolloverOpen, time.Hour)
	found, err := w.OpenRollovers(t.Context())
	if err != nil || len(found) != 1 || found[0].ID != "open" || !found[0].Expires.Equal(w.now().Add(RolloverLife-time.Hour)) {
		t.Errorf("open: %+v, %v", found, err)
	}
	_, _, err = w.StepEveryone(t.Context(), "left", w.meta("sec"), w.now())
	refused(t, err, "rollover_unknown")
	var done Everyone
	if err := w.Store.Get(t.Context(), Rollovers, "done", &done); err != nil || done.Reason != "" || done.Expires.IsZero() {
		t.Errorf("done: %+v, %v", done, err)
	}
	w.pass(RolloverLife)
	for _, id := range []string{"left", "done", "open"} {
		if err := w.Store.Get(t.Context(), Rollovers, id, &done); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: kept, %v", id, err)
		}
	}
}

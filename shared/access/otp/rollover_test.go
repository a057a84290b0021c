package otp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

func TestResyncOfATimeAuthenticator(t *testing.T) {
	t.Parallel()
	for offset, found := range map[int64]bool{-101: false, -100: true, -30: true, -2: true, 0: true, 3: true, 99: true, 100: false} {
		w := newWorld(t)
		phone, _ := w.phone("ada")
		w.pass(2 * time.Hour)
		result, err := w.Resync(t.Context(), "ada", phone.id, []string{phone.code(offset), phone.code(offset + 1)}, w.meta(), w.now())
		if err != nil || (result.Outcome == ResyncOK) != found {
			t.Fatalf("offset %d: %+v %v", offset, result, err)
		}
		if !found {
			if result.Outcome != Wrong || result.Failures != 1 {
				t.Errorf("offset %d: %+v", offset, result)
			}
			continue
		}
		if told := w.told(); !slices.Equal(told, []NoticeKind{DriftCorrected}) {
			t.Errorf("told %v", told)
		}
		w.check("ada", phone.code(offset+1), Replay) // burned
		w.pass(2 * Period * time.Second)
		if result := w.check("ada", phone.code(offset+1), OK); result.StepDelta != int(offset)+1 || result.Drift != int(offset)+1 {
			t.Errorf("offset %d: %+v", offset, result)
		}
		if err := w.ZeroDrift(t.Context(), "ada", phone.id, "new battery", w.meta("help"), w.now()); err != nil {
			t.Fatal(err)
		}
		if a := w.account("ada").Authenticators[0]; a.Offset != 0 || a.Drift != 0 {
			t.Errorf("%+v", a)
		}
	}
}

func TestResyncForgetsDriftAndFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	for _, offset := range []int64{1, 2} {
		w.pass(5 * time.Minute)
		w.check("ada", phone.code(offset), OK)
	}
	w.pass(5 * time.Minute)
	for range 3 {
		w.check("ada", "000000", Wrong)
	}
	result, err := w.Resync(t.Context(), "ada", phone.id, []string{phone.code(-5), phone.code(-4)}, w.meta(), w.now())
	if err != nil || result.Outcome != ResyncOK || result.Previous != 3 || result.Drift != -4 {
		t.Fatalf("%+v %v", result, err)
	}
	acc := w.account("ada")
	if a := acc.Authenticators[0]; a.Offset != -4 || a.Drift != 0 || a.Failures != 0 || acc.Throttle.Failures != 0 {
		t.Errorf("%+v, %d failures", a, acc.Throttle.Failures)
	}
}

func TestResyncOfACounter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at    []uint64
		want  Outcome
		floor int64
	}{
		{[]uint64{20, 21}, ResyncOK, 21}, {[]uint64{109, 110}, ResyncOK, 110}, {[]uint64{110, 111}, Wrong, 9},
		{[]uint64{9, 10}, Wrong, 9}, {[]uint64{10, 11}, ResyncOK, 11}, {[]uint64{20, 22}, Wrong, 9}, {[]uint64{21, 20}, Wrong, 9}, {[]uint64{20, 20}, Wrong, 9},
		{[]uint64{500, 501, 502}, ResyncOK, 502}, {[]uint64{1008, 1009, 1010}, ResyncOK, 1010}, {[]uint64{1009, 1010, 1011}, Wrong, 9}, {[]uint64{500, 501, 503}, Wrong, 9},
		{[]uint64{7, 8, 9}, Wrong, 9},
	} {
		w := newWorld(t)
		id, err := w.Import(t.Context(), "ada", ImportRequest{Kind: HOTP, Secret: base32NoPad.EncodeToString(rfcSeeds[SHA1]), Counter: 10}, w.meta("sec"), w.now())
		if err != nil {
			t.Fatal(err)
		}
		button := &device{secret: rfcSeeds[SHA1]}
		var codes []string
		for _, counter := range c.at {
			codes = append(codes, button.count(counter))
		}
		result, err := w.Resync(t.Context(), "ada", id, codes, w.meta(), w.now())
		if err != nil || result.Outcome != c.want || w.account("ada").Authenticators[0].Floor != c.floor {
			t.Errorf("counters %v: %+v %v, floor %d", c.at, result, err, w.account("ada").Authenticators[0].Floor)
		}
	}
}

func TestResyncRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	for n := range 5 {
		if n == 2 || n == 3 {
			continue
		}
		_, err := w.Resync(t.Context(), "ada", phone.id, make([]string, n), w.meta(), w.now())
		refused(t, err, "codes_invalid")
	}
	_, err := w.Resync(t.Context(), "ada", "nothing", []string{"1", "2"}, w.meta(), w.now())
	refused(t, err, "authenticator_unknown")
	_, err = w.Resync(t.Context(), "nobody", phone.id, []string{"1", "2"}, w.meta(), w.now())
	refused(t, err, "authenticator_unknown")
	pending := w.enrol("ada", EnrolRequest{})
	_, err = w.Resync(t.Context(), "ada", pending.id, []string{pending.code(0), pending.code(1)}, w.meta(), w.now())
	refused(t, err, "authenticator_unknown")
	result, err := w.Resync(t.Context(), "ada", phone.id, []string{phone.code(0), "x"}, w.meta(), w.now())
	if err != nil || result.Outcome != Malformed {
		t.Errorf("%+v %v", result, err)
	}
	w.check("ada", phone.code(0), OK)
	result, err = w.Resync(t.Context(), "ada", phone.id, []string{phone.code(0), phone.code(1)}, w.meta(), w.now())
	if err != nil || result.Outcome != Wrong { // the first was used
		t.Errorf("%+v %v", result, err)
	}
	w.locked49("ada")
	result, err = w.Resync(t.Context(), "ada", phone.id, []string{phone.code(0), phone.code(1)}, w.meta(), w.now())
	if err != nil || result.Outcome != Locked {
		t.Errorf("%+v %v", result, err)
	}
	refused(t, w.ZeroDrift(t.Context(), "ada", pending.id, "new battery", w.meta("help"), w.now()), "authenticator_unknown")
}

// locked49 is locked for an account that failed once.
func (w *world) locked49(person string) {
	w.t.Helper()
	for w.account(person).Throttle.Failures < w.Rules.HardStop {
		w.check(person, "000000", Wrong)
		w.pass(time.Hour)
	}
}

// atOnce is the date of a rollover that names none.
var atOnce time.Time

var rollovers atomic.Int64

// roll is a rollover of its own, whatever others say.
func roll(by time.Time, why Reason) Rollover {
	id := strings.NewReplacer("0", "a", "1", "b", "8", "c", "9", "d").Replace(fmt.Sprintf("rollover%08d", rollovers.Add(1)))
	return Rollover{ID: id, By: by, Why: why, Reason: "a token was found"}
}

// roll forces a rollover and fails the test unless it changed something.
func (w *world) roll(person string, by time.Time, why Reason) {
	w.t.Helper()
	if changed, err := w.ForceRollover(w.t.Context(), person, roll(by, why), w.meta("sec"), w.now()); err != nil || !changed {
		w.t.Fatalf("rollover: changed %v, %v", changed, err)
	}
}

func TestForcedRollover(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	due := w.now().Add(48 * time.Hour)
	w.roll("ada", due, RolledOver)
	for _, by := range []time.Time{due, due.Add(time.Hour)} { // said again, and later: nothing, not even a record
		if changed, err := w.ForceRollover(t.Context(), "ada", roll(by, RolledOver), w.meta("sec"), w.now()); err != nil || changed {
			t.Errorf("changed %v, %v", changed, err)
		}
	}
	if told, got := w.told(), w.outcomes(); !slices.Equal(told, []NoticeKind{RolloverDue}) || got["rollover"] != 1 {
		t.Errorf("told %v, recorded %v", told, got)
	}
	w.pass(48*time.Hour - time.Microsecond)
	w.check("ada", phone.code(0), OK)
	w.pass(time.Microsecond) // the later date did not win
	w.check("ada", phone.code(1), Unknown)
	o, err := w.List(t.Context(), "ada", w.now())
	if err != nil || len(o.Authenticators) != 1 || !o.Authenticators[0].Overdue(w.now()) || len(o.Ended) != 0 || o.NeedsToken {
		t.Errorf("%+v %v", o, err)
	}
	w.pass(RenewalLife)
	w.check("ada", phone.code(1), Unknown)
	var past Ended
	if err := w.Store.Get(t.Context(), Former, phone.id, &past); err != nil || past.Person != "ada" || past.Authenticator.Envelope != nil {
		t.Errorf("%+v %v", past, err)
	}
	o, err = w.List(t.Context(), "ada", w.now())
	if err != nil || len(o.Authenticators) != 0 || len(o.Ended) != 1 || o.Ended[0].Why != RolledOver || !o.Ended[0].Ended.Equal(due) || !o.NeedsToken {
		t.Errorf("%+v %v", o, err)
	}
	if changed, err := w.ForceRollover(t.Context(), "nobody", roll(atOnce, Compromised), w.meta("sec"), w.now()); changed || err != nil {
		t.Errorf("changed %v, %v", changed, err)
	}
}

func TestRolloverRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.phone("ada")
	force := func(r Rollover) error {
		_, err := w.ForceRollover(t.Context(), "ada", r, w.meta("sec"), w.now())
		return err
	}
	if err := force(roll(atOnce, Removed)); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unfit reason: %v", err)
	}
	const id = "abcdefghijklmnop"
	refused(t, force(Rollover{ID: id, Why: RolledOver, Reason: " "}), "reason_missing")
	refused(t, force(Rollover{ID: id, Why: RolledOver, Reason: strings.Repeat("x", maxReason+1)}), "reason_missing")
	for _, bad := range []string{"", "short", "ABCDEFGHIJKLMNOP", "abcdefghijklmno/", strings.Repeat("a", 65)} {
		refused(t, force(Rollover{ID: bad, Why: RolledOver, Reason: "x"}), "body_invalid")
	}
	// A date that has passed is a slip of the pen, and not "everybody, now".
	for _, by := range []time.Time{w.now().Add(MaxRolloverAhead + time.Second), w.now(), w.now().Add(-time.Second), w.now().AddDate(-1, 0, 0)} {
		refused(t, force(roll(by, RolledOver)), "date_invalid")
		_, err := w.ForceEveryone(t.Context(), roll(by, RolledOver), w.now())
		refused(t, err, "date_invalid")
		_, err = w.ForceRollover(t.Context(), "nobody", roll(by, RolledOver), w.meta("sec"), w.now())
		refused(t, err, "date_invalid")
	}
	_, _, err := w.StepEveryone(t.Context(), "nothing", w.meta("sec"), w.now())
	refused(t, err, "rollover_unknown")
	if told := w.told(); len(told) != 0 {
		t.Errorf("told %v", told)
	}
}

// What may be known to somebody ends on its date, whatever date was set before, and vouches for nothing.
func TestCompromisedRollover(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]time.Duration{"": 0, "announced": time.Hour, "overdue": -time.Hour} {
		w := newWorld(t)
		phone, _ := w.phone("ada")
		want := []NoticeKind{AuthenticatorRemoved, RolloverDue}
		if name != "" {
			by := atOnce
			if before > 0 {
				by = w.now().Add(before)
			}
			w.roll("ada", by, RolledOver)
			w.pass(max(-before, 0))
			want = append(want, RolloverDue)
		}
		w.roll("ada", atOnce, Compromised)
		w.check("ada", phone.code(0), Unknown) // now
		if told := w.told(); !slices.Equal(told, want) {
			t.Errorf("%s: told %v", name, told)
		}
		if o, _ := w.List(t.Context(), "ada", w.now()); len(o.Authenticators) != 0 || len(o.Ended) != 1 || o.Ended[0].Why != Compromised {
			t.Errorf("%s: %+v", name, o)
		}
		_, err := w.Enrol(t.Context(), "ada", EnrolRequest{Replaces: phone.id}, w.meta(), w.now())
		refused(t, err, "enrol_token_required")
	}
	w := newWorld(t)
	phone, _ := w.phone("ada")
	w.roll("ada", w.now().Add(time.Hour), Compromised)
	w.check("ada", phone.code(0), OK)
	w.pass(time.Hour)
	w.check("ada", phone.code(0), Unknown)
	_, err := w.Enrol(t.Context(), "ada", EnrolRequest{Replaces: phone.id}, w.meta(), w.now())
	refused(t, err, "enrol_token_required")
}

// Past its date an authenticator vouches for the one that takes its place, and for nothing else.
func TestRenewalAfterTheDate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	w.roll("ada", atOnce, RolledOver)
	w.check("ada", phone.code(0), Unknown)
	_, err := w.Enrol(t.Context(), "ada", EnrolRequest{}, w.meta(), w.now())
	refused(t, err, "enrol_token_required")
	_, err = w.Resync(t.Context(), "ada", phone.id, []string{phone.code(0), phone.code(1)}, w.meta(), w.now())
	refused(t, err, "authenticator_unknown")
	next := w.enrol("ada", EnrolRequest{Replaces: phone.id})
	w.pass(time.Minute)
	_, _, err = w.Confirm(t.Context(), "ada", next.id, next.code(0), "", w.meta(), w.now())
	refused(t, err, "old_code_required")
	_, result, err := w.Confirm(t.Context(), "ada", next.id, next.code(0), "000000", w.meta(), w.now())
	if err != nil || result.Outcome != Wrong || result.Failures != 1 {
		t.Errorf("%+v %v", result, err)
	}
	w.pass(time.Minute)
	w.told()
	w.confirm("ada", next, phone.code(0))
	if told := w.told(); !slices.Equal(told, []NoticeKind{AuthenticatorAdded, AuthenticatorRemoved}) {
		t.Errorf("told %v", told)
	}
	if o, _ := w.List(t.Context(), "ada", w.now()); len(o.Authenticators) != 1 || o.Authenticators[0].ID != next.id || o.Ended[0].Why != Replaced {
		t.Errorf("%+v", o)
	}
	w.pass(time.Minute)
	w.check("ada", next.code(0), OK)
}

// A pass for the day stays one: a rollover may shorten it, but it vouches for nothing afterwards.
func TestRolloverOfAPass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.phone("ada")
	token, err := w.TemporaryPass(t.Context(), "ada", w.now().Add(8*time.Hour), w.meta("sec"), w.now())
	if err != nil {
		t.Fatal(err)
	}
	pass := w.enrol("ada", EnrolRequest{Token: token.Text})
	w.confirm("ada", pass, "")
	w.roll("ada", w.now().Add(time.Hour), RolledOver)
	w.pass(time.Hour)
	acc := w.account("ada")
	if a := acc.Authenticators[acc.at(pass.id)]; a.Overdue(w.now()) || a.usable(w.now()) || a.Why != Temporary {
		t.Errorf("%+v", a)
	}
}

// A rollover of everybody goes on where it was cut off, wherever that is: everybody has the date once, and is told once.
func TestRolloverOfEveryone(t *testing.T) {
	t.Parallel()
	const people = StepPeople + 7
	for _, dies := range []int64{0, 1, 2, StepPeople, StepPeople + 1, people, people + 1} {
		w := newWorld(t)
		w.store.once.Store(true)
		w.resent = true
		for i := range people {
			if _, err := w.Import(t.Context(), "person-"+strconv.Itoa(i), ImportRequest{Secret: base32NoPad.EncodeToString(rfcSeeds[SHA1])}, w.meta("sec"), w.now()); err != nil {
				t.Fatal(err)
			}
		}
		all, err := w.ForceEveryone(t.Context(), roll(atOnce, RolledOver), w.now())
		if err != nil || all.State != RolloverOpen {
			t.Fatalf("%+v %v", all, err)
		}
		w.told()
		w.store.dieAfter(dies)
		for steps := 0; all.State != RolloverDone; steps++ {
			w.pass(time.Minute) // the date does not move with the step
			var changed int
			if all, changed, err = w.StepEveryone(t.Context(), all.ID, w.meta("sec"), w.now()); err != nil && !fault.Is(err, fault.Transient) || changed > StepPeople {
				t.Fatalf("step: %d %v", changed, err)
			}
			if steps > 5 {
				t.Fatal("no end")
			}
		}
		if _, err := w.Box.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if told, got := w.told(), w.outcomes(); len(told) != people || got["rollover"] != people {
			t.Errorf("dying at %d: %d told, recorded %v", dies, len(told), got)
		}
		if a := w.account("person-0").Authenticators[0]; !a.Until.Equal(all.By) || a.Note != "a token was found" {
			t.Errorf("%+v", a)
		}
		if open, err := w.OpenRollovers(t.Context()); err != nil || len(open) != 0 {
			t.Errorf("open %+v %v", open, err)
		}
	}
}

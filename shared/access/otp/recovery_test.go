package otp

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func (w *world) recover(person, code string, want Outcome) (Token, Result) {
	w.t.Helper()
	token, result, err := w.Recover(w.t.Context(), person, code, w.meta(), w.now())
	if err != nil || result.Outcome != want {
		w.t.Fatalf("recovering: %+v %v, want %s", result, err, want)
	}
	if (token.Text != "") != (want == Recovered) {
		w.t.Fatalf("outcome %s gives token %q", want, token.Text)
	}
	return token, result
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, done := w.phone("ada")
	token, result := w.recover("ada", strings.ToLower(strings.ReplaceAll(done.RecoveryCodes[3], "-", " ")), Recovered)
	if result.Remaining != 9 || result.Granted() || len(token.Text) < 23 || !token.Expires.Equal(w.now().Add(10*time.Minute)) {
		t.Errorf("%+v %+v", token, result)
	}
	if told := w.told(); !slices.Equal(told, []NoticeKind{RecoveryUsed}) {
		t.Errorf("told %v", told)
	}
	w.recover("ada", done.RecoveryCodes[3], Wrong) // once
	w.recover("ada", "AAAA-AAAA-AAAA-AAAA", Wrong)
	for _, bad := range []string{"", "AAAA", "0000-1111-0000-1111", "AAAA-AAAA-AAAA-AAA\n", strings.Repeat("A", 17), "Ａ" + strings.Repeat("A", 15)} {
		w.recover("ada", bad, Malformed)
	}
	w.check("ada", done.RecoveryCodes[4], Malformed) // no login
	w.check("ada", token.Text, Malformed)

	fresh := w.enrol("ada", EnrolRequest{Token: token.Text}) // without a code of the phone
	bound := w.confirm("ada", fresh, "")
	if len(bound.RecoveryCodes) != 1 || bound.Remaining != 10 {
		t.Errorf("the used code is replaced by %d, %d remain", len(bound.RecoveryCodes), bound.Remaining)
	}
	w.pass(time.Minute)
	w.check("ada", phone.code(0), OK) // the old ones live until they are revoked
	w.pass(time.Minute)
	third := w.enrol("ada", EnrolRequest{})
	if later := w.confirm("ada", third, phone.code(0)); len(later.RecoveryCodes) != 0 || later.Remaining != 10 {
		t.Errorf("none was used since, and %d are handed out", len(later.RecoveryCodes))
	}
	if err := w.Revoke(t.Context(), "ada", third.id, Removed, w.meta(), w.now()); err != nil {
		t.Fatal(err)
	}
	_, err := w.Enrol(t.Context(), "ada", EnrolRequest{Token: token.Text}, w.meta(), w.now())
	refused(t, err, "enrol_token_invalid") // burned
	w.recover("ada", bound.RecoveryCodes[0], Recovered)
	w.recover("ada", done.RecoveryCodes[4], Recovered)
	w.recover("nobody", done.RecoveryCodes[5], Unknown)
	if got := w.outcomes(); got["recovery recovery"] != 3 || got["recovery wrong"] != 2 || got["recovery unknown"] != 1 || got["recovery malformed"] != 6 {
		t.Errorf("recorded %v", got)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, done := w.phone("ada")
	first, _ := w.recover("ada", done.RecoveryCodes[0], Recovered)
	second, _ := w.recover("ada", done.RecoveryCodes[1], Recovered)
	_, err := w.Enrol(t.Context(), "ada", EnrolRequest{Token: first.Text}, w.meta(), w.now())
	refused(t, err, "enrol_token_invalid") // the second killed it

	one := w.enrol("ada", EnrolRequest{Token: second.Text})
	two := w.enrol("ada", EnrolRequest{Token: second.Text}) // a second scan, as the first went wrong
	w.confirm("ada", two, "")
	_, _, err = w.Confirm(t.Context(), "ada", one.id, one.code(0), "", w.meta(), w.now())
	refused(t, err, "old_code_required") // one token binds one authenticator

	if err := w.Revoke(t.Context(), "ada", one.id, Removed, w.meta(), w.now()); err != nil {
		t.Fatal(err)
	}
	// A token that was replaced since vouches for nothing, and does not take the new one with it.
	third, _ := w.recover("ada", done.RecoveryCodes[2], Recovered)
	late := w.enrol("ada", EnrolRequest{Token: third.Text})
	third, _ = w.recover("ada", done.RecoveryCodes[4], Recovered)
	w.pass(Period * time.Second)
	w.confirm("ada", late, two.code(0))
	if w.account("ada").Grant == nil {
		t.Error("a token was burned that nobody used")
	}
	w.pass(10 * time.Minute)
	_, err = w.Enrol(t.Context(), "ada", EnrolRequest{Token: third.Text}, w.meta(), w.now())
	refused(t, err, "enrol_token_invalid") // dead
	if _, err := w.EnrolLink(t.Context(), "bob", w.meta("sec"), w.now()); err != nil {
		t.Fatal(err)
	}
	fourth, _ := w.recover("ada", done.RecoveryCodes[3], Recovered)
	bob := w.meta()
	bob.Subject = "subject-of-bob"
	_, err = w.Enrol(t.Context(), "bob", EnrolRequest{Token: fourth.Text}, bob, w.now())
	refused(t, err, "enrol_token_invalid") // somebody else's
}

func TestEnrolLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	link, err := w.EnrolLink(t.Context(), "ada", w.meta("sec"), w.now())
	if err != nil {
		t.Fatal(err)
	}
	if told := w.told(); !slices.Equal(told, []NoticeKind{LinkIssued}) {
		t.Errorf("told %v", told)
	}
	phone := w.enrol("ada", EnrolRequest{Token: " " + strings.ToUpper(link.Text)})
	w.confirm("ada", phone, "")
	_, err = w.Enrol(t.Context(), "ada", EnrolRequest{Token: link.Text}, w.meta(), w.now())
	refused(t, err, "enrol_token_invalid")
	// A link brings back a person whose authenticators all ended, but does not lift a stop.
	if err := w.Revoke(t.Context(), "ada", phone.id, Compromised, w.meta(), w.now()); err != nil {
		t.Fatal(err)
	}
	if link, err = w.EnrolLink(t.Context(), "ada", w.meta("sec"), w.now()); err != nil {
		t.Fatal(err)
	}
	w.confirm("ada", w.enrol("ada", EnrolRequest{Token: link.Text}), "")
}

// Two links are two notices, made in the same instant or not.
func TestTwoLinksAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := map[string]bool{}
	for range 2 {
		if _, err := w.EnrolLink(t.Context(), "ada", w.meta("sec"), w.now()); err != nil {
			t.Fatal(err)
		}
		keys[w.notices[len(w.notices)-1].Key] = true
	}
	if len(keys) != 2 {
		t.Errorf("the notices have the keys %v", keys)
	}
}

func TestTemporaryPass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	w.told()
	if _, err := w.TemporaryPass(t.Context(), "ada", w.now(), w.meta("sec"), w.now()); err == nil {
		t.Error("a pass that has ended was made")
	}
	ends := w.now().Add(8 * time.Hour)
	pass, err := w.TemporaryPass(t.Context(), "ada", ends, w.meta("sec"), w.now())
	if err != nil {
		t.Fatal(err)
	}
	borrowed := w.enrol("ada", EnrolRequest{Token: pass.Text, Replaces: phone.id})
	if done := w.confirm("ada", borrowed, ""); len(done.RecoveryCodes) != 0 {
		t.Error("a pass handed out recovery codes")
	}
	active := func() []string {
		var ids []string
		for _, a := range w.account("ada").Active(w.now()) {
			ids = append(ids, a.ID)
		}
		return ids
	}
	if got := active(); !slices.Equal(got, []string{phone.id, borrowed.id}) {
		t.Errorf("active today: %v", got)
	}
	w.pass(8 * time.Hour)
	if got := active(); !slices.Equal(got, []string{phone.id}) {
		t.Errorf("active after the day: %v", got)
	}
	_, err = w.Enrol(t.Context(), "ada", EnrolRequest{Token: pass.Text}, w.meta(), w.now())
	refused(t, err, "enrol_token_invalid")
	list, err := w.List(t.Context(), "ada", w.now())
	if err != nil || len(list.Ended) != 1 || list.Ended[0].Why != Temporary {
		t.Errorf("history %+v, %v", list.Ended, err)
	}
	// A pass alone is no first authenticator: the next day the person enrols as anybody new.
	if pass, err = w.TemporaryPass(t.Context(), "eve", w.now().Add(time.Hour), w.meta("sec"), w.now()); err != nil {
		t.Fatal(err)
	}
	w.confirm("eve", w.enrol("eve", EnrolRequest{Token: pass.Text}), "")
	w.pass(time.Hour)
	if done := w.confirm("eve", w.enrol("eve", EnrolRequest{}), ""); len(done.RecoveryCodes) != RecoveryCodes {
		t.Errorf("%d recovery codes with the first authenticator", len(done.RecoveryCodes))
	}
}

// locked brings an account to the hard stop.
func (w *world) locked(person string) {
	w.t.Helper()
	for range w.Rules.HardStop {
		w.check(person, "000000", Wrong)
		w.pass(time.Hour)
	}
	w.check(person, "000000", Locked)
	w.told()
}

func TestRecoveryLiftsTheHardStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, done := w.phone("ada")
	w.locked("ada")
	w.recover("ada", "AAAA-AAAA-AAAA-AAAA", Wrong) // counted on
	if n := w.account("ada").Throttle.Failures; n != 51 {
		t.Errorf("%d failures", n)
	}
	w.recover("ada", done.RecoveryCodes[0], Waiting) // not evaluated
	w.pass(time.Hour)
	if told := w.told(); len(told) != 0 {
		t.Errorf("told %v: the stop was told of already", told)
	}
	if _, result := w.recover("ada", done.RecoveryCodes[0], Recovered); result.Previous != 51 {
		t.Errorf("%+v", result)
	}
	w.check("ada", phone.code(0), OK)
}

func TestRecoveryStopsToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, done := w.phone("ada")
	for range RecoveryStop {
		w.recover("ada", "AAAA-AAAA-AAAA-AAAA", Wrong)
		w.pass(time.Hour)
	}
	w.recover("ada", done.RecoveryCodes[0], Locked)
}

func TestOneRecoveryCodeInParallel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, done := w.phone("ada")
	w.store.once.Store(true)
	results := make([]Result, 8)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() {
			var err error
			if _, results[i], err = w.Recover(t.Context(), "ada", done.RecoveryCodes[0], w.meta(), w.now()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	good := slices.DeleteFunc(results, func(r Result) bool { return r.Outcome != Recovered })
	if len(good) != 1 || w.account("ada").Recovery.remaining() != 9 {
		t.Errorf("the code was good %d times", len(good))
	}
}

func TestRegenerate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, done := w.phone("ada")
	if codes, result, err := w.Regenerate(t.Context(), "ada", "000000", w.meta(), w.now()); err != nil || result.Outcome != Wrong || codes != nil {
		t.Errorf("%v %+v %v", codes, result, err)
	}
	codes, result, err := w.Regenerate(t.Context(), "ada", phone.code(0), w.meta(), w.now())
	if err != nil || len(codes) != RecoveryCodes || result.Remaining != RecoveryCodes {
		t.Fatalf("%v %+v %v", codes, result, err)
	}
	if told := w.told(); !slices.Equal(told, []NoticeKind{RecoveryRenewed}) {
		t.Errorf("told %v", told)
	}
	w.check("ada", phone.code(0), Replay) // burned
	w.recover("ada", done.RecoveryCodes[0], Wrong)
	w.recover("ada", codes[0], Recovered)
	_, _, err = w.Regenerate(t.Context(), "nobody", "000000", w.meta(), w.now())
	refused(t, err, "authenticator_unknown")
}

// A code taken between preparing and storing must not come back by what was prepared.
func TestHandingOutNeverRevives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, done := w.phone("ada")
	w.recover("ada", done.RecoveryCodes[0], Recovered)
	acc := w.account("ada")
	made, err := w.prepare(t.Context(), acc.Recovery, 1, w.now())
	if err != nil {
		t.Fatal(err)
	}
	w.recover("ada", done.RecoveryCodes[1], Recovered)
	acc = w.account("ada")
	if codes, err := acc.handOut(made); err != nil || len(codes) != 1 || acc.Recovery.remaining() != 9 {
		t.Errorf("%v %v, %d remain", codes, err, acc.Recovery.remaining())
	}
	acc.Recovery.ID = "another set"
	if _, err := acc.handOut(made); err != ErrStale {
		t.Errorf("codes of a dead set: %v", err)
	}
	e := edit{s: w.Service, acc: acc, now: w.now()}
	if _, err := e.recover(recoveryTry{parsed: true, set: made.id, hash: made.hashes[0]}, Token{}); err != ErrStale || e.acc.Throttle.Failures != 0 {
		t.Errorf("a code hashed for a dead set: %v", err)
	}
	if _, err := acc.handOut(nil); err != ErrStale {
		t.Errorf("nothing prepared: %v", err)
	}
}

// One slow hash is the whole cost of a check, however many codes are left; BenchmarkRecoveryCheck times it.
func TestSlowHashIsSlowAndNotTooSlow(t *testing.T) {
	w := newWorld(t)
	w.cost = defaultCost
	made, err := w.prepare(t.Context(), nil, 2, w.now())
	if err != nil {
		t.Fatal(err)
	}
	if defaultCost.time < 2 || defaultCost.memory < 19*1024 || made.set.Time != defaultCost.time || made.set.Memory != defaultCost.memory {
		t.Errorf("the cost is below what is advised: %+v", defaultCost)
	}
	hash, err := w.slowHash(t.Context(), made.set, strings.ReplaceAll(made.clear[1], "-", ""))
	if err != nil || !slices.Equal(hash, made.hashes[1]) || slices.Equal(hash, made.hashes[0]) {
		t.Errorf("hashing: %v", err)
	}
}

func BenchmarkRecoveryCheck(b *testing.B) {
	w := newWorld(b)
	w.cost = defaultCost
	made, err := w.prepare(b.Context(), nil, 1, w.now())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := w.slowHash(b.Context(), made.set, "AAAAAAAAAAAAAAAA"); err != nil {
			b.Fatal(err)
		}
	}
}

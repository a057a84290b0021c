package otp

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
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
		if err := w.ZeroDrift(t.Context(), "ada", phone.id, w.meta("help"), w.now()); err != nil {
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
	refused(t, w.ZeroDrift(t.Context(), "ada", pending.id, w.meta("help"), w.now()), "authenticator_unknown")
}

// locked49 is locked for an account that failed once.
func (w *world) locked49(person string) {
	w.t.Helper()
	for w.account(person).Throttle.Failures < w.Rules.HardStop {
		w.check(person, "000000", Wrong)
		w.pass(time.Hour)
	}
}

func TestForcedRollover(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	due := w.now().Add(48 * time.Hour)
	if err := w.ForceRollover(t.Context(), "ada", due, RolledOver, w.meta("sec"), w.now()); err != nil {
		t.Fatal(err)
	}
	if err := w.ForceRollover(t.Context(), "ada", due.Add(time.Hour), RolledOver, w.meta("sec"), w.now()); err != nil {
		t.Fatal(err)
	}
	if told := w.told(); !slices.Equal(told, []NoticeKind{RolloverDue}) {
		t.Errorf("told %v", told)
	}
	w.pass(48*time.Hour - time.Microsecond)
	w.check("ada", phone.code(0), OK)
	w.pass(time.Microsecond) // the later date did not win
	w.check("ada", phone.code(1), Unknown)
	var past Ended
	if err := w.Store.Get(t.Context(), Former, phone.id, &past); err != nil || past.Person != "ada" || past.Authenticator.Envelope != nil {
		t.Errorf("%+v %v", past, err)
	}
	o, err := w.List(t.Context(), "ada", w.now())
	if err != nil || len(o.Authenticators) != 0 || len(o.Ended) != 1 || o.Ended[0].Why != RolledOver || !o.Ended[0].Ended.Equal(due) || !o.NeedsToken {
		t.Errorf("%+v %v", o, err)
	}
	if err := w.ForceRollover(t.Context(), "nobody", due, Compromised, w.meta("sec"), w.now()); err != nil {
		t.Error(err)
	}
	if err := w.ForceRollover(t.Context(), "ada", due, Removed, w.meta("sec"), w.now()); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unfit reason: %v", err)
	}
	leaked := newWorld(t)
	phone, _ = leaked.phone("ada")
	if err := leaked.ForceRollover(t.Context(), "ada", leaked.now(), Compromised, leaked.meta("sec"), leaked.now()); err != nil {
		t.Fatal(err)
	}
	leaked.check("ada", phone.code(0), Unknown) // now
	if told := leaked.told(); !slices.Equal(told, []NoticeKind{AuthenticatorRemoved, RolloverDue}) {
		t.Errorf("told %v", told)
	}
	if o, _ := leaked.List(t.Context(), "ada", leaked.now()); len(o.Ended) != 1 || o.Ended[0].Why != Compromised {
		t.Errorf("%+v", o)
	}
}

func TestRewrap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := base32NoPad.EncodeToString(rfcSeeds[SHA1])
	for i := range 5 {
		if _, err := w.Import(t.Context(), "person-"+strconv.Itoa(i), ImportRequest{Secret: secret}, w.meta("sec"), w.now()); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := w.RewrapAll(t.Context(), w.meta("job"), w.now()); n != 0 || err != nil {
		t.Errorf("moved %d under the same key: %v", n, err)
	}
	before := w.account("person-0").Authenticators[0]
	if _, err := w.rotate(); err != nil {
		t.Fatal(err)
	}
	if n, err := w.RewrapAll(t.Context(), w.meta("job"), w.now()); n != 5 || err != nil {
		t.Errorf("moved %d: %v", n, err)
	}
	after := w.account("person-0").Authenticators[0]
	if after.Seal != before.Seal+1 || after.Envelope.Key != "2" || slices.Equal(after.Envelope.Sealed, before.Envelope.Sealed) {
		t.Errorf("%+v", after)
	}
	if n, err := w.RewrapAll(t.Context(), w.meta("job"), w.now()); n != 0 || err != nil {
		t.Errorf("moved %d twice: %v", n, err)
	}
	code := reference(SHA1, rfcSeeds[SHA1], uint64(w.now().Unix()/Period), 6)
	if result := w.checkAs("person-0", code, OK); result.Wrap != "2" {
		t.Errorf("%+v", result)
	}
	// Two jobs at once: the slower one finds the work done.
	if _, err := w.rotate(); err != nil {
		t.Fatal(err)
	}
	w.keys.during = func() {
		if n, err := w.Rewrap(t.Context(), "person-0", w.meta("job"), w.now()); n != 1 || err != nil {
			t.Errorf("moved %d: %v", n, err)
		}
	}
	if n, err := w.Rewrap(t.Context(), "person-0", w.meta("job"), w.now()); n != 0 || err != nil {
		t.Errorf("moved %d over what another job had moved: %v", n, err)
	}
	if n, err := w.RewrapAll(t.Context(), w.meta("job"), w.now()); n != 4 || err != nil {
		t.Errorf("moved %d: %v", n, err)
	}
	// One account that cannot be opened does not stop the others.
	broken := w.account("person-1")
	broken.Authenticators[0].Envelope.Sealed[20] ^= 1
	if err := w.Store.Tx(t.Context(), func(tx store.Tx) error { return tx.Put(Accounts, "person-1", broken) }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.rotate(); err != nil {
		t.Fatal(err)
	}
	if n, err := w.RewrapAll(t.Context(), w.meta("job"), w.now()); n != 4 || err == nil {
		t.Errorf("moved %d: %v", n, err)
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = store.MaxQueryResults + 3
	for at := 0; at < many; at += 100 {
		err := w.Store.Tx(t.Context(), func(tx store.Tx) error {
			for i := at; i < min(at+100, many); i++ {
				if err := tx.Put(Accounts, "person-"+strconv.Itoa(i), newAccount("x", nil)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for person, err := range w.People(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen[person] = true
	}
	if len(seen) != many {
		t.Errorf("%d people", len(seen))
	}
	for range w.People(t.Context()) {
		break
	}
	w.store.down.Store(true)
	for _, err := range w.People(t.Context()) {
		if err == nil {
			t.Error("a person while the store is down")
		}
	}
	if _, err := w.RewrapAll(t.Context(), w.meta(), w.now()); err == nil {
		t.Error("all moved while the store is down")
	}
}

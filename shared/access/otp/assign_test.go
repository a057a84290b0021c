package otp

import (
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// A token of a seed file works for its person from the first two codes on, however far its clock is off by then.
func TestHardwareToken(t *testing.T) {
	t.Parallel()
	for off, works := range map[int64]bool{-101: false, -100: true, 0: true, 99: true, 100: false} {
		w := newWorld(t)
		w.stock(fileID, seeds(0, 3)...)
		id := w.assign("ada", " ga-0001 ")
		if again := w.assign("ada", "GA-0001"); again != id {
			t.Errorf("assigned again: %s, want %s", again, id)
		}
		token := &device{w: w, id: id, secret: seed(1).Secret}
		if told := w.told(); !slices.Equal(told, []NoticeKind{TokenAssigned}) {
			t.Errorf("told %v", told)
		}
		w.check("ada", token.code(0), Unknown) // not yet
		_, _, err := w.Confirm(t.Context(), "ada", id, token.code(0), "", w.meta(), w.now())
		refused(t, err, "authenticator_unknown")
		w.pass(48 * time.Hour) // it waits for as long as it takes
		result, err := w.Resync(t.Context(), "ada", id, []string{token.code(off), token.code(off + 1)}, w.meta(), w.now())
		if err != nil || result.Granted() != works || result.First != works {
			t.Fatalf("off by %d: %+v %v", off, result, err)
		}
		if a := w.account("ada").Authenticators[0]; !works {
			if a.State != Assigned || result.Failures != 1 {
				t.Errorf("off by %d: %+v", off, a)
			}
			continue
		} else if a.State != Active || a.Offset != int(off)+1 || a.Profile != Hardware || a.Serial != "GA-0001" || !w.account("ada").Bound {
			t.Errorf("off by %d: %+v", off, a)
		}
		if told := w.told(); !slices.Equal(told, []NoticeKind{AuthenticatorAdded}) {
			t.Errorf("told %v", told)
		}
		w.check("ada", token.code(off+1), Replay) // the codes that began it are burned
		w.pass(10 * time.Minute)
		w.check("ada", token.code(off+1+2), OK) // the window of hardware
		result, err = w.Resync(t.Context(), "ada", id, []string{token.code(off + 4), token.code(off + 5)}, w.meta(), w.now())
		if err != nil || !result.Granted() || result.First {
			t.Errorf("matched again: %+v %v", result, err)
		}
		if told := w.told(); !slices.Equal(told, []NoticeKind{CodeReplayed, DriftCorrected}) {
			t.Errorf("told %v", told)
		}
	}
}

// A token with a counter may have been pressed on its way, a hundred times at most.
func TestHardwareCounter(t *testing.T) {
	t.Parallel()
	for pressed, works := range map[uint64]bool{0: true, 99: true, 100: false} {
		w := newWorld(t)
		button := seed(0)
		button.Kind, button.Counter = HOTP, 7
		w.stock(fileID, button)
		id := w.assign("ada", button.Serial)
		token := &device{w: w, secret: button.Secret}
		first := 7 + pressed
		result, err := w.Resync(t.Context(), "ada", id, []string{token.count(first), token.count(first + 1)}, w.meta(), w.now())
		if err != nil || result.Granted() != works {
			t.Errorf("pressed %d times: %+v %v", pressed, result, err)
		}
		if works {
			w.check("ada", token.count(first+2), OK)
		}
	}
}

func TestAssignRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := seed(2)
	old.Until = w.now().Add(time.Hour)
	w.stock(fileID, seed(0), seed(1), old, seed(3), seed(4), seed(5))
	w.pass(time.Hour)
	for serial, code := range map[string]string{"": "token_unknown", "GA-9999": "token_unknown", "\x00": "token_unknown", old.Serial: "token_over"} {
		_, err := w.AssignToken(t.Context(), "ada", serial, w.meta("sec"), w.now())
		refused(t, err, code)
	}
	id := w.assign("ada", seed(0).Serial)
	_, err := w.AssignToken(t.Context(), "eve", seed(0).Serial, w.meta("sec"), w.now())
	refused(t, err, "token_assigned")
	w.assign("ada", seed(1).Serial)
	w.assign("ada", seed(3).Serial)
	_, err = w.AssignToken(t.Context(), "ada", seed(4).Serial, w.meta("sec"), w.now())
	refused(t, err, "authenticator_limit")
	w.assign("eve", seed(4).Serial) // it was not lost by that
	if err := w.Revoke(t.Context(), "ada", id, ReportLost, w.meta(), w.now()); err != nil {
		t.Fatal(err)
	}
	_, err = w.AssignToken(t.Context(), "ada", seed(0).Serial, w.meta("sec"), w.now())
	refused(t, err, "token_assigned") // a lost one does not come back
	for _, secret := range []Seed{seed(0), seed(4)} {
		w.begin("eeeeffffgggghhhh", 1)
		secret.Serial = "OTHER"
		if why := w.add("eeeeffffgggghhhh", secret); why[0] == "" {
			t.Error("a secret that is with somebody came a second time")
		}
	}
}

// An envelope that was put in another token's place opens nothing.
func TestStockEnvelopesStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stock(fileID, seeds(0, 2)...)
	err := w.Store.Tx(t.Context(), func(tx store.Tx) error {
		var one, two HardwareToken
		if err := tx.Get(Tokens, tokenID("GA-0000"), &one); err != nil {
			return err
		}
		if err := tx.Get(Tokens, tokenID("GA-0001"), &two); err != nil {
			return err
		}
		one.Envelope = two.Envelope
		return tx.Put(Tokens, tokenID("GA-0000"), one)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AssignToken(t.Context(), "ada", "GA-0000", w.meta("sec"), w.now()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("%v", err)
	}
}

// A reset and a suspected leak end what was assigned and never used, too; a forced rollover leaves it.
func TestAssignedTokensEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stock(fileID, seeds(0, 3)...)
	w.phone("ada")
	token := w.assign("ada", "GA-0000")
	w.roll("ada", w.now().Add(time.Hour), RolledOver)
	if acc := w.account("ada"); !acc.Authenticators[acc.at(token)].Until.IsZero() {
		t.Error("a token that was never used must be replaced")
	}
	w.roll("ada", atOnce, Compromised)
	if acc := w.account("ada"); len(acc.Authenticators) != 0 {
		t.Errorf("%+v", acc.Authenticators)
	}
	token = w.assign("ada", "GA-0001")
	reset, err := w.RequestReset(t.Context(), "ada", "lost", w.meta("sec"), w.now())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.ApproveReset(t.Context(), reset.ID, w.meta("dpo"), w.now()); err != nil {
		t.Fatal(err)
	}
	var past Ended
	if err := w.Store.Get(t.Context(), Former, token, &past); err != nil || past.Authenticator.Why != ByReset || past.Authenticator.Envelope != nil {
		t.Errorf("%+v %v", past, err)
	}
	ends := seed(9)
	ends.Until = w.now().Add(time.Hour)
	w.stock("eeeeffffgggghhhh", ends)
	w.assign("ada", ends.Serial)
	w.pass(time.Hour)
	if o, err := w.List(t.Context(), "ada", w.now()); err != nil || len(o.Authenticators) != 0 {
		t.Errorf("%+v %v", o, err)
	}
}

// Two of security give one token to two people at once: one of them has it.
func TestAssignRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stock(fileID, seed(0))
	w.keys.during = func() { w.assign("eve", "GA-0000") }
	_, err := w.AssignToken(t.Context(), "ada", "GA-0000", w.meta("sec"), w.now())
	refused(t, err, "token_assigned")
	if _, err := w.read(t.Context(), "ada"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the second one has an account by it: %v", err)
	}
}

package otp

import (
	"encoding/base32"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

func TestFirstAuthenticator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e, err := w.Enrol(t.Context(), "ada", EnrolRequest{Name: " my phone ", Label: "ada@example.com"}, w.meta(), w.now())
	if err != nil {
		t.Fatal(err)
	}
	if !e.Expires.Equal(w.now().Add(10*time.Minute)) || strings.ReplaceAll(e.Manual, " ", "") != e.Secret || len(e.Secret) != 32 || e.Manual[4] != ' ' ||
		!strings.HasPrefix(e.URI, "otpauth://totp/Ostiary:ada%40example.com?secret="+e.Secret+"&") {
		t.Errorf("%+v", e)
	}
	d := w.device(e)
	w.check("ada", d.code(0), Unknown) // not bound yet
	if told := w.told(); len(told) != 0 {
		t.Errorf("told %v", told)
	}
	done := w.confirm("ada", d, "")
	if len(done.RecoveryCodes) != RecoveryCodes || done.Remaining != RecoveryCodes {
		t.Errorf("%d recovery codes, %d remain", len(done.RecoveryCodes), done.Remaining)
	}
	for _, code := range done.RecoveryCodes {
		raw, err := base32.StdEncoding.DecodeString(strings.ReplaceAll(code, "-", ""))
		if len(raw)*8 < 80 || err != nil || len(strings.Split(code, "-")) != 4 {
			t.Errorf("recovery code %q", code)
		}
	}
	if told := w.told(); !slices.Equal(told, []NoticeKind{AuthenticatorAdded}) {
		t.Errorf("told %v", told)
	}
	if o, err := w.List(t.Context(), "ada", w.now()); err != nil || len(o.Authenticators) != 1 || o.Authenticators[0].Name != "my phone" ||
		o.Authenticators[0].Source != "81.2.69.142/32" || o.Authenticators[0].Envelope != nil || o.Recovery != 10 || o.NeedsToken {
		t.Errorf("%+v %v", o, err)
	}
	w.check("ada", d.code(0), Replay) // the enrolment code is no first login
	w.pass(Period * time.Second)
	w.check("ada", d.code(0), OK)
	_, _, err = w.Confirm(t.Context(), "ada", d.id, d.code(1), "", w.meta(), w.now())
	refused(t, err, "authenticator_unknown") // bound already
}

func TestEveryKindEnrols(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []Algorithm{SHA1, SHA256, SHA512} {
		for digits := MinDigits; digits <= MaxDigits; digits++ {
			for _, kind := range []Kind{TOTP, HOTP} {
				w := newWorld(t)
				e, err := w.Enrol(t.Context(), "ada", EnrolRequest{Kind: kind, Algorithm: algorithm, Digits: digits}, w.meta(), w.now())
				if err != nil {
					t.Fatal(err)
				}
				d := w.device(e)
				if len(d.secret) != algorithm.Size() {
					t.Errorf("%s: a secret of %d bytes", algorithm, len(d.secret))
				}
				step := map[Kind]uint64{TOTP: uint64(w.now().Unix() / Period), HOTP: 0}[kind]
				_, result, err := w.Confirm(t.Context(), "ada", e.ID, reference(algorithm, d.secret, step, digits), "", w.meta(), w.now())
				if err != nil || !result.Granted() {
					t.Errorf("%s %s %d: %+v %v", kind, algorithm, digits, result, err)
				}
				w.check("ada", reference(algorithm, d.secret, step+1, digits), OK)
			}
		}
	}
}

func TestAButtonIsBoundAtItsFirstCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	button := w.enrol("ada", EnrolRequest{Kind: HOTP})
	for _, far := range []uint64{6, 7} { // no resynchronisation before there is anything to resynchronise
		_, result, err := w.Confirm(t.Context(), "ada", button.id, button.count(far), "", w.meta(), w.now())
		if err != nil || result.Outcome != Wrong {
			t.Errorf("counter %d: %+v %v", far, result, err)
		}
	}
	if _, result, err := w.Confirm(t.Context(), "ada", button.id, button.count(5), "", w.meta(), w.now()); err != nil || !result.Granted() {
		t.Errorf("%+v %v", result, err)
	}
	w.check("ada", button.count(5), Replay)
	w.check("ada", button.count(6), OK)
}

func TestEnrolRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		req  EnrolRequest
		code string
	}{
		"kind":             {EnrolRequest{Kind: "sms"}, "kind_invalid"},
		"algorithm":        {EnrolRequest{Algorithm: "MD5"}, "kind_invalid"},
		"few digits":       {EnrolRequest{Digits: 5}, "kind_invalid"},
		"many digits":      {EnrolRequest{Digits: 9}, "kind_invalid"},
		"long name":        {EnrolRequest{Name: strings.Repeat("x", 65)}, "name_invalid"},
		"name with a line": {EnrolRequest{Name: "a\nb"}, "name_invalid"},
		"name not UTF-8":   {EnrolRequest{Name: "\xff"}, "name_invalid"},
		"wrong token":      {EnrolRequest{Token: "abc"}, "enrol_token_invalid"},
		"replaces nothing": {EnrolRequest{Replaces: "abc"}, "authenticator_unknown"},
	} {
		_, err := w.Enrol(t.Context(), "ada", c.req, w.meta(), w.now())
		if fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.read(t.Context(), "ada"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a refusal left an account: %v", err)
	}
}

func TestPendingDies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.enrol("ada", EnrolRequest{})
	w.pass(PendingLife - time.Second)
	live := w.enrol("ada", EnrolRequest{})
	w.pass(time.Second)
	_, _, err := w.Confirm(t.Context(), "ada", d.id, d.code(0), "", w.meta(), w.now())
	refused(t, err, "authenticator_unknown")
	w.confirm("ada", live, "")
	if acc := w.account("ada"); len(acc.Authenticators) != 1 {
		t.Errorf("%d authenticators", len(acc.Authenticators))
	}
	if o, _ := w.List(t.Context(), "ada", w.now()); len(o.Ended) != 0 {
		t.Errorf("what was never bound is in the history: %+v", o.Ended)
	}
}

func TestAWrongConfirmationCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.enrol("ada", EnrolRequest{})
	for n := 1; n <= 4; n++ {
		_, result, err := w.Confirm(t.Context(), "ada", d.id, d.code(50), "", w.meta(), w.now())
		if err != nil || result.Outcome != Wrong || result.Failures != n {
			t.Fatalf("%+v %v", result, err)
		}
	}
	other := w.enrol("ada", EnrolRequest{}) // a new secret does not reset the count
	_, result, err := w.Confirm(t.Context(), "ada", other.id, other.code(0), "", w.meta(), w.now())
	if err != nil || result.Outcome != Waiting || result.RetryAfter != 30*time.Second {
		t.Fatalf("%+v %v", result, err)
	}
	w.pass(30 * time.Second)
	_, result, _ = w.Confirm(t.Context(), "ada", d.id, "12", "", w.meta(), w.now())
	if result.Outcome != Malformed {
		t.Errorf("%+v", result)
	}
	w.confirm("ada", d, "")
	if n := w.account("ada").Throttle.Failures; n != 4 {
		t.Errorf("%d failures after binding: a new secret must not clear them", n)
	}
}

func TestASecondAuthenticatorNeedsTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	tablet := w.enrol("ada", EnrolRequest{Name: "tablet"})
	_, _, err := w.Confirm(t.Context(), "ada", tablet.id, tablet.code(0), "", w.meta(), w.now())
	refused(t, err, "old_code_required")
	for old, want := range map[string]Outcome{"000000": Wrong, "x": Malformed, tablet.code(0): Wrong} {
		_, result, err := w.Confirm(t.Context(), "ada", tablet.id, tablet.code(0), old, w.meta(), w.now())
		if err != nil || result.Outcome != want {
			t.Errorf("old code %q: %+v %v", old, result, err)
		}
	}
	// A wrong new code burns no old one.
	_, result, _ := w.Confirm(t.Context(), "ada", tablet.id, "000000", phone.code(0), w.meta(), w.now())
	if result.Outcome != Wrong || w.account("ada").Authenticators[0].Floor >= w.now().Unix()/Period {
		t.Errorf("%+v", result)
	}
	done := w.confirm("ada", tablet, phone.code(0))
	if len(done.RecoveryCodes) != 0 || done.Remaining != RecoveryCodes {
		t.Errorf("%+v", done)
	}
	w.check("ada", phone.code(0), Replay) // burned
	w.check("ada", tablet.code(0), Replay)
	w.pass(Period * time.Second)
	w.check("ada", phone.code(0), OK)
	w.check("ada", tablet.code(0), OK)
}

func TestAtMostThree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	second := w.enrol("ada", EnrolRequest{})
	w.enrol("ada", EnrolRequest{})
	_, err := w.Enrol(t.Context(), "ada", EnrolRequest{}, w.meta(), w.now())
	refused(t, err, "authenticator_limit")
	secret := base32NoPad.EncodeToString(rfcSeeds[SHA1])
	_, err = w.Import(t.Context(), "ada", ImportRequest{Secret: secret}, w.meta("sec"), w.now())
	refused(t, err, "authenticator_limit")
	// Replacing takes no further place, and a second attempt takes the first one's.
	w.enrol("ada", EnrolRequest{Replaces: phone.id})
	replacement := w.enrol("ada", EnrolRequest{Replaces: phone.id})
	if n := len(w.account("ada").Authenticators); n != 4 {
		t.Errorf("%d authenticators, want the phone, two pending ones and its replacement", n)
	}
	w.confirm("ada", second, phone.code(0))
	if _, err := w.Import(t.Context(), "ada", ImportRequest{Secret: secret}, w.meta("sec"), w.now()); fault.CodeOf(err) != "authenticator_limit" {
		t.Error(err)
	}
	// What is replaced ends meanwhile, its place is taken: the replacement has none.
	if err := w.Revoke(t.Context(), "ada", phone.id, ReportLost, w.meta(), w.now()); err != nil {
		t.Fatal(err)
	}
	w.pass(PendingLife - time.Second)
	w.pass(Period * time.Second) // all pending ones are dead now
	third := w.enrol("ada", EnrolRequest{})
	w.confirm("ada", third, second.code(0))
	_, _, err = w.Confirm(t.Context(), "ada", replacement.id, replacement.code(0), second.code(0), w.meta(), w.now())
	refused(t, err, "authenticator_unknown")
}

func TestAReplacementWhosePlaceIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	replacement := w.enrol("ada", EnrolRequest{Replaces: phone.id})
	secret := base32NoPad.EncodeToString(rfcSeeds[SHA1])
	for range 2 {
		if _, err := w.Import(t.Context(), "ada", ImportRequest{Secret: secret}, w.meta("sec"), w.now()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Revoke(t.Context(), "ada", phone.id, Removed, w.meta(), w.now()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Import(t.Context(), "ada", ImportRequest{Secret: secret}, w.meta("sec"), w.now()); err != nil {
		t.Fatal(err)
	}
	before := w.account("ada")
	old := reference(SHA1, rfcSeeds[SHA1], uint64(w.now().Unix()/Period), 6)
	_, _, err := w.Confirm(t.Context(), "ada", replacement.id, replacement.code(0), old, w.meta(), w.now())
	refused(t, err, "authenticator_limit")
	if !same(t, before, w.account("ada")) {
		t.Error("the refusal burned something")
	}
}

func TestRollover(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old, _ := w.phone("ada")
	fresh := w.enrol("ada", EnrolRequest{Name: "new phone", Replaces: old.id})
	w.check("ada", old.code(0), OK) // the old one works until the new one is proved
	w.pass(Period * time.Second)
	w.confirm("ada", fresh, old.code(0))
	if told := w.told(); !slices.Equal(told, []NoticeKind{AuthenticatorAdded, AuthenticatorRemoved}) {
		t.Errorf("told %v", told)
	}
	w.pass(Period * time.Second)
	w.check("ada", old.code(0), Wrong)
	w.check("ada", fresh.code(0), OK)
	o, err := w.List(t.Context(), "ada", w.now())
	if err != nil || len(o.Ended) != 1 || o.Ended[0].ID != old.id || o.Ended[0].Why != Replaced || o.Ended[0].State != Retired ||
		o.Ended[0].Confirmed.IsZero() || o.Ended[0].Envelope != nil {
		t.Errorf("%+v %v", o, err)
	}
}

func TestRemovingAllNeedsProofToComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, done := w.phone("ada")
	pending := w.enrol("ada", EnrolRequest{})
	if err := w.Revoke(t.Context(), "ada", phone.id, ReportLost, w.meta(), w.now()); err != nil {
		t.Fatal(err)
	}
	w.check("ada", phone.code(0), Unknown) // at once
	_, err := w.Enrol(t.Context(), "ada", EnrolRequest{}, w.meta(), w.now())
	refused(t, err, "enrol_token_required")
	_, _, err = w.Confirm(t.Context(), "ada", pending.id, pending.code(0), "", w.meta(), w.now())
	refused(t, err, "enrol_token_required")
	if o, _ := w.List(t.Context(), "ada", w.now()); !o.NeedsToken || o.Ended[0].State != Lost {
		t.Errorf("%+v", o)
	}
	token, result, err := w.Recover(t.Context(), "ada", done.RecoveryCodes[0], w.meta(), w.now())
	if err != nil || result.Outcome != Recovered {
		t.Fatalf("%+v %v", result, err)
	}
	w.confirm("ada", w.enrol("ada", EnrolRequest{Token: token.Text}), "")
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	refused(t, w.Revoke(t.Context(), "ada", "nothing", Removed, w.meta(), w.now()), "authenticator_unknown")
	refused(t, w.Revoke(t.Context(), "nobody", phone.id, Removed, w.meta(), w.now()), "authenticator_unknown")
	if err := w.Revoke(t.Context(), "ada", phone.id, "bored", w.meta(), w.now()); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown reason: %v", err)
	}
	pending := w.enrol("ada", EnrolRequest{})
	if err := w.Revoke(t.Context(), "ada", pending.id, Removed, w.meta(), w.now()); err != nil || len(w.told()) != 0 {
		t.Errorf("a pending one: %v", err)
	}
	if err := w.Revoke(t.Context(), "ada", phone.id, Removed, w.meta(), w.now()); err != nil {
		t.Error(err)
	}
	if told := w.told(); !slices.Equal(told, []NoticeKind{AuthenticatorRemoved}) {
		t.Errorf("told %v", told)
	}
	refused(t, w.Revoke(t.Context(), "ada", phone.id, Removed, w.meta(), w.now()), "authenticator_unknown")
	if len(w.account("ada").Authenticators) != 0 {
		t.Error("it is still there")
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := base32NoPad.EncodeToString(rfcSeeds[SHA1])
	id, err := w.Import(t.Context(), "ada", ImportRequest{Kind: HOTP, Secret: strings.ToLower(secret[:8] + " " + secret[8:]), Counter: 5}, w.meta("sec"), w.now())
	if err != nil {
		t.Fatal(err)
	}
	w.check("ada", "338314", Replay) // counter 4: the one just used, by the importer's word
	if result := w.check("ada", "254676", OK); result.Authenticator != id {
		t.Errorf("%+v", result)
	}
	if told := w.told(); !slices.Equal(told, []NoticeKind{AuthenticatorAdded}) {
		t.Errorf("told %v, want no alarm about a counter that was never used here", told)
	}
	if err := w.Revoke(t.Context(), "ada", id, Removed, w.meta(), w.now()); err != nil {
		t.Fatal(err)
	}
	if o, _ := w.List(t.Context(), "ada", w.now()); !o.NeedsToken {
		t.Error("what was imported does not count as bound")
	}
	_, err = w.Import(t.Context(), "ada", ImportRequest{Secret: base32NoPad.EncodeToString(rfcSeeds[SHA512]), Algorithm: SHA512, Digits: 8, Profile: Hardware}, w.meta("sec"), w.now())
	if err != nil {
		t.Fatal(err)
	}
	w.check("ada", reference(SHA512, rfcSeeds[SHA512], uint64(w.now().Unix()/Period)-2, 8), OK)
	for name, c := range map[string]struct {
		req  ImportRequest
		code string
	}{
		"short":           {ImportRequest{Secret: base32NoPad.EncodeToString(make([]byte, 15))}, "secret_invalid"},
		"long":            {ImportRequest{Secret: base32NoPad.EncodeToString(make([]byte, 129))}, "secret_invalid"},
		"empty":           {ImportRequest{}, "secret_invalid"},
		"padded":          {ImportRequest{Secret: base32.StdEncoding.EncodeToString(make([]byte, 16))}, "secret_invalid"},
		"hexadecimal":     {ImportRequest{Secret: "3132333435363738393031323334353637383930"}, "secret_invalid"},
		"counter of time": {ImportRequest{Secret: secret, Counter: 1}, "counter_invalid"},
		"counter 2^63":    {ImportRequest{Secret: secret, Kind: HOTP, Counter: 1 << 63}, "counter_invalid"},
		"counter 2^64-1":  {ImportRequest{Secret: secret, Kind: HOTP, Counter: 1<<64 - 1}, "counter_invalid"},
		"algorithm":       {ImportRequest{Secret: secret, Algorithm: "sha1"}, "kind_invalid"},
	} {
		_, err := w.Import(t.Context(), "ada", c.req, w.meta("sec"), w.now())
		if fault.CodeOf(err) != c.code || strings.Contains(err.Error(), "3132") {
			t.Errorf("%s: %v", name, err)
		}
	}
	high, err := w.Import(t.Context(), "bob", ImportRequest{Secret: secret, Kind: HOTP, Counter: 1<<62 - 1}, w.meta("sec"), w.now())
	if err != nil {
		t.Fatal(err)
	}
	if result := w.checkAs("bob", reference(SHA1, rfcSeeds[SHA1], 1<<62+3, 6), OK); result.Authenticator != high || result.StepDelta != 4 {
		t.Errorf("%+v", result)
	}
	if floor := w.account("bob").Authenticators[0].Floor; floor != 1<<62+3 {
		t.Errorf("stored counter %d", floor)
	}
}

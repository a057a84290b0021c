package otp

import (
	"slices"
	"testing"
	"time"
)

// noon is a moment at the start of a step.
var noon = time.Unix(1_793_620_800, 0).UTC()

// rig is an account in memory with its secrets, for the pure functions.
type rig struct {
	t     testing.TB
	acc   Account
	ring  *Ring
	keys  map[string]*Key
	now   time.Time
	rules Rules
}

func newRig(t testing.TB, authenticators ...Authenticator) *rig {
	r := &rig{
		t: t, acc: NewAccount("ada", []byte("a salt of thirty-two random bytes")), now: noon, rules: DefaultRules(),
		ring: &Ring{keys: map[string]unlocked{}}, keys: map[string]*Key{},
	}
	r.acc.Bound = true
	for _, a := range authenticators {
		r.bind(a, append([]byte("secret of "), a.ID...))
	}
	return r
}

func (r *rig) bind(a Authenticator, secret []byte) {
	r.acc.Authenticators = append(r.acc.Authenticators, a)
	r.keys[a.ID] = NewKey(a.Algorithm, secret, a.Digits)
	r.ring.keys[a.ID] = unlocked{seal: a.Seal, key: NewKey(a.Algorithm, secret, a.Digits)}
}

func totp6(id string) Authenticator {
	return Authenticator{ID: id, Name: id, Kind: TOTP, Algorithm: SHA1, Digits: 6, Profile: Phone, State: Active, Seal: 1, Floor: -1}
}

func hotp6(id string, counter int64) Authenticator {
	a := totp6(id)
	a.Kind, a.Floor = HOTP, counter-1
	return a
}

func hardware6(id string) Authenticator {
	a := totp6(id)
	a.Profile = Hardware
	return a
}

// present is the step of the rig's time.
func (r *rig) present() int64 { return r.now.Unix() / Period }

// code is the value of an authenticator at a distance from the present step, or at a counter.
func (r *rig) code(id string, step int64) string { return r.keys[id].Value(uint64(step)) }

func (r *rig) at(id string) Authenticator { return r.acc.Authenticators[r.acc.at(id)] }

// try checks a code, keeps the new account, and holds what must always hold.
func (r *rig) try(code string) Result {
	r.t.Helper()
	before := r.acc.clone()
	acc, result, err := Check(r.acc, r.ring, code, r.now, r.rules)
	if err != nil {
		r.t.Fatalf("checking: %v", err)
	}
	if !slices.EqualFunc(before.Authenticators, r.acc.Authenticators, func(a, b Authenticator) bool {
		return a.Floor == b.Floor && a.Failures == b.Failures && a.Drift == b.Drift && a.ResyncUntil.Equal(b.ResyncUntil)
	}) {
		r.t.Fatal("the account passed in was changed")
	}
	r.acc = acc
	return result
}

// want checks a code and its outcome.
func (r *rig) want(code string, outcome Outcome) Result {
	r.t.Helper()
	result := r.try(code)
	if result.Outcome != outcome {
		r.t.Fatalf("outcome %s, want %s", result.Outcome, outcome)
	}
	return result
}

// wrong is a code that no authenticator of the rig has anywhere near.
func (r *rig) wrong() string {
	for n := 0; ; n++ {
		code := []byte("000000")
		for i, v := 5, n*7919%1000000; i >= 0; i, v = i-1, v/10 {
			code[i] = '0' + byte(v%10)
		}
		if !r.near(string(code)) {
			return string(code)
		}
	}
}

func (r *rig) near(code string) bool {
	for _, a := range r.acc.Authenticators {
		middle := r.present() + int64(a.Offset)
		if a.Kind == HOTP {
			middle = a.Floor + 1
		}
		if _, found := r.keys[a.ID].seek(code, middle-150, middle+150); found {
			return true
		}
	}
	return false
}

func (r *rig) pass(d time.Duration) { r.now = r.now.Add(d) }

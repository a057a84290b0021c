package otp

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/platform/require"
)

// TestModel drives an account with random attempts, clock moves and losing transactions, and holds every answer
// against a model that knows the rules by brute force: no code works twice, floors never fall, drift stays bounded,
// and guesses end at the hard stop.
func TestModel(t *testing.T) {
	t.Parallel()
	for seed := range require.Seeds(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			m := newModel(t, uint64(seed))
			for range 400 {
				m.step()
			}
			if m.grants == 0 {
				t.Error("no attempt ever succeeded: the test tests nothing")
			}
		})
	}
}

type model struct {
	*rig
	rand    *rand.Rand
	spent   []use // every code that succeeded
	tries   int   // evaluated since the last success
	grants  int
	clockAt time.Time // the latest time seen
}

type use struct {
	code string
	step map[string]int64 // by authenticator
	at   time.Time
}

func newModel(t *testing.T, seed uint64) *model {
	m := &model{rig: newRig(t), rand: rand.New(rand.NewPCG(seed, 1))}
	m.now = noon.Add(time.Duration(m.rand.IntN(30)) * time.Second)
	kinds := []Authenticator{totp6("phone"), hotp6("button", m.rand.Int64N(1000)), hardware6("token")}
	m.rand.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for i, a := range kinds[:1+m.rand.IntN(3)] {
		a.Algorithm = []Algorithm{SHA1, SHA256, SHA512}[m.rand.IntN(3)]
		m.bind(a, fmt.Appendf(nil, "the secret of seed %d, number %d", seed, i))
	}
	return m
}

func (m *model) step() {
	switch m.rand.IntN(10) {
	case 0:
		m.pass(time.Duration(m.rand.IntN(90)) * time.Second)
	case 1:
		m.pass(time.Duration(m.rand.IntN(90)) * time.Minute)
	case 2: // a clock a little behind
		if back := m.now.Add(-time.Duration(m.rand.IntN(30)) * time.Second); !back.Before(m.acc.LastSuccess.Add(-30 * time.Second)) {
			m.now = back
		}
	case 3:
		m.together()
	case 4:
		if m.rand.IntN(3) == 0 {
			m.resync()
		}
	default:
		m.attempt(m.acc, m.some())
	}
	if m.acc.Throttle.Failures >= m.rules.HardStop && m.rand.IntN(20) == 0 {
		m.acc.Throttle = Throttle{} // somebody reset it
		m.tries = 0
	}
}

// some picks a code: right, near, far, used before, guessed or no code at all.
func (m *model) some() string {
	a := m.acc.Authenticators[m.rand.IntN(len(m.acc.Authenticators))]
	middle := m.present() + int64(a.Offset)
	if a.Kind == HOTP {
		middle = a.Floor + 1
	}
	near := func(reach int64) string { return m.code(a.ID, max(0, middle+m.rand.Int64N(2*reach+1)-reach)) }
	switch m.rand.IntN(12) {
	case 0:
		return near(15)
	case 1:
		return near(120)
	case 2, 3:
		if len(m.spent) > 0 {
			return m.spent[max(0, len(m.spent)-1-m.rand.IntN(3))].code
		}
	case 4:
		return fmt.Sprintf("%06d", m.rand.IntN(1_000_000))
	case 5:
		return []string{"", "12345", "-123456", "１２３４５６", "9223372036854775808"}[m.rand.IntN(5)]
	case 6:
		if a.Kind == HOTP && m.now.Before(a.ResyncUntil) {
			return m.code(a.ID, a.ResyncStep+1)
		}
	case 7, 8:
		return near(2)
	}
	return m.code(a.ID, middle)
}

// attempt makes one transaction on acc, which must be the newest state, and holds the outcome against the model.
func (m *model) attempt(acc Account, typed string) Result {
	m.t.Helper()
	want := m.expect(acc, typed)
	next, result, err := Check(acc, m.ring, typed, m.now, m.rules)
	if err != nil {
		m.t.Fatalf("checking %q at %s: %v", typed, m.now, err)
	}
	if result.Outcome != want {
		m.t.Fatalf("%q at %s: outcome %s, the model says %s\n%+v", typed, m.now, result.Outcome, want, acc)
	}
	m.invariants(acc, next, result, typed)
	m.acc = next
	return result
}

func (m *model) invariants(before, after Account, result Result, typed string) {
	m.t.Helper()
	evaluated := !slices.Contains([]Outcome{Waiting, Locked, Malformed, Unknown}, result.Outcome)
	for i, a := range after.Authenticators {
		was := before.Authenticators[i]
		moved := a.Drift - was.Drift
		switch {
		case a.Floor < was.Floor:
			m.t.Fatalf("%s: the floor fell from %d to %d", a.ID, was.Floor, a.Floor)
		case a.Floor != was.Floor && !result.Granted():
			m.t.Fatalf("%s: refused as %s, and consumed", a.ID, result.Outcome)
		case max(a.Drift, -a.Drift) > int(a.Profile.ceiling()) || max(moved, -moved) > 1:
			m.t.Fatalf("%s: drift went from %d to %d", a.ID, was.Drift, a.Drift)
		}
	}
	if !evaluated {
		return
	}
	if m.tries++; m.tries > m.rules.HardStop {
		m.t.Fatalf("%d attempts were evaluated without a success", m.tries)
	}
	if !result.Granted() {
		return
	}
	m.tries = 0
	m.grants++
	code, _ := Parse(typed, 6)
	now := use{code, map[string]int64{}, m.now}
	for i, a := range after.Authenticators {
		if a.Floor != before.Authenticators[i].Floor {
			now.step[a.ID] = a.Floor
		}
	}
	for _, old := range m.spent {
		for id, step := range now.step {
			if at, used := old.step[id]; used && (at >= step || code == old.code && step-at <= LookBack) {
				m.t.Fatalf("%s: %s succeeded at step %d and again at %d", id, code, at, step)
			}
		}
	}
	m.spent = append(m.spent, now)
}

// expect says what the rules demand, by comparing with every step one after the other.
func (m *model) expect(acc Account, typed string) Outcome {
	switch {
	case acc.Throttle.Failures >= m.rules.HardStop:
		return Locked
	case m.now.Before(acc.Throttle.Until):
		return Waiting
	}
	code, ok := Parse(typed, 6)
	if !ok {
		return Malformed
	}
	found := map[Outcome]bool{}
	spentOn := map[Outcome]bool{}
	for _, a := range acc.Authenticators {
		outcome, spent := m.expectOf(a, code)
		found[outcome] = true
		spentOn[outcome] = spentOn[outcome] || spent
	}
	for _, o := range []Outcome{Replay, Stale} {
		if spentOn[o] {
			return o
		}
	}
	for _, o := range []Outcome{OK, ResyncOK, DriftCapped, Stale, ResyncStarted} {
		if found[o] {
			return o
		}
	}
	return Wrong
}

func (m *model) expectOf(a Authenticator, code string) (outcome Outcome, spent bool) {
	carried := func(from, to int64) (highest int64) {
		highest = -1
		for step := max(0, from); step <= to; step++ {
			if m.code(a.ID, step) == code {
				highest = step
			}
		}
		return highest
	}
	if a.Kind == HOTP {
		next := a.Floor + 1
		used := carried(next-10, a.Floor)
		switch {
		case used >= 0 && used == a.Floor:
			return Replay, true
		case used >= 0:
			return Stale, true
		case carried(next, next+5) >= 0:
			return OK, false
		case m.now.Before(a.ResyncUntil) && m.code(a.ID, a.ResyncStep+1) == code:
			return ResyncOK, false
		case carried(next+6, next+100) >= 0:
			return ResyncStarted, false
		}
		return Wrong, false
	}
	reach, ceiling := int64(1), int64(2)
	if a.Profile == Hardware {
		reach, ceiling = 2, 10
	}
	base := m.present() + int64(a.Offset)
	low, high := base+int64(a.Drift)-reach, base+int64(a.Drift)+reach
	first, last := low, high
	for first < base-ceiling {
		first, last = first+1, last+1
	}
	last = min(last, base+ceiling)
	used := carried(base-ceiling-reach-10, min(a.Floor, max(high, last)))
	switch {
	case used >= 0 && (used == a.Floor || used >= first):
		return Replay, true
	case used >= 0:
		return Stale, true
	case carried(max(first, a.Floor+1), last) >= 0:
		return OK, false
	case carried(max(low, a.Floor+1), high) >= 0:
		return DriftCapped, false
	case carried(max(base-ceiling-reach-10, a.Floor+1), low-1) >= 0:
		return Stale, false
	}
	return Wrong, false
}

// together lets several requests with the same code read the same state. One commits; the others lose, burn nothing,
// and run again on what the winner left.
func (m *model) together() {
	code := m.some()
	granted := 0
	for range 2 + m.rand.IntN(4) {
		stale := m.acc.clone()
		if m.rand.IntN(2) == 0 { // a transaction that ran and lost
			if _, _, err := Check(stale, m.ring, code, m.now, m.rules); err != nil {
				m.t.Fatal(err)
			}
		}
		if m.attempt(m.acc, code).Granted() {
			granted++
		}
	}
	if granted > 1 {
		m.t.Fatalf("%d parallel requests with one code succeeded", granted)
	}
}

// resync gives two codes in a row, sometimes the right ones.
func (m *model) resync() {
	a := m.acc.Authenticators[m.rand.IntN(len(m.acc.Authenticators))]
	from := m.present() + m.rand.Int64N(260) - 130
	if a.Kind == HOTP {
		from = max(0, a.Floor+m.rand.Int64N(120)-10)
	}
	gap := 1 + m.rand.Int64N(8)/7
	next, result, err := resync(m.acc, m.ring, a.ID, []string{m.code(a.ID, from), m.code(a.ID, from+gap)}, m.now, m.rules)
	if err != nil {
		m.t.Fatal(err)
	}
	after := next.Authenticators[next.at(a.ID)]
	switch {
	case after.Floor < a.Floor:
		m.t.Fatalf("resynchronising took the floor from %d to %d", a.Floor, after.Floor)
	case result.Outcome == ResyncOK && from <= a.Floor:
		m.t.Fatalf("resynchronised on step %d at floor %d", from, a.Floor)
	case result.Outcome == ResyncOK:
		m.tries = 0
		m.spent = append(m.spent, use{m.code(a.ID, from+1), map[string]int64{a.ID: after.Floor}, m.now})
	case result.Outcome == Wrong:
		m.tries++
	}
	m.acc = next
}

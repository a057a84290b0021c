package cases_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/severity"
)

// seeds is how many lives are drawn.
func seeds() uint64 {
	if os.Getenv("OSTIARY_SOAK") == "1" {
		return 1_000
	}
	return 25
}

// TestAnyLife draws events of anybody at any time. Whatever happens: a case that is given is not changed; what is decided
// was by two people, a later awareness too; a case is closed as handled only when everything is settled; an exercise stays
// one; nothing has to be said before Next, and nothing is said twice.
func TestAnyLife(t *testing.T) {
	t.Parallel()
	for seed := range seeds() {
		random := rand.New(rand.NewPCG(seed, 2))
		w := begin(t)
		first := breach("nord", cases.Own)
		first.Breach, first.Exercise = random.IntN(2) == 0, random.IntN(2) == 0
		w.do(first)
		for range 200 {
			if next := time.UnixMicro(w.c.Next); w.c.Next == 0 || next.After(w.now) {
				if w.c.Next == 0 {
					next = w.now.Add(10_000 * time.Hour)
				}
				if _, early, _ := cases.Decide(w.c, cases.Event{What: cases.Ticked}, next.Add(-time.Microsecond), w.rules); len(early) > 0 {
					t.Fatalf("seed %d: %s before %s; %s", seed, said(early), next, dump(t, w.c))
				}
			}
			wait := time.Duration(random.Int64N(int64(20 * time.Hour)))
			if random.IntN(3) == 0 {
				wait = time.Duration(random.Int64N(int64(10 * time.Minute)))
			}
			w.pass(wait)
			before := dump(t, w.c)
			e := drawn(random, w)
			after, effects, err := cases.Decide(w.c, e, w.now, w.rules)
			if dump(t, w.c) != before {
				t.Fatalf("seed %d: the case that was given changed", seed)
			}
			if err != nil {
				continue
			}
			holds(t, seed, w, e, after, effects)
			w.c = after
			again, more, err := cases.Decide(after, cases.Event{What: cases.Ticked}, w.now, w.rules)
			if err != nil {
				t.Fatal(err)
			}
			if _, third, _ := cases.Decide(again, cases.Event{What: cases.Ticked}, w.now, w.rules); len(third) > 0 {
				t.Fatalf("seed %d: said again at once: %s after %s", seed, said(third), said(more))
			}
		}
	}
}

func dump(t *testing.T, c cases.Case) string {
	t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// holds checks one step.
func holds(t *testing.T, seed uint64, w *world, e cases.Event, after cases.Case, effects []cases.Effect) {
	t.Helper()
	fail := func(what string) { t.Fatalf("seed %d: %s: %s\n%s", seed, what, said(effects), dump(t, after)) }
	if after.Exercise != w.c.Exercise || after.Number != w.c.Number {
		fail("an exercise changed")
	}
	for _, d := range after.Decisions {
		if !d.Settled.IsZero() && (d.Second == "" || d.Second == d.By || !d.Yes && d.Reason == 0 || d.Below && !d.DPO) {
			fail("decided by one, without a reason, or against the score without the officer")
		}
		if !d.Settled.IsZero() && !d.Yes && !d.Replaced && !d.Below && len(after.Leans(d.Subject)) > 0 {
			fail("decided not to tell by what nothing shows")
		}
	}
	if len(after.Moves) > len(w.c.Moves) {
		if m := after.Moves[len(after.Moves)-1]; !m.From.IsZero() && m.To.After(m.From) && (m.Second == "" || m.Second == m.By || m.Reason == 0) {
			fail("awareness moved later by one")
		}
	}
	if after.State == cases.Closed && w.c.State != cases.Closed && after.Ending == cases.Handled && (len(w.c.Undecided()) > 0 || w.c.Unmapped > 0) {
		fail("closed unsettled")
	}
	if after.State == cases.Closed && slices.ContainsFunc(effects, func(e cases.Effect) bool { return e.Do == cases.DoPage || e.Do == cases.DoAlarm }) {
		fail("a closed case calls")
	}
	if lost := slices.ContainsFunc(w.c.Compromised, func(c string) bool { return !slices.Contains(after.Compromised, c) }); lost && e.Text == 0 {
		fail("a channel is trusted again without a reason")
	}
	if after.State == cases.Suspected && !after.Times.Aware.IsZero() || after.State == cases.Open && after.Times.Aware.IsZero() {
		fail("aware of a suspicion, or not of a breach")
	}
}

func drawn(random *rand.Rand, w *world) cases.Event {
	people := []cases.Actor{vera, dana, otto, omar, emma}
	all := append(cases.Events(), cases.Ticked, cases.Ticked, cases.Answer, cases.Answer)
	e := cases.Event{What: all[random.IntN(len(all))], By: people[random.IntN(len(people))], Text: random.IntN(3), Yes: random.IntN(2) == 0}
	if e.What == cases.Ticked || e.What == cases.Told {
		e.By = cases.Actor{}
	}
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	e.Subject = pick(cases.SA, cases.Persons, cases.Breach, cases.Tenants, "nord", "sud")
	e.Channels = [][]string{nil, {"mail"}, {"chat", "sms"}, {"pigeon"}}[random.IntN(4)]
	e.ToDo, e.Incident, e.Exception, e.As = random.IntN(2), random.IntN(4) == 0, pick("", "", "", "b"), cases.Role(pick("", string(cases.Processor)))
	e.Details.Origin = cases.Origin(pick("", string(cases.Internal), "outer"))
	e.Result = cases.Result(pick("likely", "confirmed", "not_enough", "maybe"))
	e.At = w.now.Add(time.Duration(random.IntN(100)-90) * time.Hour / 10)
	e.Clock = pick("gdpr_33_1", "cnil_followup", "contract:nord", "other")
	e.Name, e.Tenant, e.Step = pick("update", "complement", cases.Persons), pick("nord", "sud"), pick("oncall", "dpo", "owner")
	if e.What == cases.Promise {
		e.At = w.now.Add(time.Duration(random.IntN(100)) * time.Hour)
	}
	if e.What == cases.Describe {
		e.Tracks, e.Unmapped = []cases.Track{track(pick("nord", "sud", cases.Own))}, random.IntN(2)
	}
	known, _ := severity.Cases()
	if e.Input = known[random.IntN(len(known))].Input; random.IntN(2) == 0 {
		e.Input.Evidence = nil
	}
	return e
}

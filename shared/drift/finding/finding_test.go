package finding

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

var (
	noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	sara = Person{ID: "sara", Roles: []policy.Role{policy.Security}}
	dora = Person{ID: "dora", Roles: []policy.Role{policy.DPO}}
	ben  = Person{ID: "ben", Roles: []policy.Role{policy.Employee}}
)

func subject(severity policy.Severity, got string) Finding {
	return Finding{ID: "f", Asset: "//x/y", What: "database-exposure", Promises: []string{"L07"}, Severity: severity, Want: "false", Got: got}
}

// step is an event some minutes after noon, and what is to follow.
type step struct {
	after   time.Duration
	e       Event
	state   State
	effects []Effect
	code    string
}

func play(t *testing.T, name string, steps []step) Finding {
	t.Helper()
	var f Finding
	for i, s := range steps {
		next, effects, err := Decide(f, s.e, noon.Add(s.after))
		refused := ""
		if e, is := err.(*fault.Error); is {
			refused = e.Code
		}
		if refused != s.code || s.code == "" && err != nil {
			t.Fatalf("%s, step %d (%s): %v, want %q", name, i, s.e.What, err, s.code)
		}
		if next.State != s.state || !slices.Equal(effects, s.effects) {
			t.Fatalf("%s, step %d (%s): %s %v, want %s %v", name, i, s.e.What, next.State, effects, s.state, s.effects)
		}
		f = next
	}
	return f
}

func out(severity policy.Severity, got string, urgent bool) Event {
	return Event{What: Out, Subject: subject(severity, got), Urgent: urgent}
}

func accept(by Person, got string, until time.Duration) Event {
	return Event{What: Accept, By: by, Got: got, Reason: 1, Until: noon.Add(until)}
}

const (
	m    = time.Minute
	h    = time.Hour
	week = 7 * 24 * h
)

func TestLives(t *testing.T) {
	t.Parallel()
	open := []Effect{RecordOpen, Tell}
	void := []Effect{RecordStep, RecordOpen, Tell}
	first := []step{{0, out(policy.Medium, "a", false), Settling, nil, ""}, {3 * m, out(policy.Medium, "a", false), Open, open, ""}}
	for name, steps := range map[string][]step{
		"half of a change": {{0, out(policy.High, "a", false), Settling, nil, ""}, {m, Event{What: In}, Healed, nil, ""}},
		"it stands":        first,
		"a door is opened": {{0, out(policy.Critical, "a", true), Open, open, ""}},
		"something is applied": {{0, out(policy.High, "a", false), Settling, nil, ""}, {5 * m, Event{What: Out, Subject: subject(policy.High, "a"), Applying: true}, Settling, nil, ""},
			{15 * m, Event{What: Out, Subject: subject(policy.High, "a"), Applying: true}, Open, open, ""}},
		"a tick has it looked at": {{0, out(policy.High, "a", false), Settling, nil, ""}, {m, Event{What: Ticking}, Settling, nil, ""}, {2 * m, Event{What: Ticking}, Settling, []Effect{Look}, ""}},
		"accepted by one, for what is not high": slices.Concat(first, []step{{4 * m, accept(sara, "a", week), Accepted, []Effect{RecordStep}, ""}, {5 * m, accept(sara, "a", week), Accepted, nil, ""},
			{h, out(policy.Medium, "a", false), Accepted, nil, ""}, {2 * h, out(policy.Medium, "b", false), Open, void, ""}, {3 * h, Event{What: In}, Healed, []Effect{RecordHeal, Tell}, ""}}),
		"accepted by two": {{0, out(policy.High, "a", true), Open, open, ""}, {m, accept(sara, "a", week), Open, []Effect{RecordStep, Ask}, ""}, {m, accept(sara, "a", week), Open, nil, ""},
			{2 * m, accept(dora, "a", week), Accepted, []Effect{RecordStep}, ""}, {week - 3*24*h, Event{What: Ticking}, Accepted, []Effect{Remind}, ""}, {week - h, Event{What: Ticking}, Accepted, nil, ""},
			{week, Event{What: Ticking}, Open, void, ""}},
		"a proposal is of a value": {{0, out(policy.High, "a", true), Open, open, ""}, {m, accept(sara, "a", week), Open, []Effect{RecordStep, Ask}, ""}, {2 * m, out(policy.High, "b", true), Open, []Effect{RecordStep, Tell}, ""},
			{3 * m, accept(dora, "a", week), Open, nil, "value_changed"}, {4 * m, accept(dora, "b", week), Open, []Effect{RecordStep, Ask}, ""}},
		"her own change": {{0, out(policy.High, "a", true), Open, open, ""}, {m, Event{What: Blame, Actors: []Actor{{Person: "sara", Kind: "human"}}}, Open, []Effect{RecordStep, Tell}, ""}, {2 * m, accept(sara, "a", week), Open, nil, "own_change"}},
		"pushed out by others": {{0, out(policy.High, "a", true), Open, open, ""}, {m, Event{What: Blame, Actors: []Actor{{Person: "sara", Kind: "human"}}}, Open, []Effect{RecordStep, Tell}, ""},
			{2 * m, Event{What: Blame, Actors: []Actor{{Kind: "service", Entry: "1"}, {Kind: "service", Entry: "2"}}}, Open, []Effect{RecordStep}, ""}, {3 * m, accept(sara, "a", week), Open, nil, "own_change"},
			{4 * m, Event{What: Blame, Actors: []Actor{{Kind: "service", Entry: "1"}, {Kind: "service", Entry: "2"}}}, Open, nil, ""}, {5 * m, out(policy.High, "b", true), Open, []Effect{RecordStep, Tell}, ""}, {6 * m, accept(sara, "b", week), Open, nil, "own_change"}},
		"nobody answers": {{0, out(policy.High, "a", false), Settling, nil, ""}, {2 * m, Event{What: Ticking}, Settling, []Effect{Look}, ""}, {14 * m, Event{What: Ticking}, Settling, []Effect{Look}, ""}, {15 * m, Event{What: Ticking}, Open, open, ""}},
		"found out later": {{0, out(policy.Low, "a", true), Open, open, ""}, {m, accept(sara, "a", week), Accepted, []Effect{RecordStep}, ""},
			{2 * m, Event{What: Blame, Actors: []Actor{{Person: "sara", Kind: "human"}}}, Open, []Effect{RecordStep, Tell, RecordOpen, Tell}, ""}},
		"refusals": slices.Concat(first, []step{{4 * m, accept(ben, "a", week), Open, nil, "not_allowed"}, {4 * m, accept(sara, "a", 0), Open, nil, "until_invalid"}, {4 * m, accept(sara, "a", 200*24*h), Open, nil, "until_invalid"},
			{4 * m, Event{What: Accept, By: sara, Got: "a", Until: noon.Add(week)}, Open, nil, "reason_missing"}}),
		"of nothing":      {{0, accept(sara, "a", week), "", nil, "finding_unknown"}, {0, Event{What: Ticking}, "", nil, ""}, {0, Event{What: In}, "", nil, ""}},
		"nobody can tell": slices.Concat(first, []step{{h, Event{What: Lost}, Open, []Effect{RecordStep}, ""}, {2 * h, Event{What: Lost}, Open, nil, ""}, {26 * h, Event{What: Ticking}, Open, []Effect{TellLost}, ""}, {27 * h, Event{What: Ticking}, Open, nil, ""}}),
		"old news":        slices.Concat(first, []step{{4 * m, Event{What: In, Read: noon}, Open, nil, ""}, {5 * m, Event{What: In, Read: noon.Add(4 * m)}, Healed, []Effect{RecordHeal, Tell}, ""}, {6 * m, Event{What: Out, Subject: subject(policy.Medium, "a"), Read: noon.Add(m)}, Healed, nil, ""}}),
		"in order as it was read, not as it was told": slices.Concat(first, []step{{9 * m, Event{What: In, Read: noon.Add(4 * m)}, Healed, []Effect{RecordHeal, Tell}, ""},
			{10 * m, Event{What: Out, Subject: subject(policy.Medium, "a"), Read: noon.Add(6 * m), Urgent: true}, Open, open, ""}}),
		"half of a change, and then nobody can tell": {{0, out(policy.High, "a", false), Settling, nil, ""}, {m, Event{What: Lost}, Settling, []Effect{RecordStep}, ""},
			{3 * m, Event{What: Ticking}, Settling, []Effect{Look}, ""}, {15 * m, Event{What: Ticking, Applying: true}, Open, open, ""}},
		"graver by now": {{0, out(policy.Low, "a", true), Open, open, ""}, {m, accept(sara, "a", week), Accepted, []Effect{RecordStep}, ""}, {h, out(policy.High, "a", false), Open, void, ""}},
		"once more":     slices.Concat(first, []step{{h, Event{What: In}, Healed, []Effect{RecordHeal, Tell}, ""}, {2 * h, out(policy.Medium, "a", true), Open, open, ""}}),
		"promised no more": slices.Concat(first, []step{{4 * m, accept(sara, "a", week), Accepted, []Effect{RecordStep}, ""}, {h, Event{What: Drop}, Dropped, []Effect{RecordDrop, Tell}, ""}, {2 * h, Event{What: In}, Dropped, nil, ""},
			{2 * h, Event{What: Lost}, Dropped, nil, ""}, {3 * h, accept(sara, "a", week), Dropped, nil, "state_conflict"}, {4 * h, out(policy.Medium, "a", true), Open, open, ""}}),
		"half of a change, and promised no more": {{0, out(policy.High, "a", false), Settling, nil, ""}, {m, Event{What: Drop}, Dropped, nil, ""}},
		"a short acceptance is not ended as it begins": {{0, out(policy.Low, "a", true), Open, open, ""}, {0, accept(sara, "a", 24*h), Accepted, []Effect{RecordStep}, ""}, {h, Event{What: Ticking}, Accepted, nil, ""},
			{12 * h, Event{What: Ticking}, Accepted, []Effect{Remind}, ""}, {24 * h, Event{What: Ticking}, Open, void, ""}},
		"taken back": {{0, out(policy.Low, "a", true), Open, open, ""}, {m, accept(sara, "a", week), Accepted, []Effect{RecordStep}, ""}, {2 * m, Event{What: Revoke, By: ben}, Accepted, nil, "not_allowed"}, {2 * m, Event{What: Revoke, By: dora}, Open, void, ""}},
	} {
		f := play(t, name, steps)
		if name == "once more" && f.Round != 2 {
			t.Errorf("%s: round %d", name, f.Round)
		}
	}
}

// TestTwinDidIt: what somebody accepted is void when she turns out to have made the change under another id of hers.
func TestTwinDidIt(t *testing.T) {
	t.Parallel()
	twins := func(a, b string) bool { return a == "sara" && b == "root" || a == "root" && b == "sara" }
	for who, want := range map[string]State{"root": Open, "sara": Open, "ben": Accepted} {
		play(t, who, []step{{0, out(policy.Low, "a", true), Open, []Effect{RecordOpen, Tell}, ""}, {m, accept(sara, "a", week), Accepted, []Effect{RecordStep}, ""},
			{2 * m, Event{What: Blame, Same: twins, Actors: []Actor{{Person: who, Kind: "human"}}}, want, map[State][]Effect{Open: {RecordStep, Tell, RecordOpen, Tell}, Accepted: {RecordStep, Tell}}[want], ""}})
	}
}

// TestAnyLife: whatever happens in whatever order, nothing is accepted by one who made the change, by one alone where two
// are needed, or beyond its value and its end; nothing heals that did not open; and what is given is not changed.
func TestAnyLife(t *testing.T) {
	t.Parallel()
	seeds := 25
	if os.Getenv("OSTIARY_SOAK") != "" {
		seeds *= 40
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		pick := func(all ...string) string { return all[r.IntN(len(all))] }
		var f Finding
		now, opened := noon, false
		severity := policy.Severity(pick("critical", "high", "medium", "low"))
		for range 200 {
			now = now.Add(time.Duration(r.IntN(int(40 * time.Minute))))
			if r.IntN(20) == 0 {
				now = now.Add(time.Duration(r.IntN(20)) * 24 * time.Hour)
			}
			e := Event{
				What: Events()[r.IntN(len(Events()))], Subject: subject(severity, pick("a", "b")), Urgent: r.IntN(3) == 0, Applying: r.IntN(3) == 0, Got: pick("a", "b"), Reason: r.IntN(2),
				By: []Person{sara, dora, ben}[r.IntN(3)], Until: now.Add(time.Duration(r.IntN(20)) * 24 * time.Hour).Truncate(24 * time.Hour), Actors: []Actor{{Person: pick("", "", "sara", "ben"), Kind: "human"}},
			}
			before, _ := json.Marshal(f)
			next, effects, err := Decide(f, e, now)
			if after, _ := json.Marshal(f); string(after) != string(before) {
				t.Fatalf("seed %d: %s changed what it was given", seed, e.What)
			}
			if err != nil && (len(effects) > 0 || next.State != f.State) {
				t.Fatalf("seed %d: a refusal of %s had effects", seed, e.What)
			}
			for _, one := range effects {
				switch {
				case one == RecordOpen:
					opened = true
				case (one == RecordHeal || one == RecordDrop) && !opened:
					t.Fatalf("seed %d: healed what never opened", seed)
				case one == RecordHeal, one == RecordDrop:
					opened = false
				}
			}
			if f = next; f.State != Accepted {
				if f.Accepted != nil {
					t.Fatalf("seed %d: %s with an acceptance", seed, f.State)
				}
				continue
			}
			a := f.Accepted
			twice := severity == policy.Critical || severity == policy.High
			switch {
			case a.Got != f.Got, twice != (a.Second != ""), a.Second == a.By, a.By == "ben", a.Second == "ben", e.What == Ticking && !now.Before(a.Until):
				t.Fatalf("seed %d: accepted %+v of %+v", seed, a, f)
			case slices.ContainsFunc(f.Actors, func(x Actor) bool { return x.Person != "" && (x.Person == a.By || x.Person == a.Second) }):
				t.Fatalf("seed %d: accepted her own change", seed)
			case f.Due == 0:
				t.Fatalf("seed %d: nobody looks at the end of it", seed)
			}
		}
	}
}

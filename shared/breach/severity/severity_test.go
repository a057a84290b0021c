package severity_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/platform/fault"
)

// TestCases holds bands and triggers against the EDPB's 18 cases: scores as they are listed, outcomes as the guidelines
// have them, and the two notices never asked for where they were not due.
func TestCases(t *testing.T) {
	t.Parallel()
	cases, source := severity.Cases()
	if len(cases) != 18 || !strings.Contains(source, "01/2021") {
		t.Fatalf("%d cases of %q", len(cases), source)
	}
	for i, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			if c.ID != fmt.Sprintf("%02d", i+1) {
				t.Errorf("case %d is called %s", i+1, c.ID)
			}
			if err := c.Input.Check(); err != nil {
				t.Fatal(err)
			}
			// As whoever knows only what is asked says it, and with what shows it.
			for _, evidence := range []map[string]severity.Proof{nil, c.Input.Evidence} {
				c.Input.Evidence = evidence
				holds(t, c)
			}
		})
	}
}

// holds scores one case.
func holds(t *testing.T, c severity.Case) {
	t.Helper()
	s := severity.Of(c.Input)
	if s.SE != c.SE || s.Level != c.Level {
		t.Errorf("scored %s %s, want %s %s", s.SE, s.Level, c.SE, c.Level)
	}
	if want := (severity.Presumption{Authority: c.Authority, Persons: c.Persons}); s.Presumption != want {
		t.Errorf("presumed %+v by %v, want %+v", s.Presumption, s.Triggers, want)
	}
	if s.Closest.Authority != c.Authority || s.Closest.Persons != c.Persons {
		t.Errorf("the closest case, %s, ended otherwise: %+v", s.Closest.Case, s.Closest)
	}
	said := c.Input.Unintelligible || slices.Contains(c.Input.Facts, "trusted_recipient")
	if unproven := said && c.Input.Evidence == nil; unproven != (len(s.Unproven) > 0) || !said && s.Without != nil {
		t.Errorf("unproven %v, without %v", s.Unproven, s.Without)
	}
}

// TestCasesByTheirNumbers leaves out what only our facts say: the numbers of the method and the count of people alone
// come to the same notices.
func TestCasesByTheirNumbers(t *testing.T) {
	t.Parallel()
	cases, _ := severity.Cases()
	for _, c := range cases {
		in := c.Input
		in.Facts = nil
		if s := severity.Of(in); s.Presumption.Authority != c.Authority || s.Presumption.Persons != c.Persons {
			t.Errorf("case %s: presumed %+v by %v", c.ID, s.Presumption, s.Triggers)
		}
	}
}

// TestBandsAlone is why there are triggers: without them four cases would be missed.
func TestBandsAlone(t *testing.T) {
	t.Parallel()
	var missed []string
	cases, _ := severity.Cases()
	for _, c := range cases {
		if c.Authority && c.SE < 8 || c.Persons && c.SE < 12 {
			missed = append(missed, c.ID)
		}
	}
	if got, want := strings.Join(missed, " "), "02 08 11 14"; got != want {
		t.Errorf("bands alone miss %q, want %q", got, want)
	}
}

func input(t *testing.T, change string) (severity.Input, error) {
	t.Helper()
	var whole map[string]any
	const plain = `{"dpc":{"simple":{"value":1}},"ei":{"full_name":0.5},"cb":{"confidentiality":0.25,"integrity":0,"availability":0,"malicious":0},"people":12,"unintelligible":false,"key_compromised":false}`
	if err := json.Unmarshal([]byte(plain), &whole); err != nil {
		t.Fatal(err)
	}
	var other map[string]any
	if err := json.Unmarshal([]byte(change), &other); err != nil {
		t.Fatal(err)
	}
	for k, v := range other {
		whole[k] = v
	}
	data, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return severity.Read(data)
}

// TestRefused gives what the method does not know: each is refused with what is allowed.
func TestRefused(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]string{
		`{"dpc":{}}`:                                  "behavioural",
		`{"dpc":{"simple":{"value":0}}}`:              "1, 2, 3, 4",
		`{"dpc":{"simple":{"value":1.25}}}`:           "1, 2, 3, 4",
		`{"dpc":{"simple":{"value":2}}}`:              "Say why",
		`{"dpc":{"financial":{"value":1}}}`:           "Say why",
		`{"dpc":{"genetic":{"value":4}}}`:             "sensitive",
		`{"ei":{}}`:                                   "full_name",
		`{"ei":{"id_number":0.5}}`:                    "0.25, 0.75, 1",
		`{"ei":{"phone_or_address":0.75}}`:            "0.25, 0.5, 1",
		`{"ei":{"ip_address":0.25}}`:                  "code_alias_initials",
		`{"ei":{"full_name":0}}`:                      "0.25, 0.5, 0.75, 1",
		`{"ei":{"full_name":0.3}}`:                    "",
		`{"ei_raised":{"value":0.5,"reason":"both"}}`: "above 0.5",
		`{"ei_raised":{"value":1}}`:                   "reason",
		`{"cb":{"confidentiality":1,"integrity":0,"availability":0,"malicious":0}}`:    "0, 0.25, 0.5",
		`{"cb":{"confidentiality":0,"integrity":0,"availability":0,"malicious":0.25}}`: "0, 0.5",
		`{"cb":{"confidentiality":0,"integrity":0,"availability":0}}`:                  "",
		`{"people":-1}`:                                     "null",
		`{"people":"many"}`:                                 "",
		`{"facts":["lost"]}`:                                "lost_medium",
		`{"facts":["lost_medium","lost_medium"]}`:           "twice",
		`{"extra":1}`:                                       "members are",
		`{"evidence":{"over_100":{"reference":"x"}}}`:       "unintelligible, trusted_recipient",
		`{"evidence":{"unintelligible":{"reference":"x"}}}`: "Say it as well",
		`{"unintelligible":true,"evidence":{"unintelligible":{"reference":" "}}}`: "reference",
		`{"dpc":{"simple":{"value":-1}}}`:                                         "",
	} {
		_, err := input(t, change)
		var refused *fault.Error
		if !fault.Is(err, fault.Invalid) || fault.CodeOf(err) != "input_invalid" {
			t.Errorf("%s: %v", change, err)
			continue
		}
		refused, _ = err.(*fault.Error)
		if text := refused.Detail + " " + refused.Next; !strings.Contains(text, want) || refused.Next == "" {
			t.Errorf("%s: says %q, want %q in it", change, text, want)
		}
	}
	for _, raw := range []string{
		strings.Repeat(" ", severity.MaxInput+1), "", "null", "[]", `{"dpc":{"simple":{"value":1e400}}}`, `{"people":1,"people":2}`, strings.Repeat(`{"dpc":`, 200),
	} {
		if _, err := severity.Read([]byte(raw)); fault.CodeOf(err) != "input_invalid" {
			t.Errorf("%.30q: %v", raw, err)
		}
	}
	if _, err := input(t, `{"cb":{"confidentiality":0,"integrity":0,"availability":0,"malicious":true}}`); err != nil {
		t.Errorf("intent as a yes: %v", err)
	}
}

// TestExtremes are the ends of the scale, and combinations: the highest class and identifier count, the parts of CB add up.
func TestExtremes(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]string{
		`{"ei":{"full_name":0.25},"cb":{"confidentiality":0,"integrity":0,"availability":0,"malicious":0}}`:                                          "0.25 low",
		`{"dpc":{"sensitive":{"value":4}},"ei":{"email":1},"cb":{"confidentiality":0.5,"integrity":0.5,"availability":0.5,"malicious":0.5}}`:         "6 very_high",
		`{"dpc":{"simple":{"value":1},"financial":{"value":3}},"ei":{"email":0.25,"picture":0.5}}`:                                                   "1.75 low",
		`{"dpc":{"financial":{"value":3}},"ei":{"full_name":0.25,"email":0.25},"ei_raised":{"value":1,"reason":"name and address tell the person"}}`: "3.25 high",
		`{"dpc":{"behavioural":{"value":2}},"ei":{"email":1},"cb":{"confidentiality":0,"integrity":0,"availability":0,"malicious":0}}`:               "2 medium",
		`{"dpc":{"sensitive":{"value":4}},"ei":{"email":1},"cb":{"confidentiality":0,"integrity":0,"availability":0,"malicious":0}}`:                 "4 very_high",
	} {
		in, err := input(t, change)
		if err != nil {
			t.Errorf("%s: %v", change, err)
			continue
		}
		s := severity.Of(in)
		if got := s.SE.String() + " " + string(s.Level); got != want {
			t.Errorf("%s: %s, want %s", change, got, want)
		}
	}
}

// TestFlags checks that flags change no score and stand exactly where the method says.
func TestFlags(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]string{
		`{"people":100}`:          "[]",
		`{"people":101}`:          "[over_100]",
		`{"people":null}`:         "[people_unknown]",
		`{"unintelligible":true}`: "[unintelligible]",
		`{"unintelligible":true,"key_compromised":true,"people":5000}`: "[over_100 key_compromised]",
	} {
		in, err := input(t, change)
		if err != nil {
			t.Fatal(err)
		}
		s := severity.Of(in)
		if fmt.Sprint(s.Flags) != want || s.SE != 3 {
			t.Errorf("%s: %v and %s, want %s and 0.75", change, s.Flags, s.SE, want)
		}
	}
}

// TestProperties draws inputs: the score stays in its range, more of anything never lowers it, each flip is true and none
// of the next-door ones is missing.
func TestProperties(t *testing.T) {
	t.Parallel()
	for seed := range uint64(25) {
		random := rand.New(rand.NewPCG(seed, 1))
		for range 20 {
			in := drawn(random)
			if err := in.Check(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			s := severity.Of(in)
			if s.SE < 1 || s.SE > 24 {
				t.Fatalf("seed %d: %s is out of range", seed, s.SE)
			}
			if s.Presumption.Persons && !s.Presumption.Authority {
				t.Fatalf("seed %d: persons and not the authority", seed)
			}
			checkFlips(t, in, s)
		}
	}
}

func checkFlips(t *testing.T, in severity.Input, s severity.Score) {
	t.Helper()
	for _, f := range s.Flips {
		if f.From == f.To || f.Level == s.Level && f.Presumption == s.Presumption {
			t.Fatalf("%+v changes nothing of %+v", f, s)
		}
	}
	for _, v := range severity.ValuesOf("confidentiality") {
		other := in
		other.CB.Confidentiality = v.Value
		then := severity.Of(other)
		changes := then.Level != s.Level || then.Presumption != s.Presumption
		told := slices.ContainsFunc(s.Flips, func(f severity.Flip) bool { return f.Input == "cb.confidentiality" })
		if changes && !told {
			t.Fatalf("confidentiality %s changes %+v to %+v, and no flip says so", v.Value, s, then)
		}
	}
}

func drawn(random *rand.Rand) severity.Input {
	in := severity.Input{DPC: map[severity.Class]severity.Rating{}, EI: map[string]severity.Quarters{}}
	pick := func(values []severity.Text) severity.Quarters { return values[random.IntN(len(values))].Value }
	for _, class := range severity.Classes() {
		if values, _, _ := severity.ValuesOfClass(class); len(in.DPC) == 0 || random.IntN(3) == 0 {
			in.DPC[class] = severity.Rating{Value: pick(values), Reason: "drawn"}
		}
	}
	for _, name := range severity.Identifiers() {
		if len(in.EI) == 0 || random.IntN(3) == 0 {
			in.EI[name] = pick(severity.ValuesOf(name))
		}
	}
	in.CB = severity.Circumstance{Confidentiality: pick(severity.ValuesOf("confidentiality")), Integrity: pick(severity.ValuesOf("integrity")),
		Availability: pick(severity.ValuesOf("availability")), Malicious: pick(severity.ValuesOf("malicious"))}
	if n := int64(random.IntN(3000)); random.IntN(4) > 0 {
		in.People = &n
	}
	in.Unintelligible, in.KeyCompromised = random.IntN(3) == 0, random.IntN(4) == 0
	names, _ := severity.Facts()
	for _, fact := range names {
		if random.IntN(6) == 0 {
			in.Facts = append(in.Facts, fact)
		}
	}
	return in
}

// FuzzRead feeds the decoder: whatever it takes can be scored, and written and read again for the same score.
func FuzzRead(f *testing.F) {
	cases, _ := severity.Cases()
	for _, c := range cases {
		data, err := json.Marshal(c.Input)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"dpc":{"simple":{"value":1,"value":2}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := severity.Read(data)
		if err != nil {
			return
		}
		s := severity.Of(in)
		again, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		back, err := severity.Read(again)
		if err != nil || severity.Of(back).SE != s.SE {
			t.Fatalf("read again: %v", err)
		}
	})
}

// TestEvidence: that nobody can read the data, or that whoever has it can be trusted, counts as it is said. What nothing
// shows stands beside the score, with what would be presumed without all of it.
func TestEvidence(t *testing.T) {
	t.Parallel()
	const open = `"people":1200,"cb":{"confidentiality":0.5,"integrity":0,"availability":0,"malicious":0.5}`
	const shown = `"unintelligible":{"reference":"D-7","note":"AES-256, key in the HSM"}`
	both, nobody := severity.Presumption{Authority: true, Persons: true}, severity.Presumption{}
	for change, want := range map[string]struct {
		severity.Presumption
		unproven, flip string
		leans          bool
	}{
		`{` + open + `}`:                               {both, "[]", "unintelligible", false},
		`{` + open + `,"unintelligible":true}`:         {nobody, "[unintelligible]", "unintelligible", true},
		`{` + open + `,"facts":["trusted_recipient"]}`: {nobody, "[trusted_recipient]", "facts.trusted_recipient", true},
		// Either of them would do: no single answer changes anything, and without both it is another matter.
		`{` + open + `,"unintelligible":true,"facts":["trusted_recipient"]}`:                                              {nobody, "[unintelligible trusted_recipient]", "", true},
		`{` + open + `,"unintelligible":true,"facts":["trusted_recipient"],"evidence":{` + shown + `}}`:                   {nobody, "[trusted_recipient]", "", false},
		`{` + open + `,"unintelligible":true,"evidence":{` + shown + `}}`:                                                 {nobody, "[]", "unintelligible", false},
		`{` + open + `,"facts":["trusted_recipient"],"evidence":{"trusted_recipient":{"reference":"letter of 3 March"}}}`: {nobody, "[]", "facts.trusted_recipient", false},
		`{` + open + `,"unintelligible":true,"key_compromised":true}`:                                                     {both, "[unintelligible]", "key_compromised", false},
		`{"unintelligible":true}`: {nobody, "[unintelligible]", "", false},
	} {
		in, err := input(t, change)
		if err != nil {
			t.Errorf("%s: %v", change, err)
			continue
		}
		before, _ := json.Marshal(in)
		s := severity.Of(in)
		if s.Presumption != want.Presumption || fmt.Sprint(append([]string{}, s.Unproven...)) != want.unproven {
			t.Errorf("%s: presumed %+v, unproven %v", change, s.Presumption, s.Unproven)
		}
		if leans := s.Without != nil && *s.Without == both; leans != want.leans || !leans && s.Without != nil {
			t.Errorf("%s: without what is unproven %+v", change, s.Without)
		}
		if want.flip != "" && !slices.ContainsFunc(s.Flips, func(f severity.Flip) bool { return f.Input == want.flip }) {
			t.Errorf("%s: no flip of %s in %+v", change, want.flip, s.Flips)
		}
		if data, _ := json.Marshal(in); string(data) != string(before) {
			t.Errorf("%s: the input was changed: %s", change, data)
		}
	}
}

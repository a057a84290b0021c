package cases_test

import (
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
)

// TestContracts: who else has a contract hears of a breach within its hours, in business hours where it says so, whatever the
// policy says later. A report ends the clock, or two who decide that it does not apply; until then the case stays open.
func TestContracts(t *testing.T) {
	t.Parallel()
	w := begin(t) // Friday 27 March 2026, 10:30 in Paris; the clocks change on Sunday
	office := clock.Business{Open: "09:00", Close: "17:00", Zone: "Europe/Paris", Country: "FR"}
	w.rules.Business = map[string]clock.Business{"nord": office}
	w.rules.Contracts = []cases.Contract{{ID: "insurer", To: "Insurance", Start: clock.Aware, Hours: 48}, {ID: "bank", To: "Bank", Start: clock.Classified, Hours: 8, Business: &office}}
	if err := w.rules.Check(); err != nil {
		t.Fatal(err)
	}
	w.do(breach("nord", "sud"))
	target := func(id string) string {
		for _, c := range cases.Clocks(w.c, w.rules, w.now) {
			if c.ID == id && !c.Target.IsZero() {
				return c.Target.In(w.rules.Zone).Format("Mon 15:04")
			}
		}
		return ""
	}
	w.rules.Contracts, w.rules.Business = nil, nil // later
	for id, want := range map[string]string{"contract:nord": "Wed 10:30", "contract:sud": "Sun 11:30", "contract_x:insurer": "Sun 11:30", "contract_x:bank": ""} {
		if got := target(id); got != want {
			t.Errorf("%s ends %s, want %s", id, got, want)
		}
	}
	if w.status("contract_x:bank") != clock.Waiting || cases.Tenant("contract_x:insurer") != "" || !cases.IsReport("contract_x:insurer") {
		t.Errorf("%s", w.status("contract_x:bank"))
	}
	for _, by := range []cases.Actor{vera, dana} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: cases.Tenants, Text: 2})
	}
	w.refused("case_unsettled", cases.Event{What: cases.Close, By: vera})
	w.pass(time.Hour).do(cases.Event{What: cases.File, By: vera, Clock: "contract_x:insurer", At: w.now, Text: 3})
	w.refused("clock_invalid", cases.Event{What: cases.File, By: vera, Clock: "contract:nord", At: w.now})
	w.refused("clock_invalid", cases.Event{What: cases.File, By: vera, Clock: "contract_x:other", At: w.now})
	w.refused("case_unsettled", cases.Event{What: cases.Close, By: vera})
	for _, by := range []cases.Actor{vera, otto} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: "contract_x:bank", Text: 2})
	}
	if w.status("contract_x:insurer") != clock.Met || w.status("contract_x:bank") != clock.Stopped {
		t.Errorf("%s, %s", w.status("contract_x:insurer"), w.status("contract_x:bank"))
	}
	w.do(cases.Event{What: cases.Close, By: vera})
}

// TestContractsRefused: what is no contract does not begin.
func TestContractsRefused(t *testing.T) {
	t.Parallel()
	good := cases.Contract{ID: "insurer", To: "Insurance", Start: clock.Aware, Hours: 48}
	for name, wrong := range map[string]func(*cases.Contract){
		"id": func(x *cases.Contract) { x.ID = "" }, "to": func(x *cases.Contract) { x.To = "" }, "start": func(x *cases.Contract) { x.Start = clock.Told }, "hours": func(x *cases.Contract) { x.Hours = 0 },
		"business": func(x *cases.Contract) {
			x.Business = &clock.Business{Open: "17:00", Close: "09:00", Zone: "Europe/Paris"}
		},
		"zone": func(x *cases.Contract) { x.Business = &clock.Business{Open: "09:00", Close: "17:00", Zone: "Mars"} },
	} {
		w, x := begin(t), good
		wrong(&x)
		if w.rules.Contracts = []cases.Contract{x}; w.rules.Check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
	w := begin(t)
	if w.rules.Contracts = []cases.Contract{good, good}; w.rules.Check() == nil || slices.Contains(w.rules.Regimes, "contract_x") {
		t.Error("twice: taken")
	}
}

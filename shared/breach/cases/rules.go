package cases

import (
	"slices"
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// Rules are what a company decides about its breaches.
type Rules struct {
	Zone    *time.Location // of the company
	Country string         // whose public holidays count where weekends do
	// Regimes are the clocks of the data file that bind the company as a controller. The GDPR's are always among them.
	Regimes    []string
	Hours      map[string]int            // of the contract with each tenant; 0 or missing: it names none
	Business   map[string]clock.Business // of the contract with a tenant whose hours count in business hours alone
	Contracts  []Contract                // others that want to hear of a breach
	Aim        time.Duration             // the company's own aim where neither law nor contract names hours; 1 hour to 7 days
	Exempt     bool                      // from the move of DORA's ends to a working day
	Ladder     []Step                    // at least one
	AckLife    time.Duration             // after which an answer counts no more if nobody did anything; 10 minutes to 24 hours
	ReviewDays int                       // from the close to the review; 1 to 60
	Keep       calendar.Period           // of a closed case, until it is deleted; 3 to 30 years
	AgainDays  int                       // from a "no" to its next look; 1 to 365
}

// Step is one step of the ladder.
type Step struct {
	ID    string        // such as oncall
	Roles []policy.Role // who is called
	Wait  time.Duration // until the next step; 1 minute to 24 hours
	// Channels are the ways by which each of them is called, all at once: mail, sms, chat. At least one.
	Channels []string
}

// Defaults are the rules of a company that says nothing else.
func Defaults(zone *time.Location, country string) Rules {
	mail := []string{"mail"}
	return Rules{
		Zone: zone, Country: country, Aim: 24 * time.Hour, AckLife: time.Hour, ReviewDays: 14, AgainDays: 30, Keep: calendar.Period{Years: 5},
		Ladder: []Step{
			{"oncall", []policy.Role{policy.OnCall}, 10 * time.Minute, mail},
			{"security", []policy.Role{policy.Security}, 15 * time.Minute, mail},
			{"dpo", []policy.Role{policy.DPO}, 30 * time.Minute, mail},
			{"owner", []policy.Role{policy.Owner}, time.Hour, mail},
		},
	}
}

// Investigation is how long a suspicion may be looked into before people are warned, and before it is alarming.
var Investigation = [2]time.Duration{24 * time.Hour, 48 * time.Hour}

// always are the clocks of every controller.
var always = []string{"gdpr_33_1", "gdpr_34"}

// Check refuses rules out of their range: Misconfigured.
func (r Rules) Check() error {
	bad := func(what string) error { return fault.New(fault.Misconfigured, "breach rules: %s", what) }
	within := func(d, least, most time.Duration) bool { return d >= least && d <= most }
	switch {
	case r.Zone == nil:
		return bad("the company's zone is missing")
	case !within(r.Aim, time.Hour, 7*24*time.Hour), !within(r.AckLife, 10*time.Minute, 24*time.Hour):
		return bad("the aim is 1 hour to 7 days, the life of an answer 10 minutes to 24 hours")
	case r.ReviewDays < 1 || r.ReviewDays > 60, r.AgainDays < 1 || r.AgainDays > 365:
		return bad("a review is due within 60 days, a second look within 365")
	case !Kept(r.Keep):
		return bad("a closed case is kept for 3 to 30 years")
	case len(r.Ladder) == 0:
		return bad("the ladder has no step")
	}
	for i, s := range r.Ladder {
		twice := slices.ContainsFunc(r.Ladder[:i], func(o Step) bool { return o.ID == s.ID })
		if s.ID == "" || twice || len(s.Roles) == 0 || !within(s.Wait, time.Minute, 24*time.Hour) {
			return bad("a step of the ladder lacks its name or roles, is there twice, or waits for less than a minute or more than a day")
		}
	}
	for _, id := range r.Regimes {
		if row, known := clock.RowOf(id); !known || row.Binding != clock.Law {
			return bad("a clock that is not in the data file, or no law's")
		}
	}
	for _, b := range r.Business {
		if b.Check() != nil {
			return bad("the business hours of a contract are none")
		}
	}
	for i, x := range r.Contracts {
		if x.check() != nil || slices.ContainsFunc(r.Contracts[:i], func(o Contract) bool { return o.ID == x.ID }) {
			return bad("a contract lacks its name, its hours or what starts them, or is there twice")
		}
	}
	for _, h := range r.Hours {
		if h < 0 || h > clock.MaxHours {
			return bad("a contract's hours are out of range")
		}
	}
	return nil
}

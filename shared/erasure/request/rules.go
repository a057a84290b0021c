package request

import (
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

// Rules are what a company decides about its requests. Zero values of numbers are allowed where a comment says what they
// mean.
type Rules struct {
	Zone    *time.Location // of the company: days and deadlines are its
	Country string         // ISO 3166 alpha-2: whose public holidays count
	Mode    calendar.Mode  // what a doubt about the identity does to the clock; "" counts as none

	AutoApprove   int64         // items of a plan that needs nobody; 0: a person looks at each, also at one that found nothing
	TenantPercent int           // of a tenant's items, above which a person looks; 0 for no such limit
	GraceDays     int           // of an account that closes, 0 to 30
	TargetDays    int           // the company's own target from the proof to the answer, 1 to 28; default 7
	ReviewDays    int           // from when something is found that only a person can judge until she has looked, 1 to 25; default 10
	ForwardDays   int           // working days from the proof until what is a tenant's is passed on to it, 1 to 10; default 2
	Strict        bool          // nothing completes while there are places nobody has mapped
	Keep          time.Duration // a closed request, without what was given; at least 30 days, default three years

	reach func(tenant string) bool // whether a tenant has a contact; nil: each has one
}

// Limits and defaults of Rules.
const (
	MaxGraceDays   = 30
	leastKeep      = 30 * 24 * time.Hour
	usualKeep      = 3 * 366 * 24 * time.Hour
	usualTarget    = 7
	longestTarget  = 28
	usualForward   = 2
	longestForward = 10
	usualReview    = 10
	longestReview  = 25
)

// reaches reports whether there is somebody of a tenant a request can be passed on to.
func (r Rules) reaches(tenant string) bool { return r.reach == nil || r.reach(tenant) }

// complete returns the rules with their defaults, or Misconfigured.
func (r Rules) complete() (Rules, error) {
	if r.TargetDays == 0 {
		r.TargetDays = usualTarget
	}
	if r.Keep == 0 {
		r.Keep = usualKeep
	}
	if r.ReviewDays == 0 {
		r.ReviewDays = usualReview
	}
	if r.ForwardDays == 0 {
		r.ForwardDays = usualForward
	}
	switch {
	case r.Zone == nil, r.Country == "":
		return r, fault.New(fault.Misconfigured, "requests: the company's zone and country are needed")
	case r.GraceDays < 0 || r.GraceDays > MaxGraceDays, r.TargetDays < 1 || r.TargetDays > longestTarget, r.ReviewDays < 1 || r.ReviewDays > longestReview, r.ForwardDays < 1 || r.ForwardDays > longestForward,
		r.AutoApprove < 0, r.TenantPercent < 0 || r.TenantPercent > 100, r.Keep < leastKeep:
		return r, fault.New(fault.Misconfigured, "requests: a limit is out of its range")
	}
	if _, err := calendar.Art12(calendar.Terms{Received: time.Unix(0, 0), Zone: r.Zone, Country: r.Country, Mode: r.Mode}); err != nil {
		return r, fault.New(fault.Misconfigured, "requests: computing a deadline: %w", err)
	}
	return r, nil
}

// doubts returns why a person has to look at a plan, beside what is in doubt already.
func (r Rules) doubts(p Plan, kind Kind) (all []Doubt) {
	if r.AutoApprove == 0 || p.Items > r.AutoApprove {
		all = append(all, ManyItems)
	}
	if r.TenantPercent > 0 && p.Share > r.TenantPercent && kind == Person {
		all = append(all, LargeShare)
	}
	if p.Review > 0 {
		all = append(all, ReviewNeeded)
	}
	if p.Held > 0 {
		all = append(all, OnHold)
	}
	if p.Blind > 0 {
		all = append(all, Blind)
	}
	if kind == Account {
		all = append(all, Closure)
	}
	return all
}

// alarmDays are how long before the end of an extended period somebody is told.
var alarmDays = []int{10, 5, 2}

// deadline computes the clock of a request. proved is the local day of the proof, zero while there is none.
func (r Rules) deadline(q Request, proved calendar.Day) (Deadline, error) {
	t := calendar.Terms{Received: q.Received, Zone: r.Zone, Country: r.Country, Extend: q.Extended != nil, Mode: r.Mode}
	if !q.Asked.IsZero() && !proved.IsZero() {
		t.Pause = []calendar.Span{{From: q.Asked, To: proved}}
	}
	due, err := calendar.Art12(t)
	if err != nil && len(t.Pause) > 0 {
		t.Pause = nil // asked when the time was over: that moves nothing
		due, err = calendar.Art12(t)
	}
	if err != nil {
		return Deadline{}, fault.New(fault.Misconfigured, "computing the deadline of a request: %w", err)
	}
	if t.Extend {
		due.Alarms = nil
		for _, days := range alarmDays {
			due.Alarms = append(due.Alarms, calendar.AddDays(due.Raw, -days))
		}
	}
	return Deadline{Due: due.Due, Conservative: due.Conservative, NoticeBy: due.NoticeBy, Alarms: due.Alarms, Warning: due.Warning}, nil
}

// begins returns the first instant of a day.
func begins(d calendar.Day, zone *time.Location) time.Time {
	return calendar.AddDays(d, -1).End(zone)
}

// passBy is when the working days are over within which what is a tenant's is passed on to it. Where no calendar is known every
// day counts.
func (r Rules) passBy(proved time.Time) time.Time {
	day := calendar.Date(proved, r.Zone)
	if h, known := calendar.HolidaysOf(r.Country); known {
		return calendar.AddWorkingDays(day, r.ForwardDays, h).End(r.Zone)
	}
	return calendar.AddDays(day, r.ForwardDays).End(r.Zone)
}

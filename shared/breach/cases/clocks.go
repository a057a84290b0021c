package cases

import (
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/calendar"
)

// Clocks are all clocks of a case as they stand, the legal ones first, then those of tenants, then what was promised. The
// id of a tenant's is the row's, a colon and the tenant's. A case that is no breach yet has none.
func Clocks(c Case, r Rules, now time.Time) []clock.Clock {
	if c.Times.Aware.IsZero() {
		return nil
	}
	r = c.bound(r)
	var all []clock.Clock
	add := func(id, as string, f clock.Facts) {
		row, known := clock.RowOf(id)
		if !known || !row.InForce(calendar.Date(c.Times.Aware, r.Zone)) {
			return
		}
		got, err := clock.Of(row, f, now)
		if err != nil {
			return // Rules.Check refuses such hours
		}
		if got.ID = as; got.Status != clock.Waiting || row.Start != clock.Submitted {
			all = append(all, got)
		}
	}
	facts, settled, known := c.facts(r), c.settled(), c.Times.AwareAs(Processor)
	if c.controls() {
		for _, id := range append(slices.Clone(always), r.Regimes...) {
			f := facts
			if no := settled[id]; no != nil && !no.Yes {
				f.Ended = no.Settled // it does not apply
			}
			add(id, id, f)
		}
	}
	all = append(all, c.contracts(r, facts, settled, now)...)
	for _, t := range c.Tracks {
		if t.Role != Processor {
			continue
		}
		f := tenantFacts(facts, t, settled[t.ID])
		if t.Hours > 0 {
			add("contract", "contract:"+t.ID, f)
		} else {
			add("gdpr_33_2", "gdpr_33_2:"+t.ID, f)
			all = append(all, clock.Promised("aim:"+t.ID, known, known.Add(r.Aim), f.Met["gdpr_33_2"], c.ended(), now))
		}
		if !t.Told.IsZero() {
			add("gdpr_33_1_downstream", "gdpr_33_1_downstream:"+t.ID, f)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Promises)) {
		all = append(all, clock.Promised("promise:"+name, c.pledged(name), c.Promises[name], c.Kept[name], c.ended(), now))
	}
	return append(all, c.recalls(r, now)...)
}

// bound are rules as they bound the company when it became aware of the breach.
func (c *Case) bound(r Rules) Rules {
	if b := c.Bound; b != nil {
		r.Regimes, r.Country, r.Exempt, r.Aim, r.Contracts = b.Regimes, b.Country, b.Exempt, b.Aim, b.Contracts
		if zone, err := calendar.Zone(b.Zone); err == nil {
			r.Zone = zone
		}
	}
	return r
}

// pledged is when something was promised: its clock starts then.
func (c *Case) pledged(name string) time.Time {
	if at := c.Pledged[name]; !at.IsZero() {
		return at
	}
	return c.Times.Aware
}

// ended is when a case turned out to be no breach, or an exercise was over; zero otherwise.
func (c *Case) ended() time.Time {
	if c.State == Closed && c.Ending != Handled {
		return c.Closed
	}
	return time.Time{}
}

func (c *Case) facts(r Rules) clock.Facts {
	f := clock.Facts{
		At:        map[clock.Start]time.Time{clock.Aware: c.Times.Aware, clock.ProcessorAware: c.Times.AwareAs(Processor), clock.Classified: c.Times.Classified},
		Submitted: map[string]time.Time{}, Met: map[string]time.Time{}, Ended: c.ended(), Zone: r.Zone, Country: r.Country, Exempt: r.Exempt,
	}
	for id, filing := range c.Filed {
		if c.State == Closed || !filing.gone() {
			f.Submitted[id], f.Met[id] = filing.At, filing.First()
		}
	}
	// Who decided that nobody has to be told has met the clock by that.
	if no := c.decision(SA); no != nil && !no.Yes {
		f.Met["gdpr_33_1"] = no.Settled
	}
	switch persons := c.decision(Persons); {
	case persons == nil:
	case persons.Yes:
		f.At[clock.HighRisk] = persons.Settled
		f.Met["gdpr_34"] = c.Kept[Persons]
	default:
		f.Met["gdpr_34"] = persons.Settled
	}
	return f
}

func tenantFacts(f clock.Facts, t Track, decided *Decision) clock.Facts {
	f.At = maps.Clone(f.At)
	f.At[clock.Told] = t.Told
	f.Hours, f.Business = t.Hours, t.Business
	met := t.Told
	if decided != nil && !decided.Yes {
		met = decided.Settled
		f.Ended = met
	}
	f.Met = map[string]time.Time{"contract": met, "gdpr_33_2": met}
	return f
}

// clock returns one clock of the case as it stands.
func (d *deciding) clock(id string) (clock.Clock, bool) {
	for _, c := range Clocks(d.Case, d.rules, d.now) {
		if c.ID == id {
			return c, true
		}
	}
	return clock.Clock{}, false
}

// tick says what time alone brings: marks of clocks, steps of the ladder, a suspicion that takes long, a "no" to be looked
// at again, a review that is due. It may come at any time and however late: what passed meanwhile is said once.
func (d *deciding) tick() {
	d.climb()
	d.alarms()
	if d.State == Suspected && d.Warned < len(Investigation) {
		warned := d.Warned
		for warned < len(Investigation) && !d.now.Before(d.Times.Investigating.Add(Investigation[warned])) {
			warned++
		}
		if warned > d.Warned {
			d.Warned = warned
			d.tell([]string{"investigation_long", "investigation_overdue"}[warned-1], "")
		}
	}
	again := false
	for i := range d.Decisions {
		if one := &d.Decisions[i]; d.State == Open && !one.Replaced && !one.Settled.IsZero() && !one.Again.IsZero() && !d.today().Before(one.Again) && one.Looked.IsZero() {
			one.Looked, again = d.today(), true
		}
	}
	if again { // once, however many there are
		d.tell("look_again", "")
	}
	d.remind()
	d.recall()
	d.remindActions()
	d.askHold()
}

// remind puts a review that is overdue on record, and tells who decides: at once, and then once a week.
func (d *deciding) remind() {
	if d.State != Closed || !d.Reviewed.IsZero() || !d.Review.Before(d.today()) {
		return
	}
	if d.Overdue == "" {
		d.Overdue = "review"
		d.effects = append(d.effects, Effect{Do: DoFinding, Step: "review"})
	}
	if d.Reminded.IsZero() || !d.today().Before(calendar.AddDays(d.Reminded, reminding)) {
		d.Reminded = d.today()
		d.tell("review_overdue", "")
	}
}

// reminding is how many days pass between two reminders.
const reminding = 7

// alarms tells of each clock what has to be told of it, and puts on record the first that ran out.
func (d *deciding) alarms() {
	if d.State == Closed {
		return
	}
	ran, said := false, map[told]int{}
	for _, c := range d.ours() {
		alarm, now := clock.Due(c, d.Said[c.ID], d.now)
		if now != d.Said[c.ID] {
			if d.Said == nil {
				d.Said = map[string]clock.Said{}
			}
			d.Said[c.ID] = now
		}
		if alarm != nil {
			d.alarm(c, *alarm, said)
		}
		ran = ran || c.Status == clock.Overdue && (c.Binding == clock.Law || c.Binding == clock.Contract)
	}
	if ran && d.Overdue == "" {
		d.Overdue = "clock"
		d.effects = append(d.effects, Effect{Do: DoFinding, Step: "clock"})
	}
}

// told is what the clocks of many tenants are told of together.
type told struct {
	row         string
	target      time.Time
	mark, hours int
}

// alarm tells of a clock, or adds it to what is told of another tenant's already.
func (d *deciding) alarm(c clock.Clock, a clock.Alarm, said map[told]int) {
	row, _, _ := strings.Cut(c.ID, ":")
	same := told{row, c.Target, a.Mark, a.Hours}
	if at, known := said[same]; known && Tenant(c.ID) != "" {
		d.effects[at].More++
		return
	}
	said[same] = len(d.effects)
	d.effects = append(d.effects, Effect{Do: DoAlarm, Clock: c.ID, Mark: a.Mark, Hours: a.Hours, Missed: a.Missed})
}

// ours are the clocks people are told of: a controller's own, seen from us, is its business.
func (d *deciding) ours() []clock.Clock {
	return slices.DeleteFunc(Clocks(d.Case, d.rules, d.now), func(c clock.Clock) bool { return c.Binding == clock.Information })
}

// heal puts on record that what was out of order is in order again.
func (d *deciding) heal() {
	if d.Found[nobody] != "" && (d.State == Closed || !d.Ladder.Acked.IsZero()) {
		d.effects = append(d.effects, Effect{Do: DoHeal, Step: nobody})
	}
	late := slices.ContainsFunc(Clocks(d.Case, d.rules, d.now), func(c clock.Clock) bool {
		return c.Status == clock.Overdue && (c.Binding == clock.Law || c.Binding == clock.Contract)
	})
	stands := map[string]bool{"clock": late && d.State != Closed, "review": d.State == Closed && d.Reviewed.IsZero(), "withdrawal": len(d.TakesBack()) > 0}
	if d.Overdue == "" || stands[d.Overdue] {
		return
	}
	d.effects = append(d.effects, Effect{Do: DoHeal, Step: d.Overdue})
	d.Overdue = ""
}

// schedule says when a tick has to look next.
func (d *deciding) schedule() {
	next := time.Time{}
	at := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if d.State != Closed {
		at(d.Ladder.due(d.rules))
		for _, c := range d.ours() {
			at(clock.Next(c, d.Said[c.ID], d.now))
		}
	}
	if d.State == Suspected && d.Warned < len(Investigation) {
		at(d.Times.Investigating.Add(Investigation[d.Warned]))
	}
	for _, one := range d.Decisions {
		if d.State == Open && !one.Replaced && !one.Settled.IsZero() && !one.Again.IsZero() && one.Looked.IsZero() {
			at(calendar.AddDays(one.Again, -1).End(d.rules.Zone))
		}
	}
	for _, a := range d.Actions {
		at(d.actionDue(a))
	}
	at(d.holdDue())
	at(d.recallDue())
	at(d.Expires(d.rules))
	switch {
	case d.State != Closed || !d.Reviewed.IsZero():
	case d.Reminded.IsZero():
		at(d.Review.End(d.rules.Zone))
	default:
		at(calendar.AddDays(d.Reminded, reminding-1).End(d.rules.Zone))
	}
	d.Next = 0
	if !next.IsZero() {
		d.Next = next.UnixMicro()
	}
}

// Tenant is the tenant of a clock's id; "" where it is of none.
func Tenant(clockID string) string {
	if row, tenant, of := strings.Cut(clockID, ":"); of && row != "promise" && row != recalling && row != contractRow {
		return tenant
	}
	return ""
}

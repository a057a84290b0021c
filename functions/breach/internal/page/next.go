package page

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
)

// Step is one thing to do next, in plain words.
type Step struct {
	What string
	When string // by when, and what that is counted from; "" where nothing presses
	Path string // where it is done
	Mine bool   // the reader can do it
	Who  string // who can, where she cannot
	Over bool

	rank int
	sort time.Time // what the step waits for
}

// next is what to do next about a case: first what everything else waits for, then what ends soonest.
func (r Reader) next(c cases.Read, clocks []clock.Clock) []Step {
	w := &steps{Reader: r, c: c.Case, read: c, clocks: clocks, decided: standings(c.Case)}
	switch {
	case c.State == cases.Closed:
		w.afterwards()
	case c.State == cases.Suspected:
		w.suspected()
	default:
		w.facts()
		w.decisions()
		w.duties()
		if len(w.all) == 0 && len(r.Pending) == 0 {
			w.decider(9, until{}, "#close", "next.close")
		}
	}
	slices.SortStableFunc(w.all, func(a, b Step) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(key(a.sort), key(b.sort)))
	})
	return w.all
}

// key puts what has no end last.
func key(t time.Time) int64 {
	if t.IsZero() {
		return 1 << 62
	}
	return t.Unix()
}

type steps struct {
	Reader
	c      cases.Case
	read   cases.Read
	clocks []clock.Clock
	all    []Step

	decided map[string]standing
}

// until is by when something has to be done.
type until struct {
	at  time.Time
	aim bool // the company's own aim, and no deadline of a law or a contract
}

// add puts a step into the list, with what is left of its time.
func (w *steps) add(s Step, by until) {
	if s.sort = by.at; !by.at.IsZero() {
		s.When, s.Over = w.Left(by.at)+" · "+w.At(by.at), w.Now.After(by.at)
		if by.aim {
			s.When = w.Say("clock.aim", s.When)
		}
	}
	w.all = append(w.all, s)
}

// decider adds a step that any of those who decide can do.
func (w *steps) decider(rank int, by until, path, text string, args ...any) {
	s := Step{What: w.Say(text, args...), Path: path, Mine: w.May(), rank: rank}
	if !s.Mine {
		s.Who = w.others(nil)
	}
	w.add(s, by)
}

// second adds a step that somebody else than who proposed it can do.
func (w *steps) second(by until, path string, p *Proposal, text string, args ...any) {
	s := Step{What: w.Say(text, args...), Path: path, Mine: p.May, rank: 2}
	if !s.Mine {
		s.Who = p.Who
	}
	w.add(s, by)
}

func (w *steps) suspected() {
	by := until{w.c.Times.Investigating.Add(cases.Investigation[0]), true}
	if w.Now.After(by.at) {
		by.at = w.c.Times.Investigating.Add(cases.Investigation[1])
	}
	if p := w.subject(cases.Read{Case: w.c}, cases.Breach, w.decided[cases.Breach]).Waits; p != nil {
		w.second(by, "#decide-breach", p, "next.no_breach", p.By)
	}
	if f := w.c.Triage; f != nil {
		w.owned(f, w.read.Text(f.Next))
	}
	w.decider(2, by, "#triage", "next.triage")
	if w.c.Undescribed() {
		w.decider(3, until{}, "#tracks", "next.tracks")
	}
}

// owned is the next step somebody has of an investigation.
func (w *steps) owned(f *cases.Triaged, text string) {
	if text == "" {
		text = w.Say("next.owned") // the list has no texts
	}
	w.add(Step{What: text, Path: "#triage", Mine: w.mine(f.Owner), Who: w.Person(f.Owner), rank: 1}, until{})
}

// unreached are the tenants at which nobody is named to be told.
func (w *steps) unreached() (names []string) {
	for _, t := range w.c.Tracks {
		if t.Unreached && t.Told.IsZero() {
			names = append(names, w.Tenant(t.ID))
		}
	}
	return names
}

// facts are what has to be known before anybody can decide.
func (w *steps) facts() {
	if w.c.Undescribed() {
		w.decider(1, until{w.c.Times.Aware.Add(w.Rules.Aim), true}, "#tracks", "next.tracks")
	}
	if w.c.Unmapped > 0 {
		w.decider(1, until{}, "#tracks", "next.unmapped", w.c.Unmapped)
	}
	if names := w.unreached(); len(names) > 0 {
		w.decider(1, until{}, "#tracks", "next.reach", strings.Join(names, ", "))
	}
	if m := w.c.Moving; m != nil {
		w.second(until{}, "#aware", &Proposal{May: w.May() && !w.mine(m.By), Who: w.others([]string{m.By})}, "next.moving", w.Person(m.By))
	}
}

// decisions are what has to be decided, each with the clock that waits for it.
func (w *steps) decisions() {
	var open []string
	proposed := Tenants{}
	for _, id := range w.c.Subjects() {
		is := w.decided[id]
		switch {
		case id == cases.SA || id == cases.Persons:
			w.ourselves(w.subject(cases.Read{Case: w.c}, id, is))
		case is.waits != nil:
			proposed.add(w.Reader, w.subject(cases.Read{Case: w.c}, id, is))
		case is.counts == nil:
			open = append(open, id)
		}
	}
	w.all = slices.CompactFunc(w.all, func(a, b Step) bool { return a.Path == "#score" && b.Path == "#score" })
	if len(open) > 0 {
		w.decider(2, w.first(open), "#tenants", "next.decide_tenants", len(open))
	}
	for _, one := range proposed.Proposed {
		w.second(w.first(one.ids), "#tenants", &one.Proposal, "next.agree_tenants."+yes(one.Yes), one.By, one.Count)
	}
}

// ourselves is what has to be decided where the company is the controller. Without a score nobody can say that no risk is
// likely, so that comes first.
func (w *steps) ourselves(s Subject) {
	by := w.authority()
	at := len(w.all)
	switch {
	case s.Waits != nil:
		w.second(by, "#decide-"+s.ID, s.Waits, "next.agree."+yes(s.Waits.Yes), s.Waits.By, s.Name)
	case s.Answer != "":
		return
	case w.c.Score == nil:
		w.decider(2, by, "#score", "next.score")
		return
	default:
		w.decider(2, by, "#decide-"+s.ID, "next.decide", s.Name)
	}
	if s.ID == cases.Persons {
		w.all[at].When, w.all[at].Over = w.Say("clock.open"), false // the authority's hours are not theirs
	}
}

// authority is when the report to the authority is due.
func (w *steps) authority() until {
	if first := soonest(w.clocks, func(c clock.Clock) bool { return c.ID == "gdpr_33_1" }); first != nil {
		return until{at: first.Target}
	}
	return until{}
}

// first is when the first of some tenants has to be told.
func (w *steps) first(tenants []string) until {
	if one := soonest(w.clocks, func(c clock.Clock) bool { return slices.Contains(tenants, cases.Tenant(c.ID)) }); one != nil {
		return until{one.Target, one.Binding == clock.Internal}
	}
	return until{}
}

// duties are what was decided and has to be done now.
func (w *steps) duties() {
	if w.decided[cases.SA].yes() && !w.c.Reported("gdpr_33_1") {
		w.decider(2, w.authority(), "#file", "next.file")
	}
	for _, c := range w.clocks {
		is := w.decided[c.ID]
		switch by := (until{at: c.Target}); {
		case !cases.OwesReport(c):
		case is.waits != nil:
			s := w.subject(cases.Read{Case: w.c}, c.ID, is)
			w.second(by, "#decide-"+c.ID, s.Waits, "next.agree."+yes(s.Waits.Yes), s.Waits.By, s.Name)
		case c.Status == clock.Waiting && waitsFor(c.ID) == clock.Classified:
			w.decider(3, until{}, "#times", "next.classify", w.clockName(c.ID))
		case c.Status != clock.Waiting:
			w.decider(2, by, "#file", "next.report", w.clockName(c.ID))
		}
	}
	if w.decided[cases.Persons].yes() && w.c.Kept[cases.Persons].IsZero() {
		w.decider(2, until{at: w.c.Promises[cases.Persons]}, "#decide-persons", "next.persons")
	}
	var untold []string
	for _, t := range w.c.Tracks {
		if t.Role == cases.Processor && w.decided[t.ID].yes() && t.Told.IsZero() {
			untold = append(untold, t.ID)
		}
	}
	if len(untold) > 0 {
		w.decider(2, w.first(untold), "#notices", "next.notices", len(untold))
	}
	for _, name := range w.promised() {
		w.decider(2, until{at: w.c.Promises[name]}, "#promises", "next.promise", w.known("promise.", name))
	}
}

// aim is the company's own, as it was when it became aware.
func (w *steps) aim() time.Duration {
	if w.c.Bound != nil {
		return w.c.Bound.Aim
	}
	return w.Rules.Aim
}

// waitsFor is what starts the clock of a row.
func waitsFor(id string) clock.Start {
	row, _ := clock.RowOf(id)
	return row.Start
}

// promised are the names of what was promised and is not done.
func (w *steps) promised() (names []string) {
	for name := range w.c.Promises {
		if w.c.Kept[name].IsZero() && name != cases.Persons {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (w *steps) afterwards() {
	for _, id := range w.c.TakesBack() {
		w.decider(1, until{w.c.Closed.Add(w.aim()), true}, "#withdraw", "next.take_back", w.clockName(id))
	}
	if w.c.Reviewed.IsZero() {
		w.decider(1, until{at: w.c.Review.End(w.Rules.Zone).Add(-time.Minute)}, "#review", "next.review")
	}
	for _, a := range w.c.Actions {
		if a.Done.IsZero() {
			s := Step{What: w.Say("next.action", w.Day(a.By)), Path: "#review", Mine: w.May() || a.Owner == w.Me.ID, Who: w.Person(a.Owner), rank: 2}
			w.add(s, until{at: a.By.End(w.Rules.Zone).Add(-time.Minute)})
		}
	}
}

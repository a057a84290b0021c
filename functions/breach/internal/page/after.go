package page

import (
	"slices"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/calendar"
)

// ActionLines is how many actions the form of a review takes.
const ActionLines = 3

// After is what follows the end of a case.
type After struct {
	Lines   []int // of the form of a review
	Owners  []Choice
	Actions []Action
	Hold    *Hold
	Expires string // when the case is deleted; "" for not at all, as things stand
	Today   string // of a date field
}

// Action is something a review came to.
type Action struct {
	N               int
	What, Owner, By string
	Done            string // by whom and when; "" while it is not
	Note            string
	Over, May       bool
}

// Hold keeps a case from being deleted.
type Hold struct {
	Said, Reason, Until string
	Waits               bool // for its second person
	MaySettle           bool
	Lift                string // who proposed to lift it; "" for nobody
	LiftReason          string
	MayLift             bool
}

// mine reports whether an id is the reader's own, or that of the same human under a second address.
func (r Reader) mine(id string) bool {
	return id == r.Me.ID || slices.Contains(r.Policy.Twins(r.Me), id)
}

// after fills in what follows the end of a case.
func (r Reader) after(p *Case, c cases.Read) {
	today := calendar.Date(r.Now, r.Rules.Zone)
	p.Today, p.Expires = today.String(), r.At(c.Expires(r.Rules))
	for n := range ActionLines {
		p.Lines = append(p.Lines, n+1)
	}
	for _, one := range r.Policy.People {
		if one.Active(r.Now) {
			p.Owners = append(p.Owners, Choice{one.ID, one.Name})
		}
	}
	for i := range c.Actions {
		p.Actions = append(p.Actions, r.action(c, i))
	}
	for _, t := range c.Tracks {
		p.Told = p.Told || !t.Told.IsZero()
	}
	if h := c.Held(); h != nil {
		p.Hold = r.hold(c, *h)
	}
}

// action is something a review came to.
func (r Reader) action(c cases.Read, i int) Action {
	a := c.Actions[i]
	shown := Action{N: i + 1, What: c.Text(a.What), Owner: r.Person(a.Owner), By: r.Day(a.By), Note: c.Text(a.Note), Over: a.Overdue(calendar.Date(r.Now, r.Rules.Zone)), May: a.Done.IsZero() && (r.May() || r.mine(a.Owner))}
	if !a.Done.IsZero() {
		shown.Done = r.Say("by.one", r.Person(a.DoneBy), r.At(a.Done))
	}
	return shown
}

func (r Reader) hold(c cases.Read, h cases.Hold) *Hold {
	shown := &Hold{Said: r.Say("by.one", r.Person(h.By), r.At(h.At)), Reason: c.Text(h.Reason), Until: r.Day(h.Until), Waits: h.Settled.IsZero(), MayLift: r.May()}
	if shown.MaySettle = shown.Waits && r.May() && !r.mine(h.By); !shown.Waits {
		shown.Said = r.Say("by.two", r.Person(h.By), r.Person(h.Second), r.At(h.Settled))
	}
	if h.LiftBy != "" {
		shown.Lift, shown.LiftReason = r.Say("by.one", r.Person(h.LiftBy), r.At(h.LiftAt)), c.Text(h.LiftReason)
		shown.MayLift = r.May() && !r.mine(h.LiftBy)
	}
	return shown
}

// TakeBack is the step to withdraw a notice from those who were told, and of whom two people decided since that they are not
// concerned, or that there was no breach; none where a withdrawal is written already.
func (r Reader) TakeBack(c cases.Case, all []notice.Notice) []Step {
	if c.Exercise || slices.ContainsFunc(all, func(n notice.Notice) bool {
		return n.Kind == notice.Withdrawal && n.State != notice.Voided && n.State != notice.Expired
	}) {
		return nil
	}
	decided, count := standings(c), 0
	for _, t := range c.Tracks {
		is := decided[t.ID]
		if no := is.counts != nil && !is.yes(); !t.Told.IsZero() && (no || c.State == cases.Closed && c.Ending == cases.NotABreach) {
			count++
		}
	}
	if count == 0 {
		return nil
	}
	s := Step{What: r.Say("next.withdraw", count), Path: CasePath(c.ID) + "/notices/new?kind=" + string(notice.Withdrawal), Mine: r.May()}
	if !s.Mine {
		s.Who = r.others(nil)
	}
	return []Step{s}
}

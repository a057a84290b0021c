package rule

import (
	"strings"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

// StandingKind says what a Standing is of. Kinds are stored, hence strings.
type StandingKind string

const (
	StandingPolicy StandingKind = "policy" // who may do what with a thing
	StandingTicket StandingKind = "ticket" // whether a ticket is open
)

// Standing is what an entry told of a thing for as long as nothing else is told: the policy of an asset, where its
// service logs the whole of it and never the change, or the state of a ticket. A policy holds the members as they were
// logged, people's addresses among them: an alarm has to say who was let in, and a hash would tell nobody. It is kept
// for StandingKept while it is the newest, and for SupersededKept when there is a newer one.
type Standing struct {
	V       int          `json:"v"` // version of this shape: 1
	Kind    StandingKind `json:"kind"`
	Thing   string       `json:"thing"` // full name of the asset with project and location, or reference of the ticket
	Entry   string       `json:"entry"` // Entry.ID
	Time    time.Time    `json:"time"`  // event time
	Expires time.Time    `json:"expires"`

	Open     bool                   `json:"open,omitempty"` // of a ticket
	Bindings []auditlog.Binding     `json:"bindings,omitempty"`
	Audit    []auditlog.AuditChange `json:"audit,omitempty"`
	Cut      bool                   `json:"cut,omitempty"` // of a policy too large to be kept, or of which parts are missing: what it held is not known
}

// How long what stands is kept, and how large a policy may be: Google allows 1,500 members in one.
const (
	StandingKept   = 400 * 24 * time.Hour
	SupersededKept = 32 * 24 * time.Hour // a topic that is replayed goes back 31 days
	mostBindings   = 3000
	mostText       = 256 << 10 // bytes
)

// Doubts are why a hit is undetermined although its rule could be evaluated.
const (
	NoEarlierPolicy = "what of the policy is new cannot be told: no earlier one of this thing is known"
	CameLate        = "it came late, between two changes that were known: whether it gave this or the later one cannot be told"
	PartsMissing    = "it was too large for one entry, and parts of it are missing: what they hold cannot be told"
	TicketNotOpen   = "its ticket is not known to be open"
)

// Change returns what an entry changes of who may do what, when this was the policy before; nil for none known.
func (s *Standing) Change(e *auditlog.Entry) (auditlog.Delta, bool) {
	d, ok := e.IAMDelta()
	if s != nil && !s.Cut && d.Full {
		d = d.Since(s.policy())
	}
	return d, ok
}

func (s *Standing) policy() auditlog.Delta {
	return auditlog.Delta{Full: true, Added: s.Bindings, Audit: s.Audit}
}

// bounded leaves out what is too large to be kept.
func (s Standing) bounded() Standing {
	size := 0
	for _, b := range s.Bindings {
		size += len(b.Role) + len(b.Member) + len(b.Condition)
	}
	if len(s.Bindings) > mostBindings || len(s.Audit) > mostBindings || size > mostText {
		s.Cut, s.Bindings, s.Audit = true, nil, nil
	}
	return s
}

// short bounds what somebody else chose as a name.
func short(name string) string {
	if len(name) <= 1024 {
		return name
	}
	return identity(name)
}

// policy works out what the entry changes of who may do what, and what it may change beyond that.
func (t *turn) policy() error {
	v := t.v
	if v.access != nil {
		return nil
	}
	whole, _ := v.e.IAMDelta()
	v.access = &access{change: whole}
	if !whole.Full && !v.e.Part() {
		return nil
	}
	*v.access = access{maybe: whole, why: NoEarlierPolicy}
	if v.e.Asset == "" || v.e.Resource == "" {
		return nil
	}
	// Cloud Run leaves the region out of a name, others the project: two things must not pass for one.
	thing := short(strings.Join([]string{v.e.Asset, v.e.Project, v.e.Location}, " "))
	if v.e.Part() {
		// What the missing parts hold is not known, and from now on what stood before does not stand any more.
		_, _, err := t.stand(Standing{Kind: StandingPolicy, Thing: thing, Cut: true})
		return err
	}
	before, after, err := t.stand(Standing{Kind: StandingPolicy, Thing: thing, Bindings: whole.Added, Audit: whole.Audit})
	if err != nil || before == nil || before.Cut {
		return err
	}
	*v.access = access{change: whole.Since(before.policy())}
	if after == nil || after.Cut {
		return nil
	}
	// What came after was compared with what came before, so that nobody was told of what it gave again.
	if again := whole.GivenAgain(before.policy(), after.policy()); len(again) > 0 {
		v.access.maybe, v.access.why = auditlog.Delta{Added: again}, CameLate
	}
	return nil
}

// holds evaluates the condition of one side of a rule: for what the entry changes, and where that is none of the rule's,
// for what it may change.
func (t *turn) holds(r *compiled, side *selection) (bool, error) {
	v := t.v
	if !r.asksChange {
		return holds(side.when, v)
	}
	v.doubted(false)
	wanted, err := holds(side.when, v)
	if wanted || err != nil || v.access.why == "" {
		return wanted, err
	}
	v.doubted(true)
	return holds(side.when, v)
}

// doubted makes expressions see what the entry may change, or what it does.
func (v *view) doubted(is bool) {
	if v.access.unsure == is {
		return
	}
	v.access.unsure = is
	v.access.change, v.access.maybe = v.access.maybe, v.access.change
	delete(v.known, "delta")
	delete(v.known, "blinding")
}

// ticket works out whether an open ticket covers the entry. Where nobody says when tickets are opened, one that is not
// known to be closed is believed.
func (t *turn) ticket() error {
	v := t.v
	if v.ticketed {
		return nil
	}
	v.ticketed = true
	if v.e.App.Ticket == "" {
		return nil
	}
	reference := short(auditlog.Small(v.e.App.Ticket))
	before, _, err := t.memory.Stood(t.ctx, StandingTicket, reference, t.at, v.e.ID)
	switch {
	case err != nil:
		return err
	case before != nil:
		v.open = before.Open
	default:
		v.open, v.unticketed = !t.tickets, t.tickets
	}
	return nil
}

// told remembers what the entry says became of a ticket.
func (t *turn) told(e *auditlog.Entry) error {
	if e.App.Event == auditlog.NoTicketEvent {
		return nil
	}
	_, _, err := t.stand(Standing{Kind: StandingTicket, Thing: short(auditlog.Small(e.App.Ticket)), Open: e.App.Event == auditlog.TicketOpened})
	return err
}

// stand remembers what the entry tells of a thing, and returns what stood before and after it.
func (t *turn) stand(s Standing) (before, after *Standing, err error) {
	s.V, s.Entry, s.Time, s.Expires = 1, t.v.e.ID, t.at, t.now.Add(StandingKept)
	if before, after, err = t.memory.Stood(t.ctx, s.Kind, s.Thing, s.Time, s.Entry); err != nil {
		return nil, nil, err
	}
	superseded := t.now.Add(SupersededKept)
	if after != nil {
		s.Expires = superseded
	} else if before != nil && before.Expires.After(superseded) {
		older := *before
		older.Expires = superseded
		t.stands = append(t.stands, older)
	}
	t.stands = append(t.stands, s.bounded())
	return before, after, nil
}

// doubt returns why a hit of a rule about the entry would be undetermined, "" for no reason.
func (v *view) doubt(r *compiled) string {
	switch {
	case r.asksChange && v.access.unsure:
		return v.access.why
	case r.asksTicket && v.unticketed:
		return TicketNotOpen
	}
	return ""
}

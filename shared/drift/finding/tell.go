package finding

import (
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/drift/finding/notice"
	"ostiary.internal/shared/policy"
)

// told says which message follows from what happened, and what it says is otherwise.
var told = map[Happened]struct {
	kind notice.Kind
	why  notice.Why
}{
	Began: {notice.Opened, ""}, Changes: {notice.Changed, notice.Value}, Named: {notice.Changed, notice.Attributed}, Gone: {notice.Healed, ""}, Unpromised: {notice.Dropped, ""},
	Asked: {notice.Asked, ""}, Reminded: {notice.Ending, ""}, UnreadSaid: {notice.Lost, ""}, Void: {notice.Changed, notice.Void},
	Own: {notice.Changed, notice.Own}, Over: {notice.Changed, notice.Ended}, Revoked: {notice.Changed, notice.Revoked}, Outgrown: {notice.Changed, notice.Graver},
}

// tell puts the message that follows into the batch.
func (t *turn) tell(what Happened) error {
	m, any := told[what]
	if !any || !slices.ContainsFunc([]Effect{Tell, Ask, Remind, TellLost}, t.does) {
		return nil
	}
	to := t.readers(m.kind)
	if len(to) == 0 {
		return nil
	}
	if held, err := t.hold(m.kind); held || err != nil {
		return err
	}
	f := t.f
	n := notice.Notice{
		Kind: m.kind, Why: m.why, Key: f.Nonce + "/" + strconv.FormatInt(f.Rev, 10), To: to, Lines: t.s.lines(f),
		Promises: func(language string) []string { return t.s.sentences(f.Promises, language) },
	}
	if t.s.Words != nil {
		n.What = func(language string) string { return t.s.Words(f, language) }
	}
	if t.s.Link != "" {
		n.Link = t.s.Link + "/acceptdrift/" + f.ID
	}
	for _, a := range []*Acceptance{f.Accepted, f.Proposed} {
		if a != nil {
			n.Due = a.Until
		}
	}
	return t.s.Notify(t.batch, n)
}

// readers are who is told: security, of what is high whoever is on call too; of an acceptance that waits whoever may agree,
// of one that ends whoever made it too. What is worth no mail stands on the page.
func (t *turn) readers(kind notice.Kind) []string {
	f := t.f
	var own []string
	for _, a := range f.Actors {
		own = append(own, a.Person)
	}
	switch kind {
	case notice.Asked:
		return t.s.holders(t.now, append(own, f.Proposed.By), policy.Security, policy.DPO, policy.Owner)
	case notice.Ending:
		to := t.s.holders(t.now, nil, policy.Security)
		for _, id := range []string{f.Accepted.By, f.Accepted.Second} {
			if id != "" && !slices.Contains(to, id) {
				to = append(to, id)
			}
		}
		return to
	case notice.Lost:
		return t.s.watchers(t.now, false)
	}
	if high(f) || f.Severity == policy.Medium || t.was.State == Accepted {
		return t.s.watchers(t.now, high(f) && kind != notice.Healed && kind != notice.Dropped)
	}
	return nil
}

func high(f Finding) bool { return f.Severity == policy.Critical || f.Severity == policy.High }

// watchers are security, and maybe who is on call.
func (s *Service) watchers(now time.Time, oncall bool) []string {
	roles := []policy.Role{policy.Security}
	if oncall {
		roles = append(roles, policy.OnCall)
	}
	return s.holders(now, nil, roles...)
}

// holders returns the ids of those who have one of the roles, but for some. Where nobody is left it goes on with security,
// owner, dpo and on-call, whoever comes first: somebody has to be told.
func (s *Service) holders(now time.Time, but []string, roles ...policy.Role) (ids []string) {
	for _, wanted := range [][]policy.Role{roles, {policy.Security}, {policy.Owner}, {policy.DPO}, {policy.OnCall}} {
		for _, p := range s.Policy.People {
			if p.Active(now) && slices.ContainsFunc(wanted, p.Has) && !slices.Contains(but, p.ID) {
				ids = append(ids, p.ID)
			}
		}
		if len(ids) > 0 {
			break
		}
	}
	return ids
}

func (s *Service) sentences(ids []string, language string) (all []string) {
	for _, id := range ids {
		p, known := s.Policy.Promise(id)
		if !known || len(all) >= 5 {
			continue
		}
		for _, one := range []string{language, "en", "fr", "de"} {
			if words := p.Text.In(one); words != "" {
				all = append(all, id+": "+words)
				break
			}
		}
	}
	return all
}

// lines are the details of a message.
func (s *Service) lines(f Finding) []notice.Line {
	all := []notice.Line{
		{Label: notice.Severity, Text: string(f.Severity)}, {Label: notice.On, Text: f.Asset}, {Label: notice.What, Text: f.What},
		{Label: notice.Wanted, Text: f.Want}, {Label: notice.Found, Text: f.Got},
	}
	if len(f.Actors) > 0 {
		a := f.Actors[0]
		who := a.Kind
		if p, known := s.Policy.PersonByID(a.Person); known {
			who = p.Name
		}
		all = append(all, notice.Line{Label: notice.Who, Text: who}, notice.Line{Label: notice.Did, Text: a.Method}, notice.Line{Label: notice.When, At: a.At}, notice.Line{Label: notice.Ticket, Text: a.Ticket})
	} else {
		all = append(all, notice.Line{Label: notice.When, At: f.First})
	}
	all = append(all, notice.Line{Label: notice.Since, At: f.Unknown})
	return slices.DeleteFunc(all, func(l notice.Line) bool { return l.Text == "" && l.At.IsZero() })
}

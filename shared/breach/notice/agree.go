package notice

import (
	"context"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/policy"
)

// compose writes a notice as it would be sent now, with its digest.
func (s *Service) compose(n Notice, p private, about About, now time.Time) ([]Message, string, error) {
	to, err := s.recipients(p, about, now)
	if err != nil {
		return nil, "", err
	}
	facts := about.Facts
	if p.Draft.Kind == Update && !n.announces(about.Pledged) {
		facts.Next = time.Time{} // this is what was promised
	}
	all, err := Compose(s.Letters, p.Draft, facts, to, s.names)
	if err != nil {
		return nil, "", err
	}
	return all, Hash(n.Case, p.Draft, all), nil
}

// recipients are whom a notice goes to now. While a channel is compromised they are those of the list for that alone.
func (s *Service) recipients(p private, about About, now time.Time) (all []Recipient, err error) {
	if p.Draft.Kind == Persons {
		for _, language := range letters.Languages() {
			if len(p.Draft.Texts[language]) > 0 {
				all = append(all, Recipient{Language: language})
			}
		}
		if len(all) == 0 {
			return nil, fault.Refuse(fault.Invalid, "texts_missing", "Nobody wrote the notice in any language.", "Write it in every language the persons read.")
		}
		return all, nil
	}
	for _, id := range p.Tenants {
		all = append(all, s.at(id, about.Compromised, now)...)
	}
	// Whoever could be told when it was agreed to, and not any more, is another notice.
	if _, without, _ := s.reachable(p.Tenants, about, now); len(without) > 0 {
		return nil, nobodyAt(about, without)
	}
	return all, nil
}

// Approve takes the agreement of a second person to exactly what hash stands for, and begins to hand it over: what is left
// then the next ticks do. Codes: notice_unknown, case_closed, tenant_undecided, and those of Decide.
func (s *Service) Approve(ctx context.Context, by policy.Person, caseID string, n int, hash string, now time.Time) (Notice, error) {
	return s.agree(ctx, Event{What: Approve, By: s.actor(by), Hash: hash}, caseID, n, "", now)
}

// Break lets one person approve a notice alone, with a reason. It goes to tenants as well about which nobody has decided
// yet. Everybody who decides is told at once. Codes: those of Approve.
func (s *Service) Break(ctx context.Context, by policy.Person, caseID string, n int, hash, reason string, now time.Time) (Notice, error) {
	return s.agree(ctx, Event{What: Break, By: s.actor(by), Hash: hash}, caseID, n, strings.TrimSpace(reason), now)
}

func (s *Service) agree(ctx context.Context, e Event, caseID string, n int, reason string, now time.Time) (Notice, error) {
	after, err := s.again(func() (Notice, error) {
		before, p, about, err := s.load(ctx, caseID, n)
		if err != nil {
			return before, err
		}
		e := e
		if e.Text, err = p.add(reason); err != nil {
			return before, err
		}
		// Who may not, or agreed before, hears that first.
		if next, _, err := Decide(before, e, now); err != nil || next.Approver == before.Approver {
			return before, err
		}
		if err := about.agreed(before.Kind, p.Tenants, e.What == Break); err != nil {
			return before, err
		}
		if _, hash, err := s.compose(before, p, about, now); err != nil {
			return before, err
		} else if hash != before.Hash {
			return before, mismatch()
		}
		unchanged, err := s.alone(ctx, before, p)
		if err != nil {
			return before, err
		}
		return s.change(ctx, before, e, about, grown(&p, reason), unchanged, now)
	})
	if err != nil || after.State != Approved || after.Kind == Persons {
		return after, err
	}
	return s.handOver(ctx, after, 1, now)
}

func mismatch() error {
	return fault.Refuse(fault.Conflict, "hash_mismatch", "That is not what would be sent: the text, the recipients or the version have changed.", "Read the notice again as it is now, or write it again.")
}

// load reads a notice with what belongs to it.
func (s *Service) load(ctx context.Context, caseID string, n int) (before Notice, p private, about About, err error) {
	if before, err = s.get(ctx, caseID, n); err != nil {
		return before, p, about, err
	}
	if p, err = s.open(ctx, before); err != nil {
		return before, p, about, err
	}
	about, err = s.Case(ctx, caseID)
	return before, p, about, err
}

// Review takes the second look at what one person approved alone. Codes: notice_unknown, and those of Decide.
func (s *Service) Review(ctx context.Context, by policy.Person, caseID string, n int, now time.Time) (Notice, error) {
	return s.simple(ctx, Event{What: Review, By: s.actor(by)}, caseID, n, "", now)
}

// Note takes what somebody says of how, and when, the persons of a notice of kind Persons were told. Codes: notice_unknown,
// and those of Decide.
func (s *Service) Note(ctx context.Context, by policy.Person, caseID string, n int, means string, at, now time.Time) (Notice, error) {
	return s.simple(ctx, Event{What: Note, By: s.actor(by), At: at}, caseID, n, strings.TrimSpace(means), now)
}

func (s *Service) simple(ctx context.Context, e Event, caseID string, n int, text string, now time.Time) (Notice, error) {
	return s.again(func() (Notice, error) {
		before, p, about, err := s.load(ctx, caseID, n)
		if err != nil {
			return before, err
		}
		e := e
		if e.Text, err = p.add(text); err != nil {
			return before, err
		}
		return s.change(ctx, before, e, about, grown(&p, text), nil, now)
	})
}

// grown is what people wrote, where they wrote more.
func grown(p *private, text string) *private {
	if text == "" {
		return nil
	}
	return p
}

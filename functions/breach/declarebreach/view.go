package declarebreach

import (
	"slices"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/calendar"
)

// clocks are those of a case, none as an empty list.
func (k *desk) clocks(c cases.Case, now time.Time) []clock.Clock {
	return append([]clock.Clock{}, cases.Clocks(c, k.Breach.Rules, now)...)
}

func (k *desk) listed(c cases.Case, now time.Time) Listed {
	l := Listed{
		ID: c.ID, Number: c.Number, State: string(c.State), Ending: string(c.Ending), Exercise: c.Exercise, Declared: c.Declared, By: c.By, Source: c.Source,
		Aware: c.Times.Aware, Acked: new(!c.Ladder.Acked.IsZero()), Tenants: new(0), Overdue: c.Overdue,
	}
	for _, t := range c.Tracks {
		if t.Role == cases.Processor {
			*l.Tenants++
		}
	}
	if c.Score != nil {
		l.Level = string(c.Score.Score.Level)
	}
	owes := false
	for _, one := range cases.Clocks(c, k.Breach.Rules, now) {
		owes = owes || cases.OwesReport(one)
		ends := one.Status == clock.Running || one.Status == clock.Overdue
		if ends && one.Binding != clock.Information && c.State != cases.Closed && (l.Nearest == nil || one.Target.Before(l.Nearest.Target)) {
			l.Nearest = &one
		}
	}
	if l.Waits = waits(c, owes); overdueAction(c, calendar.Date(now, k.Breach.Rules.Zone)) {
		l.Waits = append(l.Waits, "action")
	}
	return l
}

// waits is what a case waits for, what comes first in front. owes: a law may want a report that nobody decided about.
func waits(c cases.Case, owes bool) (all []string) {
	add := func(waits bool, what string) {
		if waits {
			all = append(all, what)
		}
	}
	open, second, told := c.State == cases.Open, false, map[string]bool{}
	for _, d := range c.Decisions {
		switch {
		case d.Replaced:
		case d.Settled.IsZero():
			second = true
		case d.Yes:
			told[d.Subject] = true
		}
	}
	add(c.State != cases.Closed && c.Ladder.Acked.IsZero(), "ack")
	add(c.State == cases.Suspected, "triage")
	add(open && c.Undescribed(), "tracks")
	add(open && c.Unmapped > 0, "unmapped")
	add(open && slices.ContainsFunc(c.Tracks, func(t cases.Track) bool { return t.Unreached }), "contact")
	add(open && c.Score == nil, "score")
	add(c.State != cases.Closed && (c.Moving != nil || second), "second")
	add(open && len(c.Undecided()) > 0, "decide")
	add(open && slices.ContainsFunc(c.Tracks, func(t cases.Track) bool { return t.Told.IsZero() && told[t.ID] }), "notice")
	add(open && (owes || told[cases.SA] && !c.Reported("gdpr_33_1")), "file")
	add(c.State == cases.Closed && c.Reviewed.IsZero() && !c.Review.IsZero(), "review")
	add(len(c.TakesBack()) > 0, "withdraw")
	return all
}

// whole is a case with everything the desk may see of it.
func (k *desk) whole(c cases.Read, now time.Time) Whole {
	told := Whole{
		Listed: k.listed(c.Case, now), Summary: c.Text(c.Summary), Tracks: []Track{}, Unmapped: new(c.Unmapped), Decisions: []Decision{}, Undecided: append([]string{}, c.Undecided()...),
		Filed: map[string]Filed{}, Promises: map[string]Promised{}, Clocks: k.clocks(c.Case, now), Closed: c.Closed, ClosedBy: c.ClosedBy, Review: c.Review, Reviewed: c.Reviewed, Channels: c.Compromised, Lessons: c.Text(c.Lessons), NotMapped: c.Names, Key: c.Nonce,
		Times: Times{c.Times.OccurredFrom, c.Times.OccurredTo, c.Times.Detected, c.Times.Investigating, c.Times.Aware, c.Times.ProcessorAware, c.Times.Classified, c.Times.Contained},
	}
	for _, m := range c.Moves {
		told.Moves = append(told.Moves, move(c, m))
	}
	if c.Moving != nil {
		waiting := move(c, *c.Moving)
		told.Moving = &waiting
	}
	for _, t := range c.Tracks {
		one := Track{ID: t.ID, Name: k.trackName(t.ID), Role: string(t.Role), People: counted(c, t.People), Records: counted(c, t.Records), Told: t.Told}
		for _, e := range t.Earlier {
			one.Earlier = append(one.Earlier, Recount{counted(c, e.People), counted(c, e.Records), e.By, e.At})
		}
		told.Tracks = append(told.Tracks, one)
	}
	if c.Score != nil {
		told.Score = &Scored{Score: c.Score.Score, By: c.Score.By, At: c.Score.At, Reasons: c.Text(c.Score.Why)}
	}
	for _, d := range c.Decisions {
		told.Decisions = append(told.Decisions, decision(c, d))
	}
	for id, f := range c.Filed {
		told.Filed[id] = filing(c, f)
	}
	for name, by := range c.Promises {
		told.Promises[name] = Promised{by, c.Kept[name]}
	}
	told.Ladder = k.ladder(c.Ladder)
	k.facts(&told, c)
	k.afterwards(&told, c, calendar.Date(now, k.Breach.Rules.Zone))
	return told
}

// trackName is how a track is called: the company's own name for its own data.
func (k *desk) trackName(id string) string {
	if id == cases.Own {
		return k.Policy.Company.Name
	}
	if t, known := k.Policy.Tenant(id); known {
		return t.Name
	}
	return id // it has left the policy since
}

func move(c cases.Read, m cases.Move) Move {
	return Move{string(m.As), m.From, m.To, m.By, m.Second, m.At, c.Text(m.Reason)}
}

func decision(c cases.Read, d cases.Decision) Decision {
	told := Decision{
		Subject: d.Subject, Answer: no, Reason: c.Text(d.Reason), By: d.By, At: d.At, Second: d.Second, Agreed: c.Text(d.Agreed), Settled: d.Settled, Again: d.Again, Below: d.Below, Incident: d.Incident, Letter: d.Exception,
	}
	if d.Yes {
		told.Answer = yes
	}
	if d.Replaced {
		told.Replaced = d.Why
	}
	return told
}

func (k *desk) ladder(l cases.Ladder) Ladder {
	told := Ladder{Called: l.Called, Calls: l.Calls, Paged: l.Paged, Acked: l.Acked, AckBy: l.AckBy, Nobody: l.Nobody}
	if steps := k.Breach.Rules.Ladder; !l.Called.IsZero() && l.Step < len(steps) {
		told.Step = steps[l.Step].ID
	}
	return told
}

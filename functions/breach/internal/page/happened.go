package page

import (
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/breach/cases"
)

// Event is something that happened, in a sentence.
type Event struct {
	At   string
	What string
	Who  string // "" for the clock and for what happened to us
	Said string // what somebody wrote about it

	at time.Time
}

// happened is what became of a case, oldest first. What happened to many tenants at one instant is one line.
func (r Reader) happened(c cases.Read) []Event {
	h := &happened{Reader: r, c: c}
	h.times()
	h.moves()
	h.decisions()
	h.reports()
	h.told()
	if c.Score != nil {
		h.add(c.Score.At, c.Score.By, "", "happened.scored", c.Score.Score.SE.String(), r.Say("level."+string(c.Score.Score.Level)))
	}
	h.add(c.Ladder.Acked, c.Ladder.AckBy, "", "happened.acked")
	if c.State == cases.Closed {
		h.add(c.Closed, c.ClosedBy, "", "happened.closed", r.Say("state."+string(c.Ending)))
		h.add(c.Reviewed, "", "", "happened.reviewed")
	}
	slices.SortStableFunc(h.all, func(a, b Event) int { return a.at.Compare(b.at) })
	return h.all
}

type happened struct {
	Reader
	c   cases.Read
	all []Event
}

func (h *happened) add(at time.Time, by, said, text string, args ...any) {
	if at.IsZero() {
		return
	}
	e := Event{At: h.At(at), What: h.Say(text, args...), Said: said, at: at}
	if by != "" {
		e.Who = h.Person(by)
	}
	h.all = append(h.all, e)
}

func (h *happened) times() {
	t := h.c.Times
	h.add(t.OccurredFrom, "", "", "happened.occurred_from")
	h.add(t.OccurredTo, "", "", "happened.occurred_to")
	h.add(t.Detected, "", "", "happened.detected")
	h.add(t.Contained, "", "", "happened.contained")
	h.add(t.Classified, "", "", "happened.classified")
	declared := "happened.declared"
	if h.c.By == "" {
		declared = "happened.opened"
	}
	h.add(h.c.Declared, h.c.By, "", declared)
}

func (h *happened) moves() {
	for i, m := range h.c.Moves {
		text, args := "happened.aware", []any{h.At(m.To)}
		switch {
		case m.As == cases.Processor:
			text, args = "happened.moved_processor", []any{h.At(m.From), h.At(m.To)}
		case i > 0:
			text, args = "happened.moved", []any{h.At(m.From), h.At(m.To)}
		}
		said := h.c.Text(m.Reason)
		if m.Reason == h.c.Summary {
			said = "" // it stands above
		}
		h.add(m.At, m.By, said, text, args...)
	}
	if m := h.c.Moving; m != nil {
		h.add(m.At, m.By, h.c.Text(m.Reason), "happened.moving", h.At(m.To))
	}
}

// decisions are proposals and what came of them. Those of one person at one instant, with one answer, are one line.
func (h *happened) decisions() {
	type same struct {
		at   time.Time
		by   string
		yes  bool
		what string
	}
	line, count := map[same]int{}, map[same]int{}
	add := func(at time.Time, by string, d cases.Decision, what string) {
		if at.IsZero() {
			return
		}
		id := same{at, by, d.Yes, what}
		count[id]++
		if i, known := line[id]; known && h.isTenant(d.Subject) {
			h.all[i].What = h.Say("happened."+what+"."+yes(d.Yes), h.Say("tenants.count", count[id]))
			return
		}
		h.add(at, by, h.c.Text(d.Reason), "happened."+what+"."+yes(d.Yes), h.subjectName(d.Subject))
		if h.isTenant(d.Subject) {
			line[id] = len(h.all) - 1
		} else {
			count[id] = 0
		}
	}
	for _, d := range h.c.Decisions {
		add(d.At, d.By, d, "proposed")
		add(d.Settled, d.Second, cases.Decision{Subject: d.Subject, Yes: d.Yes}, "decided")
	}
}

func (h *happened) isTenant(subject string) bool {
	return subject != cases.SA && subject != cases.Persons && subject != cases.Breach && !cases.IsReport(subject)
}

func (h *happened) reports() {
	for _, id := range slices.Sorted(maps.Keys(h.c.Filed)) {
		f := h.c.Filed[id]
		h.add(f.At, f.By, h.c.Text(f.Reasons), "happened.filed", h.clockName(id))
	}
	for _, id := range slices.Sorted(maps.Keys(h.c.Filed)) {
		if w := h.c.Filed[id].Withdrawn; w != nil {
			text := "happened.withdrawn"
			if w.Stands {
				text = "happened.stands"
			}
			h.add(w.At, w.By, h.c.Text(w.Text), text, h.clockName(id))
		}
	}
	if f := h.c.Triage; f != nil {
		h.add(f.At, f.By, h.c.Text(f.Reason), "happened.triage."+string(f.Result), h.Person(f.Owner))
	}
	for _, m := range h.c.Mapped {
		h.add(m.At, m.By, h.c.Text(m.Reason), "happened.mapped", m.N)
	}
	for _, name := range slices.Sorted(maps.Keys(h.c.Kept)) {
		h.add(h.c.Kept[name], "", "", "happened.kept", h.known("promise.", name))
	}
}

// told lists tenants one by one, or, where they are many, the first and the last.
func (h *happened) told() {
	var told []cases.Track
	for _, t := range h.c.Tracks {
		if !t.Told.IsZero() {
			told = append(told, t)
		}
	}
	slices.SortStableFunc(told, func(a, b cases.Track) int { return a.Told.Compare(b.Told) })
	for i, t := range told {
		if len(told) <= most || i == 0 {
			h.add(t.Told, "", "", "happened.told", h.Tenant(t.ID))
		} else if i == len(told)-1 {
			h.add(t.Told, "", "", "happened.all_told", len(told))
		}
	}
}

// signals are what a detection said after the case began, each with its time.
func (r Reader) signals(c cases.Read) (all []string) {
	for _, s := range c.Signals {
		if text := c.Text(s.Text); text != "" && s.Text != c.Summary {
			all = append(all, r.At(s.At)+": "+text)
		}
	}
	return all
}

package cases

import (
	"slices"
	"time"

	"ostiary.internal/shared/breach/clock"
)

// aware makes a case a breach.
func (d *deciding) aware(at time.Time) error {
	if err := clock.CheckAware(at, d.Times.OccurredFrom, d.now); err != nil {
		return err
	}
	d.State, d.Times.Aware = Open, at.UTC()
	if r := d.rules; d.Bound == nil {
		d.Bound = &Bound{slices.Clone(r.Regimes), r.Zone.String(), r.Country, r.Exempt, r.Aim, slices.Clone(r.Contracts)}
	}
	d.Moves = append(d.Moves, Move{To: at.UTC(), By: d.e.By.ID, At: d.now, Reason: d.e.Text})
	d.record("aware")
	d.tell("aware", "")
	return nil
}

// How often awareness is moved: of a case, and by who declared it and decides nothing.
const (
	maxMoves    = 100
	maxDeclarer = 5
)

// declarer refuses an earlier instant from somebody who decides nothing, but a few with their reasons.
func (d *deciding) declarer() error {
	if d.e.By.decides() {
		return nil
	}
	hers := 0
	for _, m := range d.Moves {
		if m.By == d.e.By.ID && !m.From.IsZero() {
			hers++
		}
	}
	switch {
	case d.e.Text == 0:
		return refuse("reason_missing", "An earlier time of awareness has a reason.", "Say what was known then.")
	case hers >= maxDeclarer:
		return oftenMoved()
	}
	return nil
}

func oftenMoved() error {
	return refuse("aware_invalid", "The time of awareness was moved too often.", "Have somebody who decides correct it; write the rest into the review.")
}

// moveAware takes another instant of awareness: at once where it is earlier, and by two with a reason where it is later.
func (d *deciding) moveAware() error {
	if d.e.By.ID == "" || !d.e.By.decides() && d.e.By.ID != d.By {
		return d.mayDecide()
	}
	if err := d.from(Open); err != nil {
		return err
	}
	if d.e.As != "" && d.e.As != Processor {
		return refuse("role_invalid", "Awareness is the company's, or its own as a processor.", "Send processor, or leave the role out.")
	}
	at, was := d.e.At.UTC(), d.Times.AwareAs(d.e.As)
	if err := clock.CheckAware(at, d.Times.OccurredFrom, d.now); err != nil {
		return err
	}
	move := Move{As: d.e.As, From: was, To: at, By: d.e.By.ID, At: d.now, Reason: d.e.Text}
	switch {
	case at.Equal(was):
		return nil
	case len(d.Moves) >= maxMoves:
		return oftenMoved()
	case at.Before(was):
		if err := d.declarer(); err != nil {
			return err
		}
		if d.Moving != nil && d.Moving.As == d.e.As {
			d.Moving = nil
		}
	case !d.e.By.decides():
		return d.mayDecide()
	case d.Moving == nil || !d.Moving.To.Equal(at) || d.Moving.As != d.e.As:
		if d.e.Text == 0 {
			return refuse("reason_missing", "A later time of awareness has a reason.", "Say how it is known that nobody was certain before.")
		}
		d.Moving = &move
		d.record("aware_proposed")
		d.tell("aware_proposed", d.e.By.ID)
		return nil
	case d.Moving.By == d.e.By.ID:
		return nil
	case d.e.By.is(d.Moving.By):
		return samePerson()
	default:
		move.By, move.Second, move.Reason = d.Moving.By, d.e.By.ID, d.Moving.Reason
		d.Moving = nil
	}
	if d.e.As == Processor {
		d.Times.ProcessorAware = at
	} else {
		d.Times.Aware = at
	}
	d.Moves = append(d.Moves, move)
	d.record("aware_moved")
	return nil
}

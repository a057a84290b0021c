package cases

import (
	"time"

	"ostiary.internal/shared/breach/clock"
)

// aware makes a case a breach.
func (d *deciding) aware(at time.Time) error {
	if err := clock.CheckAware(at, d.Times.OccurredFrom, d.now); err != nil {
		return err
	}
	d.State, d.Times.Aware = Open, at.UTC()
	d.Moves = append(d.Moves, Move{To: at.UTC(), By: d.e.By.ID, At: d.now, Reason: d.e.Text})
	d.record("aware")
	d.tell("aware", "")
	return nil
}

// moveAware takes another instant of awareness: at once where it is earlier, and by two with a reason where it is later.
func (d *deciding) moveAware() error {
	if d.e.By.ID == "" || !d.e.By.decides() && d.e.By.ID != d.By {
		return d.mayDecide()
	}
	if err := d.from(Open); err != nil {
		return err
	}
	at := d.e.At.UTC()
	if err := clock.CheckAware(at, d.Times.OccurredFrom, d.now); err != nil {
		return err
	}
	move := Move{From: d.Times.Aware, To: at, By: d.e.By.ID, At: d.now, Reason: d.e.Text}
	switch {
	case at.Equal(d.Times.Aware):
		return nil
	case at.Before(d.Times.Aware):
		d.Moving = nil
	case !d.e.By.decides():
		return d.mayDecide()
	case d.Moving == nil || !d.Moving.To.Equal(at):
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
	d.Times.Aware = at
	d.Moves = append(d.Moves, move)
	d.record("aware_moved")
	return nil
}

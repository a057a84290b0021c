package request

import (
	"time"

	"ostiary.internal/shared/erasure/request/letter"
)

// Patience is how long after the last run a request stays open for the answers of third parties alone: recipients who were
// told, providers who were asked. Afterwards what its receipt says of them is what there was.
const Patience = 90 * 24 * time.Hour

// hourly is how often it is looked whether they have answered.
const hourly = time.Hour

// told reports whether the person has an answer that a receipt goes with.
func (d *deciding) told() bool { return d.State == Completed || d.State == Retained }

// patient reports whether it is worth waiting for third parties: a request that stays open for other reasons always does.
func (d *deciding) patient() bool {
	return d.Closed.IsZero() && !d.Executed.IsZero() && (d.State != Completed || d.now.Before(d.Ran.Add(Patience)))
}

// parties compares what third parties have answered with the newest receipt. One that was made before the last of them had is
// amended by another.
func (d *deciding) parties() error {
	switch {
	case !d.patient():
		return nil
	case d.e.Pending, d.e.Differs && (!d.told() || d.owed() > 0):
		if d.Waits.IsZero() {
			d.Waits = d.now.Add(hourly)
		}
	case d.e.Differs:
		d.Waits = time.Time{}
		d.Receipts++
		d.Amends = d.Receipts
		d.record("parties")
		d.call()
	default:
		d.Waits = time.Time{}
	}
	d.finish()
	return nil
}

// await has somebody look whether third parties have answered.
func (d *deciding) await() {
	if d.Waits = (time.Time{}); !d.patient() {
		d.finish()
		return
	}
	d.Waits = d.now.Add(hourly)
	d.publish(TopicPlan)
}

// amended tells the person that there is another receipt, for what third parties have answered.
func (d *deciding) amended() {
	d.Amends = 0
	if d.Requester != Controller {
		d.tell(letter.Amended)
	}
}

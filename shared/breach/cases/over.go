package cases

import (
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Ended reports in a transaction whether a case is over, or is not there any more.
func Ended(tx store.Tx, id string) (bool, error) {
	var now struct {
		State State `json:"state"`
	}
	err := tx.Get(Cases, id, &now)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	return now.State == Closed, err
}

// over ends an exercise whose time is up, however far it came: nobody is called any more, and there is nothing to look back
// at but the result of the drill. A breach never ends this way.
func (d *deciding) over() error {
	if !d.Exercise {
		return fault.Refuse(fault.Conflict, "state_conflict", "A breach does not end because time has passed.", "Close it when everything is settled.")
	}
	if d.State == Closed {
		return nil
	}
	d.State, d.Ending, d.Closed, d.Review, d.Reviewed = Closed, TimeUp, d.now, d.today(), d.now
	d.record("closed")
	d.standDown()
	return nil
}

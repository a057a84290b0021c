package notice

import (
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// review takes the second look at what one person approved alone.
func (d *deciding) review() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if !d.Glass {
		return fault.Refuse(fault.Conflict, "state_conflict", "Two people approved this notice; there is nothing to look at again.", "Leave it.")
	}
	if d.e.By.is(d.Approver) || slices.ContainsFunc(d.Authors, d.e.By.is) {
		if d.e.By.ID != d.Approver && !slices.Contains(d.Authors, d.e.By.ID) {
			return samePerson()
		}
		return fault.Refuse(fault.Denied, "own_notice", "Who wrote or approved a notice does not look at it again.", "Ask somebody else.")
	}
	if d.Reviewer != "" {
		return nil
	}
	d.Reviewer = d.e.By.ID
	d.does(Record)
	if d.Late {
		d.does(Heal)
	}
	return nil
}

// lastHanded is when anything was handed over last, or may be from.
func (n Notice) lastHanded() time.Time {
	if n.Handed.IsZero() {
		return n.Agreed
	}
	return n.Handed
}

// handed notes how far the handing over has come.
func (d *deciding) handed() error {
	if err := d.from(Approved); err != nil {
		return err
	}
	d.Next, d.Handed = d.Next+d.e.To, d.now
	if d.Next >= d.To {
		d.Next, d.State = d.To, Sent
		d.does(Record)
		return nil
	}
	d.does(Send)
	return nil
}

// heard counts what became of recipients.
func (d *deciding) heard() {
	d.Accepted, d.Failed, d.Unknown = d.Accepted+d.e.Accepted, d.Failed+d.e.Failed, d.Unknown+d.e.Unknown
	if d.e.Unknown > 0 {
		d.does(Doubt)
	}
	if d.e.Failed > 0 {
		d.does(Call)
	}
}

// changed stops a notice that would be sent otherwise than it was agreed to, such as after a correction of contacts.
func (d *deciding) changed() error {
	if d.State == Voided {
		return nil
	}
	if err := d.from(Approved); err != nil {
		return err
	}
	d.State = Voided
	d.does(Record, Alarm)
	return nil
}

// tick says what time alone brings.
func (d *deciding) tick() {
	if d.State == Drafted && !d.now.Before(d.Written.Add(DraftLife)) {
		d.State = Expired
		d.does(Record, Ask)
	}
	if at := d.stall(); d.State == Drafted && !d.Stalled && !at.IsZero() && !d.now.Before(at) {
		d.Stalled = true
		d.does(Escalate)
	}
	if d.Glass && d.Reviewer == "" && !d.Late && !d.now.Before(d.Agreed.Add(GlassReview)) {
		d.Late = true
		d.does(Finding)
	}
	if d.State == Approved {
		d.send() // whoever sent it may have died
	}
}

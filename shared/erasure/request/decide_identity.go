package request

import (
	"slices"
	"time"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
)

// looked notes that the directory was asked. The state is the same whatever it said: who asks shall not see the answer.
func (d *deciding) looked() error {
	if d.State != Received {
		return nil // another delivery was first
	}
	d.to(IdentityPending)
	d.Known, d.Asked = d.e.Known, d.today()
	if d.e.Private != nil {
		d.Private = d.e.Private
	}
	d.send()
	d.record("looked")
	return nil
}

// renewed sends another link, unless one has just gone out: a call that is repeated asks for nothing new.
func (d *deciding) renewed() error {
	if err := d.from(Received, IdentityPending); err != nil || d.State == Received {
		return err
	}
	if d.Link != nil && d.now.Before(d.Link.Until.Add(time.Minute-LinkLife)) {
		return nil
	}
	d.send()
	return nil
}

// send makes a link, whether there is somebody to send it to or not: a wrong code costs the same then.
func (d *deciding) send() {
	d.Link = d.e.Link
	if d.Known && d.Link != nil {
		d.tell(letter.Link)
	}
}

// mistried counts a wrong proof; with the last try the link is dead.
func (d *deciding) mistried() error {
	if d.Link == nil || d.State != IdentityPending {
		return nil
	}
	link := *d.Link
	link.Tries++
	d.Link = &link
	if link.Tries >= MaxTries {
		d.Link = nil
		d.record("link_dead")
	}
	return nil
}

// tokenInvalid is the one answer to a proof that does not hold, whatever the reason.
func tokenInvalid() error {
	return fault.Refuse(fault.Denied, "token_invalid", "This code does not belong to the request, or it is older than 24 hours, used, or was tried too often.", "Ask for a new link on the page of your request.")
}

// proved starts the search.
func (d *deciding) proved() error {
	if err := d.from(Received, IdentityPending); err != nil {
		return err
	}
	if d.e.Proof == ByLink && (d.Link == nil || !d.now.Before(d.Link.Until)) {
		return tokenInvalid()
	}
	if d.e.Proof == ByLink {
		d.Used = d.Link.Hash
	}
	d.Link, d.Proof, d.Proved, d.Marks = nil, d.e.Proof, d.now, d.e.Marks
	d.doubt(d.e.Doubts...)
	if err := d.clock(); err != nil {
		return err
	}
	d.plan()
	d.record("proved")
	if d.Requester != Controller { // the interface answers a controller
		d.tell(letter.Received)
	}
	return nil
}

func (d *deciding) doubt(all ...Doubt) {
	for _, one := range all {
		if !slices.Contains(d.Doubts, one) {
			d.Doubts = append(d.Doubts, one)
		}
	}
}

// duplicated ends a request whose person has another one that counts.
func (d *deciding) duplicated() error {
	if err := d.from(Received, IdentityPending); err != nil {
		return err
	}
	if d.e.Proof == ByLink && (d.Link == nil || !d.now.Before(d.Link.Until)) {
		return tokenInvalid()
	}
	if d.e.Proof == ByLink {
		d.Used = d.Link.Hash
	}
	d.Of, d.Proof, d.Proved = d.e.Of, d.e.Proof, d.now
	d.ends(Cancelled, Duplicate)
	if d.Requester != Controller {
		d.tell(letter.Linked)
	}
	d.close()
	return nil
}

// joined links another request of the same person. Had that one come earlier, its arrival is what counts.
func (d *deciding) joined() error {
	if slices.Contains(d.Linked, d.e.Of) {
		return nil
	}
	d.Linked = append(d.Linked, d.e.Of)
	if d.e.Received.Before(d.Received) && !d.State.Answered() {
		d.Received = d.e.Received
		if err := d.clock(); err != nil {
			return err
		}
	}
	d.record("joined")
	return nil
}

// givenUp ends a request whose identity nobody can establish.
func (d *deciding) givenUp() error {
	if d.State == NotEstablished {
		return nil
	}
	if err := d.from(Received, IdentityPending); err != nil {
		return err
	}
	d.unproved()
	return nil
}

// unproved tells the person, where there is an address she can be told at, and forgets what was given.
func (d *deciding) unproved() {
	d.ends(NotEstablished, "")
	d.tell(letter.Identity)
	d.close()
}

// withdraw takes a request back, before anything is erased.
func (d *deciding) withdraw() error {
	why := d.e.Why
	if why == "" {
		why = Withdrawn
	}
	if d.State == Cancelled && d.Why == why {
		return nil
	}
	if d.begun() {
		return tooLate()
	}
	if err := d.from(Received, IdentityPending, Planning, AwaitingApproval, Approved, Blocked); err != nil {
		return err
	}
	d.ends(Cancelled, why)
	if d.Requester != Controller && !d.Proved.IsZero() {
		d.tell(letter.Cancelled)
	}
	d.close()
	return nil
}

// begun reports whether anything may have been erased.
func (d *deciding) begun() bool { return d.State == Executing || !d.Executed.IsZero() }

func tooLate() error {
	return fault.Refuse(fault.Conflict, "too_late", "Erasing has begun.", "What is erased does not come back.")
}

package request

import (
	"slices"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
)

// looked notes that the directory was asked. The state is the same whatever it said: who asks shall not see the answer.
func (d *deciding) looked() error {
	switch {
	case d.State == IdentityPending && d.Renew:
		d.Renew = false
		d.send()
		d.record("renewed")
		return nil
	case d.Tell:
		d.Tell, d.Unsearched = false, d.e.Unsearched
		if d.e.Private != nil {
			d.Private = d.e.Private
		}
		if d.e.Known {
			d.tell(letter.Asked)
		} else {
			d.doubt(Untold)
		}
		d.record("looked")
		d.publish(TopicPlan) // the message that was answered with this asked for the search too
		return nil
	case d.State != Received:
		return nil // another delivery was first
	}
	d.to(IdentityPending)
	d.Known, d.Elsewhere, d.Address, d.Asked = d.e.Known, d.e.Elsewhere, d.e.Address, d.today()
	if d.e.Private != nil {
		d.Private = d.e.Private
	}
	if d.e.Unsure {
		d.doubt(Blind)
	}
	d.send()
	d.record("looked")
	return nil
}

// renewed asks the engine for another letter: it is not sent here, as nobody who asks for one shall see how long that takes.
func (d *deciding) renewed() error {
	if err := d.from(Received, IdentityPending); err != nil || d.State == Received || d.Renew {
		return err
	}
	d.Renew = true
	d.call()
	return nil
}

// send writes to the address on file, where a letter may go out: those that did still hold. Who is not known has a link too,
// which goes nowhere.
func (d *deciding) send() {
	if !d.e.Send {
		return
	}
	d.Tries = 0
	switch {
	case !d.Known:
	case d.Kind == Account:
		d.tell(letter.Close)
	case d.Elsewhere:
		d.tell(letter.Elsewhere)
	default:
		d.tell(letter.Link)
	}
}

// mistried counts a wrong code; after the last try none is taken for this number.
func (d *deciding) mistried() error {
	if d.Tries >= MaxTries || d.State != IdentityPending {
		return nil
	}
	if d.Tries++; d.Tries == MaxTries {
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
	if err := d.established(); err != nil {
		return err
	}
	d.Marks = d.e.Marks
	d.doubt(d.e.Doubts...)
	if err := d.clock(); err != nil {
		return err
	}
	if d.Tell = d.Proof == ByTenant; d.Tell {
		d.Called = d.now
	}
	d.holdAll() // what two people hold of hers in a request that is through
	d.plan()
	d.record("proved")
	if d.Requester != Controller { // the interface answers a controller
		d.tell(letter.Received)
	}
	return nil
}

// established notes the proof of an identity. That a link is good, and whose it is, the service has looked up.
func (d *deciding) established() error {
	if err := d.from(Received, IdentityPending); err != nil {
		return err
	}
	if d.e.Proof == ByLink && (d.State == Received || d.e.Used == "") {
		return tokenInvalid()
	}
	if d.e.Proof == ByLink {
		d.Used, d.Gather = d.e.Used, d.Address
	}
	d.Address, d.Renew, d.Proof, d.Proved = "", false, d.e.Proof, d.now
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
	if err := d.established(); err != nil {
		return err
	}
	d.Of = d.e.Of
	if d.e.Quiet {
		d.Gather = ""
	}
	d.ends(Cancelled, Duplicate)
	if d.Requester != Controller && !d.e.Quiet {
		d.tell(letter.Linked)
	}
	d.close()
	return nil
}

// joined links another request of the same person. Had that one come earlier, its arrival is what counts; what it proved
// beyond what is known is searched for too; what was held there is held here; and a copy it asked for comes first, unless it
// is too late for that.
func (d *deciding) joined() error {
	if slices.Contains(d.Linked, d.e.Of) {
		return nil
	}
	if len(d.Linked) < maxLinked {
		d.Linked = append(d.Linked, d.e.Of)
	}
	d.record("joined")
	if d.State.Answered() {
		return nil
	}
	if d.e.Received.Before(d.Received) {
		d.Received = d.e.Received
		if err := d.clock(); err != nil {
			return err
		}
	}
	d.Export = d.Export || d.e.Export && !d.begun()
	again := d.holdAll()
	if d.e.Private != nil && d.Private != nil {
		d.Private, d.Marks, again = d.e.Private, d.e.Marks, again || d.Kind == Person
		d.doubt(d.e.Doubts...)
	}
	if again && slices.Contains([]State{Planning, AwaitingApproval, Approved, Executing}, d.State) {
		d.plan()
	}
	return nil
}

// holdAll holds what is held in another request of hers, and reports whether that is more.
func (d *deciding) holdAll() (more bool) {
	for _, h := range d.e.Holds {
		if len(d.Holds) < MaxHolds && !slices.ContainsFunc(d.Holds, h.same) {
			d.Holds, more = append(d.Holds, h), true
		}
	}
	return more
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
	if d.Kind == Account && d.State == Approved {
		d.publish(TopicRevoke) // what is still being tried of it stops
	}
	d.ends(Cancelled, why)
	if d.Requester != Controller && !d.Proved.IsZero() {
		d.tell(letter.Cancelled)
	}
	d.close()
	return nil
}

// begun reports whether anything may have been erased.
func (d *deciding) begun() bool { return d.Begun || d.State == Executing || !d.Executed.IsZero() }

func tooLate() error {
	return fault.Refuse(fault.Conflict, "too_late", "Erasing has begun.", "What is erased does not come back.")
}

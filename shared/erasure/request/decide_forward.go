package request

import (
	"time"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
)

// overdueLetter is how long word of a letter's delivery may take: longer than it is tried.
const overdueLetter = 48 * time.Hour

// forward sends the request to the tenant, whose data it is. What there is, if anything, the letter does not say. What was
// given is kept until the letter has arrived.
func (d *deciding) forward() {
	d.Frozen, d.Proposed = d.thaw(), nil
	if !d.rules.reaches(d.recipient()) {
		d.block(NoContact)
		return
	}
	d.to(Forwarding)
	d.record(string(Forwarding))
	d.effects = append(d.effects, Effect{do: doForward, letter: letter.Instruct, step: string(letter.Instruct)})
}

// passing reports whether a proved request is to be passed on to the tenant, and is not yet.
func (d *deciding) passing() bool {
	theirs := d.Elsewhere && d.Plan == nil || d.Plan != nil && d.Plan.Theirs && !d.Plan.Own
	return !d.Proved.IsZero() && d.Kind == Person && d.Requester != Controller && !d.State.Answered() && (theirs || d.State == Forwarding || d.held())
}

// recipient is the tenant a request is passed on to.
func (r Request) recipient() string {
	if r.To != "" {
		return r.To
	}
	return r.Tenant
}

// held reports whether the request is to be passed on, and could not be.
func (r Request) held() bool {
	return r.State == Blocked && (r.Why == NoContact || r.Why == Undelivered)
}

// delivered ends a request whose letter the tenant has: now the person is told, and what was given is destroyed.
func (d *deciding) delivered() {
	if d.State != Forwarding && (d.State != Blocked || d.Why != Undelivered) {
		return
	}
	d.ends(Forwarded, "")
	d.tell(letter.Forwarded)
	d.close()
}

// undelivered has a person find out why the tenant's letter did not arrive.
func (d *deciding) undelivered() { d.block(Undelivered) }

// passOn forwards what nobody proved, as a person decides: it is somebody the directory does not have, and may be in data
// that is held for the tenant. Nothing is searched.
func (d *deciding) passOn() error {
	if d.recipient() == d.e.Tenant && (d.State == Forwarding || d.State == Forwarded) {
		return nil
	}
	if !d.held() {
		if err := d.from(Received, IdentityPending); err != nil {
			return err
		}
	}
	if d.Kind != Person {
		return d.from()
	}
	if err := d.apart(); err != nil {
		return err
	}
	if !d.rules.reaches(d.e.Tenant) {
		return fault.Refuse(fault.Invalid, "body_invalid", "There is no such tenant, or it has no contact.", "Add a contact to tenants.yaml, or name another tenant.")
	}
	d.To, d.Address, d.Renew = d.e.Tenant, "", false
	d.forward()
	return nil
}

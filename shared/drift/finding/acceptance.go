package finding

import (
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

func (d *deciding) accept() error {
	refuse := func(kind fault.Kind, code, detail, next string) error { return fault.Refuse(kind, code, detail, next) }
	most := MostOther
	if d.high() {
		most = MostHigh
	}
	until := d.e.Until.UTC()
	switch {
	case !d.e.By.decides():
		return refuse(fault.Denied, "not_allowed", "This is for security, the data protection officer or an owner.", "Ask one of them.")
	case slices.ContainsFunc(d.Actors, func(a Actor) bool { return a.Person == d.e.By.ID }):
		return refuse(fault.Denied, "own_change", "Who may have made a change does not accept it.", "Ask somebody else.")
	case slices.ContainsFunc(d.Actors, func(a Actor) bool { return slices.Contains(d.e.By.Twins, a.Person) }):
		return policy.SamePerson()
	case d.State == Accepted && d.Accepted.Got == d.e.Got && (d.Accepted.By == d.e.By.ID || d.Accepted.Second == d.e.By.ID):
		return nil
	case d.State != Open:
		return refuse(fault.Conflict, "state_conflict", "The finding is "+string(d.State)+"; it cannot be accepted now.", "Look at it as it is now.")
	case d.e.Got != d.Got:
		return refuse(fault.Conflict, "value_changed", "The value is another by now.", "Look at it again, and accept that one if it is right.")
	case !until.After(d.now) || until.After(d.now.Add(most)):
		return refuse(fault.Invalid, "until_invalid", "An acceptance ends: after now, and within "+days(most)+" days.", "Choose a day; it can be accepted again.")
	}
	p := d.Proposed
	switch {
	case d.high() && p != nil && p.Got == d.Got && p.Until.Equal(until) && p.By == d.e.By.ID:
		return nil
	case d.high() && p != nil && p.Got == d.Got && p.Until.Equal(until) && slices.Contains(d.e.By.Twins, p.By):
		return policy.SamePerson()
	case d.high() && p != nil && p.Got == d.Got && p.By != d.e.By.ID && p.Until.Equal(until):
		p.Second, p.At = d.e.By.ID, d.now
		d.State, d.Accepted, d.Proposed = Accepted, p, nil
		d.does(RecordStep)
		return nil
	case d.e.Reason == 0:
		return refuse(fault.Invalid, "reason_missing", "Accepting a difference has a reason.", "Say why it may be so until then.")
	}
	a := &Acceptance{Got: d.Got, By: d.e.By.ID, Reason: d.e.Reason, Ticket: d.e.Ticket, At: d.now, Until: until}
	if d.high() {
		d.Proposed = a
		d.does(RecordStep, Ask)
		return nil
	}
	d.State, d.Accepted = Accepted, a
	d.does(RecordStep)
	return nil
}

func days(d time.Duration) string {
	return strconv.Itoa(int(d / (24 * time.Hour)))
}

func (d *deciding) revoke() error {
	switch {
	case !d.e.By.decides():
		return fault.Refuse(fault.Denied, "not_allowed", "This is for security, the data protection officer or an owner.", "Ask one of them.")
	case d.State == Open && d.Proposed != nil:
		d.Proposed = nil
		d.does(RecordStep)
		return nil
	case d.State != Accepted:
		return nil
	}
	d.State, d.Accepted = Open, nil
	d.does(RecordStep, RecordOpen, Tell)
	return nil
}

package notice

import (
	"crypto/subtle"
	"slices"
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/platform/fault"
)

// Decide lets an event happen to a notice. It is pure. Refusals are *fault.Error with a code: not_allowed, state_conflict,
// hash_mismatch, own_notice, reason_missing, times_invalid.
func Decide(n Notice, e Event, now time.Time) (Notice, []Effect, error) {
	d := &deciding{Notice: n, e: e, now: now.UTC()}
	d.Authors = slices.Clone(n.Authors)
	if err := d.happen(); err != nil {
		return n, nil, err
	}
	if e.What != Heard {
		d.schedule()
	}
	return d.Notice, d.effects, nil
}

type deciding struct {
	Notice
	e       Event
	now     time.Time
	effects []Effect
}

func (d *deciding) happen() error {
	switch d.e.What {
	case Write:
		return d.write()
	case Approve:
		return d.approve()
	case Break:
		return d.breakGlass()
	case Review:
		return d.review()
	case Note:
		return d.note()
	case Handed:
		return d.handed()
	case Heard:
		d.heard()
		return nil
	case Changed:
		return d.changed()
	case Ticked:
		d.tick()
		return nil
	}
	return fault.New(fault.Invalid, "deciding about a notice: an event of no known kind")
}

func (d *deciding) does(all ...Effect) { d.effects = append(d.effects, all...) }

func (d *deciding) from(states ...State) error {
	if slices.Contains(states, d.State) {
		return nil
	}
	return fault.Refuse(fault.Conflict, "state_conflict", "The notice is "+string(d.State)+"; this cannot be done to it now.", "Look at the notice as it is now, or write another.")
}

func (d *deciding) mayDecide() error {
	if d.e.By.decides() {
		return nil
	}
	return fault.Refuse(fault.Denied, "not_allowed", "This is for security, the data protection officer or an owner.", "Ask one of them.")
}

// write takes a version. It voids what was agreed to before only by not being there yet: what is being sent is not changed.
func (d *deciding) write() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if d.State != "" {
		if err := d.from(Drafted, Expired); err != nil {
			return err
		}
		if d.State == Drafted && d.Hash == d.e.Hash {
			return nil
		}
	}
	d.State, d.Author, d.Written, d.Kind, d.Hash, d.To, d.Stalled = Drafted, d.e.By.ID, d.now, d.e.Kind, d.e.Hash, d.e.To, false
	d.Version++
	if !slices.Contains(d.Authors, d.e.By.ID) {
		d.Authors = append(d.Authors, d.e.By.ID)
	}
	d.does(Record, Ask)
	return nil
}

// approve takes the agreement of a second person to exactly what will be sent.
func (d *deciding) approve() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if (d.State == Approved || d.State == Sent) && d.Approver == d.e.By.ID && d.same() {
		return nil
	}
	if err := d.from(Drafted); err != nil {
		return err
	}
	if slices.ContainsFunc(d.Authors, d.e.By.is) {
		if !slices.Contains(d.Authors, d.e.By.ID) {
			return samePerson()
		}
		return fault.Refuse(fault.Denied, "own_notice", "Who wrote a notice does not approve it.", "Ask somebody who wrote none of its versions, or break the glass if nobody can be reached.")
	}
	if err := d.matches(); err != nil {
		return err
	}
	d.State, d.Approver, d.Agreed = Approved, d.e.By.ID, d.now
	d.does(Record)
	d.send()
	return nil
}

// samePerson refuses the agreement of an author under another address.
func samePerson() error {
	return fault.Refuse(fault.Denied, "same_person", "Who wrote or approved the notice and you are, or look like, one person under two addresses.", "Ask somebody else; where you are two, have names and addresses in people.yaml that tell you apart.")
}

// breakGlass lets one person approve alone, with a reason; everybody who decides is told at once.
func (d *deciding) breakGlass() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if (d.State == Approved || d.State == Sent) && d.Glass && d.Approver == d.e.By.ID && d.same() {
		return nil
	}
	if err := d.from(Drafted); err != nil {
		return err
	}
	if d.e.Text == 0 {
		return fault.Refuse(fault.Invalid, "reason_missing", "Approving alone has a reason.", "Say why nobody else can be reached in time.")
	}
	if err := d.matches(); err != nil {
		return err
	}
	d.State, d.Approver, d.Agreed, d.Glass, d.Reason = Approved, d.e.By.ID, d.now, true, d.e.Text
	d.does(Record, Alarm)
	d.send()
	return nil
}

// send begins to hand over, but what the company's own product tells its users.
func (d *deciding) send() {
	if d.Kind != Persons {
		d.does(Send)
	}
}

// note takes what somebody says of how persons were told.
func (d *deciding) note() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	switch {
	case d.Kind != Persons:
		return fault.Refuse(fault.Conflict, "state_conflict", "Tenants are told from here; nobody has to say so.", "Look at the deliveries of the notice.")
	case !d.Noted.IsZero():
		return nil
	case d.e.Text == 0:
		return fault.Refuse(fault.Invalid, "reason_missing", "By what means the persons were told is missing.", "Say how: by mail from the product, on paper, in public.")
	}
	if err := d.from(Approved); err != nil {
		return err
	}
	if d.e.At.Before(d.Agreed) || d.e.At.After(d.now.Add(clock.Ahead)) {
		return fault.Refuse(fault.Invalid, "times_invalid", "The persons were not told between the approval and now.", "Give the time with its offset.")
	}
	d.State, d.Noter, d.Noted, d.Means = Sent, d.e.By.ID, d.e.At.UTC(), d.e.Text
	d.does(Record)
	return nil
}

func (d *deciding) same() bool {
	return subtle.ConstantTimeCompare([]byte(d.Hash), []byte(d.e.Hash)) == 1
}

func (d *deciding) matches() error {
	if d.same() {
		return nil
	}
	return fault.Refuse(fault.Conflict, "hash_mismatch", "That is not what would be sent: the text, the recipients or the version have changed.", "Read the notice again as it is now.")
}

// stall is when an approval stalls: who was asked only just has not been waited for.
func (d *deciding) stall() time.Time {
	if asked := d.Written.Add(asking); !d.e.Stall.IsZero() && d.e.Stall.Before(asked) {
		return asked
	}
	return d.e.Stall
}

const (
	asking = 15 * time.Minute // nobody is said to be late to agree before
	idle   = 2 * time.Minute  // after it somebody else goes on with the handing over
	again  = 15 * time.Minute // after it a draft is looked at again: clocks may have moved
)

func (d *deciding) schedule() {
	next := time.Time{}
	at := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	switch d.State {
	case Drafted:
		at(d.Written.Add(DraftLife))
		at(d.now.Add(again))
		if stall := d.stall(); !d.Stalled && !stall.IsZero() {
			at(stall)
		}
	case Approved:
		switch {
		case d.Kind == Persons:
		case d.e.What == Handed:
			at(d.now)
		default:
			at(d.now.Add(idle))
		}
	}
	if d.Glass && d.Reviewer == "" && !d.Late {
		at(d.Agreed.Add(GlassReview))
	}
	d.Due = 0
	if !next.IsZero() {
		d.Due = next.UnixMicro()
	}
}

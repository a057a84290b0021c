package notice

import (
	"crypto/subtle"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// State is where a notice stands. It is stored.
type State string

// The states.
const (
	Drafted  State = "drafted"  // waits for a second person
	Approved State = "approved" // and is being sent
	Sent     State = "sent"     // handed over for every recipient
	Expired  State = "expired"  // nobody agreed in time
	Voided   State = "voided"   // what would be sent is not what was agreed to; what went out before stays out
)

// States returns all states.
func States() []State { return []State{Drafted, Approved, Sent, Expired, Voided} }

// Notice is one notice of a case, as it is stored. Times are UTC.
type Notice struct {
	V       int       `json:"v"`
	ID      string    `json:"id"` // of the case, a dot, and its number there
	Case    string    `json:"case"`
	N       int       `json:"n"` // from 1
	Rev     int64     `json:"rev"`
	Kind    Kind      `json:"kind"`
	State   State     `json:"state"`
	Version int       `json:"version"` // of the draft, from 1
	Author  string    `json:"author"`
	Authors []string  `json:"authors"` // everybody who wrote any version: none of them agrees to it
	Written time.Time `json:"written"`
	Hash    string    `json:"hash"` // of all that will be sent
	To      int       `json:"to"`   // recipients

	Private *seal.Envelope `json:"private,omitempty"` // the draft

	Approver string    `json:"approver,omitempty"`
	Agreed   time.Time `json:"agreed,omitzero"`
	// Glass: one person approved it alone, in need; Reason is a text of the case. A second looks at it within GlassReview.
	Glass    bool   `json:"glass,omitempty"`
	Reason   int    `json:"reason,omitempty"`
	Reviewer string `json:"reviewer,omitempty"`
	Late     bool   `json:"late,omitempty"` // nobody did in time
	Stalled  bool   `json:"stalled,omitempty"`

	Next     int `json:"next,omitempty"` // recipient to be handed over next
	Accepted int `json:"accepted,omitempty"`
	Failed   int `json:"failed,omitempty"`
	Unknown  int `json:"unknown,omitempty"` // may have been sent: somebody has to ask the tenant

	Due int64 `json:"due,omitempty"` // microseconds since 1970: when a tick has to look
}

// Lives of a notice.
const (
	DraftLife   = 24 * time.Hour // afterwards what was written may be true no longer
	GlassReview = 24 * time.Hour
)

// What says what happened to a notice. It stands in records.
type What string

// The events.
const (
	Write   What = "write"   // a first, or another, version
	Approve What = "approve" // a second person agrees to the digest
	Break   What = "break"   // one person alone, in need
	Review  What = "review"  // a second looks at that
	Handed  What = "handed"  // so many recipients more were handed over
	Changed What = "changed" // what would be sent is not what was agreed to
	Ticked  What = "tick"
)

// Events returns all events.
func Events() []What { return []What{Write, Approve, Break, Review, Handed, Changed, Ticked} }

// Actor is a person, with what she is in the policy.
type Actor struct {
	ID    string
	Roles []policy.Role
}

func (a Actor) decides() bool {
	return slices.ContainsFunc([]policy.Role{policy.Security, policy.DPO, policy.Owner}, func(r policy.Role) bool { return slices.Contains(a.Roles, r) })
}

// Event is one event with what belongs to it.
type Event struct {
	What   What
	By     Actor
	Hash   string    // of Write and Approve
	To     int       // of Write: recipients. Of Handed: those handed over now
	Reason int       // of Break: text of the case
	Stall  time.Time // of Ticked: when three quarters of the case's shortest clock are over; zero for none
}

// Effects of an event beside the new notice.
type Effect string

// The effects.
const (
	Record   Effect = "record"   // evidence of the step
	Ask      Effect = "ask"      // who may approve, but the authors
	Send     Effect = "send"     // begin, or go on, to hand over
	Alarm    Effect = "alarm"    // everybody who decides: somebody approved alone, or it was voided
	Escalate Effect = "escalate" // an approval stalls: the deputies
	Finding  Effect = "finding"  // nobody looked at what one person approved alone
	Heal     Effect = "heal"
)

// Decide lets an event happen to a notice. It is pure. Refusals are *fault.Error with a code: not_allowed, state_conflict,
// hash_mismatch, own_notice, reason_missing.
func Decide(n Notice, e Event, now time.Time) (Notice, []Effect, error) {
	d := &deciding{Notice: n, e: e, now: now.UTC()}
	d.Authors = slices.Clone(n.Authors)
	if err := d.happen(); err != nil {
		return n, nil, err
	}
	d.schedule()
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
	case Handed:
		return d.handed()
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
	d.State, d.Author, d.Written, d.Hash, d.To, d.Stalled = Drafted, d.e.By.ID, d.now, d.e.Hash, d.e.To, false
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
	if d.State == Approved && d.Approver == d.e.By.ID && d.same() {
		return nil
	}
	if err := d.from(Drafted); err != nil {
		return err
	}
	if slices.Contains(d.Authors, d.e.By.ID) {
		return fault.Refuse(fault.Denied, "own_notice", "Who wrote a notice does not approve it.", "Ask somebody who wrote none of its versions, or break the glass if nobody can be reached.")
	}
	if err := d.matches(); err != nil {
		return err
	}
	d.State, d.Approver, d.Agreed = Approved, d.e.By.ID, d.now
	d.does(Record, Send)
	return nil
}

// breakGlass lets one person approve alone, with a reason; everybody who decides is told at once.
func (d *deciding) breakGlass() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if d.State == Approved && d.Glass && d.Approver == d.e.By.ID && d.same() {
		return nil
	}
	if err := d.from(Drafted); err != nil {
		return err
	}
	if d.e.Reason == 0 {
		return fault.Refuse(fault.Invalid, "reason_missing", "Approving alone has a reason.", "Say why nobody else can be reached in time.")
	}
	if err := d.matches(); err != nil {
		return err
	}
	d.State, d.Approver, d.Agreed, d.Glass, d.Reason = Approved, d.e.By.ID, d.now, true, d.e.Reason
	d.does(Record, Alarm, Send)
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

// review takes the second look at what one person approved alone.
func (d *deciding) review() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if !d.Glass {
		return fault.Refuse(fault.Conflict, "state_conflict", "Two people approved this notice; there is nothing to look at again.", "Leave it.")
	}
	if d.e.By.ID == d.Approver || slices.Contains(d.Authors, d.e.By.ID) {
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

// handed notes how far the handing over has come.
func (d *deciding) handed() error {
	if err := d.from(Approved); err != nil {
		return err
	}
	d.Next += d.e.To
	if d.Next >= d.To {
		d.Next, d.State = d.To, Sent
		d.does(Record)
		return nil
	}
	d.does(Send)
	return nil
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
	if d.State == Drafted && !d.Stalled && !d.e.Stall.IsZero() && !d.now.Before(d.e.Stall) {
		d.Stalled = true
		d.does(Escalate)
	}
	if d.Glass && d.Reviewer == "" && !d.Late && !d.now.Before(d.Agreed.Add(GlassReview)) {
		d.Late = true
		d.does(Finding)
	}
	if d.State == Approved {
		d.does(Send) // whoever sent it may have died
	}
}

// idle is after how long somebody else goes on with the handing over.
const idle = 2 * time.Minute

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
		if !d.Stalled && !d.e.Stall.IsZero() {
			at(d.e.Stall)
		}
	case Approved:
		at(d.now.Add(idle))
	}
	if d.Glass && d.Reviewer == "" && !d.Late {
		at(d.Agreed.Add(GlassReview))
	}
	d.Due = 0
	if !next.IsZero() {
		d.Due = next.UnixMicro()
	}
}

package message

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Deliveries is the collection of the function deliver.
const Deliveries = "deliveries"

// Collection declares what a Courier keeps and asks for.
func Collection() store.Collection {
	return store.Collection{Name: Deliveries, Indexes: []store.Index{{"due"}, {"ask"}}, Expires: true}
}

// State of a delivery. Stored, hence text.
type State string

const (
	StatePlanned  State = "planned"  // to be sent when it is due
	StateLeased   State = "leased"   // a worker is sending it, or died doing so
	StateAccepted State = "accepted" // the peer took responsibility
	StateFailed   State = "failed"   // the peer refused for good, or it cannot be sent at all
	StateSought   State = "sought"   // a customer's message that may have been sent, for which its channel is looked at
	StateUnknown  State = "unknown"  // a customer's message that may have been sent; nobody sends it again
	StateDead     State = "dead"     // refused for now until time was up

	StateDelivered    State = "delivered"    // accepted, and the channel knows that it arrived
	StateBounced      State = "bounced"      // accepted, and the channel knows that it did not
	StateUndetermined State = "undetermined" // accepted, and the channel did not come to know in AskFor
)

// Times of a delivery. A send ends well before its lease, so that two workers meet only when one of them stood still.
const (
	SendTimeout = 2 * time.Minute
	LeaseTime   = 5 * time.Minute
	SweepTime   = 30 * time.Second    // for so long a sweep begins sends, so that the last one ends in a run of three minutes
	GiveUpAfter = 24 * time.Hour      // counted from the first plan: later nothing is sent any more
	KeptFor     = 90 * 24 * time.Hour // a settled key is remembered longer than any bus can repeat it

	firstWait = 30 * time.Second
	maxWait   = time.Hour
	leastWait = 5 * time.Second // however near the end is
	moreTries = 4               // there shall be at least so many more before Request.Until
)

// Delivery is what is remembered of one key.
type Delivery struct {
	V        int       `json:"v"`
	Nonce    string    `json:"nonce"`          // random: what evidence and logs call the delivery
	Salt     []byte    `json:"salt,omitempty"` // random, and nowhere else: of what evidence says of recipient and text
	Request  Request   `json:"request"`        // its body is dropped with the last attempt
	State    State     `json:"state"`
	Planned  time.Time `json:"planned"`       // when it was first to be sent
	Due      int64     `json:"due,omitempty"` // unix microseconds: when a worker may act; absent once settled
	Attempts int       `json:"attempts"`
	Fence    int64     `json:"fence"`           // grows with each lease: only the last holder may settle
	Looks    int       `json:"looks,omitempty"` // how often the channel was looked at since the outcome was not known
	Why      string    `json:"why,omitempty"`
	Expires  time.Time `json:"expires,omitzero"`

	// Of one that was accepted: when, how the way to the peer was protected, and what the peer calls it.
	Taken     time.Time `json:"taken,omitzero"`
	TLS       string    `json:"tls,omitempty"`
	Reference string    `json:"reference,omitempty"`
	Ask       int64     `json:"ask,omitempty"`  // unix microseconds: when the channel may be asked what became of it; absent where it is not asked
	Asks      int       `json:"asks,omitempty"` // how often it was
	Heard     time.Time `json:"heard,omitzero"` // when it said what became of it, or time was up
}

const (
	deliveryVersion = 1
	nonceBytes      = 16
)

// plan is the delivery of a request nobody has tried yet, without its nonce.
func plan(r Request, now time.Time) Delivery {
	return Delivery{V: deliveryVersion, Request: r, State: StatePlanned, Planned: now, Due: now.UnixMicro()}
}

// move is what a worker may do with a delivery.
type move string

const (
	rest   move = "rest"    // nothing now
	try    move = "try"     // lease it and send
	look   move = "look"    // look for it
	giveUp move = "give up" // a worker died on a customer's message, or nobody found it: it may have been sent
	bury   move = "bury"    // time is up
)

// next says what may be done with d at an instant.
func (d Delivery) next(now time.Time) move {
	switch {
	case d.State != StatePlanned && d.State != StateLeased && d.State != StateSought, d.Due > now.UnixMicro():
		return rest
	case d.State == StateSought && d.Looks < MaxLooks:
		return look
	case d.State == StateSought, d.State == StateLeased && d.Request.Kind == Customer:
		return giveUp
	case !now.Before(d.end()):
		return bury
	}
	return try
}

// end is from when on nothing is sent any more. Before anything was sent, time cannot be up by Request.Until: a message
// that comes late is better than none, and the first try is the only one it gets.
func (d Delivery) end() time.Time {
	end, until := d.Planned.Add(GiveUpAfter), d.Request.Until
	if d.Fence > 0 && !until.IsZero() && until.Before(end) {
		return until
	}
	return end
}

// lease gives d to one worker. For a customer this is the mark that an attempt may have been made: it is stored before
// anything is sent.
func (d Delivery) lease(now time.Time) Delivery {
	d.State = StateLeased
	d.Attempts++
	d.Fence++
	d.Due = now.Add(LeaseTime).UnixMicro()
	return d
}

// settle draws the consequence of an attempt.
func (d Delivery) settle(outcome Outcome, why string, now time.Time) Delivery {
	d.Why = why
	switch {
	case outcome == Accepted:
		return d.close(StateAccepted, now)
	case outcome == Failed:
		return d.close(StateFailed, now)
	case outcome != Deferred && d.Request.Kind == Customer:
		return d.close(StateUnknown, now) // an outcome without a meaning counts as unknown too
	}
	due := now.Add(wait(d.Request.id(), d.Attempts, d.most(now)))
	if !due.Before(d.end()) {
		return d.close(StateDead, now)
	}
	d.State, d.Due = StatePlanned, due.UnixMicro()
	return d
}

// most is the longest wait before the next try.
func (d Delivery) most(now time.Time) time.Duration {
	if left := d.Request.Until.Sub(now); left > 0 && !d.Request.Until.IsZero() {
		return max(leastWait, left/(moreTries+1))
	}
	return 2 * maxWait
}

// notBefore puts the next try off for as long as the peer asked, but no longer than any other: a message with a time to be
// there by does not wait it out.
func (d Delivery) notBefore(now time.Time, asked time.Duration) Delivery {
	due := now.Add(min(asked, d.most(now)))
	if d.State == StatePlanned && due.UnixMicro() > d.Due && due.Before(d.end()) {
		d.Due = due.UnixMicro()
	}
	return d
}

func (d Delivery) close(state State, now time.Time) Delivery {
	d.State, d.Due, d.Expires = state, 0, now.Add(KeptFor)
	d.Request.Body = seal.Envelope{}
	return d
}

// topic is where the state is told, or "" while nothing is settled.
func (d Delivery) topic() string {
	switch d.State {
	case StateAccepted, StateUndetermined:
		return TopicAccepted
	case StateDelivered:
		return TopicDelivered
	case StateBounced:
		return TopicBounced
	case StateFailed, StateDead:
		return TopicFailed
	case StateUnknown:
		return TopicUnknown
	}
	return ""
}

// wait doubles from half a minute to an hour, and adds up to a quarter so that messages refused together do not come
// back together; it is never more than most. The share follows from the message: the same history always gives the same
// schedule.
func wait(id string, attempts int, most time.Duration) time.Duration {
	base := maxWait
	if attempts < 8 {
		base = min(maxWait, firstWait<<max(attempts-1, 0))
	}
	base = min(base, most*4/5)
	sum := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(id), uint32(attempts)))
	share := time.Duration(binary.BigEndian.Uint16(sum[:]))
	return base + base/4*share/(1<<16)
}

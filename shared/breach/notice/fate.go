package notice

import (
	"slices"
	"time"

	"ostiary.internal/shared/platform/message"
)

// Fate is what a peer said of a message after it had taken it, for certain.
type Fate struct {
	State message.State `json:"state"` // delivered or bounced
	At    time.Time     `json:"at"`    // when it said so; when that was it does not say
}

// hears is the delivery after what the peer of one of its ways said of a message it had taken; next reports that the next way
// is to be tried. What came back counts as what a person says of one that did not arrive, before or after it was called delivered,
// so that the order in which both are told changes nothing; but a person's word counts before any peer's. What is said against
// what counts is kept beside it.
func (d Delivery) hears(a message.Answer, way int) (after Delivery, next bool) {
	at := d.accepted(way)
	if way < 0 || way >= len(d.Ways) || at >= 0 && slices.ContainsFunc(d.Tries[at].Fates, func(f Fate) bool { return f.State == a.State }) {
		return d, false
	}
	d.Tries = slices.Clone(d.Tries)
	if at < 0 { // a person had found out before anybody answered
		at = len(d.Tries)
		d.Tries = append(d.Tries, d.try(way, a.Accepted()))
	}
	d.Tries[at].Fates = append(slices.Clone(d.Tries[at].Fates), Fate{a.State, a.At.UTC()})
	if a.State != message.StateBounced || d.Vouched || d.Progress != Arrived || way != d.Way {
		return d, false
	}
	d.Recalled, d.Told = true, time.Time{}
	return d.further()
}

// accepted is the number of the try by which a way's peer took the message; -1 where it did not.
func (d Delivery) accepted(way int) int {
	if way < 0 || way >= len(d.Ways) {
		return -1
	}
	return slices.IndexFunc(d.Tries, func(t Try) bool { return t.Channel == d.Ways[way] && t.State == message.StateAccepted })
}

// Delivered is when the peer of the way that counts said that the recipient has it; zero where it did not.
func (d Delivery) Delivered() time.Time {
	at := d.accepted(d.Way)
	if d.Progress != Arrived || at < 0 || len(d.Tries[at].Fates) == 0 || d.Tries[at].Fates[0].State != message.StateDelivered {
		return time.Time{}
	}
	return d.Tries[at].Fates[0].At
}

// Contrary reports whether a peer said otherwise than what counts.
func (d Delivery) Contrary() bool {
	for way := range d.Ways {
		at := d.accepted(way)
		if at < 0 {
			continue
		}
		for _, f := range d.Tries[at].Fates {
			if arrived := d.Progress == Arrived && way == d.Way; arrived != (f.State == message.StateDelivered) {
				return true
			}
		}
	}
	return false
}

// newFate is what a peer said that was not known before, with the try it is about; nil for nothing.
func (d Delivery) newFate(before Delivery) (*Fate, Try) {
	for i, t := range d.Tries {
		if i >= len(before.Tries) && len(t.Fates) > 0 || i < len(before.Tries) && len(t.Fates) > len(before.Tries[i].Fates) {
			return &t.Fates[len(t.Fates)-1], t
		}
	}
	return nil, Try{}
}

package request

import (
	"time"

	"ostiary.internal/shared/platform/fault"
)

// asking is by what a request is counted: marks, "" for not at all.
type asking struct {
	same   string // who asks for the same
	source string // from where, about whomever
}

// repeated is how often somebody asked for the same within a day.
type repeated struct {
	V       int       `json:"v"`
	Count   int       `json:"count"`
	Request string    `json:"request"` // the last that was taken
	Expires time.Time `json:"expires"`
}

// queue is how many requests came from one network, and when the last of them that has to wait takes its turn.
type queue struct {
	V       int       `json:"v"`
	Count   int       `json:"count"`
	Turn    time.Time `json:"turn,omitzero"`
	Expires time.Time `json:"expires"`
}

// asked counts a request and refuses a repetition; it gives one of very many from one network its place in the queue for
// letters. What it finds out is the same whoever it is about.
func (t *turn) asked(a asking, id string) error {
	if a.same != "" {
		if err := t.repeats(a.same, id); err != nil {
			return err
		}
	}
	if a.source == "" {
		return nil
	}
	var q queue
	if err := t.tx.Get(asks, a.source, &q); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	q, t.paced = q.next(t.now)
	t.later(asks, a.source, q)
	return nil
}

// next counts one more request, and says when who asked is looked up; zero for at once.
func (q queue) next(now time.Time) (queue, time.Time) {
	if q.Count == 0 {
		q.Expires = now.Add(time.Hour)
	}
	q.V, q.Count = version, q.Count+1
	if q.Count <= Prompt {
		return q, time.Time{}
	}
	if q.Turn.Before(now) {
		q.Turn = now
	}
	if q.Turn = q.Turn.Add(LinkPace); q.Turn.After(now.Add(LinkSlowest)) {
		q.Turn = now.Add(LinkSlowest)
	}
	if q.Expires.Before(q.Turn) {
		q.Expires = q.Turn // as long as somebody waits, whoever comes waits behind her
	}
	return q, q.Turn
}

// repeats refuses who asks for the same over and over, as long as what was taken last is open: nobody is refused for what
// somebody else asked and took back. Code: too_many.
func (t *turn) repeats(mark, id string) error {
	var c repeated
	if err := t.tx.Get(asks, mark, &c); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if c.Count >= MaxAsks {
		var last Request
		err := t.tx.Get(Requests, c.Request, &last)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err == nil && !last.State.Answered() {
			refusal := fault.Refuse(fault.Exhausted, "too_many", "This was asked for several times from where you are; those requests are on record.", "Look at the state of the first, or come back later.")
			refusal.RetryAfter = max(c.Expires.Sub(t.now), time.Second)
			return refusal
		}
	}
	if c.Count == 0 {
		c.Expires = t.now.Add(24 * time.Hour)
	}
	t.later(asks, mark, repeated{version, c.Count + 1, id, c.Expires})
	return nil
}

// queues reports whether it is not yet the turn of a request that came with very many others.
func (r Request) queues(now time.Time) bool { return r.State == Received && now.Before(r.Paced) }

package request

import (
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// asking is by what a request is counted: marks.
type asking struct {
	same  string // who is signed in asks for the same; "" for not at all
	lines []line // that it stands in, on the public page
}

// line is one in which whoever comes beyond prompt within an hour waits, pace behind who came before.
type line struct {
	mark   string
	prompt int
	pace   time.Duration
}

// lines are those a request from the public page stands in: of the same about the same person, of its network, of the wider ones,
// and of all there are. The last is one of shards, by network: a document of all would be written by all.
func (s *Service) lines(a Ask) []line {
	source := s.mark("source", a.Source)
	all := []line{{s.mark("ask", a.Source, a.Tenant, string(a.Kind), strings.ToLower(a.Email)), MaxAsks, LinkEvery}, {source, Prompt, LinkPace}}
	for _, wider := range a.Around {
		all = append(all, line{s.mark("around", wider), PromptAround, AroundPace})
	}
	return append(all, line{s.mark("everywhere", source[:1]), PromptAll / shards, AllPace * shards})
}

// shards is how many documents count what comes from everywhere: one for each first letter of a mark.
const shards = 16

// repeated is how often somebody asked for the same within a day.
type repeated struct {
	V       int       `json:"v"`
	Count   int       `json:"count"`
	Request string    `json:"request"` // the last that was taken
	Expires time.Time `json:"expires"`
}

// queue is how many requests stood in a line, and when the last of them that has to wait takes its turn.
type queue struct {
	V       int       `json:"v"`
	Count   int       `json:"count"`
	Turn    time.Time `json:"turn,omitzero"`
	Expires time.Time `json:"expires"`
}

// asked counts a request. Whoever is signed in and asks for the same over and over is refused; of what comes from the public page
// nothing is, as nobody can tell whose it is: one of very many gets its place in the queue for letters. What it finds out is the
// same whoever it is about.
func (t *turn) asked(a asking, id string) error {
	if a.same != "" {
		return t.repeats(a.same, id)
	}
	t.paced = time.Time{}
	for _, l := range a.lines {
		var q queue
		if err := t.tx.Get(asks, l.mark, &q); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		q, at := q.next(l, t.now)
		if at.After(t.paced) {
			t.paced = at
		}
		t.later(asks, l.mark, q)
	}
	return nil
}

// next counts one more request, and says when who asked is looked up; zero for at once. However many come, their turns are a pace
// apart: nobody is turned away, and what goes out is bounded.
func (q queue) next(l line, now time.Time) (queue, time.Time) {
	if q.Count == 0 {
		q.Expires = now.Add(time.Hour)
	}
	q.V, q.Count = version, q.Count+1
	if q.Count <= l.prompt {
		return q, time.Time{}
	}
	if q.Turn.Before(now) {
		q.Turn = now
	}
	q.Turn = q.Turn.Add(l.pace)
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
		if of := last.Of; err == nil && of != "" {
			last = Request{}
			err = t.tx.Get(Requests, of, &last) // that counts for it
		}
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

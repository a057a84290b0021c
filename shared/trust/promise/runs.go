package promise

import "slices"

// runs follows the numbers of one control's runs: from 1, without gaps, in the control's own store.
type runs struct {
	High    int64  `json:"high"` // the highest number seen, of the present count
	HighID  string `json:"high_id"`
	At      int64  `json:"t"` // time of the newest run
	Missing []span `json:"missing,omitempty"`
}

// span is a range of missing runs, and the time of the newest run when it showed. From 0: it cannot be filled, for what is
// missing has no number.
type span struct {
	From int64 `json:"from,omitempty"`
	To   int64 `json:"to,omitempty"`
	At   int64 `json:"t"`
}

// maxSpans is how many ranges are told apart; more are joined, which only makes the gap wider.
const maxSpans = 32

// add notes a run.
func (c *runs) add(n int64, p proof) {
	seen := max(c.At, p.At)
	switch {
	case n > c.High:
		if n > c.High+1 {
			c.missed(span{c.High + 1, n - 1, seen})
		}
		c.High, c.HighID = n, p.ID
	case p.At > c.At && p.ID != c.HighID:
		// The count began anew: the control lost its store, or two of them count. What the old one held back is lost.
		for i := range c.Missing {
			c.Missing[i].From, c.Missing[i].To = 0, 0
		}
		c.missed(span{At: seen})
		c.High, c.HighID = n, p.ID
	default:
		c.found(n)
	}
	c.At = seen
}

func (c *runs) missed(s span) {
	if len(c.Missing) == maxSpans {
		a, b := c.Missing[0], c.Missing[1]
		joined := span{min(a.From, b.From), max(a.To, b.To), max(a.At, b.At)}
		if a.From == 0 || b.From == 0 {
			joined.From, joined.To = 0, 0
		}
		c.Missing = append([]span{joined}, c.Missing[2:]...)
	}
	c.Missing = append(c.Missing, s)
}

// found takes a number out of what is missing: the run came late.
func (c *runs) found(n int64) {
	at := slices.IndexFunc(c.Missing, func(s span) bool { return s.From > 0 && s.From <= n && n <= s.To })
	if at < 0 {
		return
	}
	s := c.Missing[at]
	c.Missing = slices.Delete(c.Missing, at, at+1)
	if s.From < n {
		c.Missing = append(c.Missing, span{s.From, n - 1, s.At})
	}
	if n < s.To {
		c.Missing = append(c.Missing, span{n + 1, s.To, s.At})
	}
	if len(c.Missing) > maxSpans {
		last := c.Missing[len(c.Missing)-1]
		c.Missing = c.Missing[:len(c.Missing)-1]
		c.missed(last)
	}
}

// gap returns the time of the newest missing run, 0 for none.
func (c *runs) gap() (at int64) {
	if c == nil {
		return 0
	}
	for _, s := range c.Missing {
		at = max(at, s.At)
	}
	return at
}

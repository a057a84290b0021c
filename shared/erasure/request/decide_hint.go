package request

import (
	"context"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// hintAgain is how often a request is searched again, at most, because something may have been written: a hint that comes
// sooner counts when the time is over, and as many as come count as one.
const hintAgain = time.Hour

// hinted has the person searched for again before it would be: something of hers may have been written since she was erased.
// Whether it was, and whether it is hers, is for the search to say.
func (d *deciding) hinted() {
	if !slices.Contains([]State{Completed, Retained, Partial}, d.State) || d.Executed.IsZero() || !d.Closed.IsZero() || d.Extra {
		return
	}
	at := d.HintedAt.Add(hintAgain)
	if at.Before(d.now) {
		at = d.now
	}
	if !d.Pass.IsZero() && !at.Before(d.Pass) {
		return
	}
	d.HintedAt, d.Extra, d.Pass = at, true, at
	d.Round++
	if d.Passed >= len(Passes()) {
		d.Passed-- // the last search is made once more
	}
	d.record("hinted")
	if at.Equal(d.now) {
		d.Pass = d.now.Add(Idle) // until the engine has answered
		d.publish(TopicPlan)
	}
}

// Hinted takes word that something of a person may have been written since she was erased: she is searched for again soon. It
// may be said again at any time. A request that is over, or is being worked on, is left as it is.
func (s *Service) Hinted(ctx context.Context, id string, now time.Time) error {
	_, err := s.engine(ctx, id, Event{What: Hinted}, now)
	if fault.CodeOf(err) == "request_unknown" {
		return nil
	}
	return err
}

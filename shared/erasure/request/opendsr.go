package request

import "ostiary.internal/shared/erasure/opendsr"

// Status is the one of the four states of OpenDSR in which the request stands. It is false for a state that is none.
func (r Request) Status() (opendsr.Status, bool) {
	return opendsr.Life{
		State: string(r.State), Begun: r.Begun || !r.Executed.IsZero(), Over: r.Answered == Completed || r.Answered == Retained, Left: r.Outcome.Left > 0,
	}.Status()
}

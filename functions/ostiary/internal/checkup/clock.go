package checkup

import (
	"context"
	"fmt"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// mostSkew is how far this machine's clock may be off before the ages that are told here mean nothing.
const mostSkew = 30 * time.Second

// clocks compares this machine's clock with Google's. Functions have Google's; one-time passwords, leases and deadlines run by it.
func clocks(ctx context.Context, v *visit) {
	var answer map[string]any
	_ = v.wire.get(ctx, "https://storage.googleapis.com/storage/v1/b/"+v.Project+"?fields=name", &answer) // any answer has a date
	v.wire.mu.Lock()
	s := v.wire.clock
	v.wire.mu.Unlock()
	off := s.by.Round(100 * time.Millisecond)
	switch {
	case s.round == 0:
		v.unsure("clock", "this machine", fault.New(fault.Transient, "no answer of Google's told the time"))
	case off.Abs() > mostSkew:
		v.wrong("clock", "this machine", fmt.Sprintf("it is %+.1f s off Google's clock: the ages told here are off as much", off.Seconds()), "Set it by NTP, and run this again.")
	default:
		v.ok("clock", "this machine", fmt.Sprintf("%+.1f s from Google's clock, by an answer that took %d ms", off.Seconds(), s.round.Milliseconds()))
	}
}

package decideerasure

import (
	"testing"

	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
)

// TestProgress: what the engine does now is told in each phase, by the parts of this round and this search alone.
func TestProgress(t *testing.T) {
	t.Parallel()
	k := &desk{}
	k.Parts = &parts.Parts{Map: &datamap.Map{Entries: make([]*datamap.Entry, 5)}}
	part := func(round int, phase run.Phase, search int, done bool, found, erased int64) run.Part {
		return run.Part{Round: round, Phase: phase, Search: search, Done: done, Count: run.Count{Found: found, Erased: erased}}
	}
	all := []run.Part{
		part(1, run.Planning, 0, true, 9, 0), part(2, run.Planning, 0, true, 3, 0), part(2, run.Planning, 0, true, 4, 0), part(2, run.Planning, 0, false, 0, 0),
		part(2, run.Erasing, 0, true, 3, 3), part(2, run.Erasing, 0, false, 4, 1), part(3, run.Erasing, 0, true, 1, 1),
		part(2, run.Searching, 1, true, 2, 0), part(2, run.Searching, 2, true, 5, 0), part(2, run.Searching, 2, false, 1, 0), part(3, run.Searching, 1, true, 6, 0),
	}
	for name, c := range map[string]struct {
		r    request.Request
		want *Progress
	}{
		"planning":       {request.Request{State: request.Planning, Round: 2}, &Progress{Phase: "planning", Steps: 5, Done: 2, Found: 7}},
		"planning anew":  {request.Request{State: request.Planning, Round: 4}, &Progress{Phase: "planning", Steps: 5}},
		"executing":      {request.Request{State: request.Executing, Round: 2}, &Progress{Phase: "executing", Steps: 3, Done: 1, Erased: 4}},
		"verifying":      {request.Request{State: request.Verifying, Round: 2}, &Progress{Phase: "verifying", Search: 1, Steps: 3, Done: 1, Found: 2}},
		"a later search": {request.Request{State: request.Retained, Round: 2, Passed: 1}, &Progress{Phase: "verifying", Search: 2, Steps: 3, Done: 1, Found: 6}},
		"to be swept":    {request.Request{State: request.Approved, Round: 3, Sweeps: 1}, &Progress{Phase: "sweeping", Steps: 3, Done: 1, Erased: 1}},
		"sweeping":       {request.Request{State: request.Executing, Round: 3, Sweeps: 1}, &Progress{Phase: "sweeping", Steps: 3, Done: 1, Erased: 1}},
		"waiting":        {request.Request{State: request.AwaitingApproval, Round: 2}, nil},
		"approved":       {request.Request{State: request.Approved, Round: 2}, nil},
		"in between":     {request.Request{State: request.Completed, Round: 2, Passed: 2}, nil},
		"rejected":       {request.Request{State: request.Rejected, Round: 2}, nil},
	} {
		switch got := k.progress(c.r, all); {
		case (got == nil) != (c.want == nil), got != nil && *got != *c.want:
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

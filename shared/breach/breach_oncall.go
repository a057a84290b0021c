package breach

import (
	"time"

	"ostiary.internal/shared/breach/oncall"
	"ostiary.internal/shared/policy"
)

// onCall reads who is on call when.
func (r *reader) onCall(f file) {
	r.read.OnCall = oncall.Read(f.OnCall, r.policy, func(key, what, allowed string) { r.wrong("oncall."+key, what, allowed) })
	r.read.onCall = f.OnCall
}

// Check returns the problems of Read and, where there is none, what of the file will be out of order within the 90 days from
// now, of which nothing keeps anything from starting.
func Check(p *policy.Policy, now time.Time) []policy.Problem {
	b, problems := Read(p)
	if len(problems) > 0 || !b.On {
		return problems
	}
	r := reader{policy: p}
	oncall.Lint(b.onCall, b.OnCall, now, func(key, what, allowed string) { r.wrong("oncall."+key, what, allowed) })
	return policy.Sort(r.problems)
}

package intake

import (
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
)

// ongoing are reviews whose findings live on in registers and cases of their own: open ones are their result. Any other
// is done when nothing is left to act on.
var ongoing = []string{"architecture", "incidents", "logs", "risks"}

func (d *ReviewDone) report(at time.Time) (report, error) {
	if d.Ended != nil && d.Ended.After(at) {
		return report{}, invalid("ended: is after the event.")
	}
	if d.Reviewed > d.Expected {
		return report{}, invalid("reviewed: is more than expected.")
	}
	r := report{
		passed: d.Reviewed == d.Expected && (d.Open == 0 || slices.Contains(ongoing, d.Review)), metric: "open_findings", value: d.Open, scope: []string{d.Review},
		person: d.Reviewer, about: []string{d.Review}, labels: map[string]string{"subject": d.Review},
		population: &record.Population{Expected: d.Expected, Seen: d.Reviewed},
	}
	if d.Ended != nil {
		r.at = *d.Ended
	}
	if d.Period != nil {
		r.scope = append(r.scope, *d.Period)
		r.about = append(r.about, d.Review+"/"+*d.Period)
	}
	if d.External != nil && *d.External {
		r.about = append(r.about, d.Review+"/external")
	}
	if d.Until != nil {
		r.until, r.passed = *d.Until, r.passed && d.Until.After(at)
	}
	if d.WaitedS != nil {
		// Whoever is still within the time has been looked at too.
		r.unless, r.population = "ack", nil
		r.measures = []measure{{[]string{"ack"}, "waited_s", "<=", held(given(d.WaitedS), length)}}
	}
	return r, nil
}

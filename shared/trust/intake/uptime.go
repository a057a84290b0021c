package intake

import (
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

// alertRoute is the check that alerts reach people.
const alertRoute = "alert-route"

func (d *UptimeReport) report(at time.Time) (report, error) {
	switch {
	case !d.From.Before(d.To) || d.To.After(at) || d.Last.After(at):
		return report{}, invalid("to: is not after from, or to or last is after the event.")
	case d.Missing > d.Probes || d.Failed > d.Probes-d.Missing:
		return report{}, invalid("missing and failed: are more than probes.")
	}
	alert, err := d.alert(at)
	if err != nil {
		return report{}, err
	}
	made := d.Probes - d.Missing
	r := report{
		at: d.To, passed: true, scope: []string{d.Endpoint}, population: &record.Population{Expected: d.Probes, Seen: d.Probes},
		measures: append(alert,
			// A probe that was not made did not find it up.
			measure{[]string{"slo"}, "up_ppm", ">=", held(known(perMillion(made-d.Failed, d.Probes)), func(p policy.Param) (int64, bool) {
				limit, ok := share(p)
				return limit, ok && d.spans(p)
			})},
			measure{[]string{"age"}, "age_s", "<=", held(since(&d.Last, at), length)},
		),
	}
	if d.AlertFired != nil {
		r.facts = map[string]time.Time{alertRoute: *d.AlertFired}
	}
	return r, nil
}

// spans reports whether what was measured is as long as the period of a parameter such as 99.3%/P30D, and not longer
// than it by more than a tenth and a day: good times long ago make up for nothing. Without a period a year is the most.
func (d *UptimeReport) spans(p policy.Param) bool {
	window, readable := over(p)
	most := window + window/10 + int64(day/time.Second)
	if window == 0 {
		most = int64(MaxAge / time.Second)
	}
	took := seconds(d.To.Sub(d.From))
	return readable && took >= window && took <= most
}

// alert measures how the newest alert went: whether it reached a person, and how long until she said so.
func (d *UptimeReport) alert(at time.Time) ([]measure, error) {
	switch fired, reached, acked := d.AlertFired, d.AlertReached, d.AlertAcked; {
	case fired == nil && reached == nil && acked == nil:
		return nil, nil
	case fired == nil || fired.After(at) || reached != nil && (reached.Before(*fired) || reached.After(at)) ||
		acked != nil && (reached == nil || acked.Before(*reached) || acked.After(at)):
		return nil, invalid("alert_fired, alert_reached and alert_acknowledged: one is missing, before the one it follows, or after the event.")
	}
	return []measure{
		{[]string{"drill"}, "alerts_reached", "==", held(known(truth(d.AlertReached != nil)), periodic)},
		{[]string{"ack"}, "acknowledged_s", "<=", func(p policy.Param) (int64, int64, bool) {
			limit, readable := length(p)
			if d.AlertAcked != nil {
				return seconds(d.AlertAcked.Sub(*d.AlertFired)), limit, readable
			}
			waited := seconds(at.Sub(*d.AlertFired)) // until it is too late nobody can tell
			return waited, limit, readable && waited > limit
		}},
	}, nil
}

// periodic reads a parameter that says how often a drill is made: 1, that it went well.
func periodic(p policy.Param) (int64, bool) {
	_, readable := length(p)
	return 1, readable
}

// edgeProtection is the check that attacks from outside are seen.
const edgeProtection = "edge-protection"

// alert measures how the newest drill went: whether it raised an alert, and after how long.
func (d *ScanFinished) alert(at time.Time) ([]measure, error) {
	switch {
	case d.Drill == nil && d.Raised == nil:
		return nil, nil
	case d.Drill == nil || d.Drill.After(at) || d.Raised != nil && (d.Raised.Before(*d.Drill) || d.Raised.After(at)):
		return nil, invalid("drill and alert_raised: one is missing, before the one it follows, or after the event.")
	}
	delay := measure{[]string{"delay"}, "raised_s", "<=", func(p policy.Param) (int64, int64, bool) {
		limit, readable := length(p)
		if d.Raised != nil {
			return seconds(d.Raised.Sub(*d.Drill)), limit, readable
		}
		waited := seconds(at.Sub(*d.Drill)) // until it is too late nobody can tell
		return waited, limit, readable && waited > limit
	}}
	return []measure{{[]string{"drill"}, "alerts_raised", "==", held(known(truth(d.Raised != nil)), periodic)}, delay}, nil
}

package episode

import (
	"slices"
	"time"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/rule"
)

// found is a hit with what its rule says about alarms.
type found struct {
	rule.Hit
	kind     Kind
	group    string
	asks     bool
	shadow   bool
	deadline time.Duration // zero: as long as the severity says
	gap      time.Duration
	reach    time.Duration
	promises []string
	at       int64 // event time, microseconds since 1970
}

// How long there is to answer where the rule does not say.
const (
	answerWithin   = 4 * time.Hour
	criticalWithin = time.Hour
	settleWithin   = 24 * time.Hour // of what asks nobody
	settleCritical = 4 * time.Hour
)

// within is how long there is to answer, and then to review; or to settle what asks nobody.
func (f found) within(severity policy.Severity) time.Duration {
	switch {
	case f.deadline > 0:
		return f.deadline
	case severity == policy.Critical && f.asks:
		return criticalWithin
	case severity == policy.Critical:
		return settleCritical
	case !f.asks:
		return settleWithin
	}
	return answerWithin
}

// reach is how long after its event time a hit of a rule may come: as late as its entry, and then what the rule waits
// before it judges. What it could not judge at once, such as the end of an operation, waits as long as entries are late.
func reach(r rule.Rule, kind Kind) time.Duration {
	late := lateness(r)
	if !r.Window.Settles() {
		if kind == Undetermined {
			return 2 * late
		}
		return late
	}
	settle, _ := r.Window.Settle.Exact()
	if settle == 0 {
		settle = late
	}
	if r.Window.Kind != rule.Absence {
		return late + settle
	}
	within, _ := r.Window.Within.Exact()
	return late + settle + within
}

// lateness is how late the entries of a rule may come; what Google's consoles for people write takes hours.
func lateness(r rule.Rule) time.Duration {
	matches := r.Matches
	if r.Window.Other != nil {
		matches = slices.Concat(matches, r.Window.Other.Matches)
	}
	for _, m := range matches {
		for _, slow := range []string{"login.googleapis.com", "admin.googleapis.com", "cloudidentity.googleapis.com"} {
			if slices.Contains(m.Service, slow) {
				return WorkspaceLateness
			}
		}
	}
	return Lateness
}

// finding reads a hit. An event time that is ahead counts as now: nothing would ever close otherwise.
func (s *Service) finding(h rule.Hit, now time.Time) found {
	f := found{Hit: h, kind: Violation, gap: time.Hour, reach: Lateness}
	if h.Verdict == rule.Undetermined {
		f.kind = Undetermined
	}
	if r, known := s.Rules.Rule(h.Rule); known {
		// Where the rule could be evaluated, only not for sure, whoever acted can tell.
		f.asks = r.Alarm.Justify == rule.ActorAnswers && (f.kind == Violation || h.Subject.Doubt != "")
		f.shadow, f.promises = r.Alarm.Shadow, Promises(s.Policy, r)
		f.deadline, _ = r.Alarm.Deadline.Exact()
		f.reach = reach(r, f.kind)
		f.gap = max(r.Quiet(), f.reach)
	}
	return f.placed(now)
}

func (f found) placed(now time.Time) found {
	asked := ""
	if f.asks {
		asked = f.Subject.Actor
	}
	f.Key, f.group = keyed(f.Key), groupID(f.kind, f.Hit, asked)
	f.at = f.Time.UnixMicro()
	if ahead := now.Add(Lateness).UnixMicro(); f.at > ahead {
		f.at = now.UnixMicro()
	}
	return f
}

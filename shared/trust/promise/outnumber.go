package promise

import (
	"fmt"
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

// outnumbered finds promises of one check whose numbers cannot all hold.
func outnumbered(t *texts) []Finding {
	promises := everyPromise(t.all)
	return slices.Concat(recovery(promises), bounds(promises), retained(promises), otherwise(t.all))
}

// recovery finds backups that are rarer than the recovery point objective allows: what was written since the last
// one is lost (ISO/IEC 27031: RPO is the point in time to which data must be recovered).
func recovery(all []sentence) []Finding {
	var out []Finding
	for _, objective := range all {
		point, ok := upper(objective.Params["rpo"])
		if !ok {
			continue
		}
		var rarer []sentence
		for _, s := range all {
			if age, ok := upper(s.Params["age"]); ok && s.Check == objective.Check && age > point && s.SameAs == "" {
				rarer = append(rarer, s)
			}
		}
		if len(rarer) > 0 {
			// The one in the same chapter is what people read together.
			slices.SortStableFunc(rarer, func(a, b sentence) int { return chapter(b, objective) - chapter(a, objective) })
			out = append(out, found(Contradiction,
				fmt.Sprintf("%s promises to lose at most %s, and %s back up only every %s: what is in those copies alone can be older.", objective.ID, objective.Params["rpo"].Values[0], list(idsOf(rarer)), rarer[0].Params["age"].Values[0]),
				"Say which data the objective holds for, or back up the rest as often as it asks.",
				append([]sentence{objective}, rarer...)...))
		}
	}
	return out
}

func chapter(a, b sentence) int {
	if a.Source == b.Source {
		return 1
	}
	return 0
}

// bounds finds a least value above a most value, in one check and under one name.
func bounds(all []sentence) []Finding {
	var out []Finding
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.Check != b.Check {
				continue
			}
			for _, name := range sortedKeys(a.Params) {
				low, high := a, b
				least, most := a.Params[name], b.Params[name]
				if least.Op == "<=" {
					low, high, least, most = b, a, most, least
				}
				if least.Op != ">=" || most.Op != "<=" {
					continue
				}
				x, okX := length(least)
				y, okY := length(most)
				if okX && okY && x > y {
					out = append(out, found(Contradiction,
						fmt.Sprintf("%s asks for %s of at least %s, and %s for at most %s.", low.ID, name, least.Values[0], high.ID, most.Values[0]),
						"Change one of the two numbers.", low, high))
				}
			}
		}
	}
	return out
}

// everyPromise returns each promise once, in whichever language comes first.
func everyPromise(all []sentence) []sentence {
	seen := map[string]bool{}
	var out []sentence
	for _, s := range all {
		if !seen[s.ID] {
			seen[s.ID] = true
			out = append(out, s)
		}
	}
	return out
}

// upper returns an upper bound as a length of time.
func upper(p policy.Param) (time.Duration, bool) {
	if p.Op != "<=" {
		return 0, false
	}
	return length(p)
}

// length returns a param as a length of time, long months and years counted; false when it is none.
func length(p policy.Param) (time.Duration, bool) {
	if len(p.Values) != 1 {
		return 0, false
	}
	period, err := calendar.ParsePeriod(p.Values[0])
	if err != nil {
		return 0, false
	}
	days := period.Years*366 + period.Months*31 + period.Days
	return time.Duration(days)*dayLength + period.Clock, true
}

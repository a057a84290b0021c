package baseline

import (
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"ostiary.internal/shared/drift/coverage"
)

// Types of where logs are kept.
const (
	logBucketType = "logging.googleapis.com/LogBucket"
	bucketType    = "storage.googleapis.com/Bucket"
)

// covered reports whether the log sinks together lead what a filter lets through, of the project that is looked at, to where
// it is kept; with days, to where nobody can take it away for so many. Where nobody can tell it is an error.
func (k lookup) covered(need string, days float64) ref.Val {
	v := k.v
	if v.a == nil || v.a.Type != projectType {
		return types.NewErr("covered is asked of a project only")
	}
	sinks, known := v.live.of(coverage.Type)
	if !known {
		return types.NewErr("nothing of the type %s was read", coverage.Type)
	}
	v.looked(v.a.Read)
	for _, s := range sinks {
		v.looked(s.Read)
	}
	v.others = append(v.others, sinks...)
	keeps, doubt := map[string]coverage.Verdict{}, ""
	for _, s := range sinks {
		to, _ := s.Data["destination"].(string)
		if keeps[to] = k.keeps(to, days); keeps[to] == coverage.Undetermined && doubt == "" {
			doubt = to
		}
	}
	verdict, why := coverage.Of(v.a, sinks, func(to string) bool { return keeps[to] == coverage.Covered }, need)
	if verdict == coverage.NotCovered && doubt != "" {
		if verdict, _ = coverage.Of(v.a, sinks, func(to string) bool { return keeps[to] != coverage.NotCovered }, need); verdict != coverage.NotCovered {
			return types.NewErr("whether %s keeps it was not read", doubt)
		}
	}
	if verdict == coverage.Undetermined {
		return types.NewErr("whether the sinks cover it cannot be told: %s", string(why))
	}
	return types.Bool(verdict == coverage.Covered)
}

// keeps says whether a destination of a sink is a place that keeps what it gets: a bucket of logs, of files, or a data set, but no
// topic. With days it has to be locked for so many, which data sets never are.
func (k lookup) keeps(destination string, days float64) coverage.Verdict {
	service, name, _ := strings.Cut(destination, "/")
	switch {
	case service == "logging.googleapis.com" && !strings.Contains(name, "/buckets/"): // another project, whose own sinks decide
		return coverage.Undetermined
	case service == "logging.googleapis.com":
		// Google locks its own bucket of each project for 400 days.
		if days <= 0 || strings.HasSuffix(name, "/buckets/_Required") && days <= 400 {
			return coverage.Covered
		}
		return k.locked(logBucketType, name, days, func(d map[string]any) (bool, any, float64) {
			if d["retentionDays"] == nil { // the service's own
				return d["locked"] == true, 30.0, 1
			}
			return d["locked"] == true, d["retentionDays"], 1
		})
	case service == "storage.googleapis.com" && days > 0:
		return k.locked(bucketType, name, days, func(d map[string]any) (bool, any, float64) {
			r, _ := d["retentionPolicy"].(map[string]any)
			return r["isLocked"] == true, r["retentionPeriod"], 86400
		})
	case service == "storage.googleapis.com" || service == "bigquery.googleapis.com" && days <= 0:
		return coverage.Covered
	}
	return coverage.NotCovered
}

// locked says whether a place is locked for so many days. how reads that it is, for how long, and how much of that a day is.
func (k lookup) locked(kind, name string, days float64, how func(map[string]any) (bool, any, float64)) coverage.Verdict {
	a, known := k.v.live.Inventory.Get(kind, name)
	if !known || a.Deleted || a.Data == nil {
		return coverage.Undetermined
	}
	k.v.looked(a.Read)
	k.v.others = append(k.v.others, a)
	is, length, day := how(a.Data)
	kept, said := number(types.DefaultTypeAdapter.NativeToValue(length)).(types.Double)
	if is && said && float64(kept) >= days*day {
		return coverage.Covered
	}
	return coverage.NotCovered
}

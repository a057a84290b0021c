package intake

import (
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

func (d *BuildTested) report(time.Time) (report, error) {
	if d.Passed > d.Tests || d.Failed > d.Tests-d.Passed {
		return report{}, invalid("passed and failed: are more than tests.")
	}
	return report{
		passed: d.Failed == 0 && d.Passed > 0, metric: "tests_failed", value: d.Failed, scope: []string{d.Suite},
		population: &record.Population{Expected: max(d.Tests, 1), Seen: d.Passed + d.Failed},
	}, nil
}

func (d *BuildScanned) report(at time.Time) (report, error) {
	if d.Committed != nil && d.Committed.After(at) {
		return report{}, invalid("committed: is after the event.")
	}
	return report{
		passed: d.Critical == 0, metric: "critical_findings", value: d.Critical, scope: []string{d.Tool, d.Scope},
		measures: []measure{{[]string{"lag"}, "lag_s", "<=", since(d.Committed, at), length}},
	}, nil
}

func (d *ReleaseDeployed) report(at time.Time) (report, error) {
	for name, t := range map[string]*time.Time{"dev_at": d.DevAt, "staging_at": d.StagingAt, "base_built": d.BaseBuilt, "previous": d.Previous} {
		if t != nil && t.After(at) {
			return report{}, invalid(name + ": is after the event.")
		}
	}
	inOrder := int64(0)
	if d.DevAt != nil && d.StagingAt != nil && !d.StagingAt.Before(*d.DevAt) {
		inOrder = 1
	}
	return report{
		passed: d.SuitePassed && d.SignedOff, silent: d.Environment != "live",
		measures: []measure{
			{[]string{"order"}, "stages_in_order", "==", known(inOrder), func(p policy.Param) (int64, bool) {
				return 1, slices.Equal(p.Values, []string{"dev", "staging", "live"})
			}},
			{[]string{"image_age"}, "base_age_s", "<=", since(d.BaseBuilt, at), length},
			{[]string{"sprint", "cadence"}, "gap_s", "<=", since(d.Previous, at), length},
		},
	}, nil
}

func (d *BackupCompleted) report(at time.Time) (report, error) {
	oldest, regions, offsite := at, int64(maxInteger), int64(maxInteger)
	seen := map[string]bool{}
	for _, s := range d.Stores {
		if s.Restorable.After(at) {
			return report{}, invalid("stores: restorable is after the event.")
		}
		if seen[s.Store] {
			return report{}, invalid("stores: one of them is there twice.")
		}
		seen[s.Store] = true
		regions, offsite = min(regions, s.Regions), min(offsite, s.Offsite)
		if s.Restorable.Before(oldest) {
			oldest = s.Restorable
		}
	}
	return report{
		passed: true, population: &record.Population{Expected: d.Expected, Seen: int64(len(d.Stores)), Errors: d.Failed},
		measures: []measure{
			{[]string{"rpo", "age", "lag"}, "age_s", "<=", known(seconds(at.Sub(oldest))), length},
			{[]string{"regions"}, "regions", ">=", known(regions), whole},
			{[]string{"offsite"}, "offsite", ">=", known(offsite), whole},
		},
	}, nil
}

func (d *BackupRestored) report(at time.Time) (report, error) {
	if d.Restored.Before(d.Declared) || d.Restored.After(at) {
		return report{}, invalid("restored: is before declared, or after the event.")
	}
	took := seconds(d.Restored.Sub(d.Declared))
	return report{
		passed: d.Checksum, metric: "rto_s", value: took, scope: []string{d.Store},
		measures: []measure{
			{[]string{"rto"}, "rto_s", "<=", known(took), length},
			{[]string{"rpo"}, "rpo_s", "<=", known(d.LostS), length},
		},
	}, nil
}

func (d *TrainingCompleted) report(time.Time) (report, error) {
	return report{passed: d.Passed, person: d.Person, personal: true}, nil
}

func (d *PersonScreened) report(time.Time) (report, error) {
	return report{passed: d.Result == "clear", person: d.Person, personal: true}, nil
}

func (d *PersonNDA) report(at time.Time) (report, error) {
	if d.Signed.After(at) {
		return report{}, invalid("signed: is after the event.")
	}
	return report{passed: true, person: d.Person, personal: true}, nil
}

func (d *ScanFinished) report(time.Time) (report, error) {
	switch {
	case d.Seen > d.Expected:
		return report{}, invalid("seen: is more than expected.")
	case d.Critical == 0 && d.OldestCriticalDay != nil && *d.OldestCriticalDay > 0:
		return report{}, invalid("oldest_critical_days: there is none.")
	}
	age, graded := d.OldestCriticalDay, func(int64) (int64, bool) { return 0, false }
	if d.Critical == 0 {
		age = new(int64)
	}
	if d.Grade != nil {
		graded = known(int64(slices.Index(grades, *d.Grade)))
	}
	return report{
		passed: d.Critical == 0, unless: "fix_critical", metric: "critical_findings", value: d.Critical, scope: []string{d.Tool, d.Kind, d.Target},
		about: d.Target, population: &record.Population{Expected: max(d.Expected, 1), Seen: d.Seen, Errors: d.Errors},
		measures: []measure{
			{[]string{"fix_critical"}, "oldest_critical_d", "<=", given(age), days},
			{[]string{"grade"}, "grade", ">=", graded, grade},
		},
	}, nil
}

func (d *PentestReport) report(at time.Time) (report, error) {
	if d.To.Before(d.From) || d.To.After(at) {
		return report{}, invalid("to: is before from, or after the event.")
	}
	return report{passed: d.Critical == 0 && d.High == 0, metric: "grave_findings", value: min(d.Critical, maxInteger/2) + min(d.High, maxInteger/2)}, nil
}

func (d *ReviewDone) report(time.Time) (report, error) {
	if d.Reviewed > d.Expected {
		return report{}, invalid("reviewed: is more than expected.")
	}
	return report{
		passed: d.Reviewed == d.Expected, metric: "open_findings", value: d.Open, scope: []string{d.Review}, person: d.Reviewer,
		population: &record.Population{Expected: d.Expected, Seen: d.Reviewed},
	}, nil
}

func (d *EndpointReport) report(time.Time) (report, error) {
	if d.Seen > d.Expected {
		return report{}, invalid("seen: is more than expected.")
	}
	wrong := max(d.Unmanaged, d.Unencrypted, d.AntivirusOff, d.OldSignatures)
	return report{
		passed: wrong == 0, metric: "devices_out_of_order", value: wrong, population: &record.Population{Expected: max(d.Expected, 1), Seen: d.Seen},
	}, nil
}

func (d *UptimeReport) report(at time.Time) (report, error) {
	switch {
	case !d.From.Before(d.To) || d.To.After(at) || d.Last.After(at):
		return report{}, invalid("to: is not after from, or to or last is after the event.")
	case d.Missing > d.Probes || d.Failed > d.Probes-d.Missing:
		return report{}, invalid("missing and failed: are more than probes.")
	}
	made := d.Probes - d.Missing
	up := func(int64) (int64, bool) { // a probe that was not made did not find it up
		return perMillion(made-d.Failed, d.Probes), true
	}
	return report{
		passed: true, scope: []string{d.Endpoint}, population: &record.Population{Expected: d.Probes, Seen: d.Probes},
		measures: []measure{
			{[]string{"slo"}, "up_ppm", ">=", up, func(p policy.Param) (int64, bool) {
				limit, ok := share(p)
				window, named := over(p)
				return limit, ok && named && seconds(d.To.Sub(d.From)) >= window
			}},
			{[]string{"age"}, "age_s", "<=", since(&d.Last, at), length},
		},
	}, nil
}

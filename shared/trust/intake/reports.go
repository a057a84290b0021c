package intake

import (
	"regexp"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
)

func (d *BuildTested) report(at time.Time) (report, error) {
	if d.Passed > d.Tests || d.Failed > d.Tests-d.Passed {
		return report{}, invalid("passed and failed: are more than tests.")
	}
	if d.Deployed != nil && d.Deployed.After(at) {
		return report{}, invalid("deployed: is after the event.")
	}
	if d.SignedOff != nil && d.SignedOff.After(at) {
		return report{}, invalid("signed_off: is after the event.")
	}
	measures, err := d.measures()
	return report{
		passed: d.Failed == 0 && d.Passed > 0, metric: "tests_failed", value: d.Failed, scope: []string{d.Suite},
		population: &record.Population{Expected: max(d.Tests, 1), Seen: d.Passed + d.Failed}, labels: map[string]string{"suite": d.Suite},
		measures: slices.Concat(measures, d.live(), []measure{{[]string{"within"}, "after_release_s", "<=", held(since(d.Deployed, at), length)}}),
	}, err
}

// live measures whether a person too tested what is live: a word from before tells of something else.
func (d *BuildTested) live() []measure {
	if d.SignedOff == nil || d.Deployed == nil {
		return nil
	}
	return []measure{{[]string{"after_live"}, "tested_by_hand", "==", held(known(truth(!d.SignedOff.Before(*d.Deployed))), says("suite", "sign-off"))}}
}

func (d *BuildScanned) report(at time.Time) (report, error) {
	if d.Committed != nil && d.Committed.After(at) {
		return report{}, invalid("committed: is after the event.")
	}
	return report{
		passed: d.Critical == 0, metric: "critical_findings", value: d.Critical, scope: []string{d.Tool, d.Scope}, labels: map[string]string{"scope": d.Scope},
		measures: []measure{{[]string{"lag"}, "lag_s", "<=", held(since(d.Committed, at), length)}},
	}, nil
}

func (d *ReleaseDeployed) report(at time.Time) (report, error) {
	for name, t := range map[string]*time.Time{"dev_at": d.DevAt, "staging_at": d.StagingAt, "base_built": d.BaseBuilt, "previous": d.Previous} {
		if t != nil && t.After(at) {
			return report{}, invalid(name + ": is after the event.")
		}
	}
	inOrder := truth(d.DevAt != nil && d.StagingAt != nil && !d.StagingAt.Before(*d.DevAt))
	return report{
		passed: d.SuitePassed && d.SignedOff, silent: d.Environment != "live",
		measures: []measure{
			{[]string{"order"}, "stages_in_order", "==", held(known(inOrder), says("dev", "staging", "live"))},
			{[]string{"before_live"}, "tested_before", "==", held(known(truth(d.SuitePassed && d.SignedOff)), says("suite", "sign-off"))},
			{[]string{"image_age"}, "base_age_s", "<=", held(since(d.BaseBuilt, at), length)},
			{[]string{"sprint", "cadence"}, "gap_s", "<=", held(since(d.Previous, at), length)},
			within(at),
		},
	}, nil
}

func (d *BackupCompleted) report(at time.Time) (report, error) {
	oldest, regions, offsite, off := at, int64(maxInteger), int64(maxInteger), new(int64)
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
		if s.SizeOff == nil || off == nil {
			off = nil
		} else {
			off = new(max(*off, *s.SizeOff))
		}
		if s.Restorable.Before(oldest) {
			oldest = s.Restorable
		}
	}
	var size []measure
	if off != nil {
		size = []measure{{[]string{"size_off"}, "size_off_percent", "<=", held(given(off), whole)}}
	}
	return report{
		passed: true, population: &record.Population{Expected: d.Expected, Seen: int64(len(d.Stores)), Errors: d.Failed},
		measures: append(size,
			measure{[]string{"rpo", "age", "lag"}, "age_s", "<=", held(known(seconds(at.Sub(oldest))), length)},
			measure{[]string{"regions"}, "regions", ">=", held(known(regions), whole)},
			measure{[]string{"offsite"}, "offsite", ">=", held(known(offsite), whole)},
		),
	}, nil
}

// restUnchanged is what a duty calls a restore that left everything else alone.
const restUnchanged = "rest-unchanged"

func (d *BackupRestored) report(at time.Time) (report, error) {
	if d.Restored.Before(d.Declared) || d.Restored.After(at) {
		return report{}, invalid("restored: is before declared, or after the event.")
	}
	took := seconds(d.Restored.Sub(d.Declared))
	r := report{
		at: d.Restored, passed: d.Checksum, metric: "rto_s", value: took, scope: []string{d.Store}, request: unasked,
		measures: []measure{
			{[]string{"rto"}, "rto_s", "<=", held(known(took), length)},
			{[]string{"rpo"}, "rpo_s", "<=", held(known(d.LostS), length)},
		},
	}
	if d.Rest != nil {
		r.about, r.passed = []string{restUnchanged}, r.passed && *d.Rest
	}
	if d.Request != nil {
		r.request, r.target = asked, *d.Request
	}
	return r, nil
}

// edition is the year or number at the end of a course's name.
var edition = regexp.MustCompile(`[-/._:]?[0-9][0-9.]*$`)

func (d *TrainingCompleted) report(time.Time) (report, error) {
	// A course is the same when it is given again the next year.
	return report{passed: d.Passed, person: d.Person, personal: true, about: []string{d.Course, edition.ReplaceAllString(d.Course, "")}}, nil
}

func (d *PersonScreened) report(time.Time) (report, error) {
	return report{passed: d.Result == "clear", person: d.Person, personal: true, about: d.Checks}, nil
}

func (d *PersonNDA) report(at time.Time) (report, error) {
	if d.Signed.After(at) {
		return report{}, invalid("signed: is after the event.")
	}
	return report{at: d.Signed, passed: true, person: d.Person, personal: true}, nil
}

func (d *ScanFinished) report(at time.Time) (report, error) {
	switch {
	case d.Seen > d.Expected:
		return report{}, invalid("seen: is more than expected.")
	case d.Critical == 0 && d.OldestCriticalDay != nil && *d.OldestCriticalDay > 0:
		return report{}, invalid("oldest_critical_days: there is none.")
	}
	measures, err := d.measures()
	if err != nil {
		return report{}, err
	}
	alert, err := d.alert(at)
	if err != nil {
		return report{}, err
	}
	age, graded := d.OldestCriticalDay, given(nil)
	if d.Critical == 0 {
		age = new(int64)
	}
	if d.Grade != nil {
		graded = known(int64(slices.Index(grades, *d.Grade)))
	}
	r := report{
		passed: d.Critical == 0, unless: "fix_critical", metric: "critical_findings", value: d.Critical, scope: []string{d.Tool, d.Kind, d.Target},
		about: []string{d.Kind}, target: d.Target, labels: map[string]string{"kind": d.Kind}, population: &record.Population{Expected: max(d.Expected, 1), Seen: d.Seen, Errors: d.Errors},
		measures: slices.Concat(measures, among(d.Found), alert, []measure{
			{[]string{"fix_critical"}, "oldest_critical_d", "<=", held(given(age), days)},
			{[]string{"grade"}, "grade", ">=", held(graded, grade)},
			covered(d.Expected, d.Seen),
		}),
	}
	if d.Drill != nil {
		r.facts = map[string]time.Time{edgeProtection: *d.Drill}
	}
	return r, nil
}

func (d *PentestReport) report(at time.Time) (report, error) {
	if d.To.Before(d.From) || d.To.After(at) {
		return report{}, invalid("to: is before from, or after the event.")
	}
	about := []string{d.Tester}
	for _, scope := range d.Scope {
		about = append(about, d.Tester+"/"+scope)
	}
	return report{at: d.To, about: about, passed: d.Critical == 0 && d.High == 0, metric: "grave_findings", value: min(d.Critical, maxInteger/2) + min(d.High, maxInteger/2)}, nil
}

func (d *EndpointReport) report(time.Time) (report, error) {
	if d.Seen > d.Expected {
		return report{}, invalid("seen: is more than expected.")
	}
	wrong := max(d.Unmanaged, d.Unencrypted, d.AntivirusOff, d.OldSignatures)
	return report{
		passed: wrong == 0, metric: "devices_out_of_order", value: wrong, population: &record.Population{Expected: max(d.Expected, 1), Seen: d.Seen},
		measures: []measure{covered(d.Expected, d.Seen)},
	}, nil
}

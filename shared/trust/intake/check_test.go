package intake

import (
	"slices"
	"testing"
	"time"
)

// TestCheck: a binding that no event could fulfil is told at its place, and one that some could is not.
func TestCheck(t *testing.T) {
	t.Parallel()
	p, rules := read(t, with(company, map[string]string{
		"services.yaml": `sources:
  - {id: ci, email: ci@services.x.example, types: [build.tested], promises: [L1, S1, T1, N1]}
  - {id: all, email: all@services.x.example, types: [build.tested, build.scanned, scan.finished, uptime.report], promises: [L1, A1, A2, O1]}
  - {id: desk, email: desk@services.x.example, types: [training.completed, review.done], promises: [C1, C2, N1]}
`,
		"duties.yaml": `duties:
  - {id: a, what: Pass., owner_role: security, every: P1Y, evidence: [training.completed]}
  - {id: b, what: Look., owner_role: security, every: P1Y, evidence: [{type: review.done, about: logs}]}
  - {id: c, what: Pass., owner_role: security, every: P1Y, evidence: [{type: training.completed, about: coding}]}
  - {id: d, what: Look., owner_role: security, every: P1Y, evidence: [{type: review.done, about: access}]}
  - {id: e, what: Clear., owner_role: security, on: new-software, evidence: [{type: scan.finished, about: malware}]}
  - {id: f, what: Clear., owner_role: security, on: new-software, evidence: [{type: scan.finished, about: vim}]}
`,
		"promises/all.yaml": "promises:\n" + sentences("L1 {lag: PT24H}: records: ci-evidence", "S1 {suite: unit}: records: ci-evidence", "T1 {size: 9}: records: ci-evidence",
			"A1: records: alert-route", "A2 {ack: PT15M}: records: alert-route", "O1 {content: image/*, targets: [x.example]}: records: claim-watch", "N1: statement: security", "C1: duty: [a, c]", "C2: duty: [b, d]"),
	}))
	var keys []string
	for _, problem := range Check(p, rules) {
		if !problem.Dangling || problem.Line == 0 {
			t.Errorf("%+v", problem)
		}
		keys = append(keys, problem.File+" "+problem.Key)
	}
	want := []string{"services.yaml sources[0].promises[0]", "services.yaml sources[0].promises[2]", "services.yaml sources[0].promises[3]",
		"services.yaml sources[1].promises[1]", "services.yaml sources[2].promises[2]", "duties.yaml duties[5].evidence[0]", "duties.yaml duties[2].evidence"}
	if !slices.Equal(keys, want) {
		t.Errorf("%v, want %v", keys, want)
	}
}

// TestLimits: what a kind says it can measure is what its samples do.
func TestLimits(t *testing.T) {
	t.Parallel()
	for name, k := range kinds {
		data := k.data()
		if err := decode(sample(t, name), data); err != nil {
			t.Fatal(err)
		}
		r, err := data.report(time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, m := range r.measures {
			found = append(found, m.params...)
		}
		for label := range r.labels {
			found = append(found, label)
		}
		if slices.ContainsFunc(found, func(param string) bool { return slices.Contains(numbers, param) }) {
			found = append(found, numbers...)
		}
		slices.Sort(found)
		limits := slices.Clone(k.limits)
		slices.Sort(limits)
		if found = slices.Compact(found); !slices.Equal(found, limits) {
			t.Errorf("%s: measures %v, says %v", name, found, limits)
		}
	}
}

package scan

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/policy"
)

// verdicts are what was found, of one asset or of all.
type verdicts struct {
	seen   []finding.Seen
	at     map[string]int      // of seen, by id
	beside map[string][]string // by id: the other assets it rests on
	doubt  map[string]bool     // ids of what could not be told
	dark   map[string]bool     // assets, or addresses of Terraform, of which no difference could be told
	ours   bool                // the controls themselves were looked at
	waits  []string            // what changed and was not read since, a line each
	unsure map[string]string   // why nobody can tell about what is the controls' own, by asset; "" for all of it
	counts map[string]*finding.Count
	untold map[string][]Untold // by assertion
	began  time.Time           // what was stored before is in it
	of     head                // the scan it looked at
	known  *known              // what it looked at
	// compared is how all that Terraform wants was held against what there is; nil: it was not.
	compared *diff.Result
	told     []Untold // of all assertions, when everything was judged
}

func newVerdicts() *verdicts {
	return &verdicts{at: map[string]int{}, beside: map[string][]string{}, doubt: map[string]bool{}, dark: map[string]bool{}, unsure: map[string]string{}, untold: map[string][]Untold{}, counts: map[string]*finding.Count{}}
}

// add takes what is out of order. What says several things of one field of one asset is one.
func (v *verdicts) add(s finding.Seen) {
	id := s.Name()
	at, there := v.at[id]
	if !there {
		v.at[id] = len(v.seen)
		v.seen = append(v.seen, s)
		return
	}
	one := &v.seen[at]
	one.Want, one.Got = both(one.Want, s.Want), both(one.Got, s.Got)
	one.Loosened, one.Urgent = one.Loosened || s.Loosened, one.Urgent || s.Urgent
	if grave(s.Severity) < grave(one.Severity) {
		one.Severity = s.Severity
	}
}

func both(a, b string) string { return strings.Trim(a+"\n"+b, "\n") }

// grave orders severities, the gravest first.
func grave(s policy.Severity) int {
	return slices.Index([]policy.Severity{policy.Critical, policy.High, policy.Medium, policy.Low, policy.Info}, s)
}

// mostBeside bounds how many assets a finding is known to rest on.
const mostBeside = 2000

// rests notes what other assets a finding rests on.
func (v *verdicts) rests(j baseline.Judgement) {
	var keys []string
	for _, a := range j.Others {
		if a.Key != j.Key && len(keys) < mostBeside {
			keys = append(keys, a.Key)
		}
	}
	slices.Sort(keys)
	v.beside[finding.ID(j.Key, finding.About(j.Assertion, j.Promise))] = slices.Compact(keys)
}

// lost reports whether nobody can tell about a finding.
func (v *verdicts) lost(k *known, terraform bool) func(finding.Finding) bool {
	return func(f finding.Finding) bool {
		if f.Class == finding.Forbidden {
			_, is := k.unseen(kindIn(k, f.Asset), f.Asset)
			return v.doubt[f.ID] || f.Asset != "" && is
		}
		address, _ := diff.Place(f.What)
		_, is := k.unseen(kindIn(k, f.Asset), f.Asset)
		if f.Class == string(self.Drift) {
			_, unsure := v.unsure[f.Asset]
			return is || !v.ours || unsure
		}
		return !terraform || is || v.dark[f.Asset] || v.dark[address]
	}
}

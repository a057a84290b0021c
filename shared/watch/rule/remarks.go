package rule

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/policy"
)

// Remarks tells what rules say that is allowed and most likely not meant: a class of alarms that other rules write otherwise, and a
// text that is not there in every language of the company.
func Remarks(p *policy.Policy) []policy.Problem {
	s, _ := Load(p)
	uses := map[string]int{}
	for _, r := range s.rules {
		uses[r.Alarm.Class]++
	}
	var remarks []policy.Problem
	for _, r := range s.rules {
		var others []string
		for _, class := range slices.Sorted(maps.Keys(uses)) {
			if class != "" && class != r.Alarm.Class && uses[class] >= uses[r.Alarm.Class] {
				others = append(others, class)
			}
		}
		if meant := policy.Meant(r.Alarm.Class, others); meant != "" {
			remarks = append(remarks, p.Remark(r.File, "alarm.class", fmt.Sprintf("no other rule has the class %q", r.Alarm.Class)+meant,
				"a class of your own; rules that mean the same share one"))
		}
		var missing []string
		for _, language := range p.Company.Languages {
			if r.Alarm.Text.In(language) == "" {
				missing = append(missing, language)
			}
		}
		if len(missing) > 0 {
			remarks = append(remarks, p.Remark(r.File, "alarm.text", "is not said in "+strings.Join(missing, ", ")+", a language of company.yaml",
				"one sentence in each of "+strings.Join(p.Company.Languages, ", ")+"; whoever reads another sees the one there is"))
		}
	}
	return policy.Sort(remarks)
}

package main

import (
	"errors"
	"strings"
)

// detailFlags takes what the register asks for beside, into the details of a declaration; of flags left out it says nothing.
func detailFlags(t terminal, body map[string]any) {
	details := func() map[string]any {
		if body["details"] == nil {
			body["details"] = map[string]any{}
		}
		return body["details"].(map[string]any)
	}
	for _, one := range [][2]string{
		{"occurrence", "how sure it is when it occurred: exact, estimate or unknown"}, {"discovered-by", "who found it: staff, detection, processor, person, third_party or press"},
		{"origin", "where it comes from: internal, external or unknown"}, {"intent", "malicious, accidental or unknown"}, {"systems", "which are concerned"},
		{"measures-before", "what protected the data before"}, {"police", "whether they know, and under which reference"}, {"other-authorities", "that know, and under which reference"},
	} {
		t.flags.Func(one[0], one[1], func(text string) error {
			details()[strings.ReplaceAll(one[0], "-", "_")] = text
			return nil
		})
	}
	t.flags.Func("earlier", "number of an earlier case it is linked to; may be given again", func(text string) error {
		all, _ := details()["earlier_incidents"].([]string)
		details()["earlier_incidents"] = append(all, text)
		return nil
	})
	t.flags.Func("not-applicable", "one of these that does not apply, and why, such as police=REASON; may be given again", func(text string) error {
		name, why, both := strings.Cut(text, "=")
		if !both {
			return errors.New("want a name and a reason, such as police=REASON")
		}
		not, _ := details()["not_applicable"].(map[string]string)
		if not == nil {
			not = map[string]string{}
			details()["not_applicable"] = not
		}
		not[strings.ReplaceAll(name, "-", "_")] = why
		return nil
	})
}

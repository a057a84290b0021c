package receipt

import (
	"strings"
	"testing"

	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/fault"
)

// What a receipt says of anonymised rows has to add up, and it says that they count as before only of all of them.
func TestRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rows       Rows
		fits, kept bool
	}{
		"all, by nothing":           {Rows{Before: 1_200, After: 1_200}, true, true},
		"all, by a field":           {Rows{Before: 1_200, After: 1_200, Same: 1_200, By: []string{"city"}, Uncounted: []string{"minutes"}}, true, true},
		"none was looked at":        {Rows{}, true, false},
		"one was not looked at":     {Rows{Before: 1_199, After: 1_199}, true, false},
		"one is not there":          {Rows{Before: 1_200, After: 1_199}, true, false},
		"one moved":                 {Rows{Before: 1_200, After: 1_200, Same: 1_199, Moved: 1, By: []string{"city"}}, true, false},
		"of one nobody knows":       {Rows{Before: 1_200, After: 1_200, Same: 1_199, By: []string{"city"}}, true, false},
		"more than were anonymised": {Rows{Before: 1_201, After: 1_201}, false, false},
		"more than there were":      {Rows{Before: 5, After: 6}, false, false},
		"more than there are":       {Rows{Before: 6, After: 5, Same: 5, Moved: 1}, false, false},
		"less than nothing":         {Rows{Moved: -1}, false, false},
		"an address for a field":    {Rows{By: []string{"ada@firm.example"}}, false, false},
	} {
		r := sample()
		r.Entries[1].Rows = &c.rows
		made, err := Build(r, nil)
		if c.fits != (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		k := newKey(1, keyName)
		file := signed(t, made, k)
		again, err := Parse(file)
		if err != nil || Verify(file, trust(t, k)).Outcome != verify.Good || again.Entries[1].Kept() != c.kept {
			t.Errorf("%s: kept %v, %v", name, !c.kept, err)
		}
		if !strings.Contains(string(file), `"rows":{"after":`) || strings.Count(string(file), `"rows"`) != 1 {
			t.Errorf("%s: %s", name, file)
		}
	}
	r := sample()
	r.Entries[1].Rows = &Rows{By: []string{"user-4711"}}
	if _, err := Build(r, nil, "User-4711"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a field that is named like her: %v", err)
	}
}

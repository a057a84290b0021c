package checkup_test

import (
	"strings"
	"testing"

	"ostiary.internal/functions/ostiary/internal/checkup"
	"ostiary.internal/shared/watch/rule"
)

// TestInGoodOrder: of an installation as it was released nothing is wrong and nothing unknown, and every area says so.
func TestInGoodOrder(t *testing.T) {
	t.Parallel()
	w := deploymentOf(t, nil)
	found := w.examine(t, w.overTheWire(t), func(o *checkup.Options) { o.Blind = func([]string, []string) []rule.Need { return nil } })
	good := map[string]bool{}
	for _, c := range found.Checks {
		if c.State == checkup.Wrong || c.State == checkup.Undetermined {
			t.Errorf("%+v", c)
		}
		good[c.Area] = good[c.Area] || c.State == checkup.OK
	}
	for _, area := range checkup.Areas() {
		if !good[area] {
			t.Errorf("nothing is said to be well of %s", area)
		}
	}
	if found.State != checkup.OK || len(found.Unasked) != 0 || found.Asked < 300 {
		t.Errorf("%s, not looked at %q, %d requests", found.State, found.Unasked, found.Asked)
	}
	if w.most > 12 {
		t.Errorf("%d requests at once", w.most)
	}
	for key, n := range w.asked {
		if n > 3 && !strings.HasSuffix(key, "backendServices/7") { // which all functions for staff share
			t.Errorf("%d times %s", n, key)
		}
	}
}

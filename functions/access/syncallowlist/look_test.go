package syncallowlist

import (
	"errors"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
)

// TestInOrder: a door that waits for its quota is in order, one that failed is not, and one that holds a part only for a while.
func TestInOrder(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		door allowlist.Outcome
		want bool
	}{
		"holds it":           {allowlist.Outcome{Held: true}, true},
		"holds something":    {allowlist.Outcome{}, false},
		"waits for a quota":  {allowlist.Outcome{Wait: time.Second}, true},
		"waits and failed":   {allowlist.Outcome{Wait: time.Second, Failures: 1}, false},
		"a part":             {allowlist.Outcome{Wait: time.Second, Part: true, PartFor: patience - time.Second}, true},
		"a part for long":    {allowlist.Outcome{Wait: time.Second, Part: true, PartFor: patience}, false},
		"lets more in":       {allowlist.Outcome{Held: true, Wider: []string{"rule"}}, false},
		"could not be asked": {allowlist.Outcome{Held: true, Err: errors.New("no answer")}, false},
	} {
		if got := inOrder(row.door); got != row.want {
			t.Errorf("%s: in order %t, want %t", name, got, row.want)
		}
	}
}

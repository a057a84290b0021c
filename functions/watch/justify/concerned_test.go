package justify

import (
	"fmt"
	"strings"
	"testing"

	"ostiary.internal/shared/watch/episode"
)

// A link names every customer, or none: of more than it can carry nobody may think that it is all.
func TestConcerned(t *testing.T) {
	t.Parallel()
	var e episode.Episode
	for n := range mostTenants + 2 {
		want := n
		if n > mostTenants {
			want = 0
		}
		if got := len(concerned(e)); got != want {
			t.Errorf("of %d customers it names %d", n, got)
		}
		e.Tenants = append(e.Tenants, fmt.Sprintf("customer-%d-%s", n, strings.Repeat("x", 30)))
	}
}

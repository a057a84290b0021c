package ledger

import (
	"fmt"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/store"
)

// TestLengthen: when backups are kept longer than they were, so are the entries of those who were erased before; none is kept
// shorter, and each still tells what it did.
func TestLengthen(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(noon)
	s := inMemory(t, clk)
	l := open(t, s, first)
	for i := range store.MaxQueryResults + 3 { // more than one page of them
		add(t, l, Subject{"acme", datamap.Controller, "uid", fmt.Sprint("u", i)}, noon)
	}
	if err := Lengthen(t.Context(), s, 6*month); err != nil {
		t.Fatal(err)
	}
	if err := Lengthen(t.Context(), s, LeastKeep); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		wait := 6*month + Margin - time.Hour
		if !want {
			wait += 2 * time.Hour
		}
		if err := clk.Set(noon.Add(wait)); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"u0", fmt.Sprint("u", store.MaxQueryResults+2)} {
			if got := matches(t, l, Subject{"acme", datamap.Controller, "uid", id}, noon.Add(-time.Hour)); got != want {
				t.Errorf("%s later %s is known: %v", wait, id, got)
			}
		}
	}
}

package run_test

import (
	"context"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
)

// What turns out to be more than was approved before the first item of it went stands on no record of who was erased, and can be
// refused by two people; once something is gone it can not.
func TestGrownUntouched(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		late string
		want string
	}{
		"in the first entry": {"sessions", ""}, "in a later one": {"usage", "too_late"},
	} {
		o, r := newOffice(t), mathrand.New(mathrand.NewPCG(1, 1))
		suppressed := 0
		o.config.Suppress = func(context.Context, string, datamap.Role, []datamap.Identifier, time.Time) error {
			suppressed++
			return nil
		}
		o.clerk = o.hire(o.store)
		o.requests = o.clerk.Requests
		o.fill(1)
		asked, _ := o.ask(r)
		o.stop = request.TopicRun
		o.deliver(r)
		for i := range 500 {
			o.people.put(c.late, "late-"+string(rune('a'+i/26))+string(rune('a'+i%26)), "uid", "u1", "name", "Jo")
		}
		if _, err := o.clerk.Carry(t.Context(), asked.ID); err != nil {
			t.Fatal(err)
		}
		if got := o.state(asked.ID); got != request.Planning {
			t.Fatalf("%s: the request is %s", name, got)
		}
		if touched := c.want != ""; touched != (suppressed > 0) || touched != (o.people.erased > 0) {
			t.Errorf("%s: %d erased, %d times on record", name, o.people.erased, suppressed)
		}
		o.deliver(r)
		who, _ := o.settings.Policy.PersonByID("a")
		if _, err := o.requests.Reject(t.Context(), asked.ID, who, request.NotOwed, "", o.clock.Now()); fault.CodeOf(err) != c.want {
			t.Errorf("%s: refused: %v", name, err)
		}
	}
}

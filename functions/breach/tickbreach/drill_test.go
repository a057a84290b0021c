package tickbreach

import (
	"testing"
	"time"

	"ostiary.internal/shared/breach/drill"
	"ostiary.internal/shared/evidence/record"
)

// TestChannelsAreTested: in the next month a message goes out on every channel that calls people; nothing is heard of it for
// a day, and that is on record.
func TestChannelsAreTested(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Tick(t, me).Want(t, 204, "")
	w.Advance(t, 30*24*time.Hour)
	w.pass(100*time.Hour, time.Hour) // over a weekend
	found, err := w.parts.Drills.List(t.Context(), nil, 10)
	if err != nil || len(found) != 1 || found[0].Kind != drill.Channels || found[0].State != drill.Failed {
		t.Fatalf("%v %+v", err, found)
	}
	broken := 0
	for _, r := range w.Records(t) {
		if r.Kind == record.Drill && r.Control == drill.Control && r.Result.State == record.Broken {
			broken++
		}
	}
	if broken != 1 {
		t.Errorf("%d records say so", broken)
	}
}

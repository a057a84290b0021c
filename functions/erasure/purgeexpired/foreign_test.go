package purgeexpired

import (
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/testdata/sample"
)

// TestForeign: what turns out to be another customer's when it is about to go stays; that is a finding and an alarm, until a pass
// meets none of it.
func TestForeign(t *testing.T) {
	t.Parallel()
	w := erasuretest.New(t, nil, Function)
	kinds := func(kind record.Kind) (n int) {
		for id, r := range w.Records(t) {
			if r.Kind == kind && r.Facts["entry"] == "exports" {
				if w.Writer(id) != me {
					t.Errorf("%s wrote it", w.Writer(id))
				}
				n++
			}
		}
		return n
	}
	calls := 0
	w.OnData(func() { // whoever writes there gives it from one to the other and back
		tenant := erasuretest.Nord
		if calls++; calls%2 == 0 {
			tenant = "somebody-else"
		}
		w.Put("exports", erasuretest.Nord, sample.Document{Name: "moving", Created: functiontest.Start.AddDate(0, -5, 0), Fields: map[string]any{"owner": "u1", "tenant": tenant}})
	})
	for range 4 {
		w.Tick(t, me).Want(t, 204, "")
		w.Advance(t, 24*time.Hour)
		calls++ // the other one is first
		if kinds(record.Finding) > 0 {
			break
		}
	}
	w.OnData(nil)
	if kinds(record.Finding) != 1 || len(w.Published(message.TopicRequested)) == 0 {
		t.Fatalf("%d findings, %d letters", kinds(record.Finding), len(w.Published(message.TopicRequested)))
	}
	for range 2 {
		w.Tick(t, me).Want(t, 204, "")
		w.Advance(t, 24*time.Hour)
	}
	if kinds(record.Remediation) != 1 {
		t.Errorf("%d mended", kinds(record.Remediation))
	}
}

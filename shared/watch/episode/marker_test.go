package episode

import (
	"testing"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

// Nobody else beats the heart, and no entry hides from the rules by what it says it is.
func TestForgedMarker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	own, err := w.NewMarker(t.Context(), w.now())
	if err != nil {
		t.Fatal(err)
	}
	heard := func() bool {
		t.Helper()
		marker, _, err := w.pulses(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return heard(marker, w.now())
	}
	forged := act("e1", "act", "ada", 0)
	forged.LogName, forged.Labels = "projects/firm/logs/ostiary-heartbeat", map[string]string{HeartbeatLabel: "1"}
	if out := w.ingest(forged); out.Heartbeat || out.Hits != 1 || heard() {
		t.Errorf("forged: %+v", out)
	}
	audit := act("e2", "act", "ada", 0)
	audit.Kind, audit.Labels = auditlog.Audit, map[string]string{HeartbeatLabel: own}
	if out := w.ingest(audit); out.Heartbeat || heard() {
		t.Errorf("no application wrote it: %+v", out)
	}
	ours := act("e3", "act", "ada", 0)
	ours.Labels = map[string]string{HeartbeatLabel: own}
	if out := w.ingest(ours); !out.Heartbeat || out.Hits != 1 || !heard() {
		t.Errorf("with our own value: %+v", out)
	}
	// Written again later it proves nothing more.
	w.to(20 * time.Minute)
	again := act("e4", "act", "ada", 20*time.Minute)
	again.Labels = ours.Labels
	if out := w.ingest(again); !out.Heartbeat || heard() {
		t.Errorf("again: %+v", out)
	}
	for range mostMarks {
		if _, err := w.NewMarker(t.Context(), w.now()); err != nil {
			t.Fatal(err)
		}
	}
	again.ID = "e5"
	if out := w.ingest(again); out.Heartbeat {
		t.Errorf("of a value that is forgotten: %+v", out)
	}
}

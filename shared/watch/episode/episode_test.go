package episode

import (
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/watch/notice"
)

var rulesOne = map[string]string{"one": ruled("act", "", "justify: actor"), "none": ruled("look", "", "justify: none")}

// One alarm, however many hits; one message to who acted and one to each of security; the same entry again is nothing.
func TestOneAlarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	if out := w.ingest(act("e1", "act", "ada", 0)); out.Hits != 1 {
		t.Fatalf("%+v", out)
	}
	if out := w.ingest(act("e1", "act", "ada", 0)); !out.Again {
		t.Errorf("the same entry again: %+v", out)
	}
	w.to(50 * time.Minute)
	w.ingest(act("e2", "act", "ada", 50*time.Minute))
	v := w.only()
	if v.State != Asked || v.Person != "ada" || len(v.Members) != 2 || !v.Due.Equal(noon.Add(4*time.Hour)) {
		t.Errorf("%+v", v)
	}
	if n, to := w.notices(notice.Asked); n != 1 || titles(to) != "ada" {
		t.Errorf("asked %d: %s", n, to)
	}
	if n, to := w.notices(notice.Alarm); n != 1 || titles(to) != "oli sam sue" {
		t.Errorf("alarm %d: %s", n, to)
	}
	if w.of(record.Finding, "alarm") != 1 {
		t.Errorf("%d findings", w.of(record.Finding, "alarm"))
	}
	// It closes when nothing can come any more; what comes later is another one.
	w.to(3 * time.Hour)
	w.tick()
	if v = w.only(); v.Closed.IsZero() {
		t.Errorf("not closed: %+v", v)
	}
	w.ingest(act("e3", "act", "ada", 3*time.Hour))
	if n, _ := w.notices(notice.Asked); n != 2 {
		t.Errorf("a re-offence: asked %d times", n)
	}
}

// An entry that no rule wants touches no store, once its stream is known to be written.
func TestNothingIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	w.ingest(act("e0", "sleep", "ada", 0))
	w.to(59 * time.Minute)
	w.left = 0
	if out := w.ingest(act("e1", "sleep", "ada", 0)); out != (Outcome{}) {
		t.Errorf("%+v", out)
	}
}

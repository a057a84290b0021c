package request

import (
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
)

// A copy first, then the erasing.
func TestExport(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r, err := w.Ask(ctx, Ask{Session: session(Subject), Tenant: "acme", Export: true}, w.now())
	w.must(err)
	w.planned(r.ID, plan())
	if w.staffed("kommt nicht weiter") != 1 {
		t.Error("nobody was told to make the copy")
	}
	w.to(time.Hour)
	w.must(w.Tick(ctx, w.now()))
	if _, err := w.Started(ctx, r.ID, 1, "sha256:aa", w.now()); code(err) != "export_first" || w.published(TopicRun, r.ID) != 0 {
		t.Errorf("%v", err)
	}
	w.to(8 * 24 * time.Hour)
	w.must(w.Tick(ctx, w.now()))
	if w.staffed("kommt nicht weiter") != 2 {
		t.Error("nobody was reminded")
	}
	today := calendar.Date(w.now(), w.Rules.Zone)
	for _, day := range []calendar.Day{calendar.AddDays(today, 1), calendar.AddDays(today, -9)} {
		if _, err := w.Exported(ctx, r.ID, w.person("dan"), day, w.now()); code(err) != "body_invalid" {
			t.Errorf("handed over on %s: %v", day, err)
		}
	}
	for range 2 {
		_, err = w.Exported(ctx, r.ID, w.person("dan"), calendar.AddDays(today, -1), w.now())
		w.must(err)
	}
	if work, err := w.Work(ctx, r.ID, w.now()); err != nil || work.Handed != calendar.AddDays(today, -1) || w.read(r.ID).HandedBy != "dan" || w.of("exported") != 1 {
		t.Errorf("the statement is %+v, %v", work.Handed, err)
	}
	for _, rec := range w.Order {
		if rec.Facts["event"] == "exported" && (rec.Facts["handed"] != calendar.AddDays(today, -1).String() || len(rec.Subjects) != 2) {
			t.Errorf("the record is %+v", rec)
		}
	}
	if _, err := w.Started(ctx, r.ID, 1, "sha256:aa", w.now()); err != nil || w.published(TopicRun, r.ID) != 1 {
		t.Errorf("%v", err)
	}
}

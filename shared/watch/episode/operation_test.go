package episode

import (
	"encoding/json"
	"testing"
	"time"

	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/notice"
)

// half is one of the two entries of an operation; asked is the request, "" for none.
func half(id, who, asked string, first bool, at time.Duration) auditlog.Entry {
	e := act(id, "insert", who, at)
	e.Kind, e.Stream, e.LogName = auditlog.Audit, auditlog.Activity, "projects/firm/logs/cloudaudit.googleapis.com/activity"
	e.Operation = auditlog.Operation{ID: "op", First: first, Last: !first}
	if who == "" {
		e.Actor = auditlog.Actor{Kind: auditlog.Unknown}
	}
	if asked != "" {
		e.Request = json.RawMessage(`{"least":"` + asked + `"}`)
	}
	return e
}

// What began and ended is one alarm or none, through the store as well, whichever came first; an end without a beginning
// is told when the beginning is overdue.
func TestOperations(t *testing.T) {
	t.Parallel()
	rules := map[string]string{"one": "match: [{service: [app], method: [insert], stream: [activity]}]\nwhen: actor.email != \"bob@firm.example\" && text(request, \"least\") != \"high\"\n" +
		"alarm: {severity: high, text: {en: Seen.}, justify: actor}\npromises: [P1]\n"}
	for name, c := range map[string]struct {
		entries []auditlog.Entry
		want    int
	}{
		"in order":          {[]auditlog.Entry{half("a", "ada", "high", true, 0), half("b", "ada", "", false, minutes)}, 0},
		"in order, turned":  {[]auditlog.Entry{half("b", "ada", "", false, 0), half("a", "ada", "high", true, -minutes)}, 0},
		"by who may":        {[]auditlog.Entry{half("a", "bob", "low", true, 0), half("b", "", "", false, minutes)}, 0},
		"not in order":      {[]auditlog.Entry{half("a", "ada", "low", true, 0), half("b", "", "", false, minutes)}, 1},
		"not, turned":       {[]auditlog.Entry{half("b", "", "", false, 0), half("a", "ada", "low", true, -minutes)}, 1},
		"the end by itself": {[]auditlog.Entry{half("b", "ada", "", false, 0)}, 1},
	} {
		w := newWorld(t, rules)
		for _, e := range append(c.entries, c.entries...) {
			w.ingest(e)
		}
		w.to(9 * minutes)
		w.tick()
		if n, _ := w.notices(notice.Alarm); name == "the end by itself" && n != 0 {
			t.Errorf("%s: told before the beginning is overdue", name)
		}
		w.to(30 * minutes)
		w.tick()
		w.tick()
		if n, _ := w.notices(notice.Alarm); n != c.want {
			t.Errorf("%s: %d alarms, want %d", name, n, c.want)
		}
	}
}

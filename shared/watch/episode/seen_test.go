package episode

import (
	"testing"
	"time"

	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
)

// A rule that looks for a log nobody says is written is blind until an entry of it came; one that a setting tells of stays
// as the setting says.
func TestUnseen(t *testing.T) {
	t.Parallel()
	rules := map[string]string{"one": rulesOne["one"], "other": "match: [{service: [storage.googleapis.com], method: [objects.get], stream: [data_access]}]\nalarm: {severity: high, text: {en: Read.}}\npromises: [P2]\n"}
	w := newWorld(t, rules)
	blind := w.Rules.Blind(func(string, auditlog.Stream) bool { return false })
	whole := func(blind []rule.Need) map[string]bool {
		t.Helper()
		beats, err := w.Look(t.Context(), blind, w.now())
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]bool{}
		for _, b := range beats {
			all[b.Check] = b.Population.Errors == 0
		}
		return all
	}
	w.marker()
	if got := whole(blind); got["one"] || got["other"] || !got[Control] {
		t.Errorf("before anything came: %v, of %v", got, blind)
	}
	if got := whole(nil); !got["one"] || !got["other"] {
		t.Errorf("declared: %v", got)
	}
	read := act("r", "objects.get", "ada", 0)
	read.Kind, read.Stream, read.Service = auditlog.Audit, auditlog.DataAccess, "storage.googleapis.com"
	w.ingest(act("e1", "sleep", "ada", 0))
	w.ingest(read)
	if got := whole(blind); !got["one"] || got["other"] {
		t.Errorf("after one of each came: %v", got)
	}
	// It is written once an hour.
	seen := func() time.Time {
		p, err := pulsed(func(c, id string, into any) error { return w.Store.Get(t.Context(), c, id, into) }, seenID(w.needs[0]))
		if err != nil {
			t.Fatal(err)
		}
		return p.At
	}
	for _, c := range []struct{ after, want time.Duration }{{59 * time.Minute, 0}, {time.Hour, time.Hour}} {
		w.to(c.after)
		w.ingest(act("e"+c.after.String(), "sleep", "ada", c.after))
		if got := seen().Sub(noon); got != c.want {
			t.Errorf("after %s: noted at %s", c.after, got)
		}
	}
}

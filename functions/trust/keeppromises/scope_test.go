package keeppromises

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
)

func TestMain(m *testing.M) {
	os.Exit(functiontest.Main(m, manifest, map[string]string{
		"bound certificate: remediation": "a document that each person owes, and somebody leaves who never filed it: no sample company asks for one",
	}))
}

// TestLeaver: what somebody owed who has left is owed no more, and its finding is closed; and what senders feed is said to be
// looked at.
func TestLeaver(t *testing.T) {
	t.Parallel()
	people, err := os.ReadFile("../../../testdata/policies/sharedcontacts/people.yaml")
	must(t, err)
	w := newWorld(t, map[string]string{
		"people.yaml": strings.Replace(string(people), "until: 2027-12-31", "until: 2026-03-15", 1),
		"duties.yaml": "duties:\n  - {id: nda, what: Everybody signs., owner_role: manager, on: joining, within: P7D, promises: [D30]}\n",
	})
	must(t, w.Raw("trust").Tx(t.Context(), func(tx store.Tx) error {
		return tx.Put("feeds", "backup-freshness.L39", map[string]any{"v": 1, "check": "backup-freshness", "promise": "L39"})
	}))
	w.good(t)
	w.Advance(t, 8*24*time.Hour)
	w.good(t)
	found := w.of(t, record.Finding)
	w.Advance(t, 8*24*time.Hour)
	w.good(t)
	healed := w.of(t, record.Remediation)
	if len(found) == 0 || len(healed) != 1 || !slices.ContainsFunc(found, func(r record.Record) bool { return r.ID() == healed[0].Refs[0].ID }) {
		t.Errorf("%d were late, and of these closed are %d", len(found), len(healed))
	}
	if !slices.ContainsFunc(w.of(t, record.Run), func(r record.Record) bool { return r.Control == "backup-freshness" && r.Population.Seen == 1 }) {
		t.Error("nothing says that what is fed was looked at")
	}
}

package intake

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/evidence/record"
)

// TestEqualSentences: what is sent about a promise counts for all that say the same, so the strictest of their limits holds,
// whichever the event names; and one of them that limits what the event does not measure is not kept by it.
func TestEqualSentences(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		params, restorable string
		want               record.State
	}{
		"within both":             {`{age: "<=P7D"}`, "2026-03-03T08:00:00Z", record.Kept},
		"beyond the other's":      {`{age: "<=P7D"}`, "2026-03-01T08:00:00Z", record.Broken},
		"beyond its own":          {`{age: "<=PT1H"}`, "2026-03-03T04:00:00Z", record.Broken},
		"the other's, unmeasured": {`{age: "<=PT24H", size_off: "<=5"}`, "2026-03-03T08:00:00Z", record.Unknown},
	} {
		folder := maps.Clone(company)
		text := string(company["x/promises/all.yaml"].Data)
		equal := "  - {id: B9, same_as: B1, text: {en: The same.}, source: {file: x, section: z}, check: backup-freshness, severity: high, params: " + test.params + ", kept_by: [{records: backup-freshness}]}\n"
		folder["x/promises/all.yaml"] = &fstest.MapFile{Data: []byte(text + equal)}
		sources := strings.Replace(string(company["x/services.yaml"].Data), "promises: [B1, B2]", "promises: [B1, B2, B9]", 1)
		folder["x/services.yaml"] = &fstest.MapFile{Data: []byte(sources)}
		names := []string{"B1", "B9"}
		if test.want == record.Unknown {
			names = names[:1] // about the other one it is refused
		}
		for _, named := range names {
			r := newRigOf(t, folder, nil)
			r.send(t, "backup", message("1", "backup.completed", happened, changed(t, "backup.completed",
				`{"promises":["`+named+`"],"expected":1,"stores":[{"store":"db","restorable":"`+test.restorable+`","regions":2,"offsite":1}]}`)))
			for _, o := range r.of("backup-freshness") {
				if o.Result.State != test.want {
					t.Errorf("%s, named %s: %s, want %s", name, named, o.Result.State, test.want)
				}
			}
			if len(r.of("backup-freshness")) != 1 {
				t.Errorf("%s, named %s: %d observations", name, named, len(r.of("backup-freshness")))
			}
		}
	}
}

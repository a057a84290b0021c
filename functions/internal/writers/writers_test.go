package writers

import (
	"testing"

	"ostiary.internal/shared/evidence/record"
)

// TestAll: nobody but its own functions writes about a check that opens doors, nobody but the sequencer about keys, and
// nobody but the schedule of the watch, which also sends on what its other functions left, says that a rule looked.
func TestAll(t *testing.T) {
	t.Parallel()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		control string
		kind    record.Kind
		by      map[string]bool
	}{
		{"otp-gate", record.Access, map[string]bool{"checkotp": true, "enrolotp": true, "registerip": true, "syncallowlist": true}},
		{"evidence-log", record.Key, map[string]bool{"sealevidence": true}},
		{"trust-page", record.Page, map[string]bool{"keeppromises": true}},
		{"sample-life", record.Claim, map[string]bool{Sample: true}},
		{"watch", record.Finding, map[string]bool{"justify": true, "tickwatch": true, "watchaudit": true}},
		{"watch", record.Review, map[string]bool{"justify": true, "tickwatch": true}},
		{"watch", record.Waiver, map[string]bool{"justify": true, "tickwatch": true}},
		{"watch", record.Run, map[string]bool{"tickwatch": true}},
		{"watchaudit", record.Gap, map[string]bool{"watchaudit": true}},
		{"a-rule", record.Run, map[string]bool{"keeppromises": true, "tickwatch": true}}, // rules are the policy's
		{"a-duty", record.Attestation, map[string]bool{"attest": true, "collectevidence": true, "keeppromises": true}},
	} {
		for writer := range all {
			if got := all.Allow(writer, record.New(test.kind, test.control, "event")); got != test.by[writer] {
				t.Errorf("%s may write %s about %s: %v", writer, test.kind, test.control, got)
			}
		}
	}
}

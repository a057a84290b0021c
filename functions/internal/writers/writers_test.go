package writers

import (
	"slices"
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
	bound := record.Names{"rule": {"a-rule", "both"}, "duty": {"a-duty"}, "probe": {"tls-version", "both"}, "records": {"backup-freshness"}}
	for writer, scope := range all {
		if slices.Contains(scope.Controls, record.Others) {
			t.Errorf("%s may write about everything", writer)
		}
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
		{"a-rule", record.Run, map[string]bool{"tickwatch": true}},
		{"a-rule", record.Case, nil},
		{"a-duty", record.Attestation, map[string]bool{"attest": true, "collectevidence": true, "keeppromises": true}},
		{"a-duty", record.Run, nil},
		{"tls-version", record.Run, map[string]bool{"keeppromises": true}}, // a probe's: no rule says that it looked
		{"tls-version", record.Observation, map[string]bool{"keeppromises": true}},
		{"backup-freshness", record.Observation, map[string]bool{"collectevidence": true, "keeppromises": true}},
		{"backup-freshness", record.Run, map[string]bool{"keeppromises": true}},
		{"backup-freshness", record.Attestation, nil},
		{"both", record.Run, map[string]bool{"keeppromises": true, "tickwatch": true}},
		{"vault", record.Erasure, map[string]bool{"collectevidence": true}},
		{"trust-page", record.Claim, nil},
		{"statement", record.Attestation, map[string]bool{"attest": true, "keeppromises": true}},
		{"waiver", record.Waiver, map[string]bool{"attest": true, "keeppromises": true}},
	} {
		for writer := range all {
			if got := all.Allow(writer, record.New(test.kind, test.control, "event"), bound); got != test.by[writer] {
				t.Errorf("%s may write %s about %s: %v", writer, test.kind, test.control, got)
			}
		}
	}
}

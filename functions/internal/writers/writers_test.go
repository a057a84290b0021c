package writers

import (
	"slices"
	"testing"

	"ostiary.internal/shared/evidence/record"
)

// TestAll: nobody but its own functions writes about a check that opens doors, nobody but the sequencer about keys, nobody
// but the schedule of the watch says that a rule looked; and a schedule may not say what it only hands in for others.
func TestAll(t *testing.T) {
	t.Parallel()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	bound := record.Names{"rule": {"a-rule", "both"}, "duty": {"a-duty"}, "probe": {"tls-version", "both"}, "records": {"backup-freshness"}}
	for writer, scope := range all {
		if scope.Controls[record.Others] != nil {
			t.Errorf("%s may write about everything", writer)
		}
	}
	for _, test := range []struct {
		control   string
		kind      record.Kind
		mechanism string // that the record says it is of
		by        []string
	}{
		{"otp-gate", record.Access, "", []string{"checkotp", "enrolotp", "registerip"}},
		{"otp-gate", record.Run, "", []string{"syncallowlist"}},
		{"evidence-log", record.Key, "", []string{"sealevidence"}},
		{"trust-page", record.Page, "", []string{"keeppromises"}},
		{"trust-page", record.Claim, "", nil},
		{"sample-life", record.Claim, "", []string{Sample}},
		{"watch", record.Finding, "", []string{"justify", "tickwatch", "watchaudit"}},
		{"watch", record.Review, "", []string{"justify"}},
		{"watch", record.Waiver, "", []string{"justify"}},
		{"watch", record.Run, "", []string{"tickwatch"}},
		{"watchaudit", record.Gap, "", []string{"watchaudit"}},
		{"a-rule", record.Run, "rule", []string{"tickwatch"}},
		{"a-rule", record.Run, "probe", nil},
		{"a-rule", record.Case, "rule", nil},
		{"a-duty", record.Attestation, "duty", []string{"attest"}},
		{"a-duty", record.Observation, "duty", []string{"attest", "collectevidence", "keeppromises"}},
		{"a-duty", record.Run, "duty", nil},
		{"tls-version", record.Run, "probe", []string{"keeppromises"}}, // a probe's: no rule says that it looked
		{"tls-version", record.Run, "rule", nil},
		{"tls-version", record.Observation, "probe", []string{"keeppromises"}},
		{"backup-freshness", record.Observation, "", []string{"collectevidence"}},
		{"backup-freshness", record.Run, "", []string{"keeppromises"}},
		{"backup-freshness", record.Attestation, "", nil},
		{"both", record.Run, "probe", []string{"keeppromises"}},
		{"both", record.Run, "rule", []string{"tickwatch"}},
		{"vault", record.Erasure, "", []string{"purgeexpired"}},
		{"statement", record.Attestation, "", []string{"attest"}},
		{"waiver", record.Waiver, "", []string{"attest"}},
	} {
		r := record.New(test.kind, test.control, "event")
		if test.mechanism != "" {
			r.Facts = map[string]string{record.Mechanism: test.mechanism}
		}
		for writer := range all {
			if got := all.Allow(writer, r, bound); got != slices.Contains(test.by, writer) {
				t.Errorf("%s may write %s about %s as %q: %v", writer, test.kind, test.control, test.mechanism, got)
			}
		}
	}
}

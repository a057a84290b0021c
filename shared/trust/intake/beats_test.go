package intake

import (
	"slices"
	"testing"

	"ostiary.internal/shared/evidence/record"
)

// TestBeats: only a check that was told something beats, for the promises it was told about.
func TestBeats(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	if beats, err := Beats(t.Context(), r.trust); err != nil || len(beats) != 0 {
		t.Errorf("nobody sent anything: %+v, %v", beats, err)
	}
	r.send(t, "backup", message("1", "backup.completed", happened, changed(t, "backup.completed", `{"promises":["B1"]}`)))
	r.send(t, "ci", message("2", "build.tested", happened, sample(t, "build.tested")))
	r.send(t, "backup", message("3", "backup.completed", happened, changed(t, "backup.completed", `{"promises":["B2"]}`)))
	beats, err := Beats(t.Context(), r.trust)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"backup-freshness": {"B1", "B2"}, "ci-evidence": {"T1"}, "replica-regions": {"B2"}}
	for _, b := range beats {
		if !slices.Equal(b.Promises, want[b.Check]) || b.Population != (record.Population{Expected: int64(len(b.Promises)), Seen: int64(len(b.Promises))}) {
			t.Errorf("%+v, want %v", b, want[b.Check])
		}
	}
	if len(beats) != len(want) {
		t.Errorf("%d beats", len(beats))
	}
}

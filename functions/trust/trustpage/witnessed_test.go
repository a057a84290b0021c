package trustpage_test

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/evidencetest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/witness"
)

// Who confirmed the log, how much of it and when stands on the page, also after the log has grown.
func TestWitnessOnThePage(t *testing.T) {
	t.Parallel()
	s, _ := shown(t, 60)
	s.Record(t, record.Policy)
	s.Seal(t)
	const alone = "self-signed only"
	if body := string(s.Call(t, get("/?lang=en")).Body); !strings.Contains(body, alone) {
		t.Errorf("without a witness the page does not say %q", alone)
	}
	signed, err := s.Head.Get(t.Context(), evidencetest.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	s.Confirm(t, s.Clock.Now().Add(-14*time.Minute).Truncate(time.Second))
	cosigned, err := s.Head.Get(t.Context(), evidencetest.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Head.Swap(t.Context(), evidencetest.Checkpoint, signed.Data, cosigned.Generation); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Publish(t.Context(), s.Tiles, s.Head, s.Trust, cosigned.Data); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for lang, want := range map[string]string{"en": " confirmed 2 records, ", "fr": " a confirmé 2 enregistrements, ", "de": " hat 2 Einträge bestätigt, "} {
			body := string(s.Call(t, get("/?lang="+lang)).Body)
			if !strings.Contains(body, "<bdi>witness.example</bdi>"+want) || strings.Contains(body, alone) {
				t.Errorf("%s: the page does not say %q", lang, want)
			}
		}
		s.Record(t, record.Policy)
		s.Seal(t)
	}
}

package trustpage_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/evidencetest"
	"ostiary.internal/functions/trust/trustpage"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/witness"
)

// The checkpoint bears what a witness published for it, and goes on without when the log does.
func TestCheckpointWithItsWitness(t *testing.T) {
	t.Parallel()
	s := evidencetest.New(t, trustpage.Function, nil)
	s.Record(t, record.Policy)
	s.Seal(t)
	alone, err := s.Head.Get(t.Context(), evidencetest.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	at := s.Clock.Now().Truncate(time.Second)
	s.Confirm(t, at)
	cosigned, err := s.Head.Get(t.Context(), evidencetest.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Head.Swap(t.Context(), evidencetest.Checkpoint, alone.Data, cosigned.Generation); err != nil {
		t.Fatal(err)
	}
	if got := s.Call(t, get("/v1/checkpoint")).Want(t, 200, ""); !bytes.Equal(got.Body, alone.Data) {
		t.Errorf("before anything was published: %s", got.Body)
	}
	if _, err := witness.Publish(t.Context(), s.Tiles, s.Head, s.Trust, cosigned.Data); err != nil {
		t.Fatal(err)
	}
	if got := s.Call(t, get("/v1/checkpoint")).Want(t, 200, ""); !bytes.Equal(got.Body, cosigned.Data) {
		t.Errorf("published, and answered %s", got.Body)
	}
	s.Record(t, record.Policy)
	s.Seal(t)
	got, err := s.Trust.Verify(s.Call(t, get("/v1/checkpoint")).Want(t, 200, "").Body)
	if err != nil || len(got.Witnesses) > 0 || got.Size <= 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

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

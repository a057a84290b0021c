package trustpage_test

import (
	"bytes"
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

package trustpage_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/evidencetest"
	"ostiary.internal/functions/trust/internal/evidence"
	"ostiary.internal/functions/trust/trustpage"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// Everything of the log that is public can be had, and checks out by itself.
func TestLog(t *testing.T) {
	t.Parallel()
	s, _ := shown(t, 1)
	for range 3 {
		s.Record(t, record.Policy)
	}
	s.Record(t, record.Observation)
	s.Seal(t)
	note := s.Call(t, get("/v1/checkpoint")).Want(t, 200, "")
	checkpoint, err := s.Trust.Verify(note.Body)
	if err != nil || checkpoint.Size != 5 {
		t.Fatalf("%v: %s", err, note.Body)
	}
	tile := s.Call(t, get("/v1/tile/0/000.p/5")).Want(t, 200, "")
	if len(tile.Body) != 5*sha256.Size || !strings.Contains(tile.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("a tile of %d bytes", len(tile.Body))
	}
	private := 0
	for i := range 5 {
		index := string(rune('0' + i))
		proof := s.Call(t, get("/v1/proofs/"+index)).Want(t, 200, "")
		got := s.Call(t, get("/v1/records/"+index))
		if got.Code == "record_private" {
			private++
			continue
		}
		if at, _, err := log.OpenProof(proof.Body, got.Want(t, 200, "").Body, s.Trust); err != nil || at != int64(i) {
			t.Errorf("the proof of record %d: %d, %v", i, at, err)
		}
		if r, err := record.Parse(got.Body); err != nil || r.Kind != record.Policy {
			t.Errorf("record %d: %s, %v", i, r.Kind, err)
		}
	}
	if private != 2 { // the observation, and the log's own run record
		t.Errorf("%d records are private", private)
	}
	s.Call(t, get("/v1/tile/entries/000.p/5")).Want(t, 403, "entries_private")
}

// A record that holds the commitment of a person it is about is not answered, whatever its kind; one that counts people
// together is.
func TestRecordsAboutPersons(t *testing.T) {
	t.Parallel()
	s := evidencetest.New(t, trustpage.Function, nil)
	about := record.Commitment([]byte("a salt of sixteen bytes"), "person", "ada")
	for i, subjects := range [][]record.Subject{nil, {{Type: "signer", C: about}}, {{Type: "person", C: about}}} {
		for _, kind := range []record.Kind{record.Attestation, record.Drill, record.Release} {
			r := record.New(kind, "sample", fmt.Sprint(i), "L01")
			r.Source.Type, r.Source.Collected, r.Result.State, r.Subjects = "test", s.Clock.Now(), record.Kept, subjects
			r.Population = &record.Population{Expected: 4, Seen: 4}
			s.Put(t, r)
		}
	}
	s.Seal(t)
	open := 0
	for i := range 10 {
		got := s.Call(t, get("/v1/records/"+fmt.Sprint(i)))
		if got.Status == 200 {
			open++
			if strings.Contains(string(got.Body), "hmac:") {
				t.Errorf("record %d is answered with a commitment: %s", i, got.Body)
			}
			continue
		}
		got.Want(t, 403, "record_private")
		s.Call(t, get("/v1/proofs/"+fmt.Sprint(i))).Want(t, 200, "")
	}
	if open != 3 {
		t.Errorf("%d records are public, want the three that name nobody", open)
	}
}

// TestSignedStatements: what somebody signed in a role for the company is public, with the commitment of who signed; what
// is about somebody is not, in whoever's name it says so.
func TestSignedStatements(t *testing.T) {
	t.Parallel()
	s := evidencetest.New(t, trustpage.Function, nil)
	mark := record.Commitment([]byte("a salt of sixteen bytes"), "person", "ada")
	for i, test := range []struct {
		control string
		kind    record.Kind
		types   []string
		status  int
	}{
		{"statement", record.Attestation, []string{"signer"}, 200},
		{"statement", record.Attestation, []string{"person"}, 403},
		{"statement", record.Attestation, []string{"signer", "person"}, 403},
		{"statement", record.Release, []string{"signer"}, 403},
		{"clearance", record.Attestation, []string{"signer"}, 403},
	} {
		r := record.New(test.kind, test.control, fmt.Sprint(i), "L01")
		r.Source.Type, r.Source.Collected, r.Result.State = "test", s.Clock.Now(), record.Attested
		r.Facts = map[string]string{"role": "dpo"}
		for _, kind := range test.types {
			r.Subjects = append(r.Subjects, record.Subject{Type: kind, C: mark})
		}
		s.Put(t, r)
		s.Seal(t)
		got := s.Call(t, get("/v1/records/"+fmt.Sprint(2*i))) // a run record stands behind each
		if got.Status != test.status || test.status == 200 && !strings.Contains(string(got.Body), `"role":"dpo"`) {
			t.Errorf("%+v: %d %s", test, got.Status, got.Body)
		}
	}
}

// Where the operator says so, entries and all records are public.
func TestPublicEntries(t *testing.T) {
	t.Parallel()
	s := evidencetest.New(t, trustpage.Function, map[string]string{trustpage.EnvEntries: "true"})
	s.Record(t, record.Observation)
	s.Seal(t)
	bundle := s.Call(t, get("/v1/tile/entries/000.p/2")).Want(t, 200, "")
	if leaves, err := log.ParseBundle(bundle.Body); err != nil || len(leaves) != 2 {
		t.Errorf("%d leaves, %v", len(leaves), err)
	}
	s.Call(t, get("/v1/records/0")).Want(t, 200, "")
}

func init() {
	log.Stores.Register("broken", func(context.Context, *url.URL, log.Options) (log.Objects, error) { return broken{}, nil })
}

// broken is a store that does not answer.
type broken struct{ log.Objects }

// Get implements log.Objects.
func (broken) Get(context.Context, string) (log.Object, error) {
	return log.Object{}, fault.New(fault.Transient, "an injected failure")
}

// forge changes the newest checkpoint.
func forge(t *testing.T, s *evidencetest.Site) {
	t.Helper()
	o, err := s.Head.Get(t.Context(), evidence.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	forged := bytes.Replace(o.Data, []byte("\n2\n"), []byte("\n3\n"), 1)
	if _, err := s.Head.Swap(t.Context(), evidence.Checkpoint, forged, o.Generation); err != nil || bytes.Equal(forged, o.Data) {
		t.Fatal("nothing was forged: ", err)
	}
}

package local

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/log"
	logs "ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// TestEvidenceIsSealed: within a minute what was recorded is in a log that the trust file beside it verifies, and is
// still listed, once.
func TestEvidenceIsSealed(t *testing.T) {
	t.Parallel()
	w := open(t)
	if _, err := w.Advance(t.Context(), 2*time.Minute); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(w.dir, "evidence", "trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	trust, err := sign.ReadTrust(text)
	if err != nil || trust.Origin != "sharedcontacts.example/ostiary/evidence" {
		t.Fatalf("%+v, %v", trust, err)
	}
	reader := log.NewReader(logs.New(filepath.Join(w.dir, "evidence", "tiles")), log.Head(logs.New(filepath.Join(w.dir, "evidence", "head"))), trust)
	newest, err := reader.Checkpoint(t.Context())
	if err != nil || newest.Size < 3 { // the key, what the first run wrote to the doors, and the log's own run
		t.Fatalf("%+v, %v", newest, err)
	}
	all, err := w.evidence.all(t.Context())
	if err != nil || int64(len(all)) < newest.Size {
		t.Fatalf("%d records, %v; the log holds %d", len(all), err, newest.Size)
	}
	seen := map[string]bool{}
	for _, data := range all {
		r, err := record.Parse(data)
		if err != nil || seen[r.ID()] {
			t.Errorf("%s twice, or %v", r.ID(), err)
		}
		seen[r.ID()] = true
	}
}

// TestTrustFileIsLeftAlone: another start finds the same file; one that does not hold the key refuses to start.
func TestTrustFileIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := open(t)
	path := filepath.Join(w.dir, "evidence", "trust.json")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.openEvidence(t.Context()); err != nil || string(w.evidence.trust) != string(before) {
		t.Errorf("the second time: %v", err)
	}
	if err := os.Remove(w.evidence.keys); err != nil {
		t.Fatal(err)
	}
	if err := w.openEvidence(t.Context()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("with another key: %v", err)
	}
}

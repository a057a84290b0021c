package recordtest

import (
	"bytes"
	"testing"

	"ostiary.internal/shared/evidence/record"
)

// Keep is an inbox that reads what it keeps, for tests of what hands records in: it puts one into kept, under its id, and
// reports whether it came for the first time. What cannot be read, what comes under another's id, and other bytes than the
// first under one id fail the test.
func Keep(t testing.TB, kept map[string]record.Record, id string, data []byte) (r record.Record, first bool) {
	t.Helper()
	r, err := record.Parse(data)
	if err != nil || r.ID() != id {
		t.Errorf("record %s is one of id %s: %v", id, r.ID(), err)
		return r, false
	}
	if before, known := kept[id]; known {
		if had, _ := before.Canonical(); !bytes.Equal(had, data) {
			t.Errorf("record %s has two contents:\n%s\n%s", id, had, data)
		}
		return before, false
	}
	kept[id] = r
	return r, true
}

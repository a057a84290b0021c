package functiontest

import (
	"context"
	"maps"
	"testing"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// inbox keeps records in memory: a test writes thousands, and a folder would sync each to the disk. It passes the suite
// of the seam.
type inbox struct{ opening }

// Create implements record.Inbox.
func (i inbox) Create(ctx context.Context, id string, data []byte) error {
	if err := i.Inbox.pass(); err != nil {
		return err
	}
	if err := record.CheckObject(id, data); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fault.New(fault.Transient, "keeping record %s: %w", id, err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if kept, known := i.records[id]; known && kept != string(data) {
		return fault.New(fault.Conflict, "record %s is kept with other bytes", id)
	}
	i.records[id] = string(data)
	return nil
}

// Close implements record.Inbox.
func (inbox) Close() error { return nil }

// Records returns the evidence inbox, by id.
func (w *World) Records(t testing.TB) map[string]record.Record {
	t.Helper()
	w.mu.Lock()
	kept := maps.Clone(w.records)
	w.mu.Unlock()
	records := map[string]record.Record{}
	for id, data := range kept {
		r, err := record.Parse([]byte(data))
		if err != nil {
			t.Fatalf("record %s: %v", id, err)
		}
		records[id] = r
	}
	return records
}

// Forget empties the evidence inbox and what was published, so that a fuzz target takes the same way for the same input.
func (w *World) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.records)
	w.published, w.delivered = nil, 0
}

package functiontest

import (
	"context"
	"maps"
	"slices"
	"testing"

	"ostiary.internal/functions/internal/writers"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// inbox is a writer's place. It keeps records in memory: a test writes thousands, and a folder would sync each to the disk.
// It passes the suite of the seam.
type inbox struct {
	opening
	writer string
}

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
	if err := i.inScope(data); err != nil {
		i.t.Error(err)
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if kept, known := i.records[id]; known && kept != string(data) {
		return fault.New(fault.Conflict, "record %s is kept with other bytes", id)
	}
	i.records[id], i.places[id] = string(data), i.writer
	return nil
}

// inScope returns Denied for a record that its writer's manifest does not let it write: the sequencer would refuse it; and
// for one in a place where the function may not write. That it is a record, the suite of the seam need not know.
func (i inbox) inScope(data []byte) error {
	if i.writer != i.function.Name && !slices.Contains(i.function.Sweeps, i.writer) {
		return fault.New(fault.Denied, "%s wrote in the place of %s", i.function.Name, i.writer)
	}
	r, err := record.Parse(data)
	if err != nil {
		return nil
	}
	if !i.writers.Allow(i.writer, r, writers.Names(i.Policy)) {
		return fault.New(fault.Denied, "%s wrote a record of kind %s about %s, which its manifest does not list", i.writer, r.Kind, r.Control)
	}
	if r.Code == "" {
		return fault.New(fault.Invalid, "%s wrote a record of kind %s about %s that names no code", i.writer, r.Kind, r.Control)
	}
	said.note(i.writers, i.writer, r, i.Policy)
	return nil
}

// Writer is in whose place a record lies.
func (w *World) Writer(id string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.places[id]
}

// Close implements record.Inbox.
func (inbox) Close() error { return nil }

// Records returns the evidence inbox, by id.
func (w *World) Records(t testing.TB) map[string]record.Record {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, data := range w.records {
		if _, read := w.parsed[id]; read {
			continue
		}
		r, err := record.Parse([]byte(data))
		if err != nil {
			t.Fatalf("record %s: %v", id, err)
		}
		w.parsed[id] = r
	}
	return maps.Clone(w.parsed)
}

// Forget empties the evidence inbox and what was published, so that a fuzz target takes the same way for the same input.
func (w *World) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.records)
	clear(w.places)
	clear(w.parsed)
	w.published, w.delivered = nil, 0
}

package local

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// leaves commits a record by a function's outbox, in the name of a writer, whose relay dies.
func leaves(t *testing.T, deps *wiring.Deps, writer string, r record.Record) {
	t.Helper()
	data, err := r.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	dead := func(context.Context, outbox.Entry) error { return fault.New(fault.Transient, "dead") }
	box := outbox.New(deps.Store, deps.Clock, deps.Log, map[outbox.Kind]outbox.Sink{outbox.Record: dead}).By(writer, nil)
	if err := box.Commit(t.Context(), func(_ store.Tx, batch *outbox.Batch) error {
		batch.Record(r.ID(), data)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestSweptInItsOwnPlace: what a crash left of a function's records, the control's schedule hands in where that function
// would have: it enters the log if that function may say it, and is set aside if not, whatever the one that swept may say.
// In the name of whom it does not sweep for, it hands nothing in.
func TestSweptInItsOwnPlace(t *testing.T) {
	t.Parallel()
	w := trust(t, filepath.Join(t.TempDir(), "data"), "labelsync", begin)
	said := func(kind record.Kind, control, event string) record.Record {
		r := record.New(kind, control, event)
		r.Source.Collected, r.Result.State = w.clock.Now(), record.Undetermined
		return r
	}
	own, beyond, foreign := said(record.Observation, "evidence-intake", "left behind"), said(record.Page, "trust-page", "beyond its scope"), said(record.Key, log.Control, "of another")
	from := w.functions["collectevidence"].deps
	leaves(t, from, "collectevidence", own)
	leaves(t, from, "collectevidence", beyond) // which keeppromises, that sweeps, may say
	leaves(t, from, "sealevidence", foreign)
	if err := w.Jump(w.clock.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if status := w.tick(t.Context(), "keeppromises"); status != 204 {
		t.Fatalf("the sweep answered %d", status)
	}
	inbox := w.evidence.inboxDir()
	for path, there := range map[string]bool{"collectevidence/" + own.ID(): true, "collectevidence/" + beyond.ID(): true, "keeppromises/" + own.ID(): false,
		"keeppromises/" + beyond.ID(): false, "keeppromises/" + foreign.ID(): false, "sealevidence/" + foreign.ID(): false} {
		if _, err := os.Stat(filepath.Join(inbox, path)); (err == nil) != there {
			t.Errorf("%s is there: %v", path, err == nil)
		}
	}
	if left, err := from.Box.Pending(t.Context()); left != 1 || err != nil {
		t.Errorf("left are %d entries, %v; want the one in a name that is not swept for", left, err)
	}
	if status := w.tick(t.Context(), "sealevidence"); status != 204 {
		t.Fatalf("sealing answered %d", status)
	}
	all, err := w.evidence.all(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids, refused []string
	for _, data := range all {
		r, err := record.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID())
		if r.Kind == record.Gap && r.Control == log.Control {
			refused = append(refused, r.Facts["writer"]+" "+r.Facts["reason"])
		}
	}
	if !slices.Contains(ids, own.ID()) || slices.Contains(ids, beyond.ID()) || slices.Contains(ids, foreign.ID()) || !slices.Equal(refused, []string{"collectevidence foreign"}) {
		t.Errorf("in the log: its own %v, what it may not say %v, another's %v; refused were %v", slices.Contains(ids, own.ID()), slices.Contains(ids, beyond.ID()), slices.Contains(ids, foreign.ID()), refused)
	}
}

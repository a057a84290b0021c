package gcs

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/storage"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/gcstest"
)

func packed(t *testing.T, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(make([]byte, size))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestHostileUploads: whoever may only create in the inbox stops nobody with what Cloud Storage lets it say of an object. It
// is on record once, with whose place it lies in; what lies beside it enters the log; and later passes neither read nor
// delete it again, as long as it is there.
func TestHostileUploads(t *testing.T) {
	t.Parallel()
	plain := func(*storage.Writer) {}
	temporary := func(w *storage.Writer) { w.TemporaryHold = true }
	for name, test := range map[string]struct {
		reason string
		stays  bool
		key    []byte
		data   func(t *testing.T, valid []byte) []byte
		change func(w *storage.Writer)
	}{
		"a record under a temporary hold":      {"held", true, nil, nil, temporary},
		"a record under an event-based hold":   {"held", true, nil, nil, func(w *storage.Writer) { w.EventBasedHold = true }},
		"rubbish under a hold":                 {"held", true, nil, func(*testing.T, []byte) []byte { return []byte("x") }, temporary},
		"more than a record under a hold":      {"held", true, nil, func(*testing.T, []byte) []byte { return make([]byte, record.MaxBytes+1) }, temporary},
		"under a key of its own":               {"sealed", true, make([]byte, 32), nil, plain},
		"under a key of its own and a hold":    {"held", true, make([]byte, 32), nil, temporary},
		"under a key that is withdrawn":        {"sealed", true, nil, nil, func(w *storage.Writer) { w.KMSKeyName = "projects/p/locations/l/keyRings/r/cryptoKeys/k" }},
		"gzip that holds more than the memory": {"unreadable", false, nil, func(t *testing.T, _ []byte) []byte { return packed(t, 40<<20) }, func(w *storage.Writer) { w.ContentEncoding = "gzip" }},
		"what only claims to be gzip":          {"unreadable", false, nil, nil, func(w *storage.Writer) { w.ContentEncoding = "gzip" }},
		"as much metadata as there may be": {"unreadable", false, nil, func(*testing.T, []byte) []byte { return []byte("x") }, func(w *storage.Writer) {
			w.Metadata = map[string]string{"k": strings.Repeat("x", 8000)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t)
			id, data := h.make("hostile")
			if test.data != nil {
				data = test.data(t, data)
			}
			place := recordtest.Place + id
			h.upload(place, data, test.key, test.change)
			beside := func(event string) {
				id, data := h.make(event)
				h.upload(recordtest.Place+id, data, nil, plain)
			}
			beside("first")
			if got := h.pass(); got.Added != 1 || got.Refused != 1 {
				t.Errorf("%+v", got)
			}
			gets, deletes := h.called("get", place), h.called("delete", place)
			beside("second")
			if got := h.pass(); got.Added != 1 || got.Refused != 0 || got.Stuck != map[bool]int{true: 1}[test.stays] {
				t.Errorf("the next pass: %+v", got)
			}
			h.seq = h.sequencer() // another process
			beside("third")
			if got := h.pass(); got.Added != 1 || got.Refused != 0 {
				t.Errorf("another process: %+v", got)
			}
			if g, d := h.called("get", place), h.called("delete", place); g != gets || d != deletes {
				t.Errorf("later passes read it %d times more, and deleted it %d times", g-gets, d-deletes)
			}
			if n := h.count(func(r record.Record) bool { return r.Kind == record.Gap }); n != 1 {
				t.Errorf("%d gaps", n)
			}
			if n := h.count(func(r record.Record) bool {
				return r.Kind == record.Gap && r.Facts["reason"] == test.reason && r.Facts["writer"]+"/" == recordtest.Place
			}); n != 1 {
				t.Errorf("%d gaps say why, and whose it is", n)
			}
			if left := h.Names("inbox"); len(left) != map[bool]int{true: 1}[test.stays] {
				t.Errorf("left are %q", left)
			}
			if !strings.Contains(h.said.String(), "an object of the evidence inbox was refused") {
				t.Errorf("nobody is told: %s", h.said)
			}
		})
	}
}

// TestHeldForWeeks: what nobody can delete is on record once, however long it lies there, and enters when it is released.
func TestHeldForWeeks(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	id, data := h.make("hostile")
	h.upload(recordtest.Place+id, data, nil, func(w *storage.Writer) { w.TemporaryHold = true })
	h.upload(recordtest.Place+"not a name", []byte("x"), nil, func(*storage.Writer) {})
	for range 40 {
		if err := h.clock.Set(h.clock.Now().Add(12 * time.Hour)); err != nil {
			t.Fatal(err)
		}
		h.pass()
	}
	if n := h.count(func(r record.Record) bool { return r.Kind == record.Gap }); n != 2 {
		t.Errorf("%d gaps of two objects after %s", n, 20*24*time.Hour)
	}
	released := h.Client(t, gcstest.Everything).Bucket("inbox").Object(recordtest.Place + id)
	if _, err := released.Update(t.Context(), storage.ObjectAttrsToUpdate{TemporaryHold: false}); err != nil {
		t.Fatal(err)
	}
	if got := h.pass(); got.Added != 1 || h.count(func(r record.Record) bool { return r.ID() == id }) != 1 {
		t.Errorf("released: %+v", got)
	}
}

// TestFailingReads: one object that a fault of the storage makes unreadable is left, and told of, and all others enter; where
// nothing can be read nothing is taken for a fault of the objects.
func TestFailingReads(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	for i := range 3 {
		id, data := h.make(fmt.Sprint("event ", i))
		h.upload(recordtest.Place+id, data, nil, func(*storage.Writer) {})
	}
	damaged := h.Names("inbox")[1]
	h.Damage("inbox", damaged, func(data []byte) { data[1] ^= 1 })
	for range 2 {
		report, err := h.seq.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "objects left in the inbox: 1 could not be read, 0 may") || report.Size != 3 { // and a run record
			t.Fatalf("%+v, %v", report, err)
		}
	}
	if left := h.Names("inbox"); len(left) != 1 || left[0] != damaged {
		t.Errorf("left are %q", left)
	}
	h.denies("get")
	for i := range 40 {
		id, data := h.make(fmt.Sprint("later ", i))
		h.upload(recordtest.Place+id, data, nil, func(*storage.Writer) {})
	}
	report, err := h.seq.Run(t.Context())
	if !fault.Is(err, fault.Denied) || report.Refused != 0 || strings.Contains(err.Error(), "everything else") || len(h.Names("inbox")) != 41 {
		t.Errorf("%+v, %v", report, err)
	}
	h.denies("")
	if report, err := h.seq.Run(t.Context()); report.Added != 40 {
		t.Errorf("once it can be read again: %+v, %v", report, err)
	}
}

// TestNothingMayBeDeleted: without the right to delete, all that was handed in enters the log, once, and every pass says so.
func TestNothingMayBeDeleted(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	h.denies("delete")
	for i := range 30 {
		id, data := h.make(fmt.Sprint("event ", i/10))
		if i%10 == 0 {
			h.upload(recordtest.Place+id, data, nil, func(*storage.Writer) {})
		}
		if err := h.clock.Set(h.clock.Now().Add(12 * time.Hour)); err != nil {
			t.Fatal(err)
		}
		if report, err := h.seq.Run(t.Context()); !fault.Is(err, fault.Denied) || report.Stuck != i/10+1 {
			t.Fatalf("pass %d: %+v, %v", i, report, err)
		}
	}
	if n := h.count(func(r record.Record) bool { return r.Kind == record.Observation }); n != 3 {
		t.Errorf("%d records of 3", n)
	}
}

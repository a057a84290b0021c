package gcs

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/storage"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/gcstest"
)

const origin = "log.example/evidence"

// hostile is a log on Cloud Storage, and somebody who may create in the inbox and nothing else.
type hostile struct {
	*gcstest.Server
	t     *testing.T
	clock *clock.Manual
	said  *strings.Builder
	seq   *log.Sequencer

	mu    sync.Mutex
	calls map[gcstest.Call]int
	deny  string // what nobody may do in the inbox, as in a Call
}

// localKey is a signing key that is no secret.
type localKey struct{}

var private = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func (localKey) Name() string { return origin }
func (localKey) Close() error { return nil }
func (localKey) Verifier(context.Context) (string, error) {
	return sign.VerifierKey(origin, private.Public().(ed25519.PublicKey))
}
func (localKey) Sign(_ context.Context, text []byte) ([]byte, error) {
	return ed25519.Sign(private, text), nil
}

func newHostile(t *testing.T) *hostile {
	t.Helper()
	h := &hostile{t: t, clock: clock.NewManual(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), said: &strings.Builder{}, calls: map[gcstest.Call]int{}}
	h.Server = gcstest.New(t, h.clock, gcstest.Bucket{Name: "inbox"}, gcstest.Bucket{Name: "tiles"}, gcstest.Bucket{Name: "head"})
	h.Before = func(c gcstest.Call) int {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.calls[c]++; c.Bucket == "inbox" && c.Does == h.deny {
			return http.StatusForbidden
		}
		return 0
	}
	h.seq = h.sequencer()
	return h
}

// denies lets one thing be forbidden in the inbox from now on, such as delete; "" nothing.
func (h *hostile) denies(does string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deny = does
}

// called tells how often something was done with an object of the inbox.
func (h *hostile) called(does, name string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls[gcstest.Call{Does: does, Bucket: "inbox", Object: name}]
}

func (h *hostile) store(bucket string) Objects {
	h.t.Helper()
	o, err := New(bucket, "", 20*time.Second, h.Connect(gcstest.Everything))
	if err != nil {
		h.t.Fatal(err)
	}
	return o
}

func (h *hostile) sequencer() *log.Sequencer {
	h.t.Helper()
	s, err := log.New(log.Config{Inbox: h.store("inbox"), Tiles: h.store("tiles"), Head: h.store("head"), Origin: origin, Signers: []sign.Signer{localKey{}},
		Writers: recordtest.Writers(), Clock: h.clock, Log: slog.New(slog.NewTextHandler(h.said, nil))})
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// pass makes one pass, a minute later.
func (h *hostile) pass() log.Report {
	h.t.Helper()
	if err := h.clock.Set(h.clock.Now().Add(time.Minute)); err != nil {
		h.t.Fatal(err)
	}
	report, err := h.seq.Run(h.t.Context())
	if err != nil {
		h.t.Errorf("the pass ended with %v", err)
	}
	return report
}

// make returns a record and its id.
func (h *hostile) make(event string) (id string, data []byte) {
	h.t.Helper()
	r := record.New(record.Observation, "backup-freshness", event, "B109")
	r.Source.Collected = h.clock.Now()
	data, err := r.Canonical()
	if err != nil {
		h.t.Fatal(err)
	}
	return r.ID(), data
}

// upload is what somebody who may only create can do with an object.
func (h *hostile) upload(name string, data []byte, key []byte, change func(w *storage.Writer)) {
	h.t.Helper()
	o := h.Client(h.t, "storage.objects.create inbox").Bucket("inbox").Object(name)
	if key != nil {
		o = o.Key(key)
	}
	w := o.NewWriter(h.t.Context())
	w.ChunkSize = 0
	change(w)
	if _, err := w.Write(data); err != nil {
		h.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		h.t.Fatal(err)
	}
}

// leaves reads the log, by kind and id.
func (h *hostile) leaves() (records []record.Record) {
	h.t.Helper()
	verifier, err := localKey{}.Verifier(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	reader := log.NewReader(h.store("tiles"), log.Head(h.store("head")), sign.Trust{V: sign.TrustVersion, Origin: origin, Keys: []sign.TrustedKey{{Key: verifier}}})
	newest, err := reader.Checkpoint(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	if err := reader.Entries(h.t.Context(), 0, newest.Size, func(_ int64, leaf []byte) error {
		r, err := record.Parse(leaf)
		records = append(records, r)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return records
}

func (h *hostile) count(what func(r record.Record) bool) (n int) {
	for _, r := range h.leaves() {
		if what(r) {
			n++
		}
	}
	return n
}

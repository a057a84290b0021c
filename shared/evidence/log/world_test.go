package log_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/memory"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

const origin = "log.example/evidence"

// writers are two that may write everything the tests do, and one that may not.
var writers = record.Writers{
	"control": {Controls: map[string][]record.Kind{"backup-freshness": some, log.Control: some}},
	"second":  {Controls: map[string][]record.Kind{"backup-freshness": {record.Observation}}},
	"other":   {Controls: map[string][]record.Kind{"otp-gate": {record.Access, record.Review}}},
}

var some = []record.Kind{record.Observation, record.Run, record.Gap}

// by is where the one that hands in lies.
const by = "control/"

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// key is a signing key in memory that notes down what it signed.
type key struct {
	ed25519.PrivateKey
	mu     sync.Mutex
	signed map[string]bool
}

func newKey(seed string) *key {
	sum := sha256.Sum256([]byte(seed))
	return &key{PrivateKey: ed25519.NewKeyFromSeed(sum[:]), signed: map[string]bool{}}
}

func (k *key) Name() string { return origin }
func (k *key) Close() error { return nil }
func (k *key) Verifier(context.Context) (string, error) {
	return sign.VerifierKey(origin, k.Public().(ed25519.PublicKey))
}
func (k *key) Sign(_ context.Context, text []byte) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.signed[string(text)] = true
	return ed25519.Sign(k.PrivateKey, text), nil
}

func trusting(t testing.TB, keys ...*key) sign.Trust {
	t.Helper()
	trust := sign.Trust{V: sign.TrustVersion, Origin: origin}
	for _, k := range keys {
		text, err := k.Verifier(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		trust.Keys = append(trust.Keys, sign.TrustedKey{Key: text})
	}
	return trust
}

// world is one log and who writes to it.
type world struct {
	inbox, tiles, head log.Objects
	clock              *clock.Manual
	key                *key
}

func newWorld() *world {
	clk := clock.NewManual(start)
	return &world{memory.New(clk), memory.New(clk), memory.New(clk), clk, newKey("first")}
}

func (w *world) config() log.Config {
	return log.Config{Inbox: w.inbox, Tiles: w.tiles, Head: w.head, Origin: origin, Signers: []sign.Signer{w.key}, Writers: writers, Clock: w.clock}
}

func (w *world) sequencer(t testing.TB, change ...func(*log.Config)) *log.Sequencer {
	t.Helper()
	c := w.config()
	for _, f := range change {
		f(&c)
	}
	s, err := log.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) reader(t testing.TB) *log.Reader {
	return log.NewReader(w.tiles, log.Head(w.head), trusting(t, w.key))
}

func (w *world) run(t testing.TB, s *log.Sequencer) log.Report {
	t.Helper()
	report, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func (w *world) wait(t testing.TB, d time.Duration) {
	t.Helper()
	if err := w.clock.Set(w.clock.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
}

// observed is a record of an event, collected at a time.
func observed(t testing.TB, event string, at time.Time) (id string, data []byte) {
	t.Helper()
	r := record.New(record.Observation, "backup-freshness", event, "B109")
	r.Source.Collected = at
	data, err := r.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return r.ID(), data
}

// put leaves records of events in the inbox.
func (w *world) put(t testing.TB, events ...string) {
	t.Helper()
	for _, event := range events {
		id, data := observed(t, event, w.clock.Now())
		if _, err := w.inbox.Create(t.Context(), by+id, data); err != nil {
			t.Fatal(err)
		}
	}
}

// leaves reads the whole log, verified, and parses it.
func (w *world) leaves(t testing.TB) []record.Record {
	t.Helper()
	r := w.reader(t)
	c, err := r.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []record.Record
	err = r.Entries(t.Context(), 0, c.Size, func(index int64, leaf []byte) error {
		if index != int64(len(all)) {
			return fmt.Errorf("entry %d after %d", index, len(all))
		}
		parsed, err := record.Parse(leaf)
		all = append(all, parsed)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// kinds is the log as a line: the kind of every leaf.
func kinds(all []record.Record) string {
	var out []string
	for _, r := range all {
		out = append(out, string(r.Kind))
	}
	return strings.Join(out, " ")
}

func names(t testing.TB, o log.Objects, prefix string) []string {
	t.Helper()
	listed, err := o.List(t.Context(), prefix, "", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, l := range listed {
		all = append(all, l.Name)
	}
	return all
}

// change replaces what a store keeps under a name, as an intruder would.
func change(t testing.TB, o log.Objects, name string, with func([]byte) []byte) {
	t.Helper()
	now, err := o.Get(t.Context(), name)
	if err == nil {
		_, err = o.Swap(t.Context(), name, with(now.Data), now.Generation)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, o log.Objects, name string) {
	t.Helper()
	now, err := o.Get(t.Context(), name)
	if err == nil {
		err = o.Delete(t.Context(), name, now.Generation)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func flipped(data []byte) []byte {
	data[len(data)/2] ^= 1
	return data
}

func wantKind(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("error %v, want %s", err, kind)
	}
}

// logged is a logger that keeps what it is told.
func logged() (*slog.Logger, *strings.Builder) {
	out := &strings.Builder{}
	return slog.New(slog.NewTextHandler(out, nil)), out
}

var errGone = errors.New("gone")

package logtest

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/clock"
)

const origin = "log.example/evidence"

// key is a signing key that is no secret.
type key struct{ ed25519.PrivateKey }

func (key) Name() string { return origin }
func (key) Close() error { return nil }
func (k key) Verifier(context.Context) (string, error) {
	return sign.VerifierKey(origin, k.Public().(ed25519.PublicKey))
}
func (k key) Sign(_ context.Context, text []byte) ([]byte, error) {
	return ed25519.Sign(k.PrivateKey, text), nil
}

// carries sequences records by turns through two handles on the three stores of a log, hands some in again, and
// reads all back, verified.
func carries(t *testing.T, fresh Fresh) {
	clk := clock.NewManual(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	k := key{ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
	openInbox, openTiles, openHead := fresh(t), fresh(t), fresh(t)
	var sequencers []*log.Sequencer
	inbox := handle(t, openInbox)
	for range 2 {
		s, err := log.New(log.Config{
			Inbox: handle(t, openInbox), Tiles: handle(t, openTiles), Head: handle(t, openHead),
			Origin: origin, Signers: []sign.Signer{k}, Writers: recordtest.Writers(), Clock: clk,
		})
		if err != nil {
			t.Fatal(err)
		}
		sequencers = append(sequencers, s)
	}
	next := 0
	for pass, step := range []struct{ fresh, again, size int }{{100, 0, 101}, {1, 40, 103}, {170, 0, 274}, {0, 3, 274}} {
		for i := range step.fresh + step.again {
			n := next + i
			if i >= step.fresh {
				n = i - step.fresh
			}
			r := record.New(record.Observation, "backup-freshness", fmt.Sprint("event ", n), "B109")
			r.Source.Collected = clk.Now()
			data, err := r.Canonical()
			if err != nil {
				t.Fatal(err)
			}
			create(t, inbox, recordtest.Place+r.ID(), string(data))
		}
		next += step.fresh
		got, err := sequencers[pass%2].Run(t.Context())
		if err != nil || got.Added != step.fresh || got.Duplicates != step.again || got.Size != int64(step.size) {
			t.Fatalf("pass %d: %+v, %v", pass, got, err)
		}
	}
	verifier, err := k.Verifier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	trust := sign.Trust{V: sign.TrustVersion, Origin: origin, Keys: []sign.TrustedKey{{Key: verifier}}}
	reader := log.NewReader(handle(t, openTiles), log.Head(handle(t, openHead)), trust)
	seen := map[string]bool{}
	err = reader.Entries(t.Context(), 0, 274, func(index int64, leaf []byte) error {
		r, err := record.Parse(leaf)
		if err == nil && seen[r.ID()] {
			err = fmt.Errorf("entry %d is there twice", index)
		}
		seen[r.ID()] = true
		return err
	})
	if err != nil || len(seen) != 274 {
		t.Errorf("%d different leaves, %v", len(seen), err)
	}
}

// Package evidencetest runs a function that reads the evidence log in a test, on a log of its own that a sequencer
// writes and a witness confirms. It is for tests; no function links it.
package evidencetest

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/memory"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/sign/file"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/trust/page/shelf"
	"ostiary.internal/shared/trust/promise"
)

// Origin is the log's.
const Origin = "sharedcontacts.example/ostiary/evidence"

// Names that readers of the log know it by.
const (
	envTiles = "OSTIARY_LOG_TILES"
	envHead  = "OSTIARY_LOG_HEAD"
	envTrust = "OSTIARY_TRUST"

	// Checkpoint is the newest checkpoint in the head store.
	Checkpoint = "checkpoint"
)

// Site is a function and the log it reads.
type Site struct {
	*functiontest.World
	Tiles, Head, Inbox log.Objects
	Trust              sign.Trust
	Log                *log.Sequencer
	signer, witness    sign.Signer
	number             int
}

// New runs f on an empty log. env are variables in place of the usual ones.
func New(t testing.TB, f wiring.Function, env map[string]string) *Site {
	t.Helper()
	s := &Site{}
	dir := t.TempDir()
	name := "memory:" + strings.NewReplacer("/", "-", "#", "-", " ", "-").Replace(t.Name()) + "-" + filepath.Base(filepath.Dir(dir)) + filepath.Base(dir)
	s.signer, s.witness = key(t, filepath.Join(dir, "log"), Origin), key(t, filepath.Join(dir, "witness"), "witness.example")
	logKey, err := s.signer.Verifier(t.Context())
	must(t, err)
	witnessKey, err := s.witness.Verifier(t.Context())
	must(t, err)
	witnessKey, err = sign.WitnessKey(witnessKey)
	must(t, err)
	s.Trust = sign.Trust{V: sign.TrustVersion, Origin: Origin, Keys: []sign.TrustedKey{{Key: logKey}}, Witnesses: []sign.TrustedKey{{Key: witnessKey}}}
	trust, err := s.Trust.Encode()
	must(t, err)
	all := map[string]string{envTiles: name + "-tiles", envHead: name + "-head", envTrust: string(trust), wiring.EnvIAM: "front"}
	for variable, value := range env {
		all[variable] = value
	}
	s.World = functiontest.New(t, functiontest.Setup{Functions: []wiring.Function{f}, Env: all})
	for url, into := range map[string]*log.Objects{name + "-tiles": &s.Tiles, name + "-head": &s.Head} {
		*into, err = log.Stores.Open(t.Context(), url, log.Options{Clock: s.Clock})
		must(t, err)
	}
	s.Inbox = memory.New(s.Clock)
	s.Log, err = log.New(log.Config{Inbox: s.Inbox, Tiles: s.Tiles, Head: s.Head, Origin: Origin, Signers: []sign.Signer{s.signer}, Writers: recordtest.Writers(), Clock: s.Clock})
	must(t, err)
	return s
}

func key(t testing.TB, path, name string) sign.Signer {
	t.Helper()
	k, err := file.New(path, name)
	must(t, err)
	return k
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Record puts a record of a kind into the log's inbox; Seal takes it in.
func (s *Site) Record(t testing.TB, kind record.Kind) {
	t.Helper()
	s.number++
	r := record.New(kind, "sample", fmt.Sprint(s.number), "L01")
	r.Source.Type, r.Source.Collected, r.Result.State = "test", s.Clock.Now(), record.Kept
	s.Put(t, r)
}

// Put puts a record into the log's inbox.
func (s *Site) Put(t testing.TB, r record.Record) {
	t.Helper()
	data, err := r.Canonical()
	must(t, err)
	_, err = s.Inbox.Create(t.Context(), recordtest.Place+r.ID(), data)
	must(t, err)
}

// Seal makes the sequencer take in what lies in the inbox.
func (s *Site) Seal(t testing.TB) {
	t.Helper()
	_, err := s.Log.Run(t.Context())
	must(t, err)
}

// Confirm lets the witness confirm the newest checkpoint at a time.
func (s *Site) Confirm(t testing.TB, at time.Time) {
	t.Helper()
	o, err := s.Head.Get(t.Context(), Checkpoint)
	must(t, err)
	cosigned, err := sign.Cosign(context.Background(), o.Data, at, s.witness)
	must(t, err)
	_, err = s.Head.Swap(t.Context(), Checkpoint, cosigned, o.Generation)
	must(t, err)
}

// Show puts a page on the shelf, as keeppromises does, and its register.
func (s *Site) Show(t testing.TB, snapshot promise.Snapshot) shelf.Page {
	t.Helper()
	var put shelf.Page
	must(t, s.Raw("trust").Tx(t.Context(), func(tx store.Tx) (err error) {
		if snapshot.Register, err = shelf.PutRegister(tx, promise.NewRegister(s.Policy, nil).Canonical()); err != nil {
			return err
		}
		put, err = shelf.Put(tx, snapshot.Canonical(), snapshot.At, snapshot.Size)
		return err
	}))
	return put
}

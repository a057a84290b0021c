package log_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/evidence/record"
)

// perSecond reports how many of a thing were done a second, n of them in every round.
func perSecond(b *testing.B, n int, unit string) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), unit+"/s")
}

// BenchmarkAppend grows a tree by a leaf of 600 bytes; beside it the hashes alone, which is the limit: one of the leaf
// and one of a node.
func BenchmarkAppend(b *testing.B) {
	leaf := bytes.Repeat([]byte("x"), 600)
	b.Run("tree", func(b *testing.B) {
		var tree log.Tree
		for b.Loop() {
			tree.Append(tlog.RecordHash(leaf))
		}
		perSecond(b, 1, "leaves")
	})
	b.Run("hashes alone", func(b *testing.B) {
		var node tlog.Hash
		for b.Loop() {
			node = tlog.NodeHash(node, tlog.RecordHash(leaf))
		}
		perSecond(b, 1, "leaves")
	})
}

// BenchmarkProof proves entries of a log of 100,000, and checks the proofs.
func BenchmarkProof(b *testing.B) {
	const size = 100_000
	l := build(b, size)
	root := l.hashes.root(b, size)
	b.Run("prove", func(b *testing.B) {
		i := int64(0)
		for b.Loop() {
			if _, err := l.Proof(b.Context(), i*7919%size, size); err != nil {
				b.Fatal(err)
			}
			i++
		}
		perSecond(b, 1, "proofs")
	})
	b.Run("check", func(b *testing.B) {
		proof, err := l.Proof(b.Context(), 4711, size)
		if err != nil {
			b.Fatal(err)
		}
		hash := tlog.RecordHash(leaf(4711))
		for b.Loop() {
			if err := tlog.CheckRecord(proof, size, root, 4711, hash); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, 1, "proofs")
	})
	b.Run("read all", func(b *testing.B) {
		for b.Loop() {
			if err := l.Entries(b.Context(), 0, size, func(int64, []byte) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, size, "leaves")
	})
}

// BenchmarkSequencer takes 2,000 records of about 600 bytes from an inbox in a folder into a log in folders, in two
// batches; only the pass is timed.
func BenchmarkSequencer(b *testing.B) {
	const n = 2000
	dir := b.TempDir()
	w := newWorld()
	w.inbox, w.tiles, w.head = folder.New(filepath.Join(dir, "inbox")), folder.New(filepath.Join(dir, "tiles")), folder.New(filepath.Join(dir, "head"))
	s := w.sequencer(b)
	for round := 0; b.Loop(); round++ {
		b.StopTimer()
		for i := range n {
			id, data := sized(b, fmt.Sprintf("%d of round %d", i, round))
			if _, err := w.inbox.Create(b.Context(), by+id, data); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		if got := w.run(b, s); got.Added != n {
			b.Fatalf("%+v", got)
		}
	}
	perSecond(b, n, "records")
}

// sized is a record of about 600 bytes.
func sized(t testing.TB, event string) (string, []byte) {
	t.Helper()
	r := record.New(record.Observation, "backup-freshness", event, "B109")
	r.PromiseText, r.Code, r.Config = record.Digest(nil), record.Digest(nil), record.Digest(nil)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "scheduler", start, start
	r.Method = record.Test
	r.Result = record.Result{State: record.Kept, Metric: "rpo_s", Value: 1260, Op: "<=", Limit: 3600}
	data, err := r.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return r.ID(), data
}

package verify_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
)

const (
	origin  = "customer.example/ostiary/evidence"
	witness = "auditor.example/w1"
)

var began = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)

// key is a signing key that is the same in every run.
type key struct{ name, seed string }

var (
	logKey     = key{origin, "log"}
	nextKey    = key{origin, "next"}
	strangeKey = key{origin, "strange"}
	witnessKey = key{witness, "witness"}
)

func (k key) private() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("ostiary test key: " + k.seed))
	return ed25519.NewKeyFromSeed(seed[:])
}

func (k key) Name() string { return k.name }
func (k key) Verifier(context.Context) (string, error) {
	return sign.VerifierKey(k.name, k.private().Public().(ed25519.PublicKey))
}
func (k key) Sign(_ context.Context, text []byte) ([]byte, error) {
	return ed25519.Sign(k.private(), text), nil
}
func (k key) Close() error { return nil }

func (k key) verifier(t testing.TB) string {
	t.Helper()
	v, err := k.Verifier(t.Context())
	check(t, err)
	return v
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// trust trusts the log's key and the witness.
func trust(t testing.TB) sign.Trust {
	t.Helper()
	cosigner, err := sign.WitnessKey(witnessKey.verifier(t))
	check(t, err)
	return sign.Trust{V: 1, Origin: origin, Keys: []sign.TrustedKey{{Key: logKey.verifier(t)}}, Witnesses: []sign.TrustedKey{{Key: cosigner}}}
}

// files is a bundle in memory.
type files map[string][]byte

func (f files) source() verify.Source {
	fsys := fstest.MapFS{}
	for name, data := range f {
		fsys[name] = &fstest.MapFile{Data: data, Mode: 0o600}
	}
	return verify.FS(fsys)
}

func (f files) clone() files { return maps.Clone(f) }

// lay writes the tiles of a log with none of the code under test, and returns its root.
func lay(t testing.TB, leaves [][]byte, into files) tlog.Hash {
	t.Helper()
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, i := range indexes {
			found = append(found, hashes[i])
		}
		return found, nil
	})
	for i, leaf := range leaves {
		more, err := tlog.StoredHashes(int64(i), leaf, reader)
		check(t, err)
		hashes = append(hashes, more...)
		name := entries(i/256, min(len(leaves)-i/256*256, 256))
		into[name] = append(append(into[name], byte(len(leaf)>>8), byte(len(leaf))), leaf...)
	}
	for _, tile := range tlog.NewTiles(8, 0, int64(len(leaves))) {
		data, err := tlog.ReadTileData(tile, reader)
		check(t, err)
		into[strings.Replace(tile.Path(), "tile/8/", "tile/", 1)] = data
	}
	root, err := tlog.TreeHash(int64(len(leaves)), reader)
	check(t, err)
	return root
}

func entries(n, width int) string {
	return strings.Replace(tlog.Tile{H: 8, L: -1, N: int64(n), W: width}.Path(), "tile/8/data/", "tile/entries/", 1)
}

// signed is a checkpoint over some leaves.
func signed(t testing.TB, leaves [][]byte, keys ...key) []byte {
	t.Helper()
	return signedRoot(t, int64(len(leaves)), lay(t, leaves, files{}), keys...)
}

func signedRoot(t testing.TB, size int64, root tlog.Hash, keys ...key) []byte {
	t.Helper()
	var signers []sign.Signer
	for _, k := range keys {
		signers = append(signers, k)
	}
	note, err := sign.Note(t.Context(), sign.Checkpoint{Origin: origin, Size: size, Root: root}.Text(), signers...)
	check(t, err)
	return note
}

// bundle is a log of the leaves, signed and witnessed.
func bundle(t testing.TB, leaves [][]byte) files {
	t.Helper()
	f := files{}
	note, err := sign.Cosign(t.Context(), signedRoot(t, int64(len(leaves)), lay(t, leaves, f), logKey), began.Add(time.Hour), witnessKey)
	check(t, err)
	f[verify.CheckpointFile] = note
	return f
}

// heartbeat is the record of a control's run.
func heartbeat(control string, run int) record.Record {
	at := began.Add(time.Duration(run) * 15 * time.Minute)
	r := record.New(record.Run, control, fmt.Sprintf("%s#%d", control, run), "P1")
	r.Source.Type, r.Source.Observed, r.Source.Collected = "scheduler", at, at.Add(time.Second)
	r.Run, r.Population = int64(run), &record.Population{Expected: 3, Seen: 3}
	r.Result = record.Result{State: record.Kept, Metric: "rpo_s", Value: int64(run % 60), Op: "<=", Limit: 3600}
	r.Expires = at.Add(20 * time.Minute)
	return r
}

// heartbeats are the leaves of so many runs.
func heartbeats(t testing.TB, n int) [][]byte {
	t.Helper()
	var leaves [][]byte
	for run := 1; run <= n; run++ {
		leaves = append(leaves, leaf(t, heartbeat("ip-allowlist", run)))
	}
	return leaves
}

func leaf(t testing.TB, r record.Record) []byte {
	t.Helper()
	data, err := r.Canonical()
	check(t, err)
	return data
}

// withPage adds the record of a page over all leaves so far.
func withPage(t testing.TB, leaves [][]byte, page []byte) [][]byte {
	t.Helper()
	at := began.Add(time.Duration(len(leaves)+1) * 15 * time.Minute)
	r := record.New(record.Page, "trust-page", at.String())
	r.Source.Observed, r.Source.Collected = at, at
	r.Facts = map[string]string{"page": record.Digest(page), "size": fmt.Sprint(len(leaves))}
	return append(slices.Clone(leaves), leaf(t, r))
}

// codesOf are the failures found, each once.
func codesOf(r verify.Report) []string {
	found := map[string]bool{}
	for _, f := range r.Failures {
		found[string(f.Code)] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func run(t testing.TB, src verify.Source, o verify.Options) verify.Report {
	t.Helper()
	if o.Trust.V == 0 {
		o.Trust = trust(t)
	}
	r, err := verify.Verify(t.Context(), src, o)
	check(t, err)
	if (len(r.Failures) == 0) != (r.Outcome == verify.Good) || r.Exit != r.Outcome.Exit() {
		t.Errorf("outcome %s, exit %d, failures %v", r.Outcome, r.Exit, r.Failures)
	}
	return r
}

// recordsOf reads leaves as Verify hands them to the rule of the page.
func recordsOf(leaves [][]byte) iter.Seq2[int64, record.Record] {
	return func(yield func(int64, record.Record) bool) {
		for i, l := range leaves {
			if r, err := record.Parse(l); err != nil || !yield(int64(i), r) {
				return
			}
		}
	}
}

func rootOf(t testing.TB, leaves [][]byte) func() tlog.Hash {
	return func() tlog.Hash { return lay(t, leaves, files{}) }
}

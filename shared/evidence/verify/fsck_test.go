package verify_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/require"
)

// sequenced is a log made by the sequencer in stores of the local disk, in several batches: tiles, head.
func sequenced(t testing.TB, batches ...int) (tiles, head *folder.Objects, dir string) {
	t.Helper()
	dir = t.TempDir()
	inbox := folder.New(filepath.Join(dir, "inbox"))
	tiles, head = folder.New(filepath.Join(dir, "tiles")), folder.New(filepath.Join(dir, "head"))
	now := clock.NewManual(began)
	s, err := log.New(log.Config{Inbox: inbox, Tiles: tiles, Head: head, Origin: origin, Signers: []sign.Signer{logKey}, Writers: recordtest.Writers(), Clock: now})
	check(t, err)
	made := 0
	for _, batch := range batches {
		for range batch {
			made++
			r := heartbeat("ip-allowlist", made)
			_, err := inbox.Create(t.Context(), recordtest.Place+r.ID(), leaf(t, r))
			check(t, err)
		}
		check(t, now.Set(now.Now().Add(15*time.Minute)))
		_, err := s.Run(t.Context())
		check(t, err)
	}
	return tiles, head, dir
}

// packed is such a log as a bundle in a folder.
func packed(t testing.TB, tiles, head *folder.Objects) string {
	t.Helper()
	src := verify.Stores(tiles, head)
	signed, err := log.Head(head)(t.Context())
	check(t, err)
	f := files{}
	check(t, verify.Pack(t.Context(), src, trust(t), verify.Contents{Checkpoint: signed, Proofs: []int64{3}}, func(name string, data []byte) error {
		f[name] = data
		return nil
	}))
	return onDisk(t, f)
}

// What the sequencer writes is a good bundle when it was packed, and where it lies.
func TestSequencedLog(t *testing.T) {
	t.Parallel()
	tiles, head, _ := sequenced(t, 3, 250, 40)
	for name, src := range map[string]verify.Source{"packed": verify.FS(os.DirFS(packed(t, tiles, head))), "in its stores": verify.Stores(tiles, head)} {
		r := run(t, src, verify.Options{})
		if r.Outcome != verify.Good || r.Records != 296 || len(r.Gaps) > 0 || name == "packed" && r.Proofs != 1 {
			t.Errorf("%s: %d records, %v, gaps %v", name, r.Records, r.Failures, r.Gaps)
		}
	}
}

// Tessera's own checker takes a log of ours, and turns it down after one bit has
// changed, wherever that is.
func TestTesseraReadsOurLog(t *testing.T) {
	t.Parallel()
	oracle := filepath.Join(t.TempDir(), "fsck")
	// The oracle is a module of its own, so that a log's checker brings nothing into ours.
	build := exec.CommandContext(t.Context(), "go", "build", "-o", oracle, ".")
	build.Dir = "../../../testdata/fsck"
	out, err := build.CombinedOutput()
	if err != nil && unreachable(string(out)) {
		require.Tool(t, "Tessera's fsck (the module proxy did not answer)", false)
	}
	if err != nil {
		t.Fatalf("building the oracle: %v\n%s", err, out)
	}
	tiles, head, _ := sequenced(t, 520, 1, 40)
	dir := packed(t, tiles, head)
	if out, err := fsck(t, oracle, dir, "20s"); err != nil {
		t.Fatalf("our log is refused: %v\n%s", err, out)
	}
	if out, err := fsck(t, oracle, dir, "1ns"); err == nil || !strings.Contains(out, "killed") {
		t.Errorf("the oracle goes on when its time is over: %v\n%s", err, out)
	}
	for _, name := range []string{"checkpoint", "tile/entries/000", "tile/entries/002.p/52", "tile/0/001", "tile/0/002.p/52", "tile/1/000.p/2"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		whole, err := os.ReadFile(path)
		check(t, err)
		bad := files{name: whole}
		flip(bad, name, len(whole)/2)
		check(t, os.WriteFile(path, bad[name], 0o600))
		if out, err := fsck(t, oracle, dir, "20s"); err == nil {
			t.Errorf("one bit of %s changed, and the log is taken:\n%s", name, out)
		} else if strings.Contains(out, "killed") {
			t.Errorf("one bit of %s changed, and the oracle hangs instead of turning the log down:\n%s", name, out)
		} else if r := run(t, verify.FS(os.DirFS(dir)), verify.Options{}); r.Outcome == verify.Good {
			t.Errorf("one bit of %s changed, and this verifier takes the log", name)
		}
		check(t, os.WriteFile(path, whole, 0o600))
	}
}

// unreachable tells a machine without a network from a fault of the module.
func unreachable(out string) bool {
	for _, sign := range []string{"dial tcp", "no such host", "i/o timeout", "module lookup disabled", "connection refused"} {
		if strings.Contains(out, sign) {
			return true
		}
	}
	return false
}

func fsck(t testing.TB, oracle, dir, wait string) (string, error) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	out, err := exec.CommandContext(ctx, oracle, "-wait", wait, "-key", logKey.verifier(t), dir).CombinedOutput()
	return string(out), err
}

package verify_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/require"
)

// Beyond what is remembered of runs, the strict reader is not told that none is missing; by neither verifier.
func TestManyControls(t *testing.T) {
	t.Parallel()
	node := second(t)
	even := func(runs int, filled ...int) (leaves [][]byte) {
		for run := 2; run <= runs; run += 2 {
			leaves = append(leaves, leaf(t, heartbeat("ip-allowlist", run)))
		}
		for _, run := range filled {
			leaves = append(leaves, leaf(t, heartbeat("ip-allowlist", run)))
		}
		return leaves
	}
	odd := make([]int, 1_001)
	for i := range odd {
		odd[i] = 2*i + 1
	}
	var controls [][]byte
	for n := range 10_001 {
		controls = append(controls, leaf(t, heartbeat(fmt.Sprint("control-", n), 1)))
	}
	// A rule and a check of one name number their runs apart: what one misses is not hidden by the other.
	twins := func(runs ...int) (leaves [][]byte) {
		for run := 1; run <= 3; run++ {
			leaves = append(leaves, leaf(t, heartbeat("ip-allowlist", run)))
		}
		for _, run := range runs {
			r := heartbeat("ip-allowlist", run)
			r.Facts = map[string]string{record.Mechanism: "rule"}
			leaves = append(leaves, leaf(t, r))
		}
		return leaves
	}
	for name, test := range map[string]struct {
		leaves [][]byte
		cut    bool
		strict verify.Outcome
	}{
		"as many controls as fit":  {controls[:10_000], false, verify.Good},
		"one too many":             {controls, true, verify.Incomplete},
		"gaps that were closed":    {even(2_000, odd[:1_000]...), false, verify.Good},
		"too many, all closed":     {even(2_002, odd...), true, verify.Incomplete},
		"too many by splitting":    {even(1_998, 2_003, 2_001), true, verify.Incomplete},
		"two of one name":          {twins(1, 2), false, verify.Good},
		"one of them misses a run": {twins(1, 3), false, verify.Incomplete},
	} {
		f := bundle(t, test.leaves)
		loose, strict := run(t, f.source(), verify.Options{}), run(t, f.source(), verify.Options{Strict: true})
		if loose.Outcome != verify.Good || loose.GapsCut != test.cut || strict.Outcome != test.strict || slices.Contains(codesOf(strict), "runs_uncounted") != test.cut {
			t.Errorf("%s: %s, cut %t, strict %s %v", name, loose.Outcome, loose.GapsCut, strict.Outcome, codesOf(strict))
		}
		if node == nil || name == "as many controls as fit" { // said by a shorter log too
			continue
		}
		trusted := onDisk(t, files{"trust.json": encoded(t)})
		if exit, said := node.exit(t, onDisk(t, f), "--trust", filepath.Join(trusted, "trust.json"), "--strict"); exit != test.strict.Exit() {
			t.Errorf("%s: node: exit %d\n%s", name, exit, said)
		}
	}
}

func encoded(t testing.TB) []byte {
	t.Helper()
	data, err := trust(t).Encode()
	check(t, err)
	return data
}

// A pipe would keep a reader waiting, a device never ends.
func TestNoPlainFile(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	t.Run("node", func(t *testing.T) { require.Tool(t, "node", err == nil) })
	dir := onDisk(t, files{"trust.json": encoded(t)})
	pipe := filepath.Join(dir, "checkpoint")
	check(t, syscall.Mkfifo(pipe, 0o600))
	if r := run(t, verify.FS(os.DirFS(dir)), verify.Options{}); r.Outcome != verify.Malformed || !slices.Equal(codesOf(r), []string{"bundle_malformed"}) {
		t.Errorf("a pipe: %s %v", r.Outcome, r.Failures)
	}
	if node != "" {
		cmd := exec.CommandContext(t.Context(), node, script, dir, "--trust", filepath.Join(dir, "trust.json"))
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != verify.Malformed.Exit() {
			t.Errorf("a pipe, by node: %s", out)
		}
	}
}

// An archive in which one name is a file and a folder has no one reading.
func TestFileAndFolder(t *testing.T) {
	t.Parallel()
	f := complete(t)
	f["tile"] = []byte("x")
	src, err := tryArchived(t, func(w *zip.Writer) error {
		for name, data := range f {
			if err := put(w, name, data); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return
	}
	if r := run(t, src, verify.Options{}); r.Outcome != verify.Malformed {
		t.Errorf("%s %v", r.Outcome, r.Failures)
	}
}

// Earlier checkpoints of one size are all packed, each once, and a fork among them is told.
func TestPackForkedCheckpoints(t *testing.T) {
	t.Parallel()
	leaves := heartbeats(t, 30)
	log := bundle(t, leaves)
	one, other, same := signed(t, leaves[:7], logKey), signed(t, leaves[1:8], logKey), signed(t, leaves[:7], logKey)
	f := files{}
	contents := verify.Contents{Checkpoint: log[verify.CheckpointFile], Earlier: [][]byte{one, other, same}}
	check(t, verify.Pack(t.Context(), log.source(), trust(t), contents, func(name string, data []byte) error {
		f[name] = bytes.Clone(data)
		return nil
	}))
	if !bytes.Equal(f["checkpoints/7"], one) || !bytes.Equal(f["checkpoints/7-2"], other) || f["checkpoints/7-3"] != nil {
		t.Errorf("packed %q and %q", f["checkpoints/7"], f["checkpoints/7-2"])
	}
	r := run(t, f.source(), verify.Options{})
	if r.Outcome != verify.Tampered || !slices.Contains(codesOf(r), "checkpoints_forked") || !slices.Equal(r.Earlier, []int64{7}) {
		t.Errorf("%s %v, extends %v", r.Outcome, r.Failures, r.Earlier)
	}
}

// FuzzArchive opens anything for an archive: whatever it holds, there is one outcome and no panic.
func FuzzArchive(f *testing.F) {
	var whole bytes.Buffer
	w := zip.NewWriter(&whole)
	for name, data := range bundle(f, heartbeats(f, 2)) {
		check(f, put(w, name, data))
	}
	check(f, w.Close())
	f.Add(whole.Bytes())
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		src, err := verify.Zip(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		r, err := verify.Verify(t.Context(), src, verify.Options{Trust: trust(t)})
		if err != nil || r.Exit < 0 {
			t.Fatalf("%s: %v", r.Outcome, err)
		}
	})
}

// FuzzProof puts anything where a proof should be: it proves the record as it did, or the bundle is not good.
func FuzzProof(f *testing.F) {
	leaves := heartbeats(f, 20)
	log := bundle(f, leaves)
	good, err := verify.Reader(log.source(), log[verify.CheckpointFile], trust(f)).LogProof(f.Context(), 3)
	check(f, err)
	f.Add(good)
	f.Add([]byte("c2sp.org/tlog-proof@v1\nindex 0\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		bad := log.clone()
		bad["proofs/x.tlog-proof"] = data
		r, err := verify.Verify(t.Context(), bad.source(), verify.Options{Trust: trust(t)})
		if err != nil || r.Exit < 0 || r.Outcome == verify.Good && r.Proofs != 1 {
			t.Fatalf("%s, %d proofs: %v", r.Outcome, r.Proofs, err)
		}
	})
}

package verify_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/fault"
)

const vectors = "../../../testdata/evidence/v1"

// hostileLeaves are the texts no reader may take for a record, by name. What does not fit an entry is left out.
func hostileLeaves(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(vectors + "/hostile/*.json")
	check(t, err)
	if len(names) < 40 {
		t.Fatalf("%d hostile records", len(names))
	}
	leaves := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		check(t, err)
		if len(data) <= record.MaxBytes {
			leaves[strings.TrimSuffix(filepath.Base(name), ".json")] = data
		}
	}
	return leaves
}

// A log may be signed and whole and still hold what is no record: then it is the signer who is wrong, and it is said.
func TestHostileLeaves(t *testing.T) {
	t.Parallel()
	for name, hostile := range hostileLeaves(t) {
		r := run(t, bundle(t, append(heartbeats(t, 3), hostile)).source(), verify.Options{})
		if r.Outcome != verify.Malformed || !slices.Equal(codesOf(r), []string{"record_malformed"}) || r.Failures[0].Where != "3" {
			t.Errorf("%s: %s %v", name, r.Outcome, r.Failures)
		}
	}
}

// What is graver decides, however much else is wrong before it.
func TestTheGraverFaultDecides(t *testing.T) {
	t.Parallel()
	leaves := heartbeats(t, 100)
	for i := range 60 {
		leaves[i] = []byte("nothing")
	}
	f := bundle(t, leaves)
	flip(f, "tile/entries/000.p/100", len(f["tile/entries/000.p/100"])-5)
	r := run(t, f.source(), verify.Options{})
	if r.Outcome != verify.Tampered || len(r.Failures) != 20 {
		t.Errorf("%s with %d failures", r.Outcome, len(r.Failures))
	}
}

// archived makes a zip of files in the given order, each as header and content.
func archived(t testing.TB, add func(w *zip.Writer) error) verify.Source {
	t.Helper()
	src, err := tryArchived(t, add)
	check(t, err)
	return src
}

func tryArchived(t testing.TB, add func(w *zip.Writer) error) (verify.Source, error) {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	check(t, add(w))
	check(t, w.Close())
	return verify.Zip(bytes.NewReader(out.Bytes()), int64(out.Len()))
}

func put(w *zip.Writer, name string, data []byte) error {
	file, err := w.Create(name)
	if err == nil {
		_, err = file.Write(data)
	}
	return err
}

func TestArchive(t *testing.T) {
	t.Parallel()
	f := complete(t)
	src := archived(t, func(w *zip.Writer) error {
		for name, data := range f {
			if err := put(w, name, data); err != nil {
				return err
			}
		}
		return nil
	})
	if r := run(t, src, verify.Options{Recompute: counting}); r.Outcome != verify.Good || r.Payloads != 2 || r.Proofs != 2 {
		t.Errorf("%+v", r.Failures)
	}
}

func TestHostileArchives(t *testing.T) {
	t.Parallel()
	names := map[string][]string{
		"out of it": {"../checkpoint"}, "out of it, deeper": {"tile/../../checkpoint"}, "absolute": {"/checkpoint"}, "a drive": {"C:/checkpoint"},
		"backslashes": {`tile\entries\000`}, "twice": {"checkpoint", "checkpoint"}, "in another case": {"checkpoint", "Checkpoint"},
		"a NUL": {"checkpoint\x00.txt"}, "empty segment": {"tile//000"}, "hidden": {".git/config"}, "beyond ASCII": {"checkpoint\u200b"}, "nothing": {""},
		"a file and a folder": {"checkpoint", "checkpoint/x"}, "a folder and a file": {"tile/0/000", "tile"}, "a folder in another case": {"tile/0/000", "Tile/entries/000"}, "an empty folder and a file": {"checkpoint/", "checkpoint"},
	}
	for name, list := range names {
		_, err := tryArchived(t, func(w *zip.Writer) error {
			for _, n := range list {
				var content []byte
				if !strings.HasSuffix(n, "/") {
					content = []byte("x")
				}
				if err := put(w, n, content); err != nil {
					return err
				}
			}
			return nil
		})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	headers := map[string]func(h *zip.FileHeader){
		"a link":              func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) },
		"a folder of no name": func(h *zip.FileHeader) { h.SetMode(fs.ModeDir | 0o777) },
		"encrypted":           func(h *zip.FileHeader) { h.Flags |= 1 },
		"strongly encrypted":  func(h *zip.FileHeader) { h.Flags |= 1 << 6 },
		"masked":              func(h *zip.FileHeader) { h.Flags |= 1 << 13 },
	}
	for name, change := range headers {
		_, err := tryArchived(t, func(w *zip.Writer) error {
			h := &zip.FileHeader{Name: "checkpoint"}
			change(h)
			_, err := w.CreateHeader(h)
			return err
		})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := verify.Zip(strings.NewReader("no archive"), 10); !fault.Is(err, fault.Invalid) {
		t.Errorf("no archive: %v", err)
	}
}

// A file that unpacks to far more than it may hold is given up early, and a damaged one is told as such.
func TestArchiveBombs(t *testing.T) {
	f := complete(t)
	huge := make([]byte, 20<<20)
	for _, name := range []string{"checkpoint", "tile/entries/000", "tile/0/000", "proofs/0.tlog-proof", payloadOf(f, 1) + ".salt"} {
		src := archived(t, func(w *zip.Writer) error {
			for other, data := range f {
				if other == name {
					data = huge
				}
				if err := put(w, other, data); err != nil {
					return err
				}
			}
			return nil
		})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := run(t, src, verify.Options{})
		runtime.ReadMemStats(&after)
		if r.Outcome == verify.Good {
			t.Errorf("%s: %s", name, r.Outcome)
		}
		if after.HeapSys > before.HeapSys+100<<20 {
			t.Errorf("%s: the heap grew by %d MiB", name, (after.HeapSys-before.HeapSys)>>20)
		}
	}
}

func TestDamagedArchive(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	check(t, put(w, "checkpoint", signed(t, nil, logKey)))
	check(t, w.Close())
	data := out.Bytes()
	data[60] ^= 0x55
	src, err := verify.Zip(bytes.NewReader(data), int64(len(data)))
	check(t, err)
	if r := run(t, src, verify.Options{}); r.Outcome != verify.Malformed {
		t.Errorf("%s %v", r.Outcome, r.Failures)
	}
}

// A folder leads nowhere else, and what is no plain file is not opened.
func TestHostileFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	check(t, os.WriteFile(outside, signed(t, nil, logKey), 0o600))
	inside := filepath.Join(dir, "bundle")
	check(t, os.Mkdir(inside, 0o700))
	root, err := os.OpenRoot(inside)
	check(t, err)
	defer root.Close()

	check(t, os.Symlink(outside, filepath.Join(inside, "checkpoint")))
	if r, err := verify.Verify(t.Context(), verify.FS(root.FS()), verify.Options{Trust: trust(t)}); err == nil && r.Outcome == verify.Good {
		t.Error("a link out of the folder was followed")
	}
	check(t, os.Remove(filepath.Join(inside, "checkpoint")))
	check(t, os.Mkdir(filepath.Join(inside, "checkpoint"), 0o700))
	if r := run(t, verify.FS(root.FS()), verify.Options{}); r.Outcome != verify.Malformed {
		t.Errorf("a folder for a checkpoint: %s", r.Outcome)
	}
}

// Records of a batch enter in any order; what stays missing is a gap, which only the strict reader takes for a fault.
func TestGaps(t *testing.T) {
	t.Parallel()
	for order, want := range map[string]string{
		"1 2 3 4": "[]", "4 3 2 1": "[]", "2 4 1 3": "[]", "1 1 2 2": "[]",
		"2 3": "[ip-allowlist 1-1]", "1 9 5": "[ip-allowlist 2-4 ip-allowlist 6-8]", "1 9 2 8": "[ip-allowlist 3-7]", "5 9 6 7": "[ip-allowlist 1-4 ip-allowlist 8-8]",
	} {
		var leaves [][]byte
		for text := range strings.FieldsSeq(order) {
			var number int
			_, err := fmt.Sscan(text, &number)
			check(t, err)
			leaves = append(leaves, leaf(t, heartbeat("ip-allowlist", number)))
		}
		src := bundle(t, leaves).source()
		loose, strict := run(t, src, verify.Options{}), run(t, src, verify.Options{Strict: true})
		if fmt.Sprint(loose.Gaps) != want || loose.Outcome != verify.Good || (strict.Outcome == verify.Incomplete) != (want != "[]") {
			t.Errorf("%s: %v, strict %s", order, loose.Gaps, strict.Outcome)
		}
	}
}

// rewound is the record that a log goes on from kept records, of nine.
func rewound(t testing.TB, kept int) []byte {
	t.Helper()
	r := record.New(record.Gap, "evidence-log", "rewound")
	r.Source.Collected, r.Result.State = began, record.Undetermined
	root := strings.Repeat("ab", 32)
	r.Facts = map[string]string{"reason": "rewound", "why": "restored", "gone_size": "9", "gone_root": root, "kept_size": fmt.Sprint(kept), "kept_root": root}
	return leaf(t, r)
}

// What the log says of having been set back is reported, where only the log can say it.
func TestRewinds(t *testing.T) {
	t.Parallel()
	for before, want := range map[int]int{2: 1, 3: 0} {
		report := run(t, bundle(t, append(heartbeats(t, before), rewound(t, 2))).source(), verify.Options{Strict: true})
		if report.Outcome != verify.Good || len(report.Rewinds) != want {
			t.Fatalf("behind %d: %s, %+v", before, report.Outcome, report.Rewinds)
		}
		if want == 1 && (report.Rewinds[0].Gone.Size != 9 || report.Rewinds[0].Kept.Size != 2 || report.Rewinds[0].Why != "restored" || report.Rewinds[0].Index != 2) {
			t.Errorf("%+v", report.Rewinds[0])
		}
	}
}

// Every failure has a line of its own in every language, and codes are what they were.
func TestTexts(t *testing.T) {
	t.Parallel()
	r := run(t, files{}.source(), verify.Options{})
	lines := map[string]bool{}
	for _, language := range append(verify.Languages(), "xx") {
		line := r.Failures[0].Text(language)
		if strings.Contains(line, "%!") || strings.Contains(line, "\n") || !strings.Contains(line, "checkpoint") {
			t.Errorf("%s: %q", language, line)
		}
		lines[line] = true
	}
	if len(lines) != 3 {
		t.Errorf("%d texts in three languages", len(lines))
	}
}

// Whatever the bytes, there is one outcome and no panic.
func FuzzVerify(f *testing.F) {
	base := complete(f)
	f.Add("checkpoint", []byte("x\n1\ny\n\n"), 0)
	f.Add("tile/entries/001.p/48", []byte{0, 1, 2}, 5)
	f.Add("proofs/0.tlog-proof", []byte("c2sp.org/tlog-proof@v1\nindex 1\n\n"), 3)
	f.Add("page.json", []byte("{}"), 1)
	f.Fuzz(func(t *testing.T, name string, data []byte, at int) {
		bad := base.clone()
		original, known := bad[name]
		if !known {
			return
		}
		at = max(0, min(at, len(original)))
		bad[name] = slices.Concat(original[:at], data, original[min(len(original), at+len(data)):])
		r, err := verify.Verify(t.Context(), bad.source(), verify.Options{Trust: trust(t), Recompute: counting})
		if err != nil || r.Exit < 0 {
			t.Fatalf("%s: %v", r.Outcome, err)
		}
		if same := bytes.Equal(bad[name], original); same && r.Outcome != verify.Good || !same && r.Outcome == verify.Good && !strings.HasSuffix(name, ".tlog-proof") && name != "checkpoint" {
			t.Fatalf("%s changed: %t, outcome %s", name, !same, r.Outcome)
		}
	})
}

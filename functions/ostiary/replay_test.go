package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	replaying "ostiary.internal/shared/watch/rule/replay"
)

// packed writes a gzip file.
func packed(t *testing.T, file string, write func(io.Writer) error) string {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(f)
	if err := write(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestOpenLogUnpacks(t *testing.T) {
	t.Parallel()
	file := packed(t, filepath.Join(t.TempDir(), "named-otherwise"), func(w io.Writer) error {
		_, err := io.WriteString(w, "a line\n")
		return err
	})
	r, err := openLog(file, &progress{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "a line\n" {
		t.Errorf("%q %v", got, err)
	}
}

// A file of a few hundred kilobytes that unpacks to zeros without end is left alone before it costs much.
func TestOpenLogRefusesABomb(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mebibyte := packed(t, filepath.Join(dir, "zeros.gz"), func(w io.Writer) error {
		_, err := w.Write(make([]byte, 1<<20))
		return err
	})
	member, err := os.ReadFile(mebibyte)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "bomb.gz") // RFC 1952, section 2.2: members one after the other
	if err := os.WriteFile(file, bytes.Repeat(member, 256), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := openLog(file, &progress{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := io.Copy(io.Discard, r); err == nil || n > 2*bombFree {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestLogFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a.json", "b.JSONL", "c.ndjson.gz", "d.log", "e.txt", "deep/f.json", "[g].json"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{dir: 6, link: 6, filepath.Join(dir, "e.txt"): 1, filepath.Join(dir, "*.json"): 2, filepath.Join(dir, "[g].json"): 1} {
		found, err := logFiles([]string{path, path})
		if err != nil || len(found.files) != want || found.total != int64(2*want) || found.lost {
			t.Errorf("%s: %+v %v", path, found, err)
		}
	}
	if _, err := logFiles([]string{filepath.Join(dir, "nothing")}); err == nil {
		t.Error("a file that is not there")
	}
	if found, err := logFiles([]string{"-"}); err != nil || !slices.Equal(found.files, []string{"-"}) {
		t.Error("standard input")
	}
	if _, err := openLog(dir, &progress{}); err == nil {
		t.Error("a folder was opened as a file")
	}
}

// What of a folder is not read is named; where it may hold what was asked for, the answer is not whole.
func TestLogFilesNamesWhatItSkips(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(path string) error
		lost bool
	}{
		"notes.txt":  {func(path string) error { return os.WriteFile(path, nil, 0o600) }, false},
		"a.json":     {func(path string) error { return os.Symlink("elsewhere.json", path) }, true},
		"older":      {func(path string) error { return os.Symlink("..", path) }, true},
		"readme":     {func(path string) error { return os.Symlink("/dev/null", path) }, false},
		"piped.json": {func(path string) error { return syscall.Mkfifo(path, 0o600) }, true},
	} {
		dir := t.TempDir()
		if err := c.make(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		found, err := logFiles([]string{dir})
		if err != nil || len(found.files) != 0 || len(found.skipped) != 1 || found.lost != c.lost {
			t.Errorf("%s: %+v %v", name, found, err)
			continue
		}
		var told strings.Builder
		if found.tell(&told); !strings.HasPrefix(told.String(), "not read: ") || !strings.Contains(told.String(), name) {
			t.Errorf("%s: told %q", name, told.String())
		}
	}
	var found logSet
	if err := found.walk("deep", nil, fs.ErrPermission); err != nil || !found.lost || len(found.skipped) != 1 {
		t.Errorf("a folder that cannot be listed: %+v %v", found, err)
	}
	for range 2 * mostSkipped {
		found.skip("x", "y", false)
	}
	var told strings.Builder
	if found.tell(&told); strings.Count(told.String(), "\n") != mostSkipped+1 {
		t.Errorf("told %d lines", strings.Count(told.String(), "\n"))
	}
}

// A table says what is blind before its first row, and holds nothing but rows.
func TestTableSaysFirstWhatIsBlind(t *testing.T) {
	t.Parallel()
	var all bytes.Buffer
	table, err := newReplayTable(writes{&all, "row "}, writes{&all, "told "})
	if err != nil {
		t.Fatal(err)
	}
	if err := table.row(replaying.Row{File: "f", Line: 1}); err != nil {
		t.Fatal(err)
	}
	j, err := judgeOf(terminal{err: io.Discard}, filepath.Join("..", "..", "testdata", "policies", "baseline"))
	if err != nil {
		t.Fatal(err)
	}
	if err := table.end(replaying.Result{}, j); err != nil {
		t.Fatal(err)
	}
	table.close()
	if _, err := os.Stat(table.waiting.Name()); !os.IsNotExist(err) {
		t.Errorf("the rows are left over: %v", err)
	}
	told, rows, found := strings.Cut(all.String(), "row ")
	if !found || !strings.HasPrefix(told, "told blind: ") || strings.Contains(rows, "told") || rows != "file,line,alarm,rule,class,severity\nf,1,no,,,\n" {
		t.Errorf("%q", all.String())
	}
}

// writes marks what is written to one of several writers.
type writes struct {
	to   io.Writer
	mark string
}

// Write implements io.Writer.
func (w writes) Write(p []byte) (int, error) {
	_, err := w.to.Write(append([]byte(w.mark), p...))
	return len(p), err
}

func TestProgress(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	bar := &progress{out: &out, total: 100}
	bar.read(50)
	bar.end()
	if !strings.Contains(out.String(), " 50%") || !strings.HasSuffix(out.String(), "\r") {
		t.Errorf("%q", out.String())
	}
	silent := progressOn(&out, 1)
	silent.read(1)
	if silent.end(); silent.out != nil {
		t.Error("a bar where nobody looks")
	}
}

// What a policy does not say makes rules find nothing: that is told beforehand.
func TestReplaySaysWhatIsNotJudged(t *testing.T) {
	t.Parallel()
	for folder, want := range map[string]bool{"baseline": true, "sharedcontacts": false} {
		var told strings.Builder
		if _, err := judgeOf(terminal{err: &told}, filepath.Join("..", "..", "testdata", "policies", folder)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(told.String(), "not judged: no regions in watch.yaml: "); got != want {
			t.Errorf("%s: told %q", folder, told.String())
		}
	}
}

// What is blind because it is switched off makes a replay that finds nothing unclear; what was merely not exported does not.
func TestSwitchedOff(t *testing.T) {
	t.Parallel()
	blind := []blindness{{Service: "iamcredentials.googleapis.com", Stream: "data_access"}, {Service: "secretmanager.googleapis.com", Stream: "data_access"}, {Stream: "application"}, {Service: "login.googleapis.com", Stream: "data_access"}}
	for name, c := range map[string]struct {
		env  map[string]string
		want string
	}{
		"nothing is said":      {nil, ""},
		"all is written":       {map[string]string{envDataAccess: "allServices", envLogs: "all"}, ""},
		"one service is not":   {map[string]string{envDataAccess: "iam.googleapis.com"}, "secretmanager.googleapis.com data_access"},
		"nothing is":           {map[string]string{envDataAccess: "", envLogs: "login"}, "iamcredentials.googleapis.com data_access, secretmanager.googleapis.com data_access, application"},
		"of the other streams": {map[string]string{envLogs: "application, access_transparency"}, "login.googleapis.com data_access"},
	} {
		got := switchedOff(blind, func(name string) (string, bool) { value, set := c.env[name]; return value, set })
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Entries of which parts are missing are told, for people and for programs.
func TestReplayTellsOfMissingParts(t *testing.T) {
	t.Parallel()
	j, err := judgeOf(terminal{err: io.Discard}, filepath.Join("..", "..", "testdata", "policies", "baseline"))
	if err != nil {
		t.Fatal(err)
	}
	for asJSON, want := range map[bool]string{false: "3 entries came in parts, and not all of them", true: `"partial": 3`} {
		var out strings.Builder
		if err := (&replayReport{out: &out, asJSON: asJSON}).end(replaying.Result{Entries: 5, Partial: 3}, j); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%v: %v %s", asJSON, err, out.String())
		}
	}
}

package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
	for path, want := range map[string]int{dir: 6, filepath.Join(dir, "e.txt"): 1, filepath.Join(dir, "*.json"): 2, filepath.Join(dir, "[g].json"): 1} {
		files, total, err := logFiles([]string{path, path})
		if err != nil || len(files) != want || total != int64(2*want) {
			t.Errorf("%s: %v %d %v", path, files, total, err)
		}
	}
	if _, _, err := logFiles([]string{filepath.Join(dir, "nothing")}); err == nil {
		t.Error("a file that is not there")
	}
	if files, _, err := logFiles([]string{"-"}); err != nil || !slices.Equal(files, []string{"-"}) {
		t.Error("standard input")
	}
	if _, err := openLog(dir, &progress{}); err == nil {
		t.Error("a folder was opened as a file")
	}
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

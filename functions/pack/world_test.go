package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// top is the top folder of the repository.
const top = "../.."

// program is this command, built without the race detector, under which compressing takes minutes.
var program string

func TestMain(m *testing.M) { os.Exit(withProgram(m)) }

func withProgram(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pack")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "pack")
	if out, err := exec.Command("go", "build", "-ldflags=-s", "-o", program, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("building the command: %v\n%s", err, out))
	}
	here = sync.OnceValues(func() (made, error) { return packTree(top, filepath.Join(dir, "dist")) })
	return m.Run()
}

// made is what the command left in a folder.
type made struct {
	list     release
	text     []byte
	bill     []byte            // the list of parts
	archives map[string][]byte // by object
}

// here packs this tree, once for all tests.
var here func() (made, error)

func packedHere(t *testing.T) made {
	t.Helper()
	m, err := here()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func packTree(root, out string) (m made, err error) {
	if said, err := exec.Command(program, "--root", root, "--out", out).CombinedOutput(); err != nil {
		return made{}, fmt.Errorf("packing: %w\n%s", err, said)
	}
	o := options{out: out}
	if m.list, m.text, err = o.listed(); err != nil {
		return made{}, err
	}
	if m.bill, err = os.ReadFile(filepath.Join(out, sbomName)); err != nil {
		return made{}, err
	}
	m.archives = map[string][]byte{}
	for _, p := range m.list.Functions {
		if m.archives[p.Object], err = os.ReadFile(filepath.Join(out, p.Object)); err != nil {
			return made{}, err
		}
	}
	return m, nil
}

// contents are the files of an archive, by name; those that are not wanted are named alone.
func contents(t *testing.T, data []byte, wanted func(name string) bool) map[string]string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range r.File {
		if all[f.Name] = ""; !wanted(f.Name) {
			continue
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in) // compares the checksum
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(text)
	}
	return all
}

// clone copies what functions are made of to another folder.
func clone(t *testing.T) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "functions", "shared"} {
		err := filepath.WalkDir(filepath.Join(top, name), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "testdata" {
				return fs.SkipDir
			}
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(top, path)
			if err != nil || strings.HasSuffix(rel, "_test.go") {
				return err
			}
			if d.IsDir() {
				return os.MkdirAll(filepath.Join(to, rel), 0o700)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(to, rel), data, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// invented is a small release that nobody has to pack: the archives of three functions, written to a folder.
func invented(t *testing.T) (options, release) {
	t.Helper()
	o := options{root: t.TempDir(), out: t.TempDir(), stdout: io.Discard, stderr: io.Discard}
	list := release{Go: "go1.26.8", Functions: map[string]packaged{}}
	for _, name := range []string{"admit", "attest", "deliver"} {
		manifest := []byte(`{"name":"` + name + `","control":"access","entry_point":"` + name + `","summary":"An example.","callers":"machine","triggers":[{"kind":"schedule","cron":"* * * * *"}],` +
			`"memory_mib":256,"timeout_s":30,"concurrency":1,"max_instances":1,"permissions":[],"environment":[],"secrets":[],"publishes":[],"freshness":"","checks":["otp-gate"]}`)
		folder := filepath.Join(o.root, "functions", "access", name)
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "function.json"), manifest, 0o666); err != nil {
			t.Fatal(err)
		}
		data := []byte("the archive of " + name)
		p := packaged{Object: name + "-" + digest(data) + ".zip", Digest: "sha256:" + digest(data), Size: int64(len(data)), Manifest: "sha256:" + digest(manifest)}
		list.Functions[name] = p
		if err := os.WriteFile(filepath.Join(o.out, p.Object), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	text, err := list.encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := o.writeLists(list, text); err != nil {
		t.Fatal(err)
	}
	return o, list
}

func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

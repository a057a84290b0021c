package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/manifest"
)

// Packed in another folder, with other times and rights on every file, each archive has the same bytes; but those of a function
// whose source was changed there.
func TestTwoClones(t *testing.T) {
	t.Parallel()
	m := packedHere(t)
	list, archives := m.list, m.archives
	elsewhere := clone(t)
	longAgo := time.Date(2001, 9, 9, 1, 46, 40, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(elsewhere, "go.mod"), longAgo, longAgo); err != nil {
		t.Fatal(err)
	}
	for file, more := range map[string]string{"functions/access/checkotp/function.go": "\n// More.\n", "functions/trust/attest/function.json": "\n"} {
		f, err := os.OpenFile(filepath.Join(elsewhere, filepath.FromSlash(file)), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(more); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	there, err := packTree(elsewhere, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	again, others := there.list, there.archives
	if diff := differences(list, again, func(p packaged) string { return p.Digest }); !slices.Equal(diff, []string{"attest", "checkotp"}) {
		t.Errorf("packed elsewhere, other archives of %v", diff)
	}
	if diff := differences(list, again, func(p packaged) string { return p.Manifest }); !slices.Equal(diff, []string{"attest"}) {
		t.Errorf("other manifests of %v", diff)
	}
	same := 0
	for name, data := range archives {
		if bytes.Equal(others[name], data) {
			same++
		}
	}
	parts := string(m.bill)
	for _, name := range []string{"attest", "checkotp"} {
		parts = strings.Replace(parts, strings.TrimPrefix(list.Functions[name].Digest, "sha256:"), strings.TrimPrefix(again.Functions[name].Digest, "sha256:"), 1)
	}
	if parts = strings.Replace(parts, digest(m.text), digest(there.text), 1); parts != string(there.bill) {
		t.Error("the list of parts has other bytes elsewhere, by more than the digests of what changed")
	}
	if same != len(archives)-2 {
		t.Errorf("%d of %d archives have the same bytes elsewhere", same, len(archives))
	}
}

// An archive holds what its function is built of, as it lies in the tree and in the module cache, and nothing else.
func TestContents(t *testing.T) {
	t.Parallel()
	m := packedHere(t)
	list, archives := m.list, m.archives
	functions, err := manifest.All(os.DirFS(top))
	if err != nil {
		t.Fatal(err)
	}
	if len(functions) != len(list.Functions) || len(archives) != len(functions) {
		t.Fatalf("%d functions, %d listed, %d archives", len(functions), len(list.Functions), len(archives))
	}
	for _, f := range functions {
		p := list.Functions[f.Name]
		files := contents(t, archives[p.Object], func(name string) bool { return !strings.HasPrefix(name, "vendor/") })
		folder := path.Join("functions", f.Control, f.Name)
		for name, want := range map[string]string{"go.mod": "go.mod", "go.sum": "go.sum", folder + "/function.go": folder + "/function.go", folder + "/function.json": folder + "/function.json"} {
			data, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(want)))
			if err != nil || files[name] != string(data) {
				t.Errorf("%s: %s is not that of the tree: %v", f.Name, name, err)
			}
		}
		if root := files["function.go"]; !strings.Contains(root, `"`+framework+`"`) || !strings.Contains(root, `"ostiary.internal/`+folder+`"`) || strings.Contains(root, "package main") {
			t.Errorf("%s: the root package is\n%s", f.Name, root)
		}
		for name := range files {
			switch parts := strings.Split(name, "/"); {
			case strings.HasSuffix(name, "_test.go"), slices.Contains(parts, "testdata"):
				t.Errorf("%s: %s is of tests", f.Name, name)
			case slices.ContainsFunc(names(list.Functions), func(other string) bool {
				return other != f.Name && len(parts) == 4 && parts[0] == "functions" && parts[2] == other
			}):
				t.Errorf("%s: %s is of another function", f.Name, name)
			case strings.HasPrefix(name, "functions/ostiary/"), strings.HasPrefix(name, "shared/platform/store/bolt/"), strings.HasPrefix(name, "shared/policy/dir/"):
				t.Errorf("%s: %s is of local mode", f.Name, name)
			case len(parts) == 1 && !slices.Contains([]string{"go.mod", "go.sum", "function.go"}, name):
				t.Errorf("%s: %s lies in the top folder", f.Name, name)
			case !slices.Contains([]string{"functions", "shared", "vendor"}, parts[0]) && len(parts) > 1:
				t.Errorf("%s: %s has no place in it", f.Name, name)
			}
		}
		for _, name := range []string{"vendor/github.com/GoogleCloudPlatform/functions-framework-go/LICENSE", "vendor/" + starter + "/framework.go"} {
			if _, there := files[name]; !there {
				t.Errorf("%s: no %s", f.Name, name)
			}
		}
		if p.Size != int64(len(archives[p.Object])) || p.Size > 20<<20 || p.Digest != "sha256:"+digest(archives[p.Object]) {
			t.Errorf("%s: %d bytes, listed as %d with %s", f.Name, len(archives[p.Object]), p.Size, p.Digest)
		}
	}
}

// What a module in the cache holds is compared with go.sum, and one that go.mod replaces is not packed.
func TestAlteredModules(t *testing.T) {
	t.Parallel()
	undotted := sources{root: t.TempDir()}
	for name, text := range map[string]string{"go.mod": "module ostiary\n\ngo 1.26.0\n", "go.sum": ""} {
		if err := os.WriteFile(filepath.Join(undotted.root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := undotted.readModule(); err == nil || !strings.Contains(err.Error(), "no dot") {
		t.Errorf("a module that the buildpack refuses: %v", err)
	}
	replaced := sources{parts: map[string]*part{}}
	if err := replaced.add([]byte(`{"ImportPath":"example.com/m","Module":{"Path":"example.com/m","Replace":{"Path":"../m"}}}`)); err == nil || !strings.Contains(err.Error(), "replaces example.com/m") {
		t.Errorf("a replaced module: %v", err)
	}
	m := &module{Path: "example.com/m", Version: "v1.0.0", Dir: t.TempDir()}
	s := sources{parts: map[string]*part{"example.com/m": {Module: m}}, required: map[string]string{m.Path: m.Version}, sum: []byte("example.com/m v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")}
	if err := s.unaltered(); err != nil {
		t.Errorf("an empty module: %v", err)
	}
	if err := os.WriteFile(filepath.Join(m.Dir, "more.go"), []byte("package m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.unaltered(); err == nil || !strings.Contains(err.Error(), "not what go.sum names") {
		t.Errorf("a file more in the cache: %v", err)
	}
	s.required[m.Path] = "v1.0.1"
	if err := s.unaltered(); err == nil || !strings.Contains(err.Error(), "go mod tidy") {
		t.Errorf("a version that go.mod does not require: %v", err)
	}
}

// Packing into a folder leaves the archives of this release, what is not ours, and both lists; Terraform is told each object.
func TestFolder(t *testing.T) {
	t.Parallel()
	o, list := invented(t)
	old := filepath.Join(o.out, "admit-"+strings.Repeat("0", 64)+".zip")
	for _, name := range []string{old, filepath.Join(o.out, "notes.zip")} {
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	keep := map[string][]byte{}
	for _, p := range list.Functions {
		keep[p.Object] = nil
	}
	if err := o.sweep(keep); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(o.out)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	if want := slices.Sorted(slices.Values(append(names(keep), listName, tfvarsName, "notes.zip"))); !slices.Equal(have, want) {
		t.Errorf("the folder holds %v, want %v", have, want)
	}
	for _, bucket := range []string{"", "acme-archives"} {
		o.bucket = bucket
		text, err := list.encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := o.writeLists(list, text); err != nil {
			t.Fatal(err)
		}
		var values struct {
			Archives struct {
				Bucket  string            `json:"bucket"`
				Objects map[string]string `json:"objects"`
			} `json:"archives"`
		}
		written, err := os.ReadFile(filepath.Join(o.out, tfvarsName))
		if err == nil {
			err = json.Unmarshal(written, &values)
		}
		if err != nil || values.Archives.Bucket != bucket || !slices.Equal(names(values.Archives.Objects), names(list.Functions)) || values.Archives.Objects["admit"] != list.Functions["admit"].Object {
			t.Errorf("Terraform reads %+v, %v", values, err)
		}
	}
}

// A list is read as it was written, or not at all: what it names is deployed.
func TestLists(t *testing.T) {
	t.Parallel()
	_, list := invented(t)
	text, err := list.encode()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := parse(text); err != nil || len(differences(list, again, func(p packaged) string { return fmt.Sprint(p) })) > 0 {
		t.Errorf("read back: %v", err)
	}
	sum := digest([]byte("the archive of admit"))
	for what, change := range map[string][2]string{
		"the object of another": {"admit-" + sum, "attest-" + sum}, "another digest": {`"sha256:` + sum, `"sha256:` + strings.Repeat("0", 64)},
		"a path": {`"object": "admit-`, `"object": "../admit-`}, "no size": {`"size": 20`, `"size": 0`}, "an unknown key": {`"size"`, `"length"`}, "no list": {"{", "["},
	} {
		changed := strings.Replace(string(text), change[0], change[1], 1)
		if changed == string(text) {
			t.Fatalf("%s: nothing was changed in\n%s", what, text)
		}
		if _, err := parse([]byte(changed)); err == nil {
			t.Errorf("%s is read", what)
		}
	}
	if _, err := parse([]byte(`{"go":"go1.26.8","functions":{}}`)); err == nil {
		t.Error("a release of nothing is read: Terraform would take every function away")
	}
}

// The command finds its own archives again, and tells which the sources no longer give.
func TestCommand(t *testing.T) {
	t.Parallel()
	m := packedHere(t)
	o := options{root: top, out: t.TempDir(), stdout: io.Discard}
	list := release{Go: "go1.0", Functions: maps.Clone(m.list.Functions)}
	nothing := strings.Repeat("0", 64)
	list.Functions["admit"] = packaged{Object: "admit-" + nothing + ".zip", Digest: "sha256:" + nothing, Size: 1}
	list.Functions["gone"] = packaged{Object: "gone-" + nothing + ".zip", Digest: "sha256:" + nothing, Size: 1}
	text, err := list.encode()
	if err == nil {
		err = o.writeLists(list, text)
	}
	if err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(program, "--check", "--root", top, "--out", o.out).CombinedOutput()
	if err == nil || !strings.Contains(string(said), "the sources give other archives of admit, gone; they were packed by go1.0, and this is go1.") {
		t.Errorf("%v: %s", err, said)
	}
	for _, args := range [][]string{{"extra"}, {"--nonesuch"}, {"--check", "--upload", "gs://b"}, {"--fetch", strings.Repeat("0", 64)}, {"--from", "gs://b"}, {"--check", "--bucket", "b"}} {
		if code := run(t.Context(), args, io.Discard, io.Discard); code != exitUsage {
			t.Errorf("%v: exit %d", args, code)
		}
	}
	if code := run(t.Context(), []string{"--help"}, io.Discard, io.Discard); code != exitGood {
		t.Errorf("--help: exit %d", code)
	}
	for _, args := range [][]string{{"--root", t.TempDir()}, {"--check", "--out", t.TempDir()}, {"--upload", "gs://b/c", "--out", o.out}, {"--upload", "elsewhere", "--out", o.out}, {"--fetch", "latest", "--from", "gs://b"}} {
		if code := run(t.Context(), args, io.Discard, io.Discard); code != exitWrong {
			t.Errorf("%v: exit %d", args, code)
		}
	}
}

// The make target is this command.
func TestMakeDist(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		t.Fatal("make is not installed")
	}
	cmd := exec.Command("make", "--no-print-directory", "-n", "dist")
	cmd.Dir = top
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=") }) // make runs this test too
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "go run ./functions/pack" {
		t.Errorf("make dist runs %q, %v", out, err)
	}
}

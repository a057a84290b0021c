package house

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/manifest"
)

// root is the top of the repository.
const root = "../../.."

type permission = manifest.Permission

func manifests(t *testing.T) []manifest.Function {
	t.Helper()
	all, err := manifest.All(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no function found")
	}
	return all
}

// Every function folder holds the same three files; its code registers the entry point its manifest names.
func TestFunctionFolders(t *testing.T) {
	t.Parallel()
	for _, f := range manifests(t) {
		folder := filepath.Join(root, "functions", f.Control, f.Name)
		for _, name := range []string{"function.json", "function.go", "function_test.go"} {
			if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
		code, _ := os.ReadFile(filepath.Join(folder, "function.go"))
		if !bytes.Contains(code, []byte(`functions.HTTP("`+f.EntryPoint+`"`)) {
			t.Errorf("%s: function.go does not register the entry point %q", f.Name, f.EntryPoint)
		}
	}
}

// banned are calls that may not stand in code outside tests, with the reason and the places where they may.
var banned = []struct {
	call, why string
	allowed   []string
}{
	{`functions\.CloudEvent\(`, "hangs after aborted requests", nil},
	{`functions\.Typed\(`, "leaks fields from one request into the next", nil},
	{`sync\.OnceValue`, "remembers an error for the life of the instance", nil},
	{`\btime\.Now\(`, "time is an argument or clock.Now", []string{"shared/platform/clock/", "testdata/bench/"}},
	{`\btime\.(Since|Until)\(`, "time is an argument or clock.Now", []string{"testdata/bench/"}},
	{`idtoken\.Validate\(`, "checks neither issuer nor an empty audience", nil},
	{`\b(fmt|log)\.Print`, "shared code prints nothing", []string{"functions/", "testdata/"}},
	{`"math/rand`, "random bytes come from an injected source of the system's", []string{"testdata/bench/", "shared/platform/store/storetest/", "shared/platform/require/"}},
	{`InsecureSkipVerify:\s*true`, "certificates are verified", nil},
}

func TestBannedCalls(t *testing.T) {
	t.Parallel()
	sources(t, func(path string, code []byte) {
		for _, b := range banned {
			if at := regexp.MustCompile(b.call).FindIndex(code); at != nil && !anyPrefix(path, b.allowed) {
				t.Errorf("%s:%d: %s: %s", path, 1+bytes.Count(code[:at[0]], []byte("\n")), b.call, b.why)
			}
		}
		if lines := bytes.Count(code, []byte("\n")); lines > 400 {
			t.Errorf("%s has %d lines: one thing a file", path, lines)
		}
	})
}

// Every package says what it promises.
func TestPackageComments(t *testing.T) {
	t.Parallel()
	documented, seen := map[string]bool{}, map[string]bool{}
	comment := regexp.MustCompile(`(?m)^// (Package|Command) [a-z0-9]+ [^\n]*\n(//[^\n]*\n)*package `)
	sources(t, func(path string, code []byte) {
		folder := filepath.Dir(path)
		seen[folder] = true
		documented[folder] = documented[folder] || comment.Match(code)
	})
	for folder := range seen {
		if !documented[folder] {
			t.Errorf("%s has no package comment", folder)
		}
	}
}

func sources(t *testing.T, visit func(path string, code []byte)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "node_modules" || path == "dist" || path == "data"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		code, err := os.ReadFile(filepath.Join(root, path))
		if err == nil {
			visit(path, code)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func anyPrefix(path string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// What is generated is fresh: generating again changes nothing.
func TestGeneratedFilesAreFresh(t *testing.T) {
	t.Parallel()
	fresh := t.TempDir()
	for _, f := range manifests(t) {
		from := filepath.Join("functions", f.Control, f.Name)
		copyFile(t, filepath.Join(root, from, "function.json"), filepath.Join(fresh, from, "function.json"))
	}
	generated := []string{"README.md", "functions/ostiary/functions.go"}
	for _, name := range generated {
		copyFile(t, filepath.Join(root, name), filepath.Join(fresh, name))
	}
	binary := filepath.Join(t.TempDir(), "generate")
	if out, err := exec.Command("go", "build", "-o", binary, "ostiary.internal/functions/internal/generate").CombinedOutput(); err != nil {
		t.Fatalf("building the generator: %v\n%s", err, out)
	}
	run := exec.Command(binary)
	run.Dir = fresh
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("generating: %v\n%s", err, out)
	}
	for _, name := range generated {
		want, _ := os.ReadFile(filepath.Join(fresh, name))
		if have, _ := os.ReadFile(filepath.Join(root, name)); !bytes.Equal(have, want) {
			t.Errorf("%s is not fresh: run make generate", name)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

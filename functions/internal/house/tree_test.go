package house

import (
	"bytes"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// exception is a place where a banned call may stand, and why.
type exception struct{ place, why string }

// banned are calls that may not stand in code outside tests, with the reason and the exceptions.
var banned = []struct {
	call, why string
	except    []exception
}{
	{`functions\.CloudEvent\(`, "hangs after aborted requests", nil},
	{`functions\.Typed\(`, "leaks fields from one request into the next", nil},
	{`sync\.OnceValues?\(`, "remembers an error for the life of the instance", []exception{
		{"shared/platform/emulatortest/", "a test process starts an emulator once; a second try would only be slower"},
	}},
	{`\btime\.Now\(`, "time is an argument or clock.Now", []exception{
		{"shared/platform/clock/", "it is the clock"},
		{"shared/platform/bus/local/", "retries run on real time, whatever the moved clock says"},
		{"shared/platform/bus/bustest/", "waits for real deliveries"},
		{"testdata/", "benchmarks and pictures measure and wait in real time"},
	}},
	{`\btime\.(Since|Until)\(`, "time is an argument or clock.Now", []exception{{"testdata/", "benchmarks measure real time"}}},
	{`idtoken\.Validate\(`, "checks neither issuer nor an empty audience", nil},
	{`\b(fmt|log)\.Print`, "shared code prints nothing", []exception{
		{"testdata/", "commands print"}, {"functions/internal/pictures/", "a command says what it wrote"},
	}},
	{`"math/rand`, "random bytes come from the system or an injected source", []exception{
		{"shared/platform/identity/identitytest/", "seeded properties of a test suite"},
		{"shared/platform/store/storetest/", "seeded properties of a test suite"},
		{"shared/erasure/erasetest/", "seeded properties of a test suite"},
		{"functions/ostiary/internal/soak/", "faults and load that a seed repeats"},
	}},
	{`disk\.PutOff\(`, "what was written is on the disk before anybody is told", []exception{
		{"functions/ostiary/internal/local/", "a clock moved by hand waits for the disk once, in the end"},
	}},
	{`"(bolt|dir|file|folder|local|mailbox|sandbox):" ?\+`, "driver.URL keeps a path whole that holds what ends one in a URL", []exception{
		{"testdata/ferretdb/", "the URL is SQLite's"},
	}},
	{`InsecureSkipVerify:\s*true`, "certificates are verified", []exception{
		{"shared/trust/probe/outside/", "a handshake with a certificate that is not trusted is what one probe has to tell of; it sends nothing"},
	}},
}

func TestBannedCalls(t *testing.T) {
	t.Parallel()
	used := map[exception]bool{}
	sources(t, func(path string, code []byte) {
		bare := withoutComments(t, path, code)
		for _, b := range banned {
			at := regexp.MustCompile(b.call).FindIndex(bare)
			if at == nil {
				continue
			}
			if e := slices.IndexFunc(b.except, func(e exception) bool { return strings.HasPrefix(path, e.place) }); e >= 0 {
				used[b.except[e]] = true
				continue
			}
			t.Errorf("%s:%d: %s: %s", path, 1+bytes.Count(bare[:at[0]], []byte("\n")), b.call, b.why)
		}
		if lines := bytes.Count(code, []byte("\n")); lines > 400 {
			t.Errorf("%s has %d lines: one thing a file", path, lines)
		}
	})
	for _, b := range banned {
		for _, e := range b.except {
			if !used[e] {
				t.Errorf("%s may be called in %s, and is not: drop the exception", b.call, e.place)
			}
		}
	}
}

// withoutComments blanks every comment, so that what is written about a call is not taken for one.
func withoutComments(t *testing.T, path string, code []byte) []byte {
	t.Helper()
	files := token.NewFileSet()
	file := files.AddFile(path, files.Base(), len(code))
	var s scanner.Scanner
	s.Init(file, code, func(at token.Position, message string) { t.Errorf("%s: %s", at, message) }, scanner.ScanComments)
	bare := bytes.Clone(code)
	for {
		pos, kind, text := s.Scan()
		if kind == token.EOF {
			return bare
		}
		if kind == token.COMMENT {
			start := file.Offset(pos)
			for i := start; i < start+len(text) && i < len(bare); i++ {
				if bare[i] != '\n' {
					bare[i] = ' '
				}
			}
		}
	}
}

// unfinished is what may not stand anywhere: work put off, and paths of the machine somebody wrote on. It is put together
// here so that this file does not hold it.
var unfinished = regexp.MustCompile(`\b(` + strings.Join([]string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "place" + "holder"}, "|") + `)\b|` +
	strings.Join([]string{"/wor" + "k/", "/roo" + "t/", "/hom" + "e/", "/Use" + "rs/"}, "|"))

// attribute is the one meaning of the word that is not unfinished.
var attribute = regexp.MustCompile("place" + `holder=|::place` + "holder")

func TestNothingIsLeftUndone(t *testing.T) {
	t.Parallel()
	written := []string{".go", ".tf", ".hcl", ".md", ".yaml", ".json", ".html", ".css", ".js", ".txtar", ".sh", ""}
	walk(t, func(path string) bool { return slices.Contains(written, filepath.Ext(path)) }, func(path string, text []byte) {
		text = attribute.ReplaceAll(text, []byte("attribute="))
		if at := unfinished.FindIndex(text); at != nil {
			t.Errorf("%s:%d: %q", path, 1+bytes.Count(text[:at[0]], []byte("\n")), text[at[0]:at[1]])
		}
	})
}

// A test that is skipped does not exist: only package require may skip, and it fails in continuous integration.
func TestOnlyRequireSkips(t *testing.T) {
	t.Parallel()
	skip := regexp.MustCompile(`\b[tbf]\.Skip(f|Now)?\(`)
	walk(t, func(path string) bool {
		return strings.HasSuffix(path, ".go") && !strings.HasPrefix(path, "functions/internal/house/")
	}, func(path string, code []byte) {
		if skip.Match(code) && path != "shared/platform/require/require.go" {
			t.Errorf("%s skips: use package require", path)
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

// sources visits every Go file that is not a test.
func sources(t *testing.T, visit func(path string, code []byte)) {
	t.Helper()
	walk(t, func(path string) bool { return strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") }, visit)
}

// walk visits the files of the tree that are wanted.
func walk(t *testing.T, wanted func(path string) bool, visit func(path string, code []byte)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "node_modules" || path == "dist" || path == "data"):
			return fs.SkipDir
		case d.IsDir() || !wanted(path):
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

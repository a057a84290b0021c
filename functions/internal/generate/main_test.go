package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/manifest"
)

const root = "../../.."

// TestFilesAreFresh: generating again changes nothing.
func TestFilesAreFresh(t *testing.T) {
	t.Parallel()
	for _, part := range []func(string) (map[string][]byte, error){texts, indexes} {
		files, err := part(root)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			have, err := os.ReadFile(filepath.Join(root, name))
			if err != nil || !bytes.Equal(have, files[name]) {
				t.Errorf("%s is not fresh (%v): run make generate", name, err)
			}
		}
	}
}

var two = []manifest.Function{
	{Name: "second", Control: "access", Summary: "Does a thing.", Callers: manifest.Staff, Triggers: []manifest.Trigger{{Kind: manifest.HTTP}}},
	{Name: "first", Control: "breach", Summary: "Does another.", Callers: manifest.Machine, Triggers: []manifest.Trigger{
		{Kind: manifest.Topic, Topic: "thing.changed"}, {Kind: manifest.Schedule, Cron: "* * * * *"}, {Kind: manifest.Eventarc, Type: "a.b.v1.c"}}},
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	source, err := Registry(two)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "functions.go", source, parser.ParseComments)
	if err != nil || file.Name.Name != "every" || !strings.HasPrefix(string(source), "// Code generated ") {
		t.Fatalf("%v\n%s", err, source)
	}
	for _, want := range []string{`"ostiary.internal/functions/access/second"`, `"ostiary.internal/functions/breach/first"`, "\tsecond.Function,\n\tfirst.Function,\n"} {
		if !strings.Contains(string(source), want) {
			t.Errorf("the list lacks %s:\n%s", want, source)
		}
	}
	if _, err := Registry([]manifest.Function{{Name: "not a name", Control: "access"}}); err == nil {
		t.Error("a name that is no Go name passed")
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	const want = `| function | control | called by | woken by | what it does |
| --- | --- | --- | --- | --- |
` + "| [`second`](functions/access/second) | access | staff | HTTP | Does a thing. |\n" +
		"| [`first`](functions/breach/first) | breach | machine | `thing.changed`, schedule `* * * * *`, `a.b.v1.c` | Does another. |\n"
	if got := Table(two); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	const document = "before\n<!-- begin functions -->\nold\n<!-- end functions -->\nafter\n"
	got, err := Replace([]byte(document), "functions", "new\n")
	if err != nil || string(got) != strings.Replace(document, "old", "new", 1) {
		t.Errorf("%s, %v", got, err)
	}
	if again, err := Replace(got, "functions", "new\n"); err != nil || !bytes.Equal(again, got) {
		t.Errorf("a second time: %s, %v", again, err)
	}
	for _, broken := range []string{"", "<!-- begin functions -->\n", "<!-- end functions -->", "<!-- end functions --><!-- begin functions -->\n"} {
		if _, err := Replace([]byte(broken), "functions", "new"); err == nil {
			t.Errorf("%q has no place for a table, and got one", broken)
		}
	}
}

// TestBadTree: a tree whose manifests or README cannot be read is left as it is.
func TestBadTree(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if _, err := texts(folder); err == nil {
		t.Error("a tree without a README passed")
	}
	if err := os.MkdirAll(filepath.Join(folder, "functions", "access", "broken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "functions", "access", "broken", "function.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := texts(folder); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a broken manifest: %v", err)
	}
	if _, err := indexes(folder); err == nil {
		t.Error("indexes of a folder without code")
	}
}

package policy_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

var update = flag.Bool("update", false, "write the expected problems anew")

const hostile = "../../testdata/hostile/policy"

// starter returns a copy of the starter, as folder "acme", whose files a test may replace.
func starter(t testing.TB) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(policies.Starter(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(policies.Starter(), path)
		files["acme/"+path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestHostileFiles: every problem of a hostile file is told, at its line, and nothing else is.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(hostile + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no hostile files", err)
	}
	for _, path := range files {
		kind, _, _ := strings.Cut(filepath.Base(path), "-")
		if kind == "access" {
			continue // read by the control that owns the file
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			folder := starter(t)
			file := kind + ".yaml"
			if kind == "promises" {
				file = "promises/access.yaml"
			}
			folder["acme/"+file] = &fstest.MapFile{Data: data}
			_, problems, err := policy.Load(folder, "acme")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".want", problems)
		})
	}
}

func golden(t *testing.T, path string, problems []policy.Problem) {
	t.Helper()
	var got strings.Builder
	for _, p := range problems {
		got.WriteString(p.String())
		if p.Dangling {
			got.WriteString(" (dangling)")
		}
		got.WriteByte('\n')
		if p.Line < 1 || p.Column < 1 || p.File == "" || p.Key == "" || p.What == "" {
			t.Errorf("a problem without a place: %#v", p)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("problems differ (-want +got):\n%s", diff)
	}
}

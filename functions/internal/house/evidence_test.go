package house

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/evidence/record"
)

// TestManifestsNameWhatIsWritten: a manifest lets a function put nothing on record that no line it links could write: every
// kind and every control it lists stands in its code. That it lists all it writes is held by the function's own tests,
// whose inbox refuses the rest.
func TestManifestsNameWhatIsWritten(t *testing.T) {
	t.Parallel()
	for _, f := range manifests(t) {
		if f.Evidence == nil {
			continue
		}
		var source strings.Builder
		own := "functions/" + f.Control + "/" + f.Name
		for _, dep := range append(slices.Clone(deps(t, own)), module+own) {
			path, ours := strings.CutPrefix(dep, module)
			if !ours || path == "shared/evidence/record" { // it names every kind
				continue
			}
			files, err := filepath.Glob(filepath.Join(root, path, "*.go"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				if strings.HasSuffix(file, "_test.go") {
					continue
				}
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				source.Write(text)
			}
		}
		code := source.String()
		for control, kinds := range f.Evidence.Controls {
			if control != record.Others && control != f.Name && !strings.Contains(code, `"`+control+`"`) {
				t.Errorf("%s may write about %s, and nothing in it does", f.Name, control)
			}
			for _, kind := range kinds {
				if !strings.Contains(code, "record."+constant(kind)) {
					t.Errorf("%s may write records of kind %s, and nothing in it does", f.Name, kind)
				}
			}
		}
	}
}

// TestManifestsAreHeldToTests: what a function may put on record, its tests put there; functiontest.Main holds the manifest
// to that.
func TestManifestsAreHeldToTests(t *testing.T) {
	t.Parallel()
	for _, f := range manifests(t) {
		if f.Evidence == nil || f.Name == "sealevidence" { // its inbox is a bucket's in its tests, which show its one kind
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, "functions", f.Control, f.Name, "scope_test.go"))
		if err != nil || !strings.Contains(string(text), "functiontest.Main(m, manifest,") {
			t.Errorf("%s: nothing holds what its manifest lets it put on record to its tests: %v", f.Name, err)
		}
	}
}

// TestEverybodyIsSwept: what a crash leaves of a function's records, it finds itself each minute, or exactly one other
// function of its control does.
func TestEverybodyIsSwept(t *testing.T) {
	t.Parallel()
	all := manifests(t)
	for _, f := range all {
		if f.Evidence == nil {
			continue
		}
		var by []string
		for _, o := range all {
			if slices.Contains(o.Sweeps, f.Name) {
				by = append(by, o.Name)
			}
		}
		if len(by) == 0 && slices.Contains(f.Crons(), "* * * * *") {
			by = []string{f.Name}
		}
		if len(by) != 1 {
			t.Errorf("%s is swept by %v", f.Name, by)
		}
	}
}

// constant is the name of a kind in Go.
func constant(kind record.Kind) string {
	if kind == record.DSR {
		return "DSR"
	}
	return strings.ToUpper(string(kind[:1])) + string(kind[1:])
}

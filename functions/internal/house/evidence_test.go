package house

import (
	"os"
	"path/filepath"
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
		for _, dep := range append(list(t, "./"+own)[0].Deps, module+own) {
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
		for _, kind := range f.Evidence.Kinds {
			if !strings.Contains(code, "record."+constant(kind)) {
				t.Errorf("%s may write records of kind %s, and nothing in it does", f.Name, kind)
			}
		}
		for _, control := range f.Evidence.Controls {
			if control != record.Others && control != f.Name && !strings.Contains(code, `"`+control+`"`) {
				t.Errorf("%s may write about %s, and nothing in it does", f.Name, control)
			}
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

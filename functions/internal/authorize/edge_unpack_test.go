package authorize

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unpackers are what makes much of little, or reads what can.
var unpackers = map[string][]string{
	"compress/gzip": {"NewReader"}, "compress/zlib": {"NewReader"}, "compress/flate": {"NewReader"}, "compress/bzip2": {"NewReader"}, "compress/lzw": {"NewReader"},
	"archive/zip": {"NewReader", "OpenReader"}, "archive/tar": {"NewReader"}, "encoding/xml": {"NewDecoder", "Unmarshal"},
}

// unpacking are the files that unpack what others made, each with the test, beside it, that sends it a bomb.
var unpacking = map[string]string{
	"functions/ostiary/replay_files.go":    "TestOpenLogRefusesABomb", // exported logs
	"shared/access/otp/seedfile/pskc.go":   "TestHostileFiles",        // makers' files of hardware tokens: entities, depth, length
	"shared/evidence/verify/zip.go":        "TestArchiveBombs",        // bundles of evidence
	"shared/policy/gcs/archive.go":         "TestBombs",               // published policies
	"shared/breach/cases/pack.go":          "",                        // what the functions themselves packed, from here on
	"shared/drift/asset/folder/folder.go":  "",
	"shared/drift/scan/keep.go":            "",
	"shared/drift/self/expect.go":          "",
	"shared/watch/episode/split.go":        "",
	"shared/trust/page/shelf/shelf.go":     "",
	"functions/trust/keeppromises/kept.go": "",
}

// TestUnpacking: nothing is unpacked without a bound. What others made has a test that sends a bomb; what we packed ourselves is
// read up to a limit all the same. No route unpacks a body: see TestBombs.
func TestUnpacking(t *testing.T) {
	t.Parallel()
	const root = "../../.."
	for _, top := range []string{"functions", "shared"} {
		must(t, filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test") {
				return err
			}
			name, err := filepath.Rel(root, path)
			must(t, err)
			how := uses(t, path, unpackers)
			test, listed := unpacking[name]
			switch {
			case len(how) == 0 && listed:
				t.Errorf("%s is listed and unpacks nothing", name)
			case len(how) == 0:
			case !listed:
				t.Errorf("%s unpacks (%s): bound it, send it a bomb in a test, and list it", name, strings.Join(how, ", "))
			case test == "" && !contains(t, []string{path}, "io.LimitReader("):
				t.Errorf("%s unpacks without a limit", name)
			case test != "":
				tests, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*_test.go"))
				must(t, err)
				if !contains(t, tests, "func "+test+"(") {
					t.Errorf("%s: there is no %s", name, test)
				}
			}
			return nil
		}))
	}
}

// contains reports whether one of some files holds a text.
func contains(t *testing.T, files []string, text string) bool {
	t.Helper()
	for _, file := range files {
		data, err := os.ReadFile(file)
		must(t, err)
		if bytes.Contains(data, []byte(text)) {
			return true
		}
	}
	return false
}

package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"ostiary.internal/shared/evidence/sign"
)

// TestTrustOfEnvironments: the values an environment is planned with hold trust files that the functions accept, of the log and
// the receipts whose names they sign under.
func TestTrustOfEnvironments(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "terraform", "environments", "*", "ci.tfvars"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%d environments are planned: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range []string{"evidence", "receipts"} {
			found := regexp.MustCompile(`(?m)^` + block + ` = \{\n\s*origin\s*=\s*(".*")\n\s*trust\s*=\s*(".*")$`).FindSubmatch(text)
			if found == nil {
				t.Fatalf("%s: %s has no origin and trust", file, block)
			}
			origin, trust := unquote(t, found[1]), unquote(t, found[2])
			read, err := sign.ReadTrust([]byte(trust))
			if err != nil || read.Origin != origin || len(read.Keys) == 0 {
				t.Errorf("%s: %s: %v; it trusts %d keys of the log %q", file, block, err, len(read.Keys), read.Origin)
			}
		}
	}
}

// unquote reads a string without templates, which both languages spell alike.
func unquote(t *testing.T, quoted []byte) string {
	t.Helper()
	text, err := strconv.Unquote(string(quoted))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestPlansAreGiven: continuous integration makes plans of Terraform before the tests, and gives them to those that hold plans to
// the rules: these skip without.
func TestPlansAreGiven(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	given := regexp.MustCompile(`(?s)export OSTIARY_PLANS="\$plans"\n.*/tfcheck \. "\$OSTIARY_PLANS" \|\| terraform=\$\?\n.*\n\.ci/fresh\n.*exit "\$terraform"`)
	if !given.Match(text) {
		t.Error(".ci/run does not make plans, hand them to the tests and end with what became of them")
	}
}

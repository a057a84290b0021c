package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"ostiary.internal/shared/evidence/sign"
)

// TestTrustOfEnvironments: the values an environment is planned with hold a trust file that the functions accept, of the
// log whose name they seal under.
func TestTrustOfEnvironments(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "terraform", "environments", "*", "ci.tfvars"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no environment is planned: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		setting := func(name string) string {
			found := regexp.MustCompile(`(?m)^\s*` + name + `\s*=\s*(".*")$`).FindSubmatch(text)
			if found == nil {
				t.Fatalf("%s: %s is not set", file, name)
			}
			value, err := strconv.Unquote(string(found[1])) // a string without templates reads alike in both languages
			if err != nil {
				t.Fatalf("%s: %s: %v", file, name, err)
			}
			return value
		}
		trust, err := sign.ReadTrust([]byte(setting("OSTIARY_TRUST")))
		if err != nil || trust.Origin != setting("OSTIARY_LOG_ORIGIN") || len(trust.Keys) == 0 {
			t.Errorf("%s: OSTIARY_TRUST: %v; it trusts %d keys of the log %q", file, err, len(trust.Keys), trust.Origin)
		}
	}
}

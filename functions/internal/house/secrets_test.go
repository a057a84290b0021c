package house

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/scan"
)

// fixture is a place where something stands that looks like a secret and is none, and why.
type fixture struct{ place, rule, why string }

var fixtures = []fixture{
	{"testdata/evidence/v1/", "random text", "public keys, signatures and hashes of a log that was made for tests"},
	{"testdata/opendsr/", "random text", "signatures and certificates of invented controllers"},
	{"shared/platform/message/webhook/", "webhook secret", "the examples of the Standard Webhooks specification, and keys of counted bytes"},
	{"shared/platform/message/webhook/", "random text", "signatures by those keys"},
	{"functions/breach/deliver/channels_test.go", "webhook secret", "the example of the Standard Webhooks specification"},
	{"functions/breach/deliver/channels_test.go", "random text", "the same"},
	{"functions/internal/wiring/wiring_test.go", "password in a URL", "a scheme there is not"},
	{"functions/internal/functiontest/phone.go", "called a secret", "the secret of RFC 6238's examples"},
	{"functions/ostiary/internal/soak/world/world_test.go", "called a secret", "a seed of an invented person"},
	{"functions/ostiary/privacy_test.go", "called a secret", "a seed that is planted to be looked for"},
	{"functions/ostiary/testdata/commands/enrol-tokens.txtar", "random text", "the encrypted examples of RFC 6030"},
	{"shared/access/notice/notice_test.go", "called a secret", "the first half of the secret of RFC 6238's examples"},
	{"shared/access/otp/", "called a secret", "the secret of RFC 4226's examples"},
	{"shared/access/otp/seedfile/", "random text", "the encrypted examples of RFC 6030"},
	{"shared/trust/page/pagetest/pagetest.go", "random text", "a hash of an invented log"},
	{"shared/erasure/receipt/testdata/", "random text", "the public key and a signature of an invented receipt"},
	{"shared/erasure/opendsr/request_test.go", "random text", "a signature of an invented instruction"},
}

// secretNames are names of files that hold keys by themselves, whatever stands in them.
var secretNames = regexp.MustCompile(`(?i)(^|/)(id_(rsa|dsa|ecdsa|ed25519)|\.netrc|\.npmrc|\.pypirc|\.env(\.[a-z]+)?|\.pgpass|[^/]*\.(p12|pfx|jks|keystore|ppk|kdbx)|application_default_credentials\.json)$`)

// No secret lies in the tree: not in code, tests, test data, workflows, Terraform or pages.
func TestNoSecretsInTheTree(t *testing.T) {
	t.Parallel()
	used, files := map[fixture]bool{}, 0
	everything(t, func(path string, text []byte) {
		files++
		if secretNames.MatchString(path) {
			t.Errorf("%s: a file of this name holds keys: take it out of the tree, and the keys out of use", path)
		}
		for _, f := range scan.Secrets(text) {
			if known, is := fixtureOf(path, f.Rule); is {
				used[known] = true
				continue
			}
			t.Errorf("%s:%d: %s: %s: take it out, and out of use if it was real; or name it among the fixtures", path, f.Line, f.Rule, f.Text)
		}
	})
	if files < 3000 {
		t.Errorf("only %d files were looked at", files)
	}
	for _, f := range fixtures {
		if !used[f] {
			t.Errorf("nothing in %s looks like a %s any more: drop the fixture", f.place, f.rule)
		}
	}
}

func fixtureOf(path, rule string) (fixture, bool) {
	for _, f := range fixtures {
		if strings.HasPrefix(path, f.place) && f.rule == rule {
			return f, true
		}
	}
	return fixture{}, false
}

// everything visits every file of text that is kept, hidden folders included; what a build or a run leaves behind is not.
func everything(t *testing.T, visit func(path string, text []byte)) {
	t.Helper()
	left := map[string]bool{".git": true, ".cache": true, ".terraform": true, "node_modules": true}
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (left[d.Name()] || path == "dist" || path == "data"):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		if err == nil && !bytes.Contains(text[:min(len(text), 8000)], []byte{0}) {
			visit(path, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A key that somebody leaves in the tree is found: by its form, and by its file's name.
func TestSecretsAreFound(t *testing.T) {
	t.Parallel()
	planted := []byte("token: ghp" + "_" + strings.Repeat("q7Vx2L", 6) + "\n")
	for _, path := range []string{"terraform/environments/live/terraform.tfvars", "shared/access/otp/check.go", ".github/workflows/deploy.yml", "testdata/evidence/v1/cases.json"} {
		found := scan.Secrets(planted)
		if len(found) == 0 {
			t.Fatal("a token of GitHub is not found")
		}
		if _, excused := fixtureOf(path, found[0].Rule); excused {
			t.Errorf("a token of GitHub in %s passes for a fixture", path)
		}
	}
	for name, held := range map[string]bool{"deploy/id_ed25519": true, ".env": true, "live/.env.local": true, "keys/live.p12": true, "shared/policy/environment.go": false, "docs/env.md": false} {
		if secretNames.MatchString(name) != held {
			t.Errorf("%s: held for a file of keys: %t", name, !held)
		}
	}
}

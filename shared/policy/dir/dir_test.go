package dir_test

import (
	"os"
	"path/filepath"
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/policy/dir"
)

const samples = "../../../testdata/policies"

func TestOpen(t *testing.T) {
	t.Parallel()
	absolute, err := filepath.Abs(filepath.Join(samples, "sharedcontacts"))
	if err != nil {
		t.Fatal(err)
	}
	var digests []string
	for _, url := range []string{"dir:" + samples + "/sharedcontacts", "dir:" + samples + "/sharedcontacts/", "dir:" + absolute, dir.URL(absolute), dir.URL(samples + "/sharedcontacts")} {
		p, err := policy.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, p.Digest)
	}
	for _, digest := range digests {
		if digest != digests[0] {
			t.Errorf("one folder, several digests: %v", digests)
		}
	}
}

func TestOddNames(t *testing.T) {
	t.Parallel()
	odd := filepath.Join(t.TempDir(), "our policy: 100% é?#")
	if err := os.CopyFS(odd, os.DirFS(filepath.Join(samples, "baseline"))); err != nil {
		t.Fatal(err)
	}
	if _, err := policy.Open(t.Context(), dir.URL(odd)); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "sharedcontacts", "dir:", "gs://bucket/policy", "dir:" + samples + "/nowhere", "dir://host/path", "dir:" + samples, "dir:x?y=z", "dir:%zz"} {
		if _, err := policy.Open(t.Context(), url); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// TestLinks: a link in the folder is told, and one that leads out of it is never followed.
func TestLinks(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	folder := filepath.Join(parent, "acme")
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(samples, "baseline"))); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(folder, "rules")); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"tenants.yaml": "/etc/hostname", "rules": "/etc"} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	p, problems, err := policy.Check(t.Context(), dir.URL(folder))
	if err != nil || len(problems) != 2 {
		t.Fatalf("problems %v, %v", problems, err)
	}
	if _, read := p.Read("tenants.yaml"); read || len(p.Names("rules")) > 0 {
		t.Error("a link was followed")
	}
}

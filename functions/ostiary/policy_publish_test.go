package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/cloudstorage/storagetest"
	"ostiary.internal/shared/platform/gcstest"
	"ostiary.internal/shared/policy"
	archives "ostiary.internal/shared/policy/gcs"
)

const policyBucket = "acme-policy"

// publishTo runs ostiary policy publish against a Cloud Storage, and returns its exit code and what it said.
func publishTo(t *testing.T, host string, args ...string) (code int, out, errs string) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"policy", "publish"}, args...)...)
	cmd.Env = append(os.Environ(), storagetest.Variable+"="+host)
	var said, complained strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &complained
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), said.String(), complained.String()
}

func granted() (all []string) {
	for _, permissions := range archives.PublishPermissions {
		for _, p := range permissions {
			all = append(all, p+" "+policyBucket)
		}
	}
	return all
}

// What the command publishes in a bucket, with the two rights of whoever publishes, is what a function with the right of its own
// opens by the URL that the command printed, and names in its records.
func TestPublishToABucket(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: policyBucket})
	host := storagetest.Host(t, s, granted()...)
	folder := filepath.Join(samples, "sharedcontacts")
	code, out, errs := publishTo(t, host, "--policy", folder, "--to", "gs://"+policyBucket+"/")
	url := strings.TrimSuffix(out, "\n")
	if code != 0 || !strings.Contains(errs, " published: ") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	at, err := archives.New(url, s.Connect(archives.Permissions["Folder.Files"][0]+" "+policyBucket))
	if err != nil {
		t.Fatal(err)
	}
	fsys, dir, err := at.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, problems, err := policy.Load(fsys, dir)
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	if url != "gs://"+policyBucket+"/policy/"+p.Digest+".tar.gz" {
		t.Errorf("the command says %s, records will say %s", url, p.Digest)
	}
	if named := asked(t, t.TempDir(), 0, "policy", "digest", "--policy", folder); named != "sha256:"+p.Digest+"\n" {
		t.Errorf("ostiary policy digest says %q", named)
	}
	var again struct {
		URL, Digest string
		Already     bool
		Files       int
	}
	code, out, errs = publishTo(t, host, "--policy", folder, "--to", "gs://"+policyBucket, "--json")
	if err := json.Unmarshal([]byte(out), &again); err != nil || code != 0 || !again.Already || again.URL != url || again.Digest != "sha256:"+p.Digest || again.Files < 20 {
		t.Errorf("published again: exit %d: %s%s, %v", code, out, errs, err)
	}
	if names := s.Names(policyBucket); len(names) != 1 {
		t.Errorf("the bucket holds %v", names)
	}
}

// What cannot be published says why: no right, no bucket, something else where it belongs.
func TestPublishRefused(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(samples, "sharedcontacts")
	p, _, err := policy.Load(os.DirFS(samples), "sharedcontacts")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		permissions []string
		planted     bool
		complain    string
	}{
		"no right":       {nil, false, "storage.objects.create"},
		"something else": {granted(), true, "is there, and is not this policy"},
	} {
		s := gcstest.New(t, nil, gcstest.Bucket{Name: policyBucket})
		if c.planted {
			w := s.Client(t, gcstest.Everything).Bucket(policyBucket).Object("policy/" + p.Digest + ".tar.gz").NewWriter(t.Context())
			w.ChunkSize = 0
			if _, err := w.Write([]byte("a policy that nobody wrote")); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		code, out, errs := publishTo(t, storagetest.Host(t, s, c.permissions...), "--policy", folder, "--to", "gs://"+policyBucket)
		if code != 1 || out != "" || !strings.Contains(errs, c.complain) {
			t.Errorf("%s: exit %d: %s%s", what, code, out, errs)
		}
	}
	s := gcstest.New(t, nil)
	if code, out, errs := publishTo(t, storagetest.Host(t, s, gcstest.Everything), "--policy", folder, "--to", "gs://"+policyBucket); code != 1 || out != "" || !strings.Contains(errs, "bucket") {
		t.Errorf("no bucket: exit %d: %s%s", code, out, errs)
	}
}

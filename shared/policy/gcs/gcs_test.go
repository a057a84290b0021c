package gcs_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/gcstest"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/policy/gcs"
	"ostiary.internal/testdata/policies"
)

const bucket = "acme-policy"

func load(t testing.TB, folder string) *policy.Policy {
	t.Helper()
	p, _, err := policy.Load(policies.FS, folder)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pack(t testing.TB, p *policy.Policy) gcs.Archive {
	t.Helper()
	a, err := gcs.Pack(p)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// granted are the permissions of a table on the bucket.
func granted(table map[string][]string) (all []string) {
	for _, permissions := range table {
		for _, p := range permissions {
			all = append(all, p+" "+bucket)
		}
	}
	return all
}

func opened(t *testing.T, s *gcstest.Server) *cloudstorage.Bucket {
	t.Helper()
	b, err := cloudstorage.New(bucket, 0, s.Connect(granted(gcs.PublishPermissions)...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// Each sample, published and opened again with the rights a function has, is the policy it was: every file, with what it
// extends, and the digest of the URL is the one that records name.
func TestPublishedAndOpened(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"baseline", "bepark", "bookafy", "labelsync", "sharedcontacts"} {
		s := gcstest.New(t, nil, gcstest.Bucket{Name: bucket, Retention: time.Hour})
		p := load(t, folder)
		url, already, err := gcs.Publish(t.Context(), opened(t, s), pack(t, p))
		if err != nil || already || url != "gs://"+bucket+"/policy/"+p.Digest+".tar.gz" {
			t.Fatalf("%s: published at %s, already %t, %v", folder, url, already, err)
		}
		at, err := gcs.New(url, s.Connect(granted(gcs.Permissions)...))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // a folder may be read again
			fsys, dir, err := at.Files(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", folder, err)
			}
			again, problems, err := policy.Load(fsys, dir)
			if err != nil || len(problems) > 0 || again.Digest != p.Digest || again.Company.Name != p.Company.Name || len(again.Promises) != len(p.Promises) {
				t.Errorf("%s came back as %s with %d promises, %v, %v", folder, again.Digest, len(again.Promises), problems, err)
			}
			for name, data := range p.Packed() {
				name = strings.TrimPrefix(strings.TrimPrefix(name, "policy/"), "extends/")
				if have, _ := again.Read(name); !bytes.Equal(have, data) {
					if own, _ := p.Read(name); !bytes.Equal(have, own) { // one that replaces an inherited one
						t.Errorf("%s: %s is another file", folder, name)
					}
				}
			}
		}
		if url, already, err = gcs.Publish(t.Context(), opened(t, s), pack(t, p)); err != nil || !already || !strings.Contains(url, p.Digest) {
			t.Errorf("%s published twice: %s, already %t, %v", folder, url, already, err)
		}
	}
}

// Equal policies give equal bytes, whenever and wherever they are packed; a byte more gives another name.
func TestPackIsDeterministic(t *testing.T) {
	t.Parallel()
	first, second := pack(t, load(t, "sharedcontacts")), pack(t, load(t, "sharedcontacts"))
	if !bytes.Equal(first.Data, second.Data) || first.Name() != second.Name() || first.Files < 20 {
		t.Errorf("%s with %d bytes of %d files, %s with %d", first.Name(), len(first.Data), first.Files, second.Name(), len(second.Data))
	}
	names := map[string]bool{}
	for _, folder := range []string{"baseline", "bepark", "bookafy", "labelsync", "sharedcontacts"} {
		names[pack(t, load(t, folder)).Name()] = true
	}
	if len(names) != 5 {
		t.Errorf("five policies have %d names", len(names))
	}
}

// In the archive the folder of the policy is called policy: one that it extends cannot be.
func TestExtendsPolicy(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{}
	for name, data := range load(t, "baseline").Packed() {
		name = strings.TrimPrefix(name, "policy/")
		files["policy/"+name] = &fstest.MapFile{Data: data}
		files["acme/"+name] = &fstest.MapFile{Data: bytes.Replace(data, []byte("company:\n"), []byte("company:\n  extends: policy\n"), 1)}
	}
	p, problems, err := policy.Load(files, "acme")
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	if _, err := gcs.Pack(p); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "another name") {
		t.Errorf("packed: %v", err)
	}
}

// Nothing but the policy of the URL is ever loaded: another one under its name, one cut short, one that is not there.
func TestOnlyWhatTheURLNames(t *testing.T) {
	t.Parallel()
	right, other := pack(t, load(t, "sharedcontacts")), pack(t, load(t, "labelsync"))
	for what, data := range map[string][]byte{
		"the policy of somebody else": other.Data, "a cut archive": right.Data[:len(right.Data)-9], "an empty object": {}, "text": []byte("no archive"),
		"one with something behind it": append(bytes.Clone(right.Data), 'x'), "one twice": append(bytes.Clone(right.Data), right.Data...),
	} {
		s := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
		if err := opened(t, s).Create(t.Context(), right.Name(), "application/gzip", data); err != nil {
			t.Fatal(err)
		}
		at, err := gcs.New("gs://"+bucket+"/"+right.Name(), s.Connect(granted(gcs.Permissions)...))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := at.Files(t.Context()); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", what, err)
		}
		if _, _, err := gcs.Publish(t.Context(), opened(t, s), right); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s is taken for the policy by who publishes it: %v", what, err)
		}
		if kept, _ := s.Data(bucket, right.Name()); kept != string(data) {
			t.Errorf("%s was replaced", what)
		}
	}
	s := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
	for what, permissions := range map[string][]string{"not there": granted(gcs.Permissions), "not allowed": nil, "not there, and may be known": {gcstest.Everything}} {
		at, err := gcs.New("gs://"+bucket+"/"+right.Name(), s.Connect(permissions...))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := at.Files(t.Context()); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "not published") {
			t.Errorf("%s: %v", what, err)
		}
	}
	s.Before = func(gcstest.Call) int { return http.StatusTeapot }
	at, err := gcs.New("gs://"+bucket+"/"+right.Name(), s.Connect(granted(gcs.Permissions)...))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := at.Files(t.Context()); !fault.Is(err, fault.Transient) {
		t.Errorf("while the service is out of its mind: %v", err)
	}
}

// An archive of the same policy in other bytes is that policy.
func TestCompressedElsewhere(t *testing.T) {
	t.Parallel()
	a := pack(t, load(t, "baseline"))
	s := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
	if err := opened(t, s).Create(t.Context(), a.Name(), "application/gzip", archive(t, entriesOf(t, a.Data))); err != nil {
		t.Fatal(err)
	}
	if kept, _ := s.Data(bucket, a.Name()); kept == string(a.Data) {
		t.Fatal("the bytes are the same")
	}
	if _, already, err := gcs.Publish(t.Context(), opened(t, s), a); err != nil || !already {
		t.Errorf("already %t, %v", already, err)
	}
}

// URLs are whole: of one bucket, of one archive, named by its digest.
func TestURLs(t *testing.T) {
	t.Parallel()
	digest := strings.Repeat("a1", 32)
	if _, err := policy.Sources.Open(t.Context(), "gs://acme-policy/policy/"+digest+".tar.gz", policy.Options{}); err != nil {
		t.Errorf("a good URL: %v", err)
	}
	bad := []string{
		"gs://acme-policy", "gs://acme-policy/policy/", "gs:acme-policy/policy/" + digest + ".tar.gz", "gs://acme-policy/policy/latest.tar.gz",
		"gs://acme-policy/" + digest + ".tar.gz", "gs://acme-policy/policy/" + strings.ToUpper(digest) + ".tar.gz", "gs://acme-policy/policy/" + digest + ".tar.gz?a=b",
		"gs://acme-policy/policy/" + digest + ".tar.gz#1", "gs://acme-policy/x/policy/" + digest + ".tar.gz", "gs://user@acme-policy/policy/" + digest + ".tar.gz",
		"gs:///policy/" + digest + ".tar.gz", "gs://acme-policy/policy/../policy/" + digest + ".tar.gz", "gs://acme-policy/policy/" + digest + "0.tar.gz",
	}
	for _, url := range bad {
		if _, err := policy.Sources.Open(t.Context(), url, policy.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if slices.ContainsFunc(bad, func(url string) bool { _, err := gcs.New(url, nil); return err == nil }) {
		t.Error("a URL is refused by the driver alone")
	}
}

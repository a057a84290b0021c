package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/platform/cloudstorage/storagetest"
	"ostiary.internal/shared/platform/gcstest"
)

const archivesBucket = "acme-archives"

// storing lets the commands of a test reach a bucket with the permissions to create and to read, and no other. What it sets is
// the process's: tests that use it run one after another.
func storing(t *testing.T, methods ...string) *gcstest.Server {
	t.Helper()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: archivesBucket, Retention: time.Hour})
	var permissions []string
	for _, m := range methods {
		for _, p := range cloudstorage.Permissions[m] {
			permissions = append(permissions, p+" "+archivesBucket)
		}
	}
	t.Setenv(storagetest.Variable, storagetest.Host(t, s, permissions...))
	return s
}

func command(t *testing.T, o options, args ...string) (code int, said, complained string) {
	t.Helper()
	var out, errs strings.Builder
	code = run(t.Context(), append(args, "--root", o.root, "--out", o.out), &out, &errs)
	return code, out.String(), errs.String()
}

// What is uploaded is every archive and then their list; again, it is there already; and it comes back, in a folder of somebody
// else, as the same release.
func TestUploadedAndFetched(t *testing.T) {
	s := storing(t, "Bucket.Create", "Bucket.Read")
	o, list := invented(t)
	text, err := list.encode()
	if err != nil {
		t.Fatal(err)
	}
	var last string
	s.After = func(c gcstest.Call) int {
		if c.Does == "insert" {
			last = c.Object
		}
		return 0
	}
	for round, how := range []string{"uploaded", "is there already"} {
		code, said, complained := command(t, o, "--upload", "gs://"+archivesBucket)
		if code != exitGood || strings.Count(complained, how) != len(list.Functions) || said != fmt.Sprintf("release sha256:%s is in gs://%s\n", digest(text), archivesBucket) {
			t.Errorf("round %d: exit %d: %s%s", round, code, said, complained)
		}
		if round == 0 && last != releaseName(digest(text)) {
			t.Errorf("what was written last is %s: a release that can be fetched is whole", last)
		}
	}
	want := []string{releaseName(digest(text))}
	for _, p := range list.Functions {
		want = append(want, p.Object)
	}
	if slices.Sort(want); !slices.Equal(s.Names(archivesBucket), want) {
		t.Errorf("the bucket holds %v, want %v", s.Names(archivesBucket), want)
	}
	elsewhere := options{root: o.root, out: filepath.Join(t.TempDir(), "dist")}
	code, said, complained := command(t, elsewhere, "--fetch", "sha256:"+digest(text), "--from", "gs://"+archivesBucket)
	if code != exitGood || !strings.HasSuffix(said, "\nrelease sha256:"+digest(text)+"\n") {
		t.Fatalf("exit %d: %s%s", code, said, complained)
	}
	for _, name := range []string{listName, tfvarsName} {
		here, err := os.ReadFile(filepath.Join(o.out, name))
		if err != nil {
			t.Fatal(err)
		}
		if there, err := os.ReadFile(filepath.Join(elsewhere.out, name)); err != nil || string(there) != string(here) {
			t.Errorf("%s came back as %s, %v", name, there, err)
		}
	}
	if code, said, complained = command(t, elsewhere, "--fits"); code != exitGood {
		t.Errorf("what came back does not fit: %s%s", said, complained)
	}
	// What was fetched has no archives: there is nothing to upload.
	if code, _, complained = command(t, elsewhere, "--upload", "gs://"+archivesBucket); code != exitWrong || !strings.Contains(complained, "reading an archive") {
		t.Errorf("exit %d: %s", code, complained)
	}
}

// Something else under the name of an archive, or of a release, is never taken for it and never replaced; and what may not be
// read is not believed.
func TestPlanted(t *testing.T) {
	for _, c := range []struct {
		what     string
		planted  func(list release, text []byte) string
		methods  []string
		complain string
	}{
		{"another archive", func(list release, _ []byte) string { return list.Functions["attest"].Object }, []string{"Bucket.Create", "Bucket.Read"}, "find out who put it there"},
		{"another list", func(_ release, text []byte) string { return releaseName(digest(text)) }, []string{"Bucket.Create", "Bucket.Read"}, "find out who put it there"},
		{"one that may not be read", func(list release, _ []byte) string { return list.Functions["attest"].Object }, []string{"Bucket.Create"}, "cannot be compared"},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := storing(t, c.methods...)
			o, list := invented(t)
			text, err := list.encode()
			if err != nil {
				t.Fatal(err)
			}
			name := c.planted(list, text)
			eve, err := cloudstorage.New(archivesBucket, 0, s.Connect(gcstest.Everything))
			if err != nil {
				t.Fatal(err)
			}
			if err := eve.Create(t.Context(), name, "application/zip", []byte("something else")); err != nil {
				t.Fatal(err)
			}
			if code, _, complained := command(t, o, "--upload", "gs://"+archivesBucket); code != exitWrong || !strings.Contains(complained, c.complain) {
				t.Errorf("uploaded: exit %d: %s", code, complained)
			}
			if kept, _ := s.Data(archivesBucket, name); kept != "something else" {
				t.Errorf("it was replaced by %q", kept)
			}
			if _, listed := s.Data(archivesBucket, releaseName(digest(text))); listed && name != releaseName(digest(text)) {
				t.Error("a release that is not whole can be fetched")
			}
		})
	}
}

// A release is fetched whole, by its own name, and where the manifests are its own; otherwise nothing is written.
func TestFetchRefused(t *testing.T) {
	for what, c := range map[string]struct {
		spoil    func(t *testing.T, s *gcstest.Server, o options, list release, sum string)
		complain string
	}{
		"another list under its name": {func(_ *testing.T, s *gcstest.Server, _ options, _ release, sum string) {
			s.Damage(archivesBucket, releaseName(sum), func(data []byte) { data[len(data)-1] = ' ' })
		}, "releases/"},
		"an archive that was changed": {func(_ *testing.T, s *gcstest.Server, _ options, list release, _ string) {
			s.Damage(archivesBucket, list.Functions["admit"].Object, func(data []byte) { data[0] = 'X' })
		}, list1("admit")},
		"another manifest": {func(t *testing.T, _ *gcstest.Server, o options, _ release, _ string) {
			file := filepath.Join(o.root, "functions", "access", "admit", "function.json")
			text, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, append(text, '\n'), 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, "the manifests of admit are others"},
		"a function that it does not have": {func(t *testing.T, _ *gcstest.Server, o options, _ release, _ string) {
			from := filepath.Join(o.root, "functions", "access", "admit")
			if err := os.CopyFS(filepath.Join(o.root, "functions", "access", "another"), os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(o.root, "functions", "access", "another", "function.json")
			text, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "admit", "another")), 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, "the manifests of another are others"},
	} {
		t.Run(what, func(t *testing.T) {
			s := storing(t, "Bucket.Create", "Bucket.Read")
			o, list := invented(t)
			text, err := list.encode()
			if err != nil {
				t.Fatal(err)
			}
			if code, _, complained := command(t, o, "--upload", "gs://"+archivesBucket); code != exitGood {
				t.Fatal(complained)
			}
			c.spoil(t, s, o, list, digest(text))
			to := options{root: o.root, out: filepath.Join(t.TempDir(), "dist")}
			if code, _, complained := command(t, to, "--fetch", digest(text), "--from", "gs://"+archivesBucket); code != exitWrong || !strings.Contains(complained, c.complain) {
				t.Errorf("exit %d: %s", code, complained)
			}
			if _, err := os.Stat(to.out); err == nil {
				t.Error("something was written")
			}
		})
	}
	s := storing(t, "Bucket.Create", "Bucket.Read")
	o, _ := invented(t)
	if code, _, complained := command(t, o, "--fetch", strings.Repeat("0", 64), "--from", "gs://"+archivesBucket); code != exitWrong || len(s.Names(archivesBucket)) > 0 {
		t.Errorf("a release that is not there: exit %d: %s", code, complained)
	}
}

func list1(function string) string {
	return function + "-" + digest([]byte("the archive of "+function))
}

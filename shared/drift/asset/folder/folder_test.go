package folder_test

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/asset/assettest"
	"ostiary.internal/shared/drift/asset/folder"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

func save(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// export writes things as gcloud does: a file of resources, and one of policies.
func export(t *testing.T, dir string, things []assettest.Thing) {
	t.Helper()
	var resources, policies strings.Builder
	for _, thing := range things {
		name, ancestors := thing.Key, []string{"projects/4711"}
		if strings.Contains(name, "/organizations/") {
			ancestors = []string{"organizations/1"}
		}
		if thing.Name != "" {
			name = thing.Name
		}
		line := func(into *strings.Builder, part string, v any) {
			raw, err := json.Marshal(map[string]any{"name": name, "asset_type": thing.Type, part: v, "ancestors": ancestors})
			if err != nil {
				t.Fatal(err)
			}
			into.Write(append(raw, '\n'))
		}
		line(&resources, "resource", map[string]any{"data": thing.Data, "location": thing.Location})
		if thing.Policy != nil {
			line(&policies, "iam_policy", thing.Policy)
		}
	}
	save(t, dir, "resources.json", resources.String())
	save(t, dir, "policies.jsonl", policies.String())
	save(t, dir, "README.md", "what this is")
}

func TestSource(t *testing.T) {
	t.Parallel()
	assettest.Run(t, func(t *testing.T, things []assettest.Thing) assettest.World {
		dir := t.TempDir()
		export(t, dir, things)
		s, err := asset.Sources.Open(t.Context(), driver.URL("folder", dir), asset.Options{Clock: clock.System{}})
		if err != nil {
			t.Fatal(err)
		}
		return assettest.World{Source: s, Remove: func(thing assettest.Thing) {
			var rest []assettest.Thing
			for _, one := range things {
				if one.Key != thing.Key {
					rest = append(rest, one)
				}
			}
			export(t, dir, rest)
		}}
	})
}

const bucket = `{"name":"//storage.googleapis.com/b","assetType":"storage.googleapis.com/Bucket","resource":{"data":{"name":"b"}}}`

// TestUnread: while a file cannot be read nothing is gone, and what can be read is told.
func TestUnread(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	save(t, dir, "a.json", bucket)
	save(t, dir, "b.json", `{"name":"//storage.googleapis.com/c","asset`)
	save(t, dir, "c.json.gz", "no gzip")
	s := folder.New(dir, clock.System{})
	p, err := s.List(t.Context(), "folder", asset.Resources, []string{"storage.googleapis.com/Bucket"}, "")
	if err != nil || len(p.Assets) != 1 || len(p.Unread) != 2 {
		t.Fatalf("%+v, %v", p, err)
	}
	if a, err := s.Get(t.Context(), "storage.googleapis.com/Bucket", "//storage.googleapis.com/c"); !fault.Is(err, fault.Transient) || a.Deleted {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestChanges: a file that changes is read anew, and facts are as old as their file.
func TestChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	save(t, dir, "a.json", bucket)
	s := folder.New(dir, clock.System{})
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "a.json"), at, at); err != nil {
		t.Fatal(err)
	}
	a, err := s.Get(t.Context(), "storage.googleapis.com/Bucket", "//storage.googleapis.com/b")
	if err != nil || !a.Read.Equal(at) {
		t.Fatalf("%+v, %v", a, err)
	}
	f, err := os.Create(filepath.Join(dir, "later.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(f)
	if _, err := w.Write([]byte(strings.Replace(bucket, `"name":"b"`, `"name":"b","location":"EU"`, 1))); err != nil || w.Close() != nil || f.Close() != nil {
		t.Fatal(err)
	}
	a, err = s.Get(t.Context(), "storage.googleapis.com/Bucket", "//storage.googleapis.com/b")
	if err != nil || a.Data["location"] != "EU" || !a.Read.After(at) {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestBehind: to a clock that is behind that of the disk, a file tells of now: what it says never comes after the question.
func TestBehind(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), clock.NewManual(time.Date(2020, 3, 2, 9, 0, 0, 0, time.UTC))
	save(t, dir, "a.json", bucket)
	s := folder.New(dir, now)
	for range 2 {
		if a, err := s.Get(t.Context(), "storage.googleapis.com/Bucket", "//storage.googleapis.com/b"); err != nil || !a.Read.Equal(now.Now()) {
			t.Fatalf("read at %s: %v", a.Read, err)
		}
		if err := now.Set(now.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		save(t, dir, "a.json", bucket+"\n")
	}
}

func TestNoFolder(t *testing.T) {
	t.Parallel()
	s := folder.New(filepath.Join(t.TempDir(), "nowhere"), clock.System{})
	if _, err := s.List(t.Context(), "folder", asset.Resources, nil, ""); !fault.Is(err, fault.Misconfigured) {
		t.Error(err)
	}
	for _, raw := range []string{"folder:", "folder://host/x", "folder:x?y=z"} {
		if _, err := asset.Sources.Open(t.Context(), raw, asset.Options{Clock: clock.System{}}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// What stands in a sandbox is true whenever it is looked at; an export is as old as its file.
func TestSandbox(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	export(t, dir, assettest.Things())
	now := clock.NewManual(time.Now().Add(100 * time.Hour).UTC())
	for scheme, fresh := range map[string]bool{"folder": false, "sandbox": true} {
		s, err := asset.Sources.Open(t.Context(), scheme+":"+dir, asset.Options{Clock: now})
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range asset.Contents() {
			page, err := s.List(t.Context(), s.Scopes()[0], what, []string{assettest.Things()[0].Type}, "")
			if err != nil || page.Read.Equal(now.Now()) != fresh {
				t.Errorf("%s: %s is of %v, %v", scheme, what, page.Read, err)
			}
			for _, a := range page.Assets {
				if a.Read.Equal(now.Now()) != fresh || a.IAM != nil && a.IAM.Read.Equal(now.Now()) != fresh {
					t.Errorf("%s: %s is of %v", scheme, a.Key, a.Read)
				}
			}
		}
	}
}

package folder_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/folder"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	recordtest.Run(t, func(t testing.TB) (record.Inbox, recordtest.Kept) {
		dir := filepath.Join(t.TempDir(), "not", "yet")
		in, err := record.Inboxes.Open(t.Context(), driver.URL("folder", dir), record.Options{Writer: "control"})
		if err != nil {
			t.Fatal(err)
		}
		return in, func(t testing.TB, id string) (string, bool) {
			data, err := folder.New(filepath.Join(dir, "control")).Read(t.Context(), id)
			if fault.Is(err, fault.NotFound) {
				return "", false
			}
			if err != nil {
				t.Fatal(err)
			}
			return string(data), true
		}
	})
}

func TestOpen(t *testing.T) {
	t.Chdir(t.TempDir())
	in, err := record.Inboxes.Open(t.Context(), "folder:data/in%20box", record.Options{Writer: "control"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("data"); err == nil {
		t.Error("opening made a folder")
	}
	if err := in.Create(t.Context(), "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat("data/in box/control/a")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for _, bad := range []string{"folder:", "folder://host/dir", "folder:dir?x=1", "folder:dir#x", "folder:%zz", "bucket:dir"} {
		if _, err := record.Inboxes.Open(t.Context(), bad, record.Options{Writer: "control"}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "..", "a/b", "A"} {
		if _, err := record.Inboxes.Open(t.Context(), "folder:data", record.Options{Writer: bad}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("the writer %q: %v", bad, err)
		}
	}
}

func TestListAndRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := folder.New(filepath.Join(dir, "none"))
	if ids, err := in.List(t.Context()); err != nil || len(ids) != 0 {
		t.Errorf("an inbox without a folder: %v, %v", ids, err)
	}
	in = folder.New(dir)
	for _, id := range []string{"c", "a", "b"} {
		if err := in.Create(t.Context(), id, []byte(id)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".new-left-behind"), []byte("hal"), 0o600); err != nil {
		t.Fatal(err)
	}
	if ids, err := in.List(t.Context()); err != nil || !slices.Equal(ids, []string{"a", "b", "c"}) {
		t.Errorf("ids %v, %v", ids, err)
	}
	if _, err := in.Read(t.Context(), "d"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an absent one: %v", err)
	}
	if _, err := in.Read(t.Context(), "../"+filepath.Base(dir)+"/a"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a path: %v", err)
	}
}

func TestDiskTrouble(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	in := folder.New(dir) // where a folder should be there is a file
	if err := in.Create(t.Context(), "a", []byte("x")); !fault.Is(err, fault.Transient) {
		t.Errorf("creating: %v", err)
	}
	if _, err := in.List(t.Context()); !fault.Is(err, fault.Transient) {
		t.Errorf("listing: %v", err)
	}
}

// content is what the killed writer keeps under an id.
func content(id string) string { return strings.Repeat(id+" ", 4000) }

// TestKilledWriter kills a process that writes; whatever can be seen afterwards is whole, and writing goes on.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("FOLDER_TEST_DIR"); dir != "" {
		for i := 0; ; i++ { // until it is killed
			id := "r" + strconv.Itoa(i)
			if err := folder.New(dir).Create(context.Background(), id, []byte(content(id))); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	dir := t.TempDir()
	in := folder.New(dir)
	seen := 0
	for kill := range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
		cmd.Env = append(os.Environ(), "FOLDER_TEST_DIR="+dir)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			ids, err := in.List(t.Context())
			if err != nil || time.Now().After(deadline) {
				_ = cmd.Process.Kill()
				t.Fatalf("%d records after a minute: %v: %s", len(ids), err, stderr.String())
			}
			if len(ids) >= seen+10+kill {
				break
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		ids, err := in.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen = len(ids)
		for _, id := range ids {
			data, err := in.Read(t.Context(), id)
			if err != nil || string(data) != content(id) {
				t.Fatalf("%s after kill %d: %d bytes, %v", id, kill+1, len(data), err)
			}
		}
	}
}

// TestSwept: what a killed writer left is gone with the first record that somebody keeps an hour later.
func TestSwept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	left, at := filepath.Join(dir, ".new-left"), time.Now().Add(-2*time.Hour)
	if err := os.WriteFile(left, []byte("hal"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(left, at, at); err != nil {
		t.Fatal(err)
	}
	if err := folder.New(dir).Create(t.Context(), "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || entries[0].Name() != "a" {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

package folder_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/evidence/log/logtest"
	inbox "ostiary.internal/shared/evidence/record/folder"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	logtest.Run(t, func(t testing.TB) func() log.Objects {
		dir := filepath.Join(t.TempDir(), "not", "yet")
		return func() log.Objects {
			o, err := log.Stores.Open(t.Context(), driver.URL("folder", dir), log.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
	})
}

func TestOpen(t *testing.T) {
	t.Chdir(t.TempDir())
	o, err := log.Stores.Open(t.Context(), "folder:data/the%20log", log.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("data"); err == nil {
		t.Error("opening made a folder")
	}
	if _, err := o.Create(t.Context(), "tile/0/000", []byte("x")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat("data/the log/tile/0/000")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for _, bad := range []string{"folder:", "folder://host/dir", "folder:dir?x=1", "folder:dir#x", "folder:%zz", "bucket:dir"} {
		if _, err := log.Stores.Open(t.Context(), bad, log.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// The folder of an evidence inbox is a store.
func TestInboxFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in, o := inbox.New(dir), folder.New(dir)
	if err := in.Create(t.Context(), "abc", []byte("record")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".new-left-behind"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	listed, err := o.List(t.Context(), "", "", 10)
	if err != nil || len(listed) != 1 || listed[0].Name != "abc" {
		t.Fatalf("%+v, %v", listed, err)
	}
	got, err := o.Get(t.Context(), "abc")
	if err != nil || string(got.Data) != "record" || got.Generation != listed[0].Generation {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := o.Delete(t.Context(), "abc", got.Generation); err != nil {
		t.Fatal(err)
	}
	if ids, err := in.List(t.Context()); err != nil || len(ids) != 0 {
		t.Errorf("%q, %v", ids, err)
	}
	if _, err := o.Create(t.Context(), "back", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := in.Create(t.Context(), "back", []byte("y")); !fault.Is(err, fault.Conflict) {
		t.Errorf("the inbox does not see an object: %v", err)
	}
}

func TestDiskTrouble(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := folder.New(dir) // where a folder should be there is a file
	if _, err := o.Create(t.Context(), "a", []byte("x")); !fault.Is(err, fault.Transient) {
		t.Errorf("creating: %v", err)
	}
	if _, err := o.Get(t.Context(), "a"); !fault.Is(err, fault.Transient) {
		t.Errorf("reading: %v", err)
	}
	if _, err := o.List(t.Context(), "", "", 1); !fault.Is(err, fault.Transient) {
		t.Errorf("listing: %v", err)
	}
}

// TestKilledSwappers lets processes count in one object, and kills them: every number is whole, none is counted twice.
func TestKilledSwappers(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("FOLDER_TEST_DIR"); dir != "" {
		count(dir)
	}
	dir := t.TempDir()
	o := folder.New(dir)
	if _, err := o.Create(t.Context(), "head", []byte("0")); err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	for range 3 {
		var all []*exec.Cmd
		var outs []*strings.Builder
		for range 2 {
			cmd := exec.Command(os.Args[0], "-test.run=^TestKilledSwappers$")
			cmd.Env = append(os.Environ(), "FOLDER_TEST_DIR="+dir)
			out := &strings.Builder{}
			cmd.Stdout = out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			all, outs = append(all, cmd), append(outs, out)
		}
		before, now := value(t, o), 0
		for now < before+20 {
			now = value(t, o)
		}
		for i, cmd := range all {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // it was killed
			acknowledged += strings.Count(outs[i].String(), "\n")
		}
	}
	// A process that dies between the swap and the line has counted without saying so: once a kill at most.
	if got := value(t, o); got < acknowledged || got > acknowledged+6 {
		t.Errorf("counted to %d, acknowledged %d", got, acknowledged)
	}
}

// count counts until it is killed.
func count(dir string) {
	o := folder.New(dir)
	for {
		now, err := o.Get(context.Background(), "head")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		n, _ := strconv.Atoi(strings.TrimSpace(string(now.Data)))
		// Long enough that half of it would show.
		_, err = o.Swap(context.Background(), "head", fmt.Appendf(nil, "%d%s", n+1, strings.Repeat(" ", 20_000)), now.Generation)
		if err == nil {
			fmt.Println(n + 1)
		} else if !fault.Is(err, fault.Conflict) {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func value(t *testing.T, o *folder.Objects) int {
	t.Helper()
	now, err := o.Get(t.Context(), "head")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(now.Data)))
	if err != nil || n > 0 && len(now.Data) < 20_000 {
		t.Fatalf("half a number: %d bytes, %v", len(now.Data), err)
	}
	return n
}

// TestSwept: what a killed writer left, of whatever folder the object was for, is gone with the first object that somebody
// puts an hour later; the lock and the objects stay.
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
	o := folder.New(dir)
	generation, err := o.Create(t.Context(), "tile/0/000", []byte("x"))
	if err == nil {
		_, err = o.Swap(t.Context(), "tile/0/000", []byte("y"), generation)
	}
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if !e.IsDir() {
			names = append(names, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if want := []string{".objects.lock", "tile/0/000"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("the store holds %q, %v; want %q", names, err, want)
	}
}

package privatefile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

func TestCreateThenReplace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "folder", "key")
	if _, err := Read(path); !fault.Is(err, fault.NotFound) {
		t.Fatalf("reading an absent file: %v", err)
	}
	if err := Create(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := Create(path, []byte("two")); !fault.Is(err, fault.Conflict) {
		t.Fatalf("creating an existing file: %v", err)
	}
	if data, err := Read(path); err != nil || string(data) != "one" {
		t.Fatalf("Read = %q, %v", data, err)
	}
	left, old := filepath.Join(filepath.Dir(path), ".key-1"), time.Now().Add(-2*time.Hour) // by a killed writer
	if err := errors.Join(os.WriteFile(left, []byte("hal"), 0o600), os.Chtimes(left, old, old)); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, []byte("three")); err != nil {
		t.Fatal(err)
	}
	if data, err := Read(path); err != nil || string(data) != "three" {
		t.Fatalf("Read = %q, %v", data, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Fatalf("the folder holds %d entries, want the file alone (%v)", len(entries), err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, want 0600 (%v)", info.Mode(), err)
	}
}

func TestReadRefusesWhatOthersMayOpen(t *testing.T) {
	t.Parallel()
	for _, mode := range []os.FileMode{0o640, 0o604, 0o666, 0o610} {
		path := filepath.Join(t.TempDir(), "key")
		if err := Create(path, []byte("k")); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("mode %04o: %v, want misconfigured", mode, err)
		}
	}
	if _, err := Read(t.TempDir()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("reading a folder: %v, want misconfigured", err)
	}
}

func TestCreateHasOneWinner(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	var winners []string
	var mu sync.Mutex
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			mine := "key " + strconv.Itoa(i)
			if err := Create(path, []byte(mine)); err == nil {
				mu.Lock()
				winners = append(winners, mine)
				mu.Unlock()
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	data, err := Read(path)
	if err != nil || !slices.Equal(winners, []string{string(data)}) {
		t.Fatalf("winners %q, file %q, %v", winners, data, err)
	}
}

func TestLockExcludes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "counter")
	if err := Create(path, []byte("0")); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			unlock, err := Lock(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			data, _ := Read(path)
			n, _ := strconv.Atoi(string(data))
			if err := Replace(path, []byte(strconv.Itoa(n+1))); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if data, _ := Read(path); string(data) != "16" {
		t.Fatalf("counted %s, want 16: an update was lost", data)
	}
}

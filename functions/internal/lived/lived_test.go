package lived

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// TestFolder: what was made is copied for all who ask, also at once, until the command or the policy is another; what was not
// made to its end is copied for nobody. A copy is nobody else's to read, and its own to change.
func TestFolder(t *testing.T) {
	t.Parallel()
	shared := t.TempDir()
	var plays atomic.Int32
	play := func(kept string) error {
		plays.Add(1)
		if err := os.MkdirAll(filepath.Join(kept, Data), 0o777); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(kept, Data, "key"), []byte("made"), 0o666)
	}
	ask := func(of string, play func(string) error) (string, error) {
		into := t.TempDir()
		err := folder(shared, of, into, play)
		return filepath.Join(into, Data, "key"), err
	}

	broken := errors.New("the command ended")
	if copied, err := ask("a", func(kept string) error { return errors.Join(play(kept), broken) }); !errors.Is(err, broken) {
		t.Fatalf("half a fortnight is given out: %v", err)
	} else if _, err := os.Stat(copied); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a fortnight is copied: %v", err)
	}
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			copied, err := ask("a", play)
			if err != nil {
				t.Error(err)
				return
			}
			info, err := os.Stat(copied)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the copy is %v, %v", info, err)
			}
			if err := os.WriteFile(copied, []byte("changed"), 0o600); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	if n := plays.Load(); n != 2 {
		t.Errorf("played %d times, want one that failed and one", n)
	}
	for i, of := range []string{"a", "b", "a"} {
		copied, err := ask(of, play)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(copied); err != nil || string(text) != "made" {
			t.Errorf("the copy holds %q, %v", text, err)
		}
		if n := plays.Load(); n != int32(2+i) {
			t.Errorf("played %d times for %s", n, of)
		}
	}
}

// TestIdentity: another command or another policy is another one.
func TestIdentity(t *testing.T) {
	t.Parallel()
	binary, policies := filepath.Join(t.TempDir(), "ostiary"), t.TempDir()
	seen := map[string]bool{}
	for i, write := range []string{binary, filepath.Join(policies, "people.yaml"), binary} {
		if err := os.WriteFile(binary, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(write, []byte(strconv.Itoa(i)), 0o600); err != nil {
			t.Fatal(err)
		}
		of, err := identity(binary, policies)
		if err != nil || seen[of] {
			t.Errorf("%s is changed, and it is %q, %v", write, of, err)
		}
		seen[of] = true
	}
	if _, err := identity(filepath.Join(policies, "none"), policies); err == nil {
		t.Error("a command that is not there has an identity")
	}
}

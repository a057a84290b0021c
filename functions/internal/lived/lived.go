// Package lived gives tests a data folder in which the sample company has lived its fortnight. To play one takes most of a
// minute, so that it is played once for all who ask, in the hardest way: the process is killed amid it, and the next one goes
// on. It is linked into no function.
package lived

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/dirhash"

	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/shared/platform/seal/privatefile"
)

// What lies in a folder.
const (
	Data       = "data"              // what the server has left
	Checkpoint = "killed.checkpoint" // how far the log was sealed when the process was killed
	Log        = "log"               // what both processes said
)

// killed is the day after which the process is killed, before how long it has run when the life begins.
const (
	killed = 5
	before = 20 * time.Minute
)

// patience is how long the days before that may take on a machine with too much to do.
const patience, pause = 10 * time.Minute, 50 * time.Millisecond

// Folder copies one, played by the command with the sample company of the repository at root, into an empty or missing folder.
// What is kept for the next who asks stays where temporary files are; another command or policy makes it anew.
func Folder(binary, root, into string) error {
	top, err := filepath.Abs(root)
	if err != nil {
		return fmt.Errorf("finding the repository: %w", err)
	}
	of, err := identity(binary, filepath.Join(top, "testdata", "policies"))
	if err != nil {
		return fmt.Errorf("telling the command from others: %w", err)
	}
	sum := sha256.Sum256([]byte(top))
	shared := filepath.Join(os.TempDir(), fmt.Sprintf("ostiary-lived-%d-%s", os.Getuid(), hex.EncodeToString(sum[:6])))
	return folder(shared, of, into, func(kept string) error { return play(binary, top, kept) })
}

// folder copies what is kept in a shared folder, after making it where what is kept is of another identity.
func folder(shared, of, into string, fill func(kept string) error) error {
	kept, made := filepath.Join(shared, "kept"), filepath.Join(shared, "made")
	unlock, err := privatefile.Lock(made)
	if err != nil {
		return fmt.Errorf("waiting for others who ask: %w", err)
	}
	defer unlock()
	if last, err := os.ReadFile(made); err != nil || string(last) != of {
		if err := errors.Join(os.RemoveAll(made), os.RemoveAll(kept)); err != nil {
			return fmt.Errorf("making room: %w", err)
		}
		if err := fill(kept); err != nil {
			return fmt.Errorf("playing a fortnight: %w", err)
		}
		if err := os.WriteFile(made, []byte(of), 0o600); err != nil {
			return fmt.Errorf("keeping a fortnight: %w", err)
		}
	}
	if err := os.CopyFS(into, os.DirFS(kept)); err != nil {
		return fmt.Errorf("copying a fortnight: %w", err)
	}
	return private(into)
}

// private takes everybody else's rights to a folder, which a copy gives them.
func private(folder string) error {
	return filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o600)
		if d.IsDir() {
			mode = 0o700
		}
		return os.Chmod(path, mode)
	})
}

// Start starts a server in a copy of its own.
func Start(binary, root string) (*walk.Server, func(), error) {
	own, err := os.MkdirTemp("", "lived")
	if err != nil {
		return nil, nil, fmt.Errorf("making a folder: %w", err)
	}
	remove := func() { _ = os.RemoveAll(own) }
	err = Folder(binary, root, own)
	if err == nil {
		var s *walk.Server
		if s, err = walk.StartIn(filepath.Join(own, Data), binary, root); err == nil {
			return s, func() { s.Close(); remove() }, nil
		}
	}
	remove()
	return nil, nil, err
}

// identity is one for each command and policy.
func identity(binary, policies string) (string, error) {
	f, err := os.Open(binary)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	files, err := dirhash.HashDir(policies, "", dirhash.Hash1)
	return hex.EncodeToString(sum.Sum(nil)) + " " + files, err
}

// progress is how far a life is.
type progress struct {
	State   string
	Day     int
	Refused []string
}

// play makes what Folder copies.
func play(binary, root, into string) error {
	data := filepath.Join(into, Data)
	s, err := walk.StartIn(data, binary, root)
	if err != nil {
		return err
	}
	// Some minutes before the life: in them nothing is known yet of any promise, however quick the machine is.
	err = s.Advance(before)
	if err == nil {
		err = s.Call(http.MethodPost, "/_local/life", nil, map[string]string{}, nil)
	}
	if err == nil {
		err = until(s, killed)
	}
	said := s.Kill()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	sealed, err := os.ReadFile(filepath.Join(data, "evidence", "head", "checkpoint"))
	if err == nil {
		err = os.WriteFile(filepath.Join(into, Checkpoint), sealed, 0o600)
	}
	if err != nil {
		return err
	}
	if s, err = walk.StartIn(data, binary, root); err != nil {
		return err
	}
	var p progress
	err = s.Call(http.MethodGet, "/_local/life?wait=1", nil, nil, &p)
	if err == nil && (p.State != "done" || len(p.Refused) > 0) {
		err = fmt.Errorf("it is %s, and was refused %q", p.State, p.Refused)
	}
	said += s.End()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return os.WriteFile(filepath.Join(into, Log), []byte(said), 0o600)
}

// until waits until a life is at a day, and not yet over.
func until(s *walk.Server, day int) error {
	for range patience / pause {
		var p progress
		if err := s.Call(http.MethodGet, "/_local/life", nil, nil, &p); err != nil {
			return err
		}
		if p.State != "playing" {
			return fmt.Errorf("it is %s on day %d", p.State, p.Day)
		}
		if p.Day >= day {
			return nil
		}
		time.Sleep(pause)
	}
	return fmt.Errorf("it is not at day %d after %s", day, patience)
}

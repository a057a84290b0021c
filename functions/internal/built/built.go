// Package built builds the command for whoever tests it as a process. All who ask for the same build of the same folder share
// one file: linking it is most of the work, and the second time there is nothing to link. It is linked into no function.
package built

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Command builds the command of the repository at root, with further flags of "go build", and returns its path. The file stays
// where temporary files are; it is replaced as a whole, so that it can be run while somebody else builds.
func Command(root string, flags ...string) (string, error) {
	top, err := filepath.Abs(root)
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	sum := sha256.Sum256([]byte(strings.Join(append([]string{top}, flags...), "\n")))
	folder := filepath.Join(os.TempDir(), fmt.Sprintf("ostiary-built-%d-%s", os.Getuid(), hex.EncodeToString(sum[:6])))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("making a folder: %w", err)
	}
	fresh, err := os.MkdirTemp(folder, "fresh")
	if err != nil {
		return "", fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(fresh)
	binary, next := filepath.Join(folder, "ostiary"), filepath.Join(fresh, "ostiary")
	// The build starts from the file that is there, and leaves it alone where it is still right.
	if err := os.Link(binary, next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("taking the last build: %w", err)
	}
	build := exec.Command("go", append([]string{"build", "-ldflags=-s", "-o", next}, append(flags, "./functions/ostiary")...)...)
	build.Dir = top
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the command: %w\n%s", err, out)
	}
	if err := os.Rename(next, binary); err != nil {
		return "", fmt.Errorf("keeping the build: %w", err)
	}
	return binary, nil
}

// The tests of this package run the real command, built once, and know of it only what its documentation says: what it
// prints, how it exits, and what it answers over HTTP.
package main_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"ostiary.internal/shared/platform/emulatortest"
)

// binary is the built command, samples the folder of sample companies. raced is the command with the race detector
// when the tests have it: for the tests that make races, since it is several times slower.
var binary, raced, samples string

func TestMain(m *testing.M) {
	flag.Parse()
	// Tests wait for processes, and those for the disk, more than they work: more of them fit beside each other than
	// there are processors.
	if err := flag.Set("test.parallel", strconv.Itoa(max(atOnce, runtime.GOMAXPROCS(0)))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(built(m))
}

// atOnce is how many tests run at once.
const atOnce = 6

func built(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ostiary-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "ostiary")
	builds := [][]string{{"build", "-ldflags=-s", "-o", binary, "."}}
	if raced = binary; raceEnabled {
		raced = filepath.Join(dir, "ostiary-raced")
		builds = append(builds, []string{"build", "-race", "-ldflags=-s", "-o", raced, "."})
	}
	var group errgroup.Group
	for _, args := range builds {
		group.Go(func() error {
			if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
				return fmt.Errorf("building ostiary: %w\n%s", err, out)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if samples, err = filepath.Abs("../../testdata/policies"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return emulatortest.Main(m)
}

// soak reports whether the long runs are asked for.
func soak() bool { return os.Getenv("OSTIARY_SOAK") == "1" }

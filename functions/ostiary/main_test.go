// The tests of this package run the real command, built once, and know of it only what its documentation says: what it
// prints, how it exits, and what it answers over HTTP.
package main_test

import (
	"ostiary.internal/functions/internal/built"

	"flag"
	"fmt"
	"os"
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
	os.Exit(whole(m))
}

// atOnce is how many tests run at once.
const atOnce = 6

func whole(m *testing.M) int {
	var group errgroup.Group
	build := func(into *string, flags ...string) {
		group.Go(func() (err error) {
			*into, err = built.Command("../..", flags...)
			return err
		})
	}
	build(&binary)
	if raceEnabled {
		build(&raced, "-race")
	}
	err := group.Wait()
	if !raceEnabled {
		raced = binary
	}
	if err != nil {
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

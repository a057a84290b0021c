// The tests of this package run the real command, built once, and know of it only what its documentation says: what it
// prints, how it exits, and what it answers over HTTP.
package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the built command, samples the folder of sample companies. raced is the command with the race detector
// when the tests have it: for the tests that make races, since it is several times slower.
var binary, raced, samples string

func TestMain(m *testing.M) {
	os.Exit(built(m))
}

func built(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ostiary-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "ostiary")
	builds := [][]string{{"build", "-o", binary, "."}}
	if raced = binary; raceEnabled {
		raced = filepath.Join(dir, "ostiary-raced")
		builds = append(builds, []string{"build", "-race", "-o", raced, "."})
	}
	for _, args := range builds {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building ostiary: %v\n%s", err, out)
			return 1
		}
	}
	if samples, err = filepath.Abs("../../testdata/policies"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// soak reports whether the long runs are asked for.
func soak() bool { return os.Getenv("OSTIARY_SOAK") == "1" }

// Package require decides what a test does without a tool it needs: on a laptop it is skipped, loudly; with
// CI=true it fails, for a test that never runs does not exist.
package require

import (
	"os"
	"testing"
)

// Tool skips the test when found is false, or fails it with CI=true. name is what to install.
func Tool(t testing.TB, name string, found bool) {
	t.Helper()
	if found {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed, and CI=true forbids skipping", name)
	}
	t.Skipf("SKIPPED: %s is not installed; install it to run this test", name)
}

// Given skips the test when nobody gave what it is about, with CI=true too: whoever gives it there says so where it cannot. name says
// how to give it.
func Given(t testing.TB, name string, given bool) {
	t.Helper()
	if !given {
		t.Skipf("SKIPPED: not given: %s", name)
	}
}

// Seeds returns how many seeds a property test runs: n, or n times 40 in the soak (OSTIARY_SOAK=1).
func Seeds(n int) int {
	if os.Getenv("OSTIARY_SOAK") == "1" {
		return n * 40
	}
	return n
}

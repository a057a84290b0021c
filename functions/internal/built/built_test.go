package built

import (
	"os"
	"os/exec"
	"testing"
)

// TestCommand: the second build is the file of the first, which can run meanwhile; another build is another file.
func TestCommand(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // others may be building the shared file right now
	first, err := Command("../../..")
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), first, "severity", "--help").CombinedOutput(); err != nil || len(out) == 0 {
		t.Fatal(err, string(out))
	}
	again, err := Command("../../..")
	if err != nil || again != first {
		t.Fatal(again, err)
	}
	if after, err := os.Stat(again); err != nil || !os.SameFile(before, after) {
		t.Errorf("what was right was built again: %v", err)
	}
	if _, err := Command(t.TempDir()); err == nil {
		t.Error("there is nothing to build in an empty folder")
	}
}

package people

import (
	"os/exec"
	"strings"
	"unicode/utf8"
)

// run types a command of ostiary in a folder, counts it, and returns what it prints.
func (c Company) run(h *hand, folder string, args ...string) (said string) {
	c.T.Helper()
	h.leg.Keys += utf8.RuneCountInString("ostiary "+strings.Join(args, " ")) + 1 // and Enter
	h.time(func() {
		command := exec.Command(c.Binary, args...)
		command.Dir = folder
		out, err := command.CombinedOutput()
		if err != nil {
			c.T.Fatalf("ostiary %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		said = string(out)
	})
	h.Read(said)
	return said
}

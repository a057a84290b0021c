package people

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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

func readAll(answer *http.Response) ([]byte, error) {
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.300s", answer.Request.URL, answer.Status, text)
	}
	return text, err
}

// decode reads the JSON that a URL answers.
func (c Company) decode(url string, into any) {
	c.T.Helper()
	c.must(json.Unmarshal(c.get(url), into))
}

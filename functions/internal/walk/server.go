// Package walk goes through the pages the way people do, against the real command: it starts
// "ostiary serve" with the sample company and a clock that is moved by hand, signs people in, reads the QR code off
// the screen and types what their phones would show. It is linked into no function.
package walk

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Morning is when the clock of a started server stands: a Tuesday, shortly after five to nine in Paris.
const Morning = "2026-03-03T07:55:09Z"

// Server is a running "ostiary serve". Close it.
type Server struct {
	URL  string
	data string
	own  string // the folder to remove in the end; "" for none
	cmd  *exec.Cmd
	errs bytes.Buffer
}

// Start starts the command with an empty data folder and the sample company of the repository at root, and with further
// variables such as NAME=value.
func Start(binary, root string, env ...string) (*Server, error) {
	folder, err := os.MkdirTemp("", "ostiary")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	s, err := StartIn(filepath.Join(folder, "data"), binary, root, env...)
	if err != nil {
		_ = os.RemoveAll(folder)
		return nil, err
	}
	s.own = folder
	return s, nil
}

// StartIn starts it with a data folder that stays: one that is not there yet, or one that a server has left.
func StartIn(data, binary, root string, env ...string) (*Server, error) {
	s := &Server{data: data}
	s.cmd = exec.Command(binary, "serve", "--port", "0", "--data", data,
		"--policy", filepath.Join(root, "testdata", "policies", "sharedcontacts"), "--clock", "manual", "--now", Morning)
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stderr = &s.errs
	if err := s.start(); err != nil {
		s.Close()
		return nil, fmt.Errorf("starting the server: %w\n%s", err, s.errs.String())
	}
	return s, nil
}

func (s *Server) start() error {
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err == nil && !ready {
		err = fmt.Errorf("it said %q", line)
	}
	s.URL = url
	return err
}

// Data is the folder the server keeps everything in.
func (s *Server) Data() string { return s.data }

// Close ends the server and removes what Start has made.
func (s *Server) Close() {
	s.End()
	if s.own != "" {
		_ = os.RemoveAll(s.own)
	}
}

// End ends the server and returns all it has said.
func (s *Server) End() string { return s.end(syscall.SIGTERM) }

// Kill ends it as a power cut would, and returns all it has said.
func (s *Server) Kill() string { return s.end(syscall.SIGKILL) }

func (s *Server) end(by os.Signal) string {
	if s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(by)
		_ = s.cmd.Wait()
	}
	return s.errs.String()
}

// Now reads the server's clock.
func (s *Server) Now() (time.Time, error) {
	var clock struct{ Now time.Time }
	return clock.Now, s.Call(http.MethodGet, "/_local/clock", nil, nil, &clock)
}

// Advance moves the server's clock and waits until everything that became due is done.
func (s *Server) Advance(by time.Duration) error {
	return s.Call(http.MethodPost, "/_local/clock", nil, map[string]string{"advance": by.String()}, nil)
}

// Skip moves the clock as a scheduler would see it that stood still for so long: all but the last minute passes without
// anything happening. It takes a moment where Advance takes seconds for each day.
func (s *Server) Skip(by time.Duration) error {
	now, err := s.Now()
	if err == nil {
		err = s.Call(http.MethodPost, "/_local/clock", nil, map[string]time.Time{"now": now.Add(by - time.Minute)}, nil)
	}
	if err != nil {
		return err
	}
	return s.Advance(time.Minute)
}

// Log writes an entry to the company's log, and waits until it was judged.
func (s *Server) Log(entry any) error {
	var told struct{ Accepted int }
	err := s.Call(http.MethodPost, "/_local/events?wait=1", nil, entry, &told)
	if err == nil && told.Accepted != 1 {
		err = errors.New("writing to the log: the entry was not accepted")
	}
	return err
}

// Settle waits until nothing is on its way any more.
func (s *Server) Settle() error {
	return s.Call(http.MethodPost, "/_local/settle", nil, map[string]string{}, nil)
}

// ComeIn goes through the door from an address, as another window of the person's would.
func (s *Server) ComeIn(address string) error {
	return s.Call(http.MethodGet, "/_local/door", http.Header{"X-Ostiary-Client": {address}}, nil, nil)
}

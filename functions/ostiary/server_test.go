package main_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// start is when a manual clock begins unless a test says otherwise: a Tuesday, 09:55 in Paris.
const start = "2026-03-03T08:55:00Z"

// options say how a server runs. The zero value is the sample company under a manual clock.
type options struct {
	dir    string   // data folder
	policy string   // "" for the sample company
	clock  string   // "" for manual
	now    string   // "" for start
	env    []string // NAME=VALUE
	raced  bool     // with the race detector, when the tests have it
	bare   bool     // the data folder must not be there before the process
}

// server is one running process.
type server struct {
	url    string
	dir    string
	cmd    *exec.Cmd
	client *http.Client
	ended  chan struct{}
	exit   error // set when ended is closed

	mu          sync.Mutex
	out, errors bytes.Buffer
}

var readyLine = regexp.MustCompile(`^ready (http://127\.0\.0\.1:[0-9]+)\n$`)

// issuerKeys are the keys of the first server's issuer. The others get them too: to make an RSA key takes longer than
// the rest of a start.
var issuerKeys struct {
	sync.Mutex
	file []byte
}

// keyFile is where a data folder has them.
func keyFile(dir string) string { return filepath.Join(dir, "keys", "issuer") }

// giveKeys puts the keys into a folder that has none.
func giveKeys(dir string) error {
	issuerKeys.Lock()
	defer issuerKeys.Unlock()
	if _, err := os.Stat(keyFile(dir)); err == nil || issuerKeys.file == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(keyFile(dir)), 0o700); err != nil {
		return err
	}
	return os.WriteFile(keyFile(dir), issuerKeys.file, 0o600)
}

// takeKeys keeps the keys of the first server.
func takeKeys(dir string) {
	issuerKeys.Lock()
	defer issuerKeys.Unlock()
	if file, err := os.ReadFile(keyFile(dir)); err == nil && issuerKeys.file == nil {
		issuerKeys.file = file
	}
}

// launch starts a server and waits until it says that it is ready.
func launch(o options) (*server, error) {
	if !o.bare {
		if err := giveKeys(o.dir); err != nil {
			return nil, err
		}
	}
	args := []string{"serve", "--port", "0", "--data", o.dir, "--policy", or(o.policy, filepath.Join(samples, "sharedcontacts"))}
	if kind := or(o.clock, "manual"); kind == "manual" {
		args = append(args, "--clock", kind, "--now", or(o.now, start))
	}
	command := binary
	if o.raced {
		command = raced
	}
	s := &server{dir: o.dir, cmd: exec.Command(command, args...), ended: make(chan struct{})}
	s.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + o.dir, "GORACE=halt_on_error=1 atexit_sleep_ms=100", "GOGC=400"}, o.env...)
	s.client = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.cmd.Stderr = &locked{s: s, into: &s.errors}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	first := make(chan string, 1)
	go s.watch(out, first)
	select {
	case line := <-first:
		found := readyLine.FindStringSubmatch(line)
		if found == nil {
			s.kill()
			return nil, fmt.Errorf("the server did not get ready; stdout begins %q; stderr:\n%s", line, s.log())
		}
		s.url = found[1]
		takeKeys(o.dir)
		return s, nil
	case <-time.After(30 * time.Second):
		s.kill()
		return nil, fmt.Errorf("the server is not ready after 30 s; stderr:\n%s", s.log())
	}
}

// watch reads stdout to its end, then waits for the process.
func (s *server) watch(out io.Reader, first chan<- string) {
	r := bufio.NewReader(out)
	line, _ := r.ReadString('\n')
	first <- line
	_, _ = io.Copy(&locked{s: s, into: &s.out}, r)
	s.exit = s.cmd.Wait()
	close(s.ended)
}

// stop asks the process to end and checks how it does: within 5 s, with exit 0, and with nothing on stdout but the
// ready line.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.ended:
	case <-time.After(5 * time.Second):
		s.kill()
		return fmt.Errorf("the server did not end within 5 s; stderr:\n%s", s.log())
	}
	s.client.CloseIdleConnections()
	if s.exit != nil {
		return fmt.Errorf("the server ended with %w; stderr:\n%s", s.exit, s.log())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out.Len() > 0 {
		return fmt.Errorf("stdout holds more than the ready line: %q", s.out.String())
	}
	return nil
}

// kill ends the process as a power cut would.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
	s.client.CloseIdleConnections()
}

// log is what the process wrote to stderr so far.
func (s *server) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.errors.String()
}

// locked writes into a buffer of the server.
type locked struct {
	s    *server
	into *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	return l.into.Write(p)
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

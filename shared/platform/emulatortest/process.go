package emulatortest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"time"
)

const (
	attempts  = 3                     // to find a port nobody takes between our look and the emulator's
	readiness = 30 * time.Second      // of one attempt; usual is half a second
	interval  = 20 * time.Millisecond // between two looks
	grace     = 3 * time.Second       // between asking an emulator to end and ending it
	logBytes  = 16 << 10              // of an emulator's output, kept for the error of a failed start
)

// process is a running emulator.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended and its output is complete
}

// launch starts the command on a free port of the loopback and waits until it answers.
func launch(command func(port string) *exec.Cmd) (*process, string, error) {
	var errs []error
	for range attempts {
		host, port, err := freePort()
		if err != nil {
			return nil, "", err
		}
		cmd, output := command(port), &head{}
		cmd.Stdout, cmd.Stderr = output, output
		p, err := run(cmd)
		if err != nil {
			return nil, "", err
		}
		if err = p.ready(host); err == nil {
			return p, host, nil
		}
		p.stop()
		errs = append(errs, fmt.Errorf("on %s: %w; its output: %s", host, err, output.kept))
	}
	return nil, "", errors.Join(errs...)
}

// run starts the command from a thread that lives as long as the process does: the kernel ends the child together
// with the thread that started it, and Go may end any thread that is not held.
func run(cmd *exec.Cmd) (*process, error) {
	isolate(cmd)
	p, started := &process{cmd: cmd, ended: make(chan struct{})}, make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // ended by us: its status says nothing
			close(p.ended)
		}
	}()
	return p, <-started
}

func (p *process) ready(host string) error {
	ctx, cancel := context.WithTimeout(context.Background(), readiness)
	defer cancel()
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for {
		if resp, err := client.Get("http://" + host + "/"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.ended:
			return errors.New("ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("not ready after %s", readiness)
		case <-time.After(interval):
		}
	}
}

// stop asks the process and its children to end, and ends them after the grace.
func (p *process) stop() {
	terminate(p.cmd)
	select {
	case <-p.ended:
	case <-time.After(grace):
		kill(p.cmd)
		<-p.ended
	}
}

func freePort() (host, port string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", fmt.Errorf("looking for a free port: %w", err)
	}
	host = l.Addr().String()
	if err := l.Close(); err != nil {
		return "", "", fmt.Errorf("releasing the free port %s: %w", host, err)
	}
	_, port, err = net.SplitHostPort(host)
	return host, port, err
}

// head keeps the first bytes written to it and forgets the rest.
type head struct{ kept []byte }

func (h *head) Write(p []byte) (int, error) {
	h.kept = append(h.kept, p[:min(len(p), logBytes-len(h.kept))]...)
	return len(p), nil
}

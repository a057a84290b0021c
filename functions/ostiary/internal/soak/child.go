package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Limits of a child's life: from its start until it is ready, and from being told to end until it has.
const (
	startLimit = 90 * time.Second
	stopLimit  = 20 * time.Second
)

// child is the process that is soaked. It is killed and started again on the same data folder.
type child struct {
	command func() *exec.Cmd
	logs    string // folder of what each life wrote to stderr
	crashed func(life int)

	mu    sync.Mutex
	up    chan struct{} // closed while it is ready
	url   string
	cmd   *exec.Cmd
	ended chan struct{}
	lives int
	kills int
}

// newChild returns one that does not run yet.
func newChild(logs string, command func() *exec.Cmd) *child {
	return &child{command: command, logs: logs, up: make(chan struct{})}
}

// base waits until the process is ready, and returns its address.
func (c *child) base(ctx context.Context) (string, error) {
	for {
		c.mu.Lock()
		up, url := c.up, c.url
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-up:
			if url != "" {
				return url, nil
			}
		}
	}
}

// start begins a life and waits until the process says that it is ready.
func (c *child) start() error {
	if err := os.MkdirAll(c.logs, 0o700); err != nil {
		return err
	}
	c.mu.Lock()
	c.lives++
	c.mu.Unlock()
	log, err := os.Create(c.logFile(c.lives))
	if err != nil {
		return err
	}
	cmd, first, ended, err := begin(c.command(), log)
	if err != nil {
		return err
	}
	c.cmd, c.ended = cmd, ended
	select {
	case line := <-first:
		url, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
		if !ready {
			c.end(syscall.SIGKILL)
			return fmt.Errorf("the process of life %d did not get ready: read %s", c.lives, c.logFile(c.lives))
		}
		c.mu.Lock()
		c.url = url
		close(c.up)
		c.mu.Unlock()
		go c.watch(c.lives, ended)
		return nil
	case <-time.After(startLimit):
		c.end(syscall.SIGKILL)
		return fmt.Errorf("the process of life %d is not ready after %s: read %s", c.lives, startLimit, c.logFile(c.lives))
	}
}

// begin starts a process and returns its first line on stdout, when there is one, and a channel that is closed when it
// has ended. Its log is closed then too.
func begin(cmd *exec.Cmd, log *os.File) (_ *exec.Cmd, first chan string, ended chan struct{}, err error) {
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, nil, errors.Join(err, log.Close())
	}
	bound(cmd)
	started := make(chan error)
	first, ended = make(chan string, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the process ends with the thread that starts it
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			r := bufio.NewReader(out)
			line, _ := r.ReadString('\n')
			first <- line
			_, _ = io.Copy(io.Discard, r)
			_ = cmd.Wait()
		}
		_ = log.Close()
		close(ended)
	}()
	return cmd, first, ended, <-started
}

func (c *child) logFile(life int) string {
	return filepath.Join(c.logs, fmt.Sprintf("life-%03d.log", life))
}

// down says that nobody answers any more.
func (c *child) down() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.url != "" {
		c.url, c.up = "", make(chan struct{})
	}
}

// watch waits for the end of a life, and tells of one that nobody ended.
func (c *child) watch(life int, ended chan struct{}) {
	<-ended
	c.mu.Lock()
	byItself := c.url != "" && life == c.lives
	c.mu.Unlock()
	if byItself {
		c.down()
		c.crashed(life)
	}
}

// end sends a signal and waits for the end of the process.
func (c *child) end(signal syscall.Signal) error {
	c.down()
	_ = c.cmd.Process.Signal(signal)
	select {
	case <-c.ended:
		return nil
	case <-time.After(stopLimit):
		_ = c.cmd.Process.Kill()
		<-c.ended
		return fmt.Errorf("the process did not end within %s of being told to", stopLimit)
	}
}

// kill ends the process as a power cut would, and starts it again.
func (c *child) kill() error {
	_ = c.end(syscall.SIGKILL)
	c.kills++
	return c.start()
}

// stop ends it in order.
func (c *child) stop() error { return c.end(syscall.SIGTERM) }

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/web"
)

// patience ends the wait for a program to answer.
const patience = 30 * time.Second

// program is one that was started, until stop.
type program struct {
	*exec.Cmd
	url string
	log bytes.Buffer // what it said on its standard error; to be read after stop
}

// start runs a program that says "ready URL" on its first line.
func start(ctx context.Context, env []string, path string, args ...string) (*program, error) {
	p := &program{Cmd: exec.CommandContext(ctx, path, args...)}
	p.Env, p.Stderr = append(os.Environ(), env...), &p.log
	out, err := p.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ready {
		p.stop()
		return nil, fmt.Errorf("starting %s: it said %q and %q, %w", path, line, p.log.String(), err)
	}
	p.url = url
	return p, nil
}

// stop ends the program as its operator would.
func (p *program) stop() {
	_ = p.Process.Signal(syscall.SIGTERM)
	_ = p.Wait()
}

// serveIdle is the other side of the comparison: the same server and the same layer of routes, caps, headers and log
// lines as every function has, around a handler that reads nothing and answers 204.
func serveIdle(ctx context.Context) error {
	layout, err := web.ParseLayout("header:X-Ostiary-Client")
	if err != nil {
		return err
	}
	f := web.Function{Name: "idle", Client: layout, Cap: web.NewCap(clock.System{}, 1<<20), Routes: []web.Route{{
		Method: http.MethodPost, Path: "/v1/leases", Summary: "Nothing.", Answers: map[int]any{http.StatusNoContent: nil},
		Handle: func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusNoContent)
			return nil
		},
	}}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: f.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	fmt.Printf("ready http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// send makes one request and returns its answer, whole.
func send(ctx context.Context, client *http.Client, method, url, body string, header http.Header) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header = header
	answer, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, text, err
}

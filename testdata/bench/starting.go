package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// starting compares the time from the start of a process to its first answer, with that of the framework alone. The
// programs take turns.
func (b *bench) starting(ctx context.Context) error {
	bare, err := b.build(ctx, "bare", "./testdata/bench/bare")
	if err != nil {
		return err
	}
	single, err := b.build(ctx, "single", "./testdata/bench/single")
	if err != nil {
		return err
	}
	everything, err := b.build(ctx, "ostiary", "./functions/ostiary")
	if err != nil {
		return err
	}
	policy := filepath.Join(b.root, "testdata", "policies", "sharedcontacts")
	var framework, function, server []time.Duration
	for n := range b.starts + 1 {
		a, err := firstAnswer(ctx, bare, "/", []string{"FUNCTION_TARGET=bare"}, http.StatusNoContent)
		if err != nil {
			return err
		}
		c, err := firstAnswer(ctx, single, "/checkotp/v1/check", functionEnv(policy, filepath.Join(b.dir, "inbox")), http.StatusUnauthorized)
		if err != nil {
			return err
		}
		d, err := b.firstReady(ctx, everything, policy)
		if err != nil {
			return err
		}
		if n > 0 { // the first fetches the programs from the disk, and makes the data folder
			framework, function, server = append(framework, a), append(function, c), append(server, d)
		}
	}
	const beside = "the functions framework alone (204)"
	b.times("start of checkotp to its first answer (401)", function, framework, beside)
	b.times("start of `ostiary serve` to its first answer", server, framework, beside)
	return nil
}

// functionEnv is a deployment's environment. No service it names is asked before a caller has shown a token.
func functionEnv(policy, inbox string) []string {
	return []string{
		"FUNCTION_TARGET=checkotp", "OSTIARY_POLICY=dir:" + policy, "OSTIARY_EVIDENCE=folder:" + inbox, "OSTIARY_STORE=firestore://bench/access",
		"OSTIARY_BUS=pubsub://bench", "OSTIARY_SEAL=kms://projects/bench/locations/europe-west1/keyRings/r/cryptoKeys/otp",
		"OSTIARY_SEAL_MESSAGE=kms://projects/bench/locations/europe-west1/keyRings/r/cryptoKeys/message", "OSTIARY_DIRECTORY=workspace:",
		"OSTIARY_IDENTITY=google:?audience=https://bench.example", "OSTIARY_CLIENT_ADDRESS=direct",
	}
}

// firstAnswer starts a program that listens on PORT and asks until it answers.
func firstAnswer(ctx context.Context, path, at string, env []string, want int) (time.Duration, error) {
	port, err := freePort()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = append(append(os.Environ(), env...), "PORT="+port)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	from := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	for time.Since(from) < patience {
		status, text, err := send(ctx, client, http.MethodPost, "http://127.0.0.1:"+port+at, "{}", http.Header{})
		if err == nil && status != want {
			return 0, fmt.Errorf("%s answered %d: %s", filepath.Base(path), status, text)
		}
		if err == nil {
			return time.Since(from), nil
		}
		time.Sleep(100 * time.Microsecond)
	}
	return 0, fmt.Errorf("%s does not answer", filepath.Base(path))
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, errors.Join(err, listener.Close())
}

// firstReady starts the server on a data folder of its own and asks once it says that it is ready.
func (b *bench) firstReady(ctx context.Context, path, policy string) (time.Duration, error) {
	from := time.Now()
	p, err := start(ctx, nil, path, "serve", "--port", "0", "--data", filepath.Join(b.dir, "started"), "--policy", policy)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	status, text, err := send(ctx, http.DefaultClient, http.MethodGet, p.url+"/_local/health", "", http.Header{})
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("ostiary answered %d: %s", status, text)
	}
	return time.Since(from), err
}

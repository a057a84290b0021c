package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/promise"
)

// following compares two runs of keeppromises, as it is deployed but for folders and one bbolt file: the first follows
// the whole log, the second finds nothing new, as in most minutes. Beside the first stands reading and hashing the
// same leaves, beside the second writing the page, which both compute.
func (b *bench) following(ctx context.Context) error {
	a, err := b.open(ctx)
	if err != nil {
		return err
	}
	program, err := b.build(ctx, "trust", "./testdata/bench/trust")
	if err != nil {
		return err
	}
	var first, second, hashed, written []time.Duration
	for n := range b.readings {
		dir := filepath.Join(b.dir, fmt.Sprint("following-", n))
		x, y, err := a.follow(ctx, program, dir)
		if err != nil {
			return err
		}
		from := time.Now()
		if count, err := hashLeaves(a.dir); err != nil || int64(count) != a.size {
			return fmt.Errorf("%d leaves were hashed: %w", count, err)
		}
		hashed = append(hashed, time.Since(from))
		z, err := repeat(a.marshal, time.Duration(b.searching)*time.Millisecond)
		if err != nil {
			return err
		}
		first, second, written = append(first, x), append(second, y), append(written, z)
	}
	b.times(fmt.Sprintf("keeppromises follows %d records", a.size), first, hashed, "reading and hashing the same leaves")
	b.times("keeppromises again, nothing new", second, written, "`encoding/json` of the page")
	return nil
}

// follow starts the function on an empty database and lets it run twice.
func (a *archive) follow(ctx context.Context, path, dir string) (first, second time.Duration, err error) {
	port, err := freePort()
	if err != nil {
		return 0, 0, err
	}
	env, err := a.environment(dir)
	if err != nil {
		return 0, 0, err
	}
	cmd, said := exec.CommandContext(ctx, path), &bytes.Buffer{}
	cmd.Env, cmd.Stdout, cmd.Stderr = append(append(os.Environ(), env...), "PORT="+port), said, said
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if err != nil {
			err = fmt.Errorf("%w; it said %s", err, said)
		}
	}()
	return a.runs(ctx, "http://127.0.0.1:"+port+"/keeppromises/", filepath.Join(dir, "inbox", "keeppromises"))
}

// runs lets the function at an address run twice. The first has to come to the end of the log.
func (a *archive) runs(ctx context.Context, address, inbox string) (first, second time.Duration, err error) {
	if err := awake(ctx, address+"openapi.json"); err != nil {
		return 0, 0, err
	}
	tick := func() (time.Duration, error) {
		from := time.Now()
		status, text, err := send(ctx, http.DefaultClient, http.MethodPost, address+"tick", "{}", http.Header{"Content-Type": {"application/json"}})
		if err == nil && status != http.StatusNoContent {
			err = fmt.Errorf("keeppromises answered %d: %s", status, text)
		}
		return time.Since(from), err
	}
	if first, err = tick(); err != nil {
		return 0, 0, err
	}
	if err := a.paged(inbox); err != nil {
		return 0, 0, err
	}
	second, err = tick()
	return first, second, err
}

func (a *archive) environment(dir string) ([]string, error) {
	trust, err := os.ReadFile(a.file)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	return []string{
		"FUNCTION_TARGET=keeppromises", "OSTIARY_IAM=front", "OSTIARY_POLICY=dir:" + a.policy, "OSTIARY_EVIDENCE=folder:" + in("inbox"),
		"OSTIARY_STORE=bolt:" + in("trust.db") + "?tree=trust", "OSTIARY_BUS=bolt:" + in("bus.db"), "OSTIARY_SEAL_MESSAGE=local:" + in("key"),
		"OSTIARY_SECRETS=file:" + in("secrets") + "?key=" + in("secrets.key"), "OSTIARY_PROBES=loopback", "OSTIARY_LOG_TILES=folder:" + a.dir, "OSTIARY_LOG_HEAD=folder:" + a.dir, "OSTIARY_TRUST=" + string(trust),
	}, nil
}

// awake waits until a program listens and what it serves has been built.
func awake(ctx context.Context, url string) error {
	for from := time.Now(); time.Since(from) < patience; time.Sleep(time.Millisecond) {
		status, text, err := send(ctx, http.DefaultClient, http.MethodGet, url, "", http.Header{})
		if err == nil && status != http.StatusOK {
			return fmt.Errorf("GET %s: %d %s", url, status, text)
		}
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s is not there", url)
}

// paged makes sure that a page of the whole log was put on record.
func (a *archive) paged(inbox string) error {
	found, err := os.ReadDir(inbox)
	if err != nil {
		return err
	}
	for _, f := range found {
		data, err := os.ReadFile(filepath.Join(inbox, f.Name()))
		if err != nil {
			return err
		}
		if r, err := record.Parse(data); err == nil && r.Control == promise.PageControl && r.Facts["size"] == strconv.FormatInt(a.size, 10) {
			return nil
		}
	}
	return errors.New("keeppromises did not come to the end of the log")
}

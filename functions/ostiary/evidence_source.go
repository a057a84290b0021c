package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// openBundle opens a folder or an archive. done is to be called when it was read.
func openBundle(name string) (src verify.Source, done func(), err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the bundle: %w", err)
	}
	switch {
	case info.IsDir():
		root, err := os.OpenRoot(name) // no link leads out of it
		if err != nil {
			return nil, nil, fmt.Errorf("opening the bundle: %w", err)
		}
		return verify.FS(root.FS()), func() { root.Close() }, nil
	case !info.Mode().IsRegular(): // a pipe would wait for ever
		return nil, nil, fault.New(fault.Invalid, "opening the bundle: it is neither a folder nor a plain file")
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the bundle: %w", err)
	}
	src, err = verify.Zip(file, info.Size())
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return src, func() { file.Close() }, nil
}

// place is where a log is kept: in a data folder, or by the URLs of its two stores.
type place struct{ data, tiles, head string }

// stores opens a log where it is kept. done is to be called when it was read.
func stores(ctx context.Context, at place) (tiles, head log.Objects, done func(), err error) {
	if at.tiles == "" && at.head == "" {
		dir := filepath.Join(at.data, "evidence")
		return folder.New(filepath.Join(dir, "tiles")), folder.New(filepath.Join(dir, "head")), func() {}, nil
	}
	if tiles, err = log.Stores.Open(ctx, at.tiles, log.Options{Clock: clock.System{}}); err != nil {
		return nil, nil, nil, fmt.Errorf("--tiles: %w", err)
	}
	if head, err = log.Stores.Open(ctx, at.head, log.Options{Clock: clock.System{}}); err != nil {
		tiles.Close()
		return nil, nil, nil, fmt.Errorf("--head: %w", err)
	}
	return tiles, head, func() { tiles.Close(); head.Close() }, nil
}

// publishedPath is where a trust page publishes its log.
const publishedPath = "/trustpage/v1/"

// published is a log as its trust page publishes it, over HTTP.
type published struct {
	url string // without a slash at the end
	do  func(*http.Request) (*http.Response, error)
}

// Read gets the checkpoint, a tile, or another file of the trust page. Denied when it is not public.
func (p published) Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, serverTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+publishedPath+name, http.NoBody)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "asking for %s: %w", name, err)
	}
	answer, err := p.do(r)
	if err != nil {
		return nil, fault.New(fault.Transient, "asking for %s: %w", name, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.Transient, "reading %s: %w", name, err)
	case answer.StatusCode == http.StatusNotFound:
		return nil, fault.New(fault.NotFound, "reading %s: the server does not have it", name)
	case answer.StatusCode == http.StatusForbidden:
		return nil, fault.New(fault.Denied, "reading %s: the server does not publish it; who may read its stores names them, --tiles and --head", name)
	case answer.StatusCode != http.StatusOK:
		return nil, fault.New(fault.Transient, "reading %s: the server answers %d", name, answer.StatusCode)
	case int64(len(data)) > limit:
		return nil, fault.New(fault.Invalid, "reading %s: larger than %d bytes", name, limit)
	}
	return data, nil
}

// List finds nothing: a trust page has no folders.
func (published) List(context.Context, string) ([]string, error) { return nil, nil }

// client follows no redirection: a log is where it was said to be.
func client() func(*http.Request) (*http.Response, error) {
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c.Do
}

// isURL tells a server from a path.
func isURL(name string) bool {
	return strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "http://")
}

// inFolder opens a data folder that no server holds for as long as fn asks it, in the way it would ask a server.
func inFolder(ctx context.Context, t terminal, data, policy string, fn func(published) error) (err error) {
	world, err := openFolder(ctx, t, data, policy, "")
	if err != nil {
		return err
	}
	defer func() {
		if closed := world.Close(); err == nil {
			err = closed
		}
	}()
	return fn(published{url: "http://127.0.0.1", do: func(r *http.Request) (*http.Response, error) {
		r.RemoteAddr = "127.0.0.1:1"
		a := &heard{header: http.Header{}, code: http.StatusOK}
		world.Handler().ServeHTTP(a, r)
		return &http.Response{StatusCode: a.code, Status: http.StatusText(a.code), Header: a.header, Body: io.NopCloser(&a.body)}, nil
	}})
}

// heard is an answer that never left the process.
type heard struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (h *heard) Header() http.Header            { return h.header }
func (h *heard) WriteHeader(code int)           { h.code = code }
func (h *heard) Write(text []byte) (int, error) { return h.body.Write(text) }

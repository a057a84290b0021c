package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"ostiary.internal/functions/ostiary/internal/local"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
	"ostiary.internal/shared/trust/page/shelf"
	"ostiary.internal/shared/trust/promise"
)

// showing is where pages that were shown can be read again, and the registers they were computed for, each by its
// digest. NotFound: it is not kept there, or no longer.
type showing interface {
	page(ctx context.Context, digest string) ([]byte, error)
	register(ctx context.Context, digest string) ([]byte, error)
}

// showingAt is the trust page of a server, or what the data folder keeps of it. Nothing is made where there is no
// folder. done is to be called when it was read.
func showingAt(server published, data string) (from showing, done func(), err error) {
	if server.url == "" {
		server.url = serverOf(data)
	}
	if server.url != "" {
		return server, func() {}, nil
	}
	database := filepath.Join(data, "ostiary.db")
	if _, err := os.Stat(database); err != nil {
		return nil, nil, fmt.Errorf("looking for the page the log names, where --server or --data say: %w", err)
	}
	clock, err := local.ClockOf(data)
	if err != nil {
		return nil, nil, err
	}
	kept, err := bolt.Open(database, "trust", store.Options{Schema: shelf.Collections(), Clock: clock})
	if err != nil {
		return nil, nil, fault.New(fault.Transient, "opening the data folder: %w", err)
	}
	return shelved{shelf.New(kept)}, func() { kept.Close() }, nil
}

func (p published) page(ctx context.Context, digest string) ([]byte, error) {
	return p.Read(ctx, "pages/"+digest, pageLimit)
}

func (p published) register(ctx context.Context, digest string) ([]byte, error) {
	return p.Read(ctx, "registers/"+digest, pageLimit)
}

type shelved struct{ *shelf.Shelf }

func (s shelved) page(ctx context.Context, digest string) ([]byte, error) {
	return s.Read(ctx, digest)
}

func (s shelved) register(ctx context.Context, digest string) ([]byte, error) {
	return s.Read(ctx, digest)
}

// readPage adds a page, and the register it names. What is no longer kept is left out, and the check of the bundle will
// say that it is missing.
func (t terminal) readPage(ctx context.Context, c *verify.Contents, from showing, digest string) (err error) {
	c.Page, err = from.page(ctx, digest)
	if err != nil {
		return t.leaveOut("the page the log names", err)
	}
	var page promise.Snapshot
	if json.Unmarshal(c.Page, &page) != nil {
		return nil // the check of the bundle will tell
	}
	c.Register, err = from.register(ctx, page.Register)
	if err != nil {
		return t.leaveOut("the register of promises of the page the log names", err)
	}
	return nil
}

// leaveOut says what a bundle lacks because nobody has it; any other error it returns.
func (t terminal) leaveOut(what string, err error) error {
	if !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("reading %s: %w", what, err)
	}
	fmt.Fprintf(t.err, "ostiary %s: without %s: %v\n", t.flags.Name(), what, err)
	return nil
}

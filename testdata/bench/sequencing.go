package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/sign/file"
	"ostiary.internal/shared/platform/clock"
)

// sequencing compares a pass of the sequencer, which takes records from an inbox into a log, both in folders with synced
// writes, with writing the same bytes into one file that is synced once, and with their hashes alone.
func (b *bench) sequencing(ctx context.Context) error {
	signer, err := file.New(filepath.Join(b.dir, "sequencing-key"), origin)
	if err != nil {
		return err
	}
	var passes, writes, sums []time.Duration
	for n := range b.runs {
		dir := filepath.Join(b.dir, fmt.Sprint("sequencing-", n))
		inbox := folder.New(filepath.Join(dir, "inbox"))
		leaves, err := hand(ctx, inbox, b.handed)
		if err != nil {
			return err
		}
		s, err := log.New(log.Config{Inbox: inbox, Tiles: folder.New(filepath.Join(dir, "tiles")), Head: folder.New(filepath.Join(dir, "head")),
			Origin: origin, Signers: []sign.Signer{signer}, Writers: recordtest.Writers(), Clock: clock.System{}})
		if err != nil {
			return err
		}
		from := time.Now()
		report, err := s.Run(ctx)
		passes = append(passes, time.Since(from))
		if err != nil {
			return err
		}
		if report.Added != len(leaves) {
			return fmt.Errorf("%d of %d records entered the log", report.Added, len(leaves))
		}
		wrote, err := writeOnce(filepath.Join(dir, "bare"), leaves)
		if err != nil {
			return err
		}
		writes = append(writes, wrote)
		sums = append(sums, hashOnce(leaves))
	}
	name := fmt.Sprintf("sequence %d records, from folder to folder", b.handed)
	b.paces(name, b.handed, passes, writes, "writing the same bytes into one file, synced once")
	b.paces(name, b.handed, passes, sums, "their hashes alone")
	return nil
}

// hand leaves records in an inbox, as controls do.
func hand(ctx context.Context, inbox log.Objects, count int) ([][]byte, error) {
	life := story{at: time.Now().UTC().Add(-time.Duration(count) * time.Minute)} // nothing of it is ahead of the clock
	var leaves [][]byte
	for range count {
		r := life.next()
		data, err := r.Canonical()
		if err != nil {
			return nil, err
		}
		if _, err := inbox.Create(ctx, recordtest.Place+r.ID(), data); err != nil {
			return nil, err
		}
		leaves = append(leaves, data)
	}
	return leaves, nil
}

func writeOnce(path string, leaves [][]byte) (time.Duration, error) {
	from := time.Now()
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for _, leaf := range leaves {
		if _, err := f.Write(leaf); err != nil {
			return 0, err
		}
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	return time.Since(from), nil
}

func hashOnce(leaves [][]byte) time.Duration {
	var node tlog.Hash
	from := time.Now()
	for _, leaf := range leaves {
		node = tlog.NodeHash(node, tlog.RecordHash(leaf))
	}
	return time.Since(from)
}

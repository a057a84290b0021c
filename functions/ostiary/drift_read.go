package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/agents"
	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/asset/cloudasset"
	"ostiary.internal/shared/drift/diff"
	_ "ostiary.internal/shared/drift/diff/gcs"
)

// mostUnread is how many assets that cannot be read are named.
const mostUnread = 50

func (r *driftReport) read(errs io.Writer, files []string) (*asset.Inventory, error) {
	var total int64
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			total += info.Size()
		}
	}
	bar := progressOn(errs, total)
	defer bar.end()
	g := &gathering{inventory: asset.NewInventory(), mails: cloudasset.Mails{}}
	r.Counts = map[string]int{}
	for _, file := range files {
		in, err := openLog(file, bar)
		if err != nil {
			return nil, err
		}
		// When a file was written is the best anybody knows of when its facts were true.
		read := r.now
		if info, err := os.Stat(file); err == nil {
			read = info.ModTime()
		}
		for a, err := range asset.Decode(in, read, g.inventory.Names()) {
			if err == nil {
				g.take(a)
				continue
			}
			r.missed(file + ": " + err.Error())
		}
		if err := in.Close(); err != nil {
			return nil, fmt.Errorf("closing %s: %w", file, err)
		}
	}
	inventory := g.end()
	r.Assets = inventory.Len()
	return inventory, nil
}

// gathering makes an inventory of what files tell.
type gathering struct {
	inventory *asset.Inventory
	mails     cloudasset.Mails
	unnamed   []asset.Asset // accounts by number, until their address was told
}

func (g *gathering) take(a asset.Asset) {
	cloudasset.Shape(a.Type, a.Data)
	g.mails.Learn(a)
	if !g.mails.Name(&a) {
		g.unnamed = append(g.unnamed, a)
		return
	}
	g.inventory.Add(a)
}

func (g *gathering) end() *asset.Inventory {
	for _, a := range g.unnamed {
		g.mails.Name(&a)
		g.inventory.Add(a)
	}
	g.inventory.Settle()
	return g.inventory
}

func (r *driftReport) compare(ctx context.Context, errs io.Writer, files []string, live *asset.Inventory, unmanaged bool) error {
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return fmt.Errorf("making a salt: %w", err)
	}
	all := diff.Desired{Other: map[string]int{}}
	for _, file := range files {
		in, err := openState(ctx, errs, file)
		if err != nil {
			return err
		}
		one, err := diff.Read(in)
		if err := errors.Join(err, in.Close()); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		all.Resources = append(all.Resources, one.Resources...)
		for name, n := range one.Other {
			all.Other[name] += n
		}
	}
	if len(files) == 0 {
		return nil
	}
	found := diff.Compare(all, live, diff.Options{Salt: salt, Unmanaged: unmanaged, Agents: agents.Made, Doubt: func(kind string) bool { return slices.Contains(r.doubted, kind) }})
	r.Findings, r.Gaps = found.Findings, found.Gaps
	slices.SortStableFunc(r.Findings, func(a, b diff.Finding) int { return weight(a.Severity) - weight(b.Severity) })
	for _, n := range found.Compared {
		r.Compared += n
	}
	for _, f := range found.Findings {
		r.Counts["findings "+string(f.Class)]++
	}
	return nil
}

// openState opens a state in a bucket, or in a file.
func openState(ctx context.Context, errs io.Writer, name string) (io.ReadCloser, error) {
	if !strings.HasPrefix(name, "gs://") {
		return openLog(name, &progress{})
	}
	source, err := diff.Sources.Open(ctx, name, diff.SourceOptions{})
	if err != nil {
		return nil, err
	}
	state, err := source.Open(ctx)
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	if state.Applying {
		fmt.Fprintf(errs, "ostiary drift: somebody holds the lock of %s: what is being applied may look like drift\n", name)
	}
	return stateBody{state.Data, source}, nil
}

// stateBody closes its source with it.
type stateBody struct {
	io.ReadCloser
	source diff.Source
}

// Close implements io.Closer.
func (b stateBody) Close() error { return errors.Join(b.ReadCloser.Close(), b.source.Close()) }

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/agents"
	"ostiary.internal/shared/drift/asset"
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
	inventory := asset.NewInventory()
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
		for a, err := range asset.Decode(in, read, inventory.Names()) {
			if err == nil {
				inventory.Add(a)
				continue
			}
			// A line that cannot be read, or the lines that are missing, may be about anything.
			r.missed(file + ": " + err.Error())
			r.dark = true
		}
		if err := in.Close(); err != nil {
			return nil, fmt.Errorf("closing %s: %w", file, err)
		}
	}
	inventory.Settle()
	r.Assets = inventory.Len()
	return inventory, nil
}

func (r *driftReport) compare(ctx context.Context, errs io.Writer, files []string, live *asset.Inventory, unmanaged bool) error {
	var wanted []diff.Desired
	for _, file := range files {
		in, err := openState(ctx, errs, file)
		if err != nil {
			return err
		}
		one, err := diff.Read(in)
		if err := errors.Join(err, in.Close()); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if len(one.Resources)+len(one.Applied)+len(one.Other) == 0 {
			r.missed(file + ": it has no resources, so that nothing is held against it")
		}
		wanted = append(wanted, one)
	}
	if len(files) == 0 {
		return nil
	}
	o := diff.Options{Salt: r.salt, Unmanaged: unmanaged, Agents: agents.Made, Doubt: r.doubts}
	if r.set != nil {
		o.Staging, o.Holds = r.set.Staging, r.set.Holds
	}
	all := diff.Join(wanted...)
	r.hide(all, live.Names())
	found := diff.Compare(all, live, o)
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

// hide keeps what Terraform calls sensitive, in what it wants and in what it applied last.
func (r *driftReport) hide(d diff.Desired, names *asset.Names) {
	r.hidden = map[string][]string{}
	for _, one := range []diff.Desired{d, {Resources: d.Applied}} {
		for key, resources := range one.Keyed(names) {
			for _, resource := range resources {
				r.hidden[key] = append(r.hidden[key], resource.Secrets()...)
			}
		}
	}
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

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/asset/folder"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/diff/file"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/scan"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/store"
)

// heard counts what a scan finds, and keeps nothing: storing findings is none of what is measured.
type heard struct{ out int }

func (h *heard) Out(_ context.Context, all []finding.Seen, _ time.Time) error {
	h.out += len(all)
	return nil
}

func (h *heard) In(context.Context, string, func(finding.Finding) finding.What, time.Time, time.Time) error {
	return nil
}
func (h *heard) Lost(context.Context, string, time.Time, time.Time) error { return nil }
func (h *heard) BlameEach(context.Context, string, func(finding.Finding) []finding.Actor, time.Time) error {
	return nil
}

func (h *heard) Sweep(context.Context, time.Time, func(finding.Finding) finding.What, time.Time) error {
	return nil
}

func (h *heard) List(context.Context, finding.State, *store.Cursor, int) ([]finding.Finding, *store.Cursor, error) {
	return nil, nil, nil
}

// scanning lists the same assets as drifting, stores them page by page with the place after each, learns them again and judges
// them all, on one core; and then one of them after a message. Beside both is reading the same bytes with encoding/json.
func (b *bench) scanning(ctx context.Context) error {
	set, err := starter()
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "scan")
	if err := os.MkdirAll(filepath.Join(dir, "assets"), 0o700); err != nil {
		return err
	}
	assets, state, resources := estate(b.assets)
	for name, data := range map[string][]byte{"assets/all.jsonl": assets, "state.json": state} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var ours, beside []time.Duration
	var heap []uint64
	var last *scan.Service
	for n := range b.readings {
		bare, err := working(func() error { return decoding(assets, state) })
		if err != nil {
			return err
		}
		s, found, release, err := scanner(ctx, set, dir, n)
		if err != nil {
			return err
		}
		defer release()
		debug.FreeOSMemory()
		took, err := working(func() error { return s.Run(ctx) })
		if err != nil {
			return err
		}
		if counts, is, err := s.Counts(ctx); err != nil || !is || len(counts) < len(set.Names()) || found.out < resources/50 {
			return fmt.Errorf("%d assertions looked, %d are out of order: %w", len(counts), found.out, err)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		ours, beside, heap, last = append(ours, took), append(beside, bare), append(heap, m.HeapAlloc), s
	}
	b.add(row{measured: fmt.Sprintf("list, store and judge %d assets by a scan, one core", b.assets), ours: fmt.Sprintf("%s, %d MB of heap before it is collected", short(median(ours)), median(heap)>>20),
		beside: short(median(beside)), what: "`encoding/json` of the same bytes", ratio: through(ours, beside)})
	const kind, key = "compute.googleapis.com/Firewall", "//compute.googleapis.com/projects/acme-0/global/firewalls/f0"
	one, _, _ := bytes.Cut(assets, []byte("\n"))
	return b.compare("a message that one asset changed, to its verdict, stored", func() error { return last.Look(ctx, kind, key) }, func() error {
		var v map[string]any
		return json.Unmarshal(one, &v)
	}, "`encoding/json` of the asset")
}

// scanner is a scan that has seen nothing yet, with a file of its own in the folder of an estate.
func scanner(ctx context.Context, set *baseline.Set, dir string, n int) (*scan.Service, *heard, func(), error) {
	clk, found := clock.System{}, &heard{}
	kept, err := store.Drivers.Open(ctx, driver.URL("bolt", filepath.Join(dir, fmt.Sprintf("scan-%d.db", n)), "tree", "drift"), store.Options{Schema: scan.Collection(), Clock: clk})
	if err != nil {
		return nil, nil, nil, err
	}
	s, err := scan.New(scan.Config{Store: kept, Clock: clk, Log: slog.New(slog.DiscardHandler), Sources: []asset.Source{folder.New(filepath.Join(dir, "assets"), clk)},
		States: []diff.Source{file.New(filepath.Join(dir, "state.json"))}, Set: set, Findings: found, Pause: -1})
	return s, found, func() { _ = kept.Close() }, err
}

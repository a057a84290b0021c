package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/file"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/folder"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	_ "ostiary.internal/shared/platform/store/bolt"
)

// reconciling compares runs of the reconciler over many leases, on a bbolt file with synced writes, with what it does
// to the files alone: writing the same three, synced, and reading them.
func (b *bench) reconciling(ctx context.Context) error {
	var all, none, writes, reads []time.Duration
	for n := range b.runs {
		dir := filepath.Join(b.dir, fmt.Sprint("reconcile-", n))
		clk := clock.NewManual(morning)
		r, release, err := b.reconciler(ctx, dir, clk, func() (allowlist.Target, error) {
			return file.New(filepath.Join(dir, "doors"), allowlist.Options{Name: "edge", Capacity: b.leases, Clock: clk})
		})
		if err != nil {
			return err
		}
		defer release()
		run := func(confirmed int) (time.Duration, error) {
			from := time.Now()
			report, err := r.Run(ctx, morning)
			took := time.Since(from)
			if err == nil && (report.Confirmed != confirmed || report.Entries != b.leases) {
				err = fmt.Errorf("the run confirmed %d of %d leases, want %d", report.Confirmed, report.Entries, confirmed)
			}
			return took, err
		}
		took, err := run(b.leases)
		if err != nil {
			return err
		}
		all = append(all, took)
		if took, err = run(0); err != nil {
			return err
		}
		none = append(none, took)
		read, write, err := bareFiles(filepath.Join(dir, "doors"))
		if err != nil {
			return err
		}
		reads, writes = append(reads, read), append(writes, write)
	}
	b.times(fmt.Sprintf("reconcile %d addresses, all new", b.leases), all, writes, "writing the three files, synced")
	b.times(fmt.Sprintf("reconcile %d addresses, nothing changed", b.leases), none, reads, "reading the three files")
	return nil
}

// reconciler is one over a fresh store in which everybody has just registered, with one target.
func (b *bench) reconciler(ctx context.Context, dir string, clk *clock.Manual, open func() (allowlist.Target, error)) (*allowlist.Reconciler, func(), error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, nil, err
	}
	schema := append(append(store.Schema{outbox.Collection()}, lease.Collection()...), allowlist.Collection()...)
	s, err := store.Drivers.Open(ctx, driver.URL("bolt", filepath.Join(dir, "access.db"), "tree", "access"), store.Options{Schema: schema, Clock: clk})
	if err != nil {
		return nil, nil, err
	}
	release := func() { _ = s.Close() }
	deliver := folder.New(filepath.Join(dir, "inbox")).Create
	box := outbox.New(s, clk, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{
		outbox.Message: func(context.Context, outbox.Entry) error { return nil },
		outbox.Record:  func(ctx context.Context, e outbox.Entry) error { return deliver(ctx, e.Key, e.Data) },
	})
	leases, err := lease.New(lease.Config{Store: s, Box: box, Clock: clk, Rules: access.Lease{DayEnd: "24:00", Devices: 2}})
	if err != nil {
		return nil, release, err
	}
	target, err := open()
	if err != nil {
		return nil, release, err
	}
	if err := seed(ctx, s, b.leases); err != nil {
		return nil, release, err
	}
	r, err := allowlist.New(allowlist.Config{Store: s, Box: box, Leases: leases, Owner: "bench", Targets: []allowlist.Target{target}})
	return r, release, err
}

// seed puts leases of as many people into the store.
func seed(ctx context.Context, s store.Store, count int) error {
	ends, salt := morning.Add(14*time.Hour+5*time.Minute), make([]byte, 32)
	return s.Tx(ctx, func(tx store.Tx) error {
		for n := range count {
			person := fmt.Sprintf("p%04d", n)
			l := lease.Lease{
				V: 1, ID: fmt.Sprintf("lease-%05d", n), Person: person, Prefix: seeded(n),
				Family: lease.IPv4, Date: "2026-03-03", Generation: 1, Started: morning.Add(-time.Minute), Ends: ends, Until: ends.UnixMicro(),
				Zone: "Europe/Paris", State: lease.Received, Open: true, Expires: ends.Add(lease.Retention),
			}
			l.Marks = lease.Marks{Lease: record.Commitment(salt, "lease", l.ID), Person: record.Commitment(salt, "person", person), Prefix: record.Commitment(salt, "source", l.Prefix.String())}
			if err := tx.Create("leases", l.ID, l); err != nil {
				return err
			}
		}
		return nil
	})
}

// seeded is the address of the n-th person.
func seeded(n int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{82, byte(n >> 16), byte(n >> 8), byte(n)}), 32)
}

// bareFiles reads the files of a folder, and writes them anew as carefully as the target does: each beside its place,
// synced, then renamed.
func bareFiles(dir string) (read, write time.Duration, err error) {
	names := []string{"nftables.nft", "nginx.conf", "allowlist.json"}
	data := map[string][]byte{}
	from := time.Now()
	for _, name := range names {
		if data[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return 0, 0, err
		}
	}
	read = time.Since(from)
	from = time.Now()
	for _, name := range names {
		f, err := os.CreateTemp(dir, "bare-")
		if err != nil {
			return 0, 0, err
		}
		if _, err = f.Write(data[name]); err == nil {
			err = f.Sync()
		}
		_ = f.Close()
		if err == nil {
			err = os.Rename(f.Name(), filepath.Join(dir, "bare-"+name))
		}
		if err != nil {
			return 0, 0, err
		}
	}
	return read, time.Since(from), nil
}

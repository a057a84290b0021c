// Command fsck reads a log of ours with Tessera's own checker: an oracle that shares no code with us.
//
// It promises to end: the check runs in a child process that is killed after -wait. It says nothing about what the
// records mean.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"

	"github.com/transparency-dev/merkle/rfc6962"
)

// workers is how many goroutines of the checker compare tiles.
const workers = 4

// folder reads a log laid out by C2SP tlog-tiles.
type folder string

// ReadCheckpoint returns the signed checkpoint.
func (f folder) ReadCheckpoint(context.Context) ([]byte, error) { return f.read(layout.CheckpointPath) }

// ReadTile returns the hashes of a tile; p is its width, 0 when full.
func (f folder) ReadTile(_ context.Context, level, index uint64, p uint8) ([]byte, error) {
	return f.orFull(layout.TilePath(level, index, p), layout.TilePath(level, index, 0))
}

// ReadEntryBundle returns the entries behind a tile of level 0.
func (f folder) ReadEntryBundle(_ context.Context, index uint64, p uint8) ([]byte, error) {
	return f.orFull(layout.EntriesPath(index, p), layout.EntriesPath(index, 0))
}

// orFull reads a partial tile, or the full one where that took its place.
func (f folder) orFull(partial, full string) ([]byte, error) {
	data, err := f.read(partial)
	if errors.Is(err, fs.ErrNotExist) {
		return f.read(full)
	}
	return data, err
}

func (f folder) read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(name)))
}

func main() {
	key := flag.String("key", "", "verifier key of the log, NAME+HASH+KEY")
	wait := flag.Duration("wait", time.Minute, "how long the check may take")
	child := flag.Bool("child", false, "check in this process")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: fsck -key VERIFIERKEY FOLDER")
		os.Exit(64)
	}
	run := watched
	if *child {
		run = check
	}
	ctx, stop := context.WithTimeout(context.Background(), *wait)
	err := run(ctx, *key, flag.Arg(0))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// watched runs the check in a child, for the checker's workers wait for each other for ever after some faults.
func watched(ctx context.Context, key, log string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "-child", "-key", key, log)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	switch err := cmd.Run(); {
	case ctx.Err() != nil:
		return fmt.Errorf("checking %s: killed: %w", log, ctx.Err())
	case err != nil:
		return fmt.Errorf("checking %s: %w", log, err)
	}
	return nil
}

func check(ctx context.Context, key, log string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return fmt.Errorf("reading the verifier key: %w", err)
	}
	return fsck.New(verifier.Name(), verifier, folder(log), hashes, fsck.Opts{N: workers}).Check(ctx)
}

// hashes returns the leaf hashes of an entry bundle.
func hashes(data []byte) ([][]byte, error) {
	var bundle api.EntryBundle
	if err := bundle.UnmarshalText(data); err != nil {
		return nil, fmt.Errorf("reading an entry bundle: %w", err)
	}
	leaves := make([][]byte, 0, len(bundle.Entries))
	for _, entry := range bundle.Entries {
		leaves = append(leaves, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return leaves, nil
}

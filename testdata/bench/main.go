// Command bench measures every control of Ostiary beside what it could be compared with, in one run on one machine. It prints one
// table, keeps it in its README and draws it: one-time passwords beside github.com/pquerna/otp, registrations beside the same
// server answering nothing, the allow-list and its doors beside the bare files and calls, starting beside the bare framework,
// the evidence log beside its hashes alone, the trust page beside encoding/json, the watch beside reading entries into Google's
// types, alarms beside one document of their store, erasing beside the Firestore client's bulk writer, telling tenants of a breach
// beside loops of net/smtp, drift beside reading the same bytes. It promises medians of repeated runs, with their spread, and real
// programs over real connections; it says nothing about Google Cloud, and nothing here decides whether a build is good.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// effort is how much is measured.
type effort struct {
	runs      int // of everything that is repeated
	starts    int // of each program
	people    int
	alone     int // registrations of a run with one client
	crowd     int // registrations of a run with many
	leases    int
	searching int // milliseconds of each run of what is short
	handed    int // records that wait for one pass of the sequencer
	records   int // of the log that is proved, verified and followed
	readings  int // of that whole log
	entries   int // of a day that the watch replays
	tenants   int // told of one breach
	cases     int // open at once
	assets    int // held against the baseline
}

var (
	full  = effort{runs: 5, starts: 11, people: 320, alone: 160, crowd: 320, leases: 5000, searching: 300, handed: 2000, records: 100_000, readings: 3, entries: 1_000_000, tenants: 2000, cases: 1000, assets: 50_000}
	quick = effort{runs: 1, starts: 3, people: 32, alone: 16, crowd: 32, leases: 500, searching: 20, handed: 200, records: 5_000, readings: 1, entries: 20_000, tenants: 60, cases: 40, assets: 2_000}
)

// Where table and picture are kept, from the folder of the module.
const (
	readme  = "testdata/bench/README.md"
	drawing = "docs/pictures/bench.svg"
)

// bench is one run: where programs and data lie, and what has been measured.
type bench struct {
	effort
	root  string // of the module
	dir   string // for this run alone
	group string // that is being measured
	rows  []row
	log   *archive // nil until it was made
}

func main() {
	isQuick := flag.Bool("quick", false, "fewer and shorter runs; the README stays as it is")
	only := flag.String("only", "", "measure these parts or groups of parts alone, separated by commas; the README stays as it is")
	draw := flag.Bool("draw", false, "draw the picture of the table in the README anew, and measure nothing")
	list := flag.Bool("list", false, "print the parts by group, and measure nothing")
	idle := flag.Bool("idle", false, "serve the handler that does nothing (the program starts itself so)")
	hash := flag.Bool("hash", false, "hash the leaves of the bundle that is named (the program starts itself so)")
	hold := flag.Bool("hold", false, "hold the assets in the folder that is named against the baseline and its state (the program starts itself so)")
	decode := flag.Bool("decode", false, "decode the JSON in the folder that is named (the program starts itself so)")
	spend := flag.Bool("spend", false, "run the program that is named and tell what it took (the program starts itself so)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case *idle:
		err = serveIdle(ctx)
	case *hash:
		_, err = hashLeaves(flag.Arg(0))
	case *hold:
		err = holdFolder(flag.Arg(0))
	case *decode:
		err = decodeFolder(flag.Arg(0))
	case *spend:
		err = tellSpending(ctx, flag.Args())
	case *list:
		fmt.Print(listing((&bench{}).parts()))
	case *draw:
		err = redraw(ctx)
	default:
		err = run(ctx, *isQuick, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, isQuick bool, only string) error {
	root, err := module(ctx)
	if err != nil {
		return err
	}
	b := &bench{effort: full, root: root}
	if isQuick {
		b.effort = quick
	}
	chosen, err := choose(b.parts(), only)
	if err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "ostiary-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	about, err := describe(b.dir)
	if err != nil {
		return err
	}
	for _, p := range chosen {
		b.group = p.group
		fmt.Fprintf(os.Stderr, "%s: %s\n", p.group, p.name)
		from := time.Now()
		if err := p.measure(ctx); err != nil {
			fmt.Print(table(about, b.rows)) // what took minutes is not lost
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Fprintf(os.Stderr, "  %s\n", short(time.Since(from)))
	}
	text := table(about, b.rows)
	fmt.Print(text)
	if isQuick || only != "" {
		return nil
	}
	if missing := unmeasured(chosen, b.rows); len(missing) > 0 {
		return fmt.Errorf("nothing was measured of %s, see above: the README keeps the table it has; install what is missing, and run make bench again", strings.Join(missing, ", "))
	}
	if err := replace(filepath.Join(root, readme), text); err != nil {
		return err
	}
	return redraw(ctx)
}

// module is the folder of the module this is run in.
func module(ctx context.Context) (string, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("finding the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(mod))), nil
}

// redraw draws the picture from the table in the README, so that the two always say the same.
func redraw(ctx context.Context) error {
	root, err := module(ctx)
	if err != nil {
		return err
	}
	_, text, _, err := between(filepath.Join(root, readme))
	if err != nil {
		return err
	}
	about, rows, err := parse(text)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, drawing), []byte(picture(about, rows)), 0o644); err != nil {
		return fmt.Errorf("writing the picture: %w", err)
	}
	return nil
}

// build compiles a package of the module, once, and returns the program. Tables for debuggers are left out: no figure knows
// them, and linking them takes a second.
func (b *bench) build(ctx context.Context, name, folder string) (string, error) {
	program := filepath.Join(b.dir, name)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-w", "-o", program, folder)
	cmd.Dir, cmd.Stderr = b.root, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("building %s: %w", folder, err)
	}
	return program, nil
}

// Package world is the process that a soak kills: all functions in local mode under a clock that is moved, over real HTTP on
// the loopback address, with everything around them failing at given rates. It stands on database files, or on the emulators
// of Firestore and Pub/Sub.
//
// Only what a function does while it answers a request, a push or a schedule is made to fail; what local mode does by itself
// never is. Of the emulators' world, what belongs to local mode stays on files: the clock, changes of the directory, mail,
// doors, assets, the data that is erased, and the evidence log.
package world

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"ostiary.internal/functions/internal/every"
	"ostiary.internal/functions/ostiary/internal/local"
	queue "ostiary.internal/shared/platform/bus/local"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/log"

	// Drivers of local mode and of the emulators, which functions do not link.
	_ "ostiary.internal/shared/drift/asset/folder"
	_ "ostiary.internal/shared/drift/diff/file"
	_ "ostiary.internal/shared/evidence/log/folder"
	_ "ostiary.internal/shared/evidence/record/folder"
	_ "ostiary.internal/shared/evidence/sign/file"
	_ "ostiary.internal/shared/platform/directory/people"
	_ "ostiary.internal/shared/platform/seal/local"
	_ "ostiary.internal/shared/platform/secret/file"
	_ "ostiary.internal/shared/platform/store/bolt"
	_ "ostiary.internal/shared/platform/store/firestore"
	_ "ostiary.internal/shared/policy/dir"
)

// startLimit is how long the start waits for the emulator's locks of a killed process.
const startLimit = 3 * time.Second

// Options say how a world runs.
type Options struct {
	Dir     string // data folder
	Policy  string // policy folder
	Now     time.Time
	Port    int    // on 127.0.0.1; 0 takes a free one
	Project string // of the emulators, which FIRESTORE_EMULATOR_HOST and PUBSUB_EMULATOR_HOST lead to; "" for files
	Seed    uint64 // of the faults
	Log     *slog.Logger
}

// World is a running world. Close it.
type World struct {
	URL string

	around   *around
	held     *held
	local    *local.World
	listener net.Listener
	server   *http.Server
	closers  []io.Closer
}

// Open starts a world and serves it. Nothing fails until rates are set.
func Open(ctx context.Context, o Options) (w *World, err error) {
	w = &World{around: &around{project: o.Project}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return w, fmt.Errorf("making the data folder: %w", err)
	}
	beside := func(name string) string { return o.Dir + "." + name } // a data folder is fresh while it holds nothing else
	if w.around.faults, err = openFaults(beside("injected"), o.Seed); err != nil {
		return w, err
	}
	w.closers = append(w.closers, w.around.faults)
	if w.held, err = openHeld(beside("held")); err != nil {
		return w, err
	}
	if w.listener, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port))); err != nil {
		return w, fmt.Errorf("listening: %w", err)
	}
	w.closers = append(w.closers, w.listener)
	w.URL = "http://" + w.listener.Addr().String()
	w.around.enter()
	functions := w.around.functions(every.Functions)
	if o.Project != "" {
		if err := w.emulate(ctx, o.Project, beside("open")); err != nil {
			return w, err
		}
	}
	around := local.Around{Bus: w.bus, Variable: w.around.variable, Patience: w.around.faults.patience}
	if o.Project != "" {
		around.Start = startLimit
	}
	w.local, err = local.Open(ctx, local.Options{
		Dir: o.Dir, Policy: o.Policy, Manual: true, Now: o.Now, URL: w.URL, Functions: functions, Log: o.Log, Env: os.LookupEnv, Around: around})
	if err != nil {
		return w, err
	}
	w.server = &http.Server{Handler: w.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	go func() { _ = w.server.Serve(w.listener) }() // it ends with the listener
	return w, nil
}

// emulate opens the bus of the emulator.
func (w *World) emulate(ctx context.Context, project, path string) error {
	o, err := openOpen(path)
	if err != nil {
		return err
	}
	w.closers = append(w.closers, o)
	w.around.push, err = openPushes(ctx, project, w.URL, o, w.held, every.Functions)
	return err
}

// bus opens what carries messages, and troubles it.
func (w *World) bus(database string, c clock.Clock) (local.Bus, error) {
	d := &deliveries{faults: w.around.faults, held: w.held, clock: c}
	if w.around.push != nil {
		d.Bus = w.around.push
		return d, nil
	}
	b, err := queue.Open(database, c)
	if err != nil {
		return nil, err
	}
	d.Bus = b
	return d, nil
}

// Close ends everything.
func (w *World) Close() error {
	var failed []error
	if w.server != nil {
		failed = append(failed, w.server.Close())
	}
	if w.local != nil {
		failed = append(failed, w.local.Close())
	}
	w.around.leave()
	for i := len(w.closers) - 1; i >= 0; i-- {
		if err := w.closers[i].Close(); !errors.Is(err, net.ErrClosed) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// Exit codes; 64 is usage as in sysexits.h.
const (
	exitGood  = 0
	exitWrong = 1
	exitUsage = 64
)

// Main runs a world until ctx ends or a signal comes. It prints "ready URL" when everything answers.
func Main(ctx context.Context, args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := options(args, errs)
	if err != nil {
		fmt.Fprintln(errs, "world:", err)
		return exitUsage
	}
	w, err := Open(ctx, o)
	if err != nil {
		fmt.Fprintln(errs, "world:", err)
		return exitWrong
	}
	fmt.Fprintf(out, "ready %s\n", w.URL)
	<-ctx.Done()
	if err := w.Close(); err != nil {
		fmt.Fprintln(errs, "world:", err)
		return exitWrong
	}
	return exitGood
}

func options(args []string, errs io.Writer) (o Options, err error) {
	flags := flag.NewFlagSet("world", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.StringVar(&o.Dir, "data", "", "folder that keeps everything")
	flags.StringVar(&o.Policy, "policy", "", "policy folder")
	flags.IntVar(&o.Port, "port", 0, "port on 127.0.0.1; 0 takes a free one")
	flags.Uint64Var(&o.Seed, "seed", 1, "of the faults")
	flags.StringVar(&o.Project, "project", "ostiary-soak", "where the emulators keep what is theirs")
	on := flags.String("on", "bolt", "bolt or emulators")
	now := flags.String("now", "", "where the clock starts, RFC 3339")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.Now, err = time.Parse(time.RFC3339, *now); err != nil {
		return o, fmt.Errorf("-now: %q is not a time such as 2026-03-03T08:55:00Z", *now)
	}
	switch {
	case o.Dir == "" || o.Policy == "" || flags.NArg() > 0:
		return o, errors.New("give -data, -policy and -now")
	case *on == "bolt":
		o.Project = ""
	case *on != "emulators" || os.Getenv("FIRESTORE_EMULATOR_HOST") == "" || os.Getenv("PUBSUB_EMULATOR_HOST") == "":
		return o, errors.New("-on is bolt, or emulators with FIRESTORE_EMULATOR_HOST and PUBSUB_EMULATOR_HOST set")
	}
	o.Dir = filepath.Clean(o.Dir)
	level := slog.LevelWarn
	if text := os.Getenv("OSTIARY_LOG_LEVEL"); text != "" {
		if err := level.UnmarshalText([]byte(text)); err != nil {
			return o, fmt.Errorf("OSTIARY_LOG_LEVEL: %q is none of DEBUG, INFO, WARN, ERROR", text)
		}
	}
	o.Log = log.New(errs, "", level)
	return o, nil
}

// Command ferretdb is a server that speaks MongoDB's protocol and keeps its data in SQLite: FerretDB, with the passwords
// checked that it leaves unchecked where it is embedded.
//
// It promises a server for tests: it prints its address when it listens, and ends with its input. It says nothing about
// MongoDB's own transactions, write concerns and replica sets, for FerretDB has none.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/FerretDB/FerretDB/internal/clientconn"
	"github.com/FerretDB/FerretDB/internal/clientconn/connmetrics"
	"github.com/FerretDB/FerretDB/internal/handler/registry"
	"github.com/FerretDB/FerretDB/internal/util/password"
	"github.com/FerretDB/FerretDB/internal/util/state"
)

func main() {
	dir := flag.String("data", "", "an empty folder")
	flag.Parse()
	if *dir == "" {
		fmt.Fprintln(os.Stderr, "usage: ferretdb -data FOLDER; OSTIARY_TEST_PASSWORD is that of the user admin")
		os.Exit(64)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { // whoever started it is gone
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := serve(ctx, *dir, os.Getenv("OSTIARY_TEST_PASSWORD")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, dir, secret string) error {
	known, err := state.NewProvider("")
	if err != nil {
		return fmt.Errorf("making its state: %w", err)
	}
	if err := known.Update(func(s *state.State) { s.DisableTelemetry(); s.TelemetryLocked = true }); err != nil {
		return fmt.Errorf("silencing its telemetry: %w", err)
	}
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	metrics := connmetrics.NewListenerMetrics()
	h, closeBackend, err := registry.NewHandler("sqlite", &registry.NewHandlerOpts{
		Logger: quiet, ConnMetrics: metrics.ConnMetrics, StateProvider: known, TCPHost: "127.0.0.1:0",
		SetupDatabase: "admin", SetupUsername: "admin", SetupPassword: password.WrapPassword(secret), SetupTimeout: 30 * time.Second,
		SQLiteURL: "file:" + filepath.ToSlash(dir) + "/?_pragma=synchronous(off)", // nothing here outlives the process
		TestOpts:  registry.TestOpts{EnableNewAuth: true, CappedCleanupPercentage: 10, BatchSize: 100, MaxBsonObjectSizeBytes: 16 << 20},
	})
	if err != nil {
		return fmt.Errorf("opening its folder: %w", err)
	}
	defer closeBackend()
	l, err := clientconn.Listen(&clientconn.NewListenerOpts{TCP: "127.0.0.1:0", Mode: clientconn.NormalMode, Metrics: metrics, Handler: h, Logger: quiet})
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	go func() { fmt.Println(l.TCPAddr()) }() // known once it runs
	l.Run(ctx)
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"ostiary.internal/functions/ostiary/internal/local"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/log"

	// Drivers of local mode, which only this command links.
	_ "ostiary.internal/shared/drift/asset/folder"
	_ "ostiary.internal/shared/drift/diff/file"
	_ "ostiary.internal/shared/evidence/log/folder"
	_ "ostiary.internal/shared/evidence/record/folder"
	_ "ostiary.internal/shared/evidence/sign/file"
	_ "ostiary.internal/shared/platform/bus/local"
	_ "ostiary.internal/shared/platform/directory/people"
	_ "ostiary.internal/shared/platform/message/mailbox"
	_ "ostiary.internal/shared/platform/seal/local"
	_ "ostiary.internal/shared/platform/secret/file"
	_ "ostiary.internal/shared/platform/store/bolt"
	_ "ostiary.internal/shared/policy/dir"
)

// stopTime is how long requests under way may take when the process is told to end; all of it takes 5 s at most.
const stopTime = 3 * time.Second

// serverFile names the running server in the data folder, for other commands.
const serverFile = "server.json"

// envLogLevel says from which level on lines are logged: WARN when it is not set. A deployed function logs from INFO.
const envLogLevel = "OSTIARY_LOG_LEVEL"

// running is what serverFile holds.
type running struct {
	URL string `json:"url"`
	PID int    `json:"pid"`
}

func serve(ctx context.Context, t terminal, args []string) int {
	port := t.flags.Int("port", 8080, "port on 127.0.0.1; 0 takes a free one")
	data := t.flags.String("data", "data", "folder that keeps everything")
	folder := t.flags.String("policy", "policy", "policy folder")
	kind := t.flags.String("clock", "system", "system, or manual: it stands still until moved at /_local/clock")
	now := t.flags.String("now", "", "where a manual clock starts, RFC 3339; the machine's time by default")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	start, err := instant("now", *now)
	if err != nil {
		return t.usage("%v", err)
	}
	if start.IsZero() {
		start = clock.System{}.Now()
	}
	if (*kind != "system" && *kind != "manual") || (*now != "" && *kind != "manual") || *port < 0 || *port > 65535 {
		t.flags.Usage()
		return exitUsage
	}
	level := slog.LevelWarn
	if text := os.Getenv(envLogLevel); text != "" {
		if err := level.UnmarshalText([]byte(text)); err != nil {
			return t.usage("%s: %q is none of DEBUG, INFO, WARN, ERROR", envLogLevel, text)
		}
	}
	logger := log.New(t.err, "", level)
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(*port)))
	if err != nil {
		return t.fail(fmt.Errorf("listening: %w", err))
	}
	defer listener.Close()
	url := "http://" + listener.Addr().String()
	world, err := local.Open(ctx, local.Options{Dir: *data, Policy: *folder, Manual: *kind == "manual", Now: start, URL: url, Functions: functions, Code: runningCode(), Log: logger, Env: os.LookupEnv})
	if err != nil {
		return t.fail(err)
	}
	code := listen(ctx, t, world, listener, url, *data)
	if err := world.Close(); err != nil {
		return t.fail(err)
	}
	return code
}

// listen serves until ctx ends.
func listen(ctx context.Context, t terminal, world *local.World, listener net.Listener, url, data string) int {
	named := filepath.Join(data, serverFile)
	text, err := json.Marshal(running{URL: url, PID: os.Getpid()})
	if err != nil {
		return t.fail(err)
	}
	if err := os.WriteFile(named, text, 0o600); err != nil {
		return t.fail(fmt.Errorf("naming the server in the data folder: %w", err))
	}
	defer os.Remove(named)
	server := &http.Server{Handler: world.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Fprintf(t.out, "ready %s\n", url)
	select {
	case err := <-ended:
		return t.fail(err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	err = server.Shutdown(stopping)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close() // whoever still hangs on was given time enough
	}
	if err != nil {
		return t.fail(fmt.Errorf("ending: %w", err))
	}
	return exitGood
}

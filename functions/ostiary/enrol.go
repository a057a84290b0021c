package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"ostiary.internal/functions/ostiary/internal/local"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/log"
)

// serverTime is how long a running server may take to answer a command.
const serverTime = 10 * time.Second

// maxAnswer of a running server, in bytes.
const maxAnswer = 16 << 20

// enrol prints a link that lets a person set up one authenticator, and has her told.
func enrol(ctx context.Context, t terminal, args []string) int {
	if len(args) > 0 && slices.Contains(enrolWords, args[0]) {
		return enrolMore(ctx, t, args)
	}
	t.explain(enrolExits)
	data := t.flags.String("data", "data", "data folder")
	folder := t.flags.String("policy", "policy", "policy folder, when no server holds the data folder")
	server := t.flags.String("server", "", "URL of a running server; the one that holds the data folder by default")
	by := t.flags.String("by", "", "who of security asks; the first one of the policy by default")
	asJSON := t.flags.Bool("json", false, "print the link as JSON")
	if code := t.parse(args, 1); code >= 0 {
		return code
	}
	email := t.flags.Arg(0)
	url := *server
	if url == "" {
		url = serverOf(*data)
	}
	var made local.Invitation
	var err error
	if url != "" {
		made, err = askServer(ctx, url, email, *by)
	} else {
		made, err = askFolder(ctx, t, *data, *folder, email, *by)
	}
	if err != nil {
		return t.fail(err)
	}
	made.Link = url + made.Link
	if *asJSON {
		text, err := json.Marshal(made)
		if err != nil {
			return t.fail(err)
		}
		fmt.Fprintf(t.out, "%s\n", text)
		return exitGood
	}
	fmt.Fprintf(t.out, "%s\n\nor the code alone: %s\nGood once, until %s. Hand it over by a way you trust; a notice of it has been sent.\n", made.Link, made.Code, made.Expires.Format(time.RFC3339))
	return exitGood
}

// serverOf returns the URL of the server that holds a data folder, or "".
func serverOf(data string) string {
	text, err := os.ReadFile(filepath.Join(data, serverFile))
	if err != nil {
		return ""
	}
	var r running
	if json.Unmarshal(text, &r) != nil {
		return ""
	}
	client := http.Client{Timeout: time.Second}
	answer, err := client.Get(r.URL + "/_local/health")
	if err != nil {
		return "" // it ended without saying so: the folder is free
	}
	defer answer.Body.Close()
	var health local.Health
	if json.NewDecoder(io.LimitReader(answer.Body, 1<<10)).Decode(&health) != nil || health.PID != r.PID {
		return "" // somebody else has its port now
	}
	return r.URL
}

func askServer(ctx context.Context, url, email, by string) (made local.Invitation, err error) {
	err = callServer(ctx, http.MethodPost, url+"/_local/enrol", map[string]string{"email": email, "by": by}, &made)
	return made, err
}

// callServer makes a call of a running server's and reads its answer; a refusal is an error of the server's words.
func callServer(ctx context.Context, method, url string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, serverTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("asking the server: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("asking the server at %s://%s: %w", r.URL.Scheme, r.URL.Host, err)
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		var p struct{ Code, Detail, Next string }
		_ = json.Unmarshal(text, &p)
		return fault.Refuse(fault.Denied, p.Code, p.Detail, p.Next)
	}
	return json.Unmarshal(text, into)
}

// askFolder opens the data folder for the length of one command.
func askFolder(ctx context.Context, t terminal, data, folder, email, by string) (made local.Invitation, err error) {
	// A folder with a clock of its own goes on by it: by the machine's, the link would end at another time.
	_, absent := os.Stat(filepath.Join(data, local.ClockFile))
	world, err := local.Open(ctx, local.Options{Dir: data, Policy: folder, Manual: absent == nil, Now: clock.System{}.Now(), Functions: functions, Code: runningCode(), Log: log.New(t.err, "", slog.LevelWarn), Env: os.LookupEnv})
	if err != nil {
		return made, err
	}
	defer func() {
		if closed := world.Close(); err == nil {
			err = closed
		}
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", http.NoBody)
	if err != nil {
		return made, err
	}
	if made, err = world.Invite(r, email, by); err != nil {
		return made, err
	}
	return made, world.Settle(ctx)
}

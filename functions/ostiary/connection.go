package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/ostiary/internal/local"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/log"
	"ostiary.internal/shared/policy"
)

const (
	// envToken is the token of whoever asks a server that is not on this machine.
	envToken = "OSTIARY_TOKEN"
	// serverTime is how long a running server may take to say what it has ready.
	serverTime = 10 * time.Second
	// answerTime is how long it may take for one answer: a dossier of thousands of customers is made in it.
	answerTime = time.Minute
	// maxAnswer of a running server, in bytes.
	maxAnswer = 16 << 20
)

// connection is a command's to a server, as somebody who signed in there. With a url alone it asks as nobody.
type connection struct {
	server, data, policy, by string
	asJSON                   bool

	url, token string
	client     *http.Client // the default one when nil
	done       func() error
}

func (c *connection) flags(t terminal) {
	t.flags.StringVar(&c.server, "server", "", "URL of a running server; the one that holds the data folder by default")
	t.flags.StringVar(&c.data, "data", "data", "data folder")
	t.flags.StringVar(&c.policy, "policy", "policy", "policy folder, for --by and when no server holds the data folder")
	t.flags.StringVar(&c.by, "by", "", "who asks; the first of security in the policy by default")
	t.flags.BoolVar(&c.asJSON, "json", false, "print the answer as JSON")
}

// errWho: nobody says who asks.
var errWho = errors.New("--by: say who asks, by an address of people.yaml; or --policy, for the first of security there")

// open finds the server, or serves the data folder for the length of the command, and signs in.
func (c *connection) open(ctx context.Context, t terminal) error {
	c.done = func() error { return nil }
	if c.url = strings.TrimSuffix(c.server, "/"); c.url == "" {
		c.url = serverOf(c.data)
	}
	if c.url == "" {
		if err := c.serve(ctx, t); err != nil {
			return err
		}
	}
	if c.token = os.Getenv(envToken); c.token != "" {
		return private(c.url)
	}
	if c.by == "" {
		p, err := readPolicy(c.policy)
		if err != nil {
			return errWho
		}
		at := slices.IndexFunc(p.People, func(one policy.Person) bool { return one.Has(policy.Security) })
		if at < 0 {
			return errWho
		}
		c.by = p.People[at].Email
	}
	var signed struct{ Token string }
	err := c.ask(ctx, http.MethodPost, "/_local/signin", map[string]string{"email": c.by}, &signed)
	if c.token = signed.Token; err != nil && fault.CodeOf(err) == "" {
		return fmt.Errorf("signing in: %w; on a server elsewhere, set %s", err, envToken)
	}
	return err
}

// errClear: a token would go over the net for everybody to read.
var errClear = errors.New("--server, --probe: with " + envToken + " it is an https:// address, or one on this machine")

// private reports whether nobody on the way reads what is sent to a server.
func private(server string) error {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "https" && !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()) {
		return errClear
	}
	return nil
}

// serve opens the data folder on a port of its own.
func (c *connection) serve(ctx context.Context, t terminal) error {
	if _, err := os.Stat(filepath.Join(c.data, "ostiary.db")); err != nil {
		return fmt.Errorf("opening the data folder: %w; name another with --data, or a running server with --server", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	here := "http://" + listener.Addr().String()
	world, err := openFolder(ctx, t, c.data, c.policy, here)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: world.Handler(), ReadHeaderTimeout: serverTime}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	c.url, c.done = here, func() error {
		settled := world.Settle(context.WithoutCancel(ctx))
		closed := server.Close()
		<-ended
		return errors.Join(settled, closed, world.Close())
	}
	return nil
}

// run opens, does one thing, and closes; what is refused because of what was typed is a matter of usage.
func (c *connection) run(ctx context.Context, t terminal, do func() error) int {
	err := c.open(ctx, t)
	if err == nil {
		err = do()
	}
	if c.done != nil {
		err = errors.Join(err, c.done())
	}
	switch {
	case err == nil:
		return exitGood
	case errors.Is(err, errWho), errors.Is(err, errClear):
		return t.usage("%v", err)
	case fault.Is(err, fault.Invalid):
		t.fail(err)
		return exitUsage
	}
	return t.fail(err)
}

// ask makes a call and reads its answer as JSON.
func (c *connection) ask(ctx context.Context, method, path string, body, into any) error {
	text, err := c.fetch(ctx, method, path, body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	return nil
}

// fetch makes a call, with further headers; a refusal is an error of the server's words, Invalid where other words would be taken.
func (c *connection) fetch(ctx context.Context, method, path string, body any, headers ...[2]string) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("asking the server: %w", err)
	}
	for _, h := range headers {
		r.Header.Add(h[0], h[1])
	}
	r.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := cmp.Or(c.client, http.DefaultClient).Do(r)
	if err != nil {
		return nil, fmt.Errorf("asking the server at %s://%s: %w", r.URL.Scheme, r.URL.Host, err)
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1)); err != nil {
		return nil, fmt.Errorf("reading the server's answer: %w", err)
	}
	if len(text) > maxAnswer {
		return nil, fmt.Errorf("reading the server's answer: it has more than %d MiB; ask for less, such as one customer's part with --tenant", maxAnswer>>20)
	}
	if answer.StatusCode/100 == 2 {
		return text, nil
	}
	var p struct{ Code, Detail, Next string }
	if json.Unmarshal(text, &p) != nil || p.Code == "" {
		return nil, fmt.Errorf("the server at %s answered %s", c.url, answer.Status)
	}
	kind := map[int]fault.Kind{http.StatusBadRequest: fault.Invalid, http.StatusUnprocessableEntity: fault.Invalid, http.StatusNotFound: fault.NotFound, http.StatusConflict: fault.Conflict}[answer.StatusCode]
	return nil, fault.Refuse(cmp.Or(kind, fault.Denied), p.Code, p.Detail, p.Next)
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

// openFolder opens a data folder that no server holds, for the length of one command; url is where it is served, "" for nowhere. A
// folder with a clock of its own goes on by it: by the machine's, what is made would end at another time.
func openFolder(ctx context.Context, t terminal, data, policy, url string) (*local.World, error) {
	_, absent := os.Stat(filepath.Join(data, local.ClockFile))
	return local.Open(ctx, local.Options{Dir: data, Policy: policy, Manual: absent == nil, Now: clock.System{}.Now(), URL: url, Functions: functions, Code: runningCode(), Log: log.New(t.err, "", slog.LevelWarn), Env: os.LookupEnv})
}

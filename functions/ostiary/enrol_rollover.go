package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

func assignToken(ctx context.Context, t terminal, c *breachCommand, args []string) int {
	named, code := words(t, args, 2)
	if code >= 0 {
		return code
	}
	return c.run(ctx, t, func() error {
		var made struct {
			ID string `json:"id"`
		}
		err := c.ask(ctx, http.MethodPost, "/enrolotp/v1/assignments", map[string]string{"serial": named[0], "email": named[1]}, &made)
		switch {
		case err != nil:
			return err
		case c.asJSON:
			return printJSON(t.out, made)
		}
		fmt.Fprintln(t.out, "The token is assigned, and the person is told. It works once she has typed two codes of it on her page.")
		return nil
	})
}

// rollover is how far one is, as the server says.
type rollover struct {
	ID      string    `json:"id,omitempty"`
	State   string    `json:"state"`
	Changed int       `json:"changed"`
	By      time.Time `json:"by,omitzero"`
}

func forceRollover(ctx context.Context, t terminal, c *breachCommand, args []string) int {
	everyone := t.flags.Bool("everyone", false, "everybody's authenticators")
	leaked := t.flags.Bool("leaked", false, "somebody may know their secrets: they vouch for nothing any more, and today's addresses end with them")
	reason := t.flags.String("reason", "", "why, for the security desk")
	body := map[string]any{}
	t.flags.Func("until", "when they stop registering addresses, RFC 3339 with an offset; at once by default", func(text string) error {
		at, err := time.Parse(time.RFC3339, text)
		if body["by"] = at; err != nil {
			return errors.New("want a time with its offset, such as 2026-03-31T18:00:00+02:00")
		}
		return nil
	})
	named, code := words(t, args, -1)
	switch {
	case code >= 0:
		return code
	case strings.TrimSpace(*reason) == "":
		return t.usage("--reason: say why in a sentence")
	case *everyone && len(named) == 0:
		body["everyone"] = true
	case !*everyone && len(named) == 1:
		body["email"] = named[0]
	default:
		return t.usage("name one person, or --everyone")
	}
	body["leaked"], body["reason"] = *leaked, *reason
	return c.run(ctx, t, func() error { return c.roll(ctx, t, body) })
}

// roll forces a rollover and goes on until everybody has the date.
func (c *breachCommand) roll(ctx context.Context, t terminal, body map[string]any) error {
	var done rollover
	if err := c.ask(ctx, http.MethodPost, "/enrolotp/v1/rollovers", body, &done); err != nil {
		return err
	}
	people := done.Changed
	for done.State != "done" {
		if err := c.ask(ctx, http.MethodPost, "/enrolotp/v1/rollovers/"+done.ID+"/step", map[string]any{}, &done); err != nil {
			return fmt.Errorf("after %d people: %w (the desk shows it as under way: go on there, or repeat the command)", people, err)
		}
		people += done.Changed
	}
	if c.asJSON {
		done.Changed = people
		return printJSON(t.out, done)
	}
	fmt.Fprintf(t.out, "%d people have the date now, and are told.\n", people)
	return nil
}

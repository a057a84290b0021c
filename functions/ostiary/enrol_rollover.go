package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
)

func assignToken(ctx context.Context, t terminal, c *connection, args []string) int {
	named, code := t.words(args, 2)
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
	ID      string    `json:"id"`
	State   string    `json:"state"`
	Changed int       `json:"changed"`
	By      time.Time `json:"by,omitzero"`
	Started time.Time `json:"started,omitzero"`
}

func forceRollover(ctx context.Context, t terminal, c *connection, args []string) int {
	everyone := t.flags.Bool("everyone", false, "everybody's authenticators")
	leaked := t.flags.Bool("leaked", false, "somebody may know their secrets: they vouch for nothing any more, and today's addresses end with them")
	reason := t.flags.String("reason", "", "why, for the security desk")
	id := t.flags.String("id", "", "that of a rollover that was broken off, as it was printed: it goes on, and takes nothing people got since; left out, a new one begins")
	body := map[string]any{}
	t.flags.Func("until", "when they stop registering addresses: a time to come, RFC 3339 with an offset; left out, at once", func(text string) error {
		at, err := time.Parse(time.RFC3339, text)
		if body["by"] = at; err != nil {
			return errors.New("want a time with its offset, such as 2026-03-31T18:00:00+02:00")
		}
		return nil
	})
	named, code := t.words(args, -1)
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
	again := *id != ""
	if !again {
		var err error
		if *id, err = otp.NewRolloverID(rand.Reader); err != nil {
			return t.fail(err)
		}
	}
	body["id"], body["leaked"], body["reason"] = *id, *leaked, *reason
	return c.run(ctx, t, func() error {
		if !again { // before anything is asked: whoever is cut off has it
			fmt.Fprintf(t.err, "This rollover is %s: should it be broken off, repeat the command as it was with --id %[1]s to go on.\n", *id)
		}
		err := c.roll(ctx, t, body, again)
		if err != nil && slices.Contains([]string{"", "unavailable", "internal"}, fault.CodeOf(err)) { // it may have begun
			err = fmt.Errorf("%w (repeat the command as it was with --id %s to go on: what people got since stays theirs)", err, *id)
		}
		return err
	})
}

// roll forces a rollover and goes on until everybody has the date.
func (c *connection) roll(ctx context.Context, t terminal, body map[string]any, again bool) error {
	var done rollover
	if err := c.ask(ctx, http.MethodPost, "/enrolotp/v1/rollovers", body, &done); err != nil {
		return err
	}
	people := done.Changed
	for done.State != "done" {
		if err := c.ask(ctx, http.MethodPost, "/enrolotp/v1/rollovers/"+done.ID+"/step", map[string]any{}, &done); err != nil {
			return fmt.Errorf("after %d people, the desk shows it as under way: %w", people, err)
		}
		people += done.Changed
	}
	if c.asJSON {
		done.Changed = people
		return printJSON(t.out, done)
	}
	if people == 0 {
		fmt.Fprintln(t.out, "0 people had anything to replace.")
		if again {
			fmt.Fprintln(t.out, "What somebody set up since the rollover of this --id started stays hers; to have that replaced too, leave --id out.")
		}
		return nil
	}
	fmt.Fprintf(t.out, "%d people have the date now, and are told.\n", people)
	return nil
}

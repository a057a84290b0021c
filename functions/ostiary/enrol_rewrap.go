package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// rewrapped is what a step of wrapping again came to, as the server says; in the end, what all came to.
type rewrapped struct {
	Moved  int    `json:"moved"`
	Closed int    `json:"closed"`
	Next   string `json:"next,omitempty"`
}

// errClosed: some secrets are as they were.
var errClosed = errors.New("some secrets do not open: altered, or wrapped by a version of the key that is disabled or destroyed; enable it and repeat the command, or have those people enrol anew")

func rewrap(ctx context.Context, t terminal, c *connection, args []string) int {
	if _, code := t.words(args, 0); code >= 0 {
		return code
	}
	return c.run(ctx, t, func() error {
		var all rewrapped
		for {
			var step rewrapped
			if err := c.ask(ctx, http.MethodPost, "/enrolotp/v1/rewraps", map[string]string{"after": all.Next}, &step); err != nil {
				return fmt.Errorf("after %d secrets: %w; repeat the command to go on, nothing moves twice", all.Moved, err)
			}
			all = rewrapped{all.Moved + step.Moved, all.Closed + step.Closed, step.Next}
			if all.Next == "" {
				break
			}
		}
		if c.asJSON {
			if err := printJSON(t.out, all); err != nil {
				return err
			}
		} else {
			fmt.Fprintf(t.out, "%d secrets moved to the present version of the key, %d do not open.\n", all.Moved, all.Closed)
		}
		if all.Closed > 0 {
			return errClosed
		}
		return nil
	})
}

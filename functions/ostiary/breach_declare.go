package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// declaredBreach is what a server answers to a declaration.
type declaredBreach struct {
	ID       string        `json:"id"`
	Number   string        `json:"number"`
	State    string        `json:"state"`
	Exercise bool          `json:"exercise"`
	Clocks   []breachClock `json:"clocks"`
	Unmapped []string      `json:"unmapped,omitempty"`
	Page     string        `json:"page"`
}

type breachClock struct {
	ID      string    `json:"id"`
	Binding string    `json:"binding"`
	Status  string    `json:"status"`
	Target  time.Time `json:"target,omitzero"`
	Outer   time.Time `json:"outer,omitzero"`
}

// breachKinds are what may be declared.
var breachKinds = []string{"breach", "suspicion"}

func (c *connection) declare(ctx context.Context, t terminal, args []string) int {
	body := map[string]any{}
	kind := t.flags.String("kind", "", "breach where somebody is reasonably certain that personal data was compromised, otherwise suspicion")
	summary := t.flags.String("summary", "", "what happened, in a few words")
	id := t.flags.String("id", "", "your own id of it, at most 128 bytes: declared again under it, it is the same case; one is made up by default")
	exercise := t.flags.Bool("exercise", false, "an exercise; never changed afterwards")
	list := func(flag, member, says string) {
		t.flags.Func(flag, says, func(text string) error {
			all, _ := body[member].([]string)
			body[member] = append(all, text)
			return nil
		})
	}
	list("tenant", "tenants", "whose data: an id of tenants.yaml, or own; may be given again")
	list("affected", "affected", "a domain or address that is affected; may be given again")
	for _, at := range [][3]string{{"from", "occurred_from", "when it began"}, {"to", "occurred_to", "when it ended"}, {"detected", "detected_at", "when it was found; now by default"}} {
		t.flags.Func(at[0], at[2]+", RFC 3339 with an offset", func(text string) error {
			got, err := time.Parse(time.RFC3339, text)
			if body[at[1]] = got; err != nil {
				return errors.New("want a time with its offset, such as 2026-03-03T09:20:00+01:00")
			}
			return nil
		})
	}
	detailFlags(t, body)
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	switch {
	case !slices.Contains(breachKinds, *kind):
		return t.usage("--kind: %q is not known; allowed: %s", *kind, strings.Join(breachKinds, ", "))
	case strings.TrimSpace(*summary) == "":
		return t.usage("--summary: say in a few words what happened")
	}
	again := *id != ""
	if !again {
		*id = "cli-" + strings.ToLower(rand.Text())
	}
	body["client_id"], body["kind"], body["summary"], body["exercise"] = *id, *kind, *summary, *exercise
	return c.run(ctx, t, func() error {
		var got declaredBreach
		err := c.ask(ctx, http.MethodPost, "/declarebreach/v1/breaches", body, &got)
		switch {
		case err != nil && !again:
			return fmt.Errorf("%w (nothing is known of it where the server did not answer: the same again with --id %s is the same case)", err, *id)
		case err != nil:
			return err
		case c.asJSON:
			return printJSON(t.out, got)
		}
		return got.tell(t)
	})
}

// tell prints what was declared, and by when whom is to be told.
func (d declaredBreach) tell(t terminal) error {
	what := d.State
	if d.Exercise {
		what += ", an exercise"
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s is declared: %s. Who is on call is being called.\n", d.Number, what)
	for _, one := range d.Clocks {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", one.ID, one.Binding, one.Status, ends(one.Target))
	}
	for _, name := range d.Unmapped {
		fmt.Fprintf(w, "  %s belongs to no known customer: somebody has to find out whose it is.\n", name)
	}
	if len(d.Clocks) == 0 {
		fmt.Fprintln(w, "  No clock runs yet: say whose data is concerned, or what the suspicion turned out to be.")
	}
	fmt.Fprintln(w, d.Page)
	return w.Flush()
}

func ends(t time.Time) string {
	if t.IsZero() {
		return "without undue delay"
	}
	return "by " + t.Format(time.RFC3339)
}

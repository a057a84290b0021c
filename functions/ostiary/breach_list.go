package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// listedBreach is one case in a server's list.
type listedBreach struct {
	ID       string       `json:"id"`
	Number   string       `json:"number"`
	State    string       `json:"state"`
	Ending   string       `json:"ending,omitempty"`
	Exercise bool         `json:"exercise"`
	Declared time.Time    `json:"declared"`
	Aware    time.Time    `json:"aware_at,omitzero"`
	Tenants  int          `json:"tenants"`
	Level    string       `json:"level,omitempty"`
	Overdue  string       `json:"overdue,omitempty"`
	Nearest  *breachClock `json:"nearest,omitempty"`
	Waits    []string     `json:"waits,omitempty"`
}

var breachStates = []string{"suspected", "open", "closed"}

func (c *connection) list(ctx context.Context, t terminal, args []string) int {
	state := t.flags.String("state", "", "only those of one state: "+strings.Join(breachStates, ", "))
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	if *state != "" && !slices.Contains(breachStates, *state) {
		return t.usage("--state: %q is not known; allowed: %s", *state, strings.Join(breachStates, ", "))
	}
	return c.run(ctx, t, func() error {
		all, err := c.pages(ctx, t, *state)
		switch {
		case err != nil:
			return err
		case c.asJSON:
			return printJSON(t.out, map[string]any{"breaches": all})
		}
		return tellBreaches(t, all)
	})
}

// pages reads the list to its end.
func (c *connection) pages(ctx context.Context, t terminal, state string) ([]listedBreach, error) {
	bar := progressOn(t.err, 0)
	bar.begin("reading the list", "cases", 0)
	defer bar.end()
	all := []listedBreach{}
	for after := ""; ; {
		query := url.Values{}
		for name, value := range map[string]string{"state": state, "after": after} {
			if value != "" {
				query.Set(name, value)
			}
		}
		var got struct {
			Breaches []listedBreach `json:"breaches"`
			Next     string         `json:"next"`
		}
		if err := c.ask(ctx, http.MethodGet, "/declarebreach/v1/breaches?"+query.Encode(), nil, &got); err != nil {
			return nil, err
		}
		all = append(all, got.Breaches...)
		bar.read(int64(len(got.Breaches)))
		if after = got.Next; after == "" {
			return all, nil
		}
	}
}

func tellBreaches(t terminal, all []listedBreach) error {
	if len(all) == 0 {
		fmt.Fprintln(t.out, "No cases.")
		return nil
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tSTATE\tDECLARED\tCUSTOMERS\tLEVEL\tNEXT END\tWAITS FOR")
	for _, b := range all {
		state, end := b.State, "-"
		if b.Ending != "" {
			state += ", " + spelled(b.Ending)
		}
		if b.Exercise {
			state += ", exercise"
		}
		if b.Nearest != nil {
			end = b.Nearest.ID + " " + ends(b.Nearest.Target)
		}
		if b.Overdue != "" {
			end += ", OVERDUE: " + b.Overdue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", b.Number, state, b.Declared.Format(time.RFC3339), b.Tenants, dash(spelled(b.Level)), end, dash(strings.Join(b.Waits, ", ")))
	}
	return w.Flush()
}

var (
	dossierFormats   = []string{"json", "md", "html"}
	dossierLanguages = []string{"en", "fr", "de"}
)

func (c *connection) dossier(ctx context.Context, t terminal, args []string) int {
	format := t.flags.String("format", "md", "one of "+strings.Join(dossierFormats, ", "))
	language := t.flags.String("language", "en", "one of "+strings.Join(dossierLanguages, ", "))
	tenant := t.flags.String("tenant", "", "only what one customer may see: an id of tenants.yaml")
	out := t.flags.String("out", "", "file to write, which is not there yet; standard output by default")
	number, code := t.parseOne(args)
	switch {
	case code >= 0:
		return code
	case !slices.Contains(dossierFormats, *format):
		return t.usage("--format: %q is not known; allowed: %s", *format, strings.Join(dossierFormats, ", "))
	case !slices.Contains(dossierLanguages, *language):
		return t.usage("--language: %q is not known; allowed: %s", *language, strings.Join(dossierLanguages, ", "))
	}
	if c.asJSON {
		*format = "json"
	}
	return c.run(ctx, t, func() error {
		query := url.Values{"lang": {*language}}
		if *tenant != "" {
			query.Set("tenant", *tenant)
		}
		text, err := c.fetch(ctx, http.MethodGet, "/declarebreach/v1/breaches/"+url.PathEscape(number)+"/dossier."+*format+"?"+query.Encode(), nil)
		if err != nil {
			return err
		}
		if *out == "" {
			_, err = t.out.Write(text)
			return err
		}
		return writeNew(*out, text)
	})
}

// writeNew writes a file only its owner reads, and overwrites none.
func writeNew(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing the dossier: %w", err)
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

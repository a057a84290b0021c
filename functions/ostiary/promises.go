package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/policy/dir"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/shared/trust/promise"
)

// promiseRow is one promise as `promises table` prints it. Texts are in the company's own language, where it has one.
type promiseRow struct {
	ID           string `json:"id"`
	Text         string `json:"text"`
	Mechanism    string `json:"mechanism"` // all of them, such as "rule:data-egress probe:tls-version"
	Check        string `json:"check"`
	State        string `json:"state"`
	Reason       string `json:"reason"`
	LastEvidence string `json:"last_evidence"` // RFC 3339, "" for none
}

// promises lists every promise with what keeps it and its state, or what is wrong with the texts themselves. The states
// never decide about the exit code: a broken promise is an answer, not a failure of the command.
func promises(ctx context.Context, t terminal, args []string) int {
	what := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		what, args = args[0], args[1:]
	}
	data := t.flags.String("data", "data", "data folder; without one, the policy alone")
	folder := t.flags.String("policy", "policy", "policy folder")
	server := t.flags.String("server", "", "URL of a running server; the one that holds the data folder by default")
	asJSON := t.flags.Bool("json", false, "print the rows as JSON")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	var print func(io.Writer) error
	var answer any
	switch what {
	case "table":
		rows, err := promiseRows(ctx, t, *data, *folder, *server)
		if err != nil {
			return t.fail(err)
		}
		answer, print = rows, func(w io.Writer) error { return printRows(w, rows) }
	case "lint":
		p, err := readPolicy(*folder)
		if err != nil {
			return t.fail(err)
		}
		found := append([]promise.Finding{}, promise.Lint(p)...)
		answer, print = found, func(w io.Writer) error { return printFindings(w, *folder, found) }
	default:
		t.flags.Usage()
		return exitUsage
	}
	if *asJSON {
		print = func(w io.Writer) error {
			return printJSON(w, answer)
		}
	}
	if err := print(t.out); err != nil {
		return t.fail(err)
	}
	return exitGood
}

// promiseRows asks a running server, or the data folder; where neither is, the policy alone tells what keeps what.
func promiseRows(ctx context.Context, t terminal, data, folder, server string) ([]promiseRow, error) {
	url := server
	if url == "" {
		url = serverOf(data)
	}
	var page promise.Snapshot
	var shown bool
	var err error
	if url != "" {
		page, shown, err = pageOf(ctx, url, http.DefaultClient.Do)
	} else if _, absent := os.Stat(filepath.Join(data, "ostiary.db")); absent == nil {
		page, shown, err = pageIn(ctx, t, data, folder)
	}
	if err != nil {
		return nil, err
	}
	if !shown {
		return rowsOfPolicy(folder)
	}
	var rows []promiseRow
	for _, r := range page.Promises {
		rows = append(rows, rowOf(r.Promise, r.Status, page.Languages))
	}
	return rows, nil
}

// readPolicy reads a policy folder; a dangling reference does not stop a command that only looks.
func readPolicy(folder string) (*policy.Policy, error) {
	p, problems, err := policy.Check(context.Background(), dir.URL(folder))
	if err != nil {
		return nil, err
	}
	return p, policy.Refuse(problems)
}

func rowsOfPolicy(folder string) ([]promiseRow, error) {
	p, err := readPolicy(folder)
	if err != nil {
		return nil, err
	}
	rules, problems := duty.ReadRules(p)
	if err := policy.Refuse(problems); err != nil {
		return nil, err
	}
	l := promise.NewLedger(promise.NewRegister(p, rules.Register()))
	var rows []promiseRow
	for _, one := range l.Register().Promises {
		rows = append(rows, rowOf(one, promise.State(l, one.ID, clock.System{}.Now()), p.Company.Languages))
	}
	return rows, nil
}

func rowOf(p promise.Promise, s promise.Status, languages []string) promiseRow {
	row := promiseRow{ID: p.ID, Check: p.Check, State: string(s.State), Reason: string(s.Reason)}
	for _, language := range append(append([]string{}, languages...), "en", "fr", "de") {
		if row.Text == "" {
			row.Text = p.Text.In(language)
		}
	}
	var keepers []string
	for _, k := range p.KeptBy {
		for _, ref := range k.Refs {
			keepers = append(keepers, string(k.Mechanism)+":"+ref)
		}
	}
	row.Mechanism = strings.Join(keepers, " ")
	if !s.Last.Observed.IsZero() {
		row.LastEvidence = s.Last.Observed.Format(time.RFC3339)
	}
	return row
}

// pagePath is where the trust page publishes the states.
const pagePath = "/trustpage/v1/promises.json"

// pageLimit is the largest page that is read, in bytes.
const pageLimit = 32 << 20

// pageOf reads the newest page of a server. Not shown: it has none yet.
func pageOf(ctx context.Context, url string, do func(*http.Request) (*http.Response, error)) (page promise.Snapshot, shown bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, serverTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+pagePath, http.NoBody)
	if err != nil {
		return page, false, fmt.Errorf("asking the server: %w", err)
	}
	answer, err := do(r)
	if err != nil {
		return page, false, fmt.Errorf("asking the server at %s: %w", url, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, pageLimit))
	if err != nil {
		return page, false, fmt.Errorf("reading the server's answer: %w", err)
	}
	switch {
	case answer.StatusCode == http.StatusOK:
	case strings.Contains(string(text), `"page_missing"`):
		return page, false, nil
	default:
		return page, false, fault.New(fault.Transient, "the server at %s answers %s instead of the states", url, answer.Status)
	}
	if err := json.Unmarshal(text, &page); err != nil {
		return page, false, fmt.Errorf("reading the states: %w", err)
	}
	return page, true, nil
}

// pageIn opens a data folder that no server holds, for the length of one command.
func pageIn(ctx context.Context, t terminal, data, folder string) (page promise.Snapshot, shown bool, err error) {
	err = inFolder(ctx, t, data, folder, func(from published) (err error) {
		page, shown, err = pageOf(ctx, from.url, from.do)
		return err
	})
	return page, shown, err
}

// shownText is how many letters of a sentence a line of the table has room for.
const shownText = 72

func printRows(out io.Writer, rows []promiseRow) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATE\tREASON\tCHECK\tMECHANISM\tLAST EVIDENCE\tTEXT")
	for _, r := range rows {
		text := []rune(r.Text)
		if len(text) > shownText {
			text = append(text[:shownText-1], '…')
		}
		fmt.Fprintln(w, strings.Join([]string{r.ID, r.State, dash(r.Reason), r.Check, shownMechanism(r.Mechanism), dash(r.LastEvidence), string(text)}, "\t"))
	}
	return w.Flush()
}

// shownMechanism is the first of what keeps a promise, and how many more there are: --json lists them.
func shownMechanism(all string) string {
	first, rest, more := strings.Cut(all, " ")
	if !more {
		return dash(all)
	}
	return fmt.Sprintf("%s +%d", first, strings.Count(rest, " ")+1)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func printFindings(out io.Writer, folder string, found []promise.Finding) error {
	for _, f := range found {
		if _, err := fmt.Fprintf(out, "%s: %s: %s\n    %s\n", strings.Join(f.IDs, " "), f.Kind, f.Text, f.Next); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		fmt.Fprintf(out, "nothing to remark on the promises of %s\n", folder)
	}
	return nil
}

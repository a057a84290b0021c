package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// eraseArgs is what follows "ostiary erase".
const eraseArgs = `plan [--policy DIR] [--json]
       ostiary erase verify-receipt FILE --trust FILE [--json]`

// erase tells what a request for erasure reaches, and checks the receipt of one.
func erase(_ context.Context, t terminal, args []string) int {
	what := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		what, args = args[0], args[1:]
	}
	switch what {
	case "plan":
		return erasePlan(t, args)
	case "verify-receipt":
		return eraseVerify(t, args)
	}
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	t.flags.Usage()
	return exitUsage
}

func erasePlan(t terminal, args []string) int {
	folder := t.flags.String("policy", "policy", "policy folder")
	asJSON := t.flags.Bool("json", false, "print the rows as JSON")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	m, err := readMap(*folder)
	if err != nil {
		return t.fail(err)
	}
	if *asJSON {
		err = printJSON(t.out, m.Table())
	} else {
		err = printMap(t.out, m)
	}
	if err != nil {
		return t.fail(err)
	}
	return exitGood
}

func printJSON(w io.Writer, answer any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(answer)
}

// readMap reads the data map of a policy folder, and refuses one with problems: half a map would look whole.
func readMap(folder string) (*datamap.Map, error) {
	p, err := readPolicy(folder)
	if err != nil {
		return nil, err
	}
	m, problems := datamap.Read(p)
	if err := policy.Refuse(problems); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, fault.New(fault.NotFound, "%s is not there: the company does not say where it keeps personal data; copy the starter's with ostiary init", filepath.Join(folder, datamap.File))
	}
	return m, nil
}

func printMap(out io.Writer, m *datamap.Map) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "#\tENTRY\tWHOSE\tWHERE\tFOUND BY\tTENANT\tWHAT IS DONE\tBACKUPS")
	for _, r := range m.Table() {
		done := string(r.Action)
		if r.Retention != "" {
			done += " (" + r.Retention + ")"
		}
		where := strings.TrimSuffix(r.Store+"/"+r.Place, "/")
		fmt.Fprintln(w, strings.Join([]string{strconv.Itoa(r.Order), r.Entry, string(r.Role), where, r.Selector, r.Tenant, done, r.Backups}, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(m.Outside) > 0 {
		fmt.Fprintln(out, "\nNo request reaches:")
	}
	for _, o := range m.Outside {
		days := "stays"
		if o.Days > 0 {
			days = fmt.Sprintf("gone after %d days", o.Days)
		}
		fmt.Fprintf(out, "  %s (%s): %s\n", o.Place, days, o.What)
	}
	if len(m.Recipients) > 0 {
		fmt.Fprintln(out, "\nAre told of an erasure:")
	}
	for _, r := range m.Recipients {
		fmt.Fprintf(out, "  %s, by %s\n", r.Name, r.By)
	}
	_, err := fmt.Fprintf(out, "\nMap %s\n", m.Digest())
	return err
}

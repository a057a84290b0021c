package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/fault"
)

const eraseVerifyExits = `
exit codes: 0 good, 1 tampered, 3 no key of the trust file has signed, 4 malformed (also a trust file without a key), 64 usage,
or a file that cannot be read

The trust file is at /trustpage/v1/receipts-trust.json of the company; get it another way than the receipt.`

// eraseVerify checks a receipt offline. Exit codes are those of evidence verify, as far as a receipt has them.
func eraseVerify(t terminal, args []string) int {
	trust := t.flags.String("trust", "", "the trust file of receipts, which came another way than the receipt")
	asJSON := t.flags.Bool("json", false, "print what was found as JSON")
	t.explain(eraseVerifyExits)
	file, code := t.parseOne(args)
	if code >= 0 {
		return code
	}
	if *trust == "" {
		return t.usage("--trust: name the trust file, which came another way than the receipt")
	}
	keys, err := readTrust(*trust)
	if fault.Is(err, fault.Invalid) {
		return t.untrusted(receipt.Report{V: 1, Outcome: verify.Malformed, Exit: verify.Malformed.Exit(), Why: "the trust file cannot be read"}, *asJSON)
	} else if err != nil {
		return t.usage("%v", err)
	}
	signed, err := readReceipt(file)
	if err != nil {
		return t.usage("%v", err)
	}
	found := receipt.Verify(signed, keys)
	if found.Outcome != verify.Good || *asJSON {
		return t.untrusted(found, *asJSON)
	}
	r, err := receipt.Parse(signed)
	if err == nil {
		err = printReceipt(t.out, r, found)
	}
	if err != nil {
		return t.fail(err)
	}
	return exitGood
}

// readReceipt reads no more than a receipt may have.
func readReceipt(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the receipt: %w", err)
	}
	defer f.Close()
	signed, err := io.ReadAll(io.LimitReader(f, receipt.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the receipt: %w", err)
	}
	return signed, nil
}

// untrusted prints a report without what the receipt says: nobody vouches for it.
func (t terminal) untrusted(found receipt.Report, asJSON bool) int {
	if asJSON {
		if err := printJSON(t.out, found); err != nil {
			return t.fail(err)
		}
		return found.Exit
	}
	fmt.Fprintf(t.out, "%s: %s\n", found.Outcome, found.Why)
	fmt.Fprintln(t.err, "Do not rely on this receipt. Ask the company for it again, and get the trust file another way.")
	return found.Exit
}

// printReceipt says what a receipt that can be relied on says.
func printReceipt(w io.Writer, r receipt.Receipt, found receipt.Report) error {
	out := &lines{w: w}
	out.add("good: signed by %s", strings.Join(found.Keys, ", "))
	out.add("")
	out.add("  request    %s, %s, number %d of its customer", r.Request, strings.ReplaceAll(string(r.State), "_", " "), r.Seq)
	out.add("  received   %s; due %s", r.Received.Format("2006-01-02"), r.Deadline.Due)
	out.add("  executed   %s; receipt issued %s", r.Executed.Format("2006-01-02 15:04 UTC"), r.Issued.Format("2006-01-02 15:04 UTC"))
	for _, e := range r.Entries {
		text := fmt.Sprintf("%d found, %d erased, %d anonymised", e.Found, e.Erased, e.Anonymised)
		if e.Gone > 0 {
			text += fmt.Sprintf(", %d gone before", e.Gone)
		}
		if e.Open != "" {
			text += ", open: " + e.Open
		}
		out.add("  %-10s %s", e.Entry, text)
		if e.Rows != nil {
			out.add("  %-10s statistics: %s", "", statistics(e))
		}
	}
	for _, k := range r.Retained {
		out.add("  kept       %d of %s until %s: %s", k.Items, k.Entry, k.Until, strings.TrimSpace(string(k.Ground)+" "+k.Citation))
	}
	for _, s := range r.Settled {
		out.add("  a word     %s: %s (%s)", s.Entry, worded(s), s.At.Format("2006-01-02"))
	}
	if len(r.Unsearched) > 0 {
		out.add("  unsearched %s: named beside an id, not the one on file, and proved by nobody", strings.Join(r.Unsearched, ", "))
	}
	for _, p := range r.Verify {
		var left int64
		for _, l := range p.Left {
			left += l.Items
		}
		out.add("  search %d   %s: %d places looked at, %d left", p.N, p.At.Format("2006-01-02 15:04 UTC"), p.Searched, left)
	}
	for _, b := range r.Backups {
		out.add("  backups    %s: nothing left after %s", b.Class, b.By)
	}
	for _, o := range r.Outside {
		out.add("  elsewhere  %s", o.What)
	}
	out.add("")
	out.add("Digest %s; the evidence log holds it.", found.Digest)
	return out.err
}

// worded is what rests on a person's word, as no search proves it.
func worded(s receipt.Settled) string {
	switch s.Why {
	case receipt.Elsewhere:
		return "lies in another region and was not searched; somebody says that it was erased there, reference " + s.Reference
	case "letters":
		return "somebody says that no address of the person is there, however it is written"
	case "group":
		return "somebody says that nobody can be told apart there"
	case "unasked":
		return "could not be searched; somebody says that nothing of the person is there"
	}
	return "somebody has looked at what only a person can judge"
}

// statistics says whether the rows that were anonymised still count as they did, and of what the receipt says nothing.
func statistics(e receipt.Entry) string {
	r := e.Rows
	text := fmt.Sprintf("%d of %d rows looked at again, %d in their place", r.Before, e.Anonymised, r.After)
	if len(r.By) > 0 {
		text += fmt.Sprintf(", %d in their group by %s", r.Same, strings.Join(r.By, " and "))
	}
	if r.Moved > 0 {
		text += fmt.Sprintf(", %d in another", r.Moved)
	}
	text = map[bool]string{true: "unchanged: ", false: "not shown to be unchanged: "}[e.Kept()] + text
	if len(r.Uncounted) > 0 {
		text += "; not counted: the total of " + strings.Join(r.Uncounted, ", of ")
	}
	return text
}

// lines writes lines, and nothing more after an error.
type lines struct {
	w   io.Writer
	err error
}

func (l *lines) add(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format+"\n", args...)
	}
}

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/shared/trust/recompute"
)

// Exit codes of the evidence commands beside those of verify.Outcome; the first is EX_IOERR of sysexits.h.
const (
	exitUnable  = 74 // the check could not be made: a disk, a network
	exitRefused = 1  // a witness refused a checkpoint
)

// evidenceArgs is what follows "ostiary evidence".
const evidenceArgs = `verify BUNDLE --trust FILE [--since FILE] [--promise ID] [--from T] [--to T] [--strict] [--json] [--lang en|fr|de]
       ostiary evidence bundle OUT [--data DIR] [--server URL] [--tiles URL --head URL] [--trust FILE] [--checkpoint FILE] [--earlier FILE,...] [--proof N,...] [--json]
       ostiary evidence witness BUNDLE|URL --trust FILE --name NAME [--state DIR] [--out FILE] [--json]
       ostiary evidence witness COSIGNED --publish [--data DIR] [--tiles URL --head URL] [--trust FILE] [--json]
       ostiary evidence accept-rewind [--gone SIZE:ROOT --kept SIZE:ROOT --reason WORD] [--data DIR] [--tiles URL --head URL --key URL] [--trust FILE] [--json]
       ostiary evidence trust --key URL [--key URL]`

// evidence checks, packs and cosigns evidence.
func evidence(ctx context.Context, t terminal, args []string) int {
	all := map[string]func(context.Context, terminal, []string) int{"verify": verifyBundle, "bundle": packBundle, "witness": cosign, "accept-rewind": acceptRewind, "trust": trustOf}
	if len(args) == 0 || all[args[0]] == nil {
		if code := t.parse(args, 0); code >= 0 {
			return code
		}
		t.flags.Usage()
		return exitUsage
	}
	return all[args[0]](ctx, t, args[1:])
}

// verifyBundle checks a bundle and tells what is wrong with it, a line each.
func verifyBundle(ctx context.Context, t terminal, args []string) int {
	trust := t.flags.String("trust", "", "the trust file, which came another way than the bundle")
	since := t.flags.String("since", "", "an earlier checkpoint you kept: the log must extend it")
	about := t.flags.String("promise", "", "count the records that name this promise, and tell its state")
	from := t.flags.String("from", "", "count records observed since then, RFC 3339")
	to := t.flags.String("to", "", "count records observed before then, RFC 3339")
	strict := t.flags.Bool("strict", false, "ask for a witness, and for runs without gaps")
	asJSON := t.flags.Bool("json", false, "print the report as JSON")
	language := t.flags.String("lang", "en", "language: en, fr, de")
	name, code := t.parseOne(args)
	if code >= 0 {
		return code
	}
	o := verify.Options{Recompute: recompute.Page, Strict: *strict, Promise: *about}
	var err error
	if o.From, err = instant("from", *from); err == nil {
		o.To, err = instant("to", *to)
	}
	switch {
	case err != nil:
		return t.usage("%v", err)
	case !slices.Contains(verify.Languages(), *language):
		return t.usage("--lang: %q is none of %s", *language, strings.Join(verify.Languages(), ", "))
	case *trust == "":
		return t.usage("--trust: name the trust file, which came another way than the bundle")
	}
	tell := func(r verify.Report, state string) int { return t.report(r, o, state, *asJSON, *language) }
	if o.Trust, err = readTrust(*trust); fault.Is(err, fault.Invalid) {
		return tell(verify.UnreadableTrust(*trust, err), "")
	} else if err != nil {
		return t.unable(err)
	}
	if *since != "" {
		if o.Since, err = os.ReadFile(*since); err != nil {
			return t.usage("--since: %v", err)
		}
	}
	return t.verify(ctx, name, o, tell)
}

// verify opens a bundle, checks it and tells the report.
func (t terminal) verify(ctx context.Context, name string, o verify.Options, tell func(r verify.Report, state string) int) int {
	src, done, err := openBundle(name)
	if fault.Is(err, fault.Invalid) {
		return tell(verify.UnreadableBundle(name, err), "")
	}
	if err != nil {
		return t.unable(err)
	}
	defer done()
	report, err := verify.Verify(ctx, src, o)
	if err != nil {
		return t.unable(err)
	}
	state, unknown := "", false
	if o.Promise != "" && report.Page != nil && report.Page.Computed {
		state = stateIn(ctx, src, o.Promise)
		unknown = state == ""
	}
	code := tell(report, state)
	if unknown {
		wrong := t.usage("--promise: the page has no promise %q; its register.json lists them all", o.Promise)
		code = cmp.Or(code, wrong) // what is wrong with the bundle matters more
	}
	return code
}

// report prints a report and returns its exit code.
func (t terminal) report(r verify.Report, o verify.Options, state string, asJSON bool, language string) int {
	var err error
	if asJSON {
		err = printReport(t.out, r, state, language)
	} else {
		err = tellReport(t.out, r, o, state, language)
	}
	if err != nil {
		return t.unable(err)
	}
	return r.Exit
}

// stateIn reads a promise's state off a page that was found true; "" when the page has no such promise.
func stateIn(ctx context.Context, src verify.Source, id string) string {
	data, err := src.Read(ctx, verify.PageFile, pageLimit)
	var page promise.Snapshot
	if err != nil || json.Unmarshal(data, &page) != nil {
		return ""
	}
	for _, row := range page.Promises {
		if row.ID == id {
			return strings.TrimSuffix(string(row.State)+", "+string(row.Reason), ", ")
		}
	}
	return ""
}

func readTrust(path string) (sign.Trust, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return sign.Trust{}, fmt.Errorf("reading the trust file: %w", err)
	}
	return sign.ReadTrust(data)
}

// unable tells why a check was not made, and exits by what it was: a bundle that cannot be read is malformed, one that
// is not there a matter of usage.
func (t terminal) unable(err error) int {
	t.fail(err)
	switch {
	case errors.Is(err, sign.ErrSignature):
		return verify.Tampered.Exit()
	case errors.Is(err, sign.ErrUntrusted):
		return verify.Untrusted.Exit()
	case errors.Is(err, fs.ErrNotExist):
		return exitUsage
	case fault.Is(err, fault.Invalid):
		return verify.Malformed.Exit()
	case fault.Is(err, fault.NotFound):
		return verify.Incomplete.Exit()
	case fault.Is(err, fault.Conflict):
		return verify.Tampered.Exit()
	case fault.Is(err, fault.Misconfigured), fault.Is(err, fault.Denied):
		return exitUsage
	}
	return exitUnable
}

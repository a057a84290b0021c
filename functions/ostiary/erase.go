package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// eraseArgs is what follows "ostiary erase".
const eraseArgs = `plan [--policy DIR] [--json]
       ostiary erase replay --taken RFC3339 [--restored STORE=URL ...] [--store URL] [--execute] [--policy DIR] [--json]
       ostiary erase verify-receipt FILE --trust FILE [--json]`

// erase tells what a request for erasure reaches, and checks the receipt of one.
func erase(ctx context.Context, t terminal, args []string) int {
	what := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		what, args = args[0], args[1:]
	}
	switch what {
	case "plan":
		return erasePlan(t, args)
	case "replay":
		return eraseReplay(ctx, t, args)
	case "verify-receipt":
		return eraseVerify(t, args)
	}
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	if what != "" {
		fmt.Fprintf(t.err, "ostiary erase: there is no %q; allowed: plan, replay, verify-receipt\n", what)
	}
	t.flags.Usage()
	return exitUsage
}

func erasePlan(t terminal, args []string) int {
	folder := t.flags.String("policy", "policy", "policy folder")
	asJSON := t.flags.Bool("json", false, "print the plan as JSON")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	m, err := readMap(*folder)
	if err != nil {
		return t.fail(err)
	}
	if *asJSON {
		err = printJSON(t.out, planned{m.Digest(), m.Ignored, owners(m), m.Table()})
	} else {
		_, err = t.out.Write([]byte(describe(m)))
	}
	if err != nil {
		return t.fail(err)
	}
	return exitGood
}

// readMap is mapOf of a policy folder.
func readMap(folder string) (*datamap.Map, error) {
	p, err := readPolicy(folder)
	if err != nil {
		return nil, err
	}
	return mapOf(p, folder)
}

// mapOf reads the data map of a policy, and refuses one with problems: half a map would look whole.
func mapOf(p *policy.Policy, folder string) (*datamap.Map, error) {
	m, problems := datamap.Read(p)
	if err := policy.Refuse(problems); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, fault.New(fault.NotFound, "%s is not there: the company does not say where it keeps personal data; copy the starter's with ostiary init", filepath.Join(folder, datamap.File))
	}
	return m, nil
}

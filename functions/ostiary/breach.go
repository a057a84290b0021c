package main

import (
	"context"
	"strings"
)

const (
	// breachArgs is what follows "ostiary breach".
	breachArgs = `declare --kind breach|suspicion --summary TEXT [--tenant ID ...] [--affected DOMAIN ...] [--from RFC3339] [--to RFC3339] [--detected RFC3339] [--exercise] [--id ID]
         [--occurrence exact|estimate|unknown] [--discovered-by staff|detection|processor|person|third_party|press] [--origin internal|external|unknown]
         [--intent malicious|accidental|unknown] [--systems TEXT] [--measures-before TEXT] [--police TEXT] [--other-authorities TEXT] [--earlier NUMBER ...] [--not-applicable NAME=REASON ...]
       ostiary breach list [--state suspected|open|closed]
       ostiary breach dossier NUMBER [--format json|md|html] [--tenant ID] [--language en|fr|de] [--out FILE]
       ostiary breach restored --evidence BUNDLE|URL --trust FILE [--restored RFC3339] [--apply]
       ostiary breach oncall [--at RFC3339] [--days N] [--policy DIR] [--json]
       the others each with [--server URL | --data DIR] [--policy DIR] [--by EMAIL] [--json]`
	breachExits = `
Whatever is not known is left out. Declared again under the same --id, it is the same case; with other words it is refused.
On a server elsewhere, ` + envToken + ` is the identity token of whoever asks; on this machine --by says who, by default the
first of security in the policy.
After the store was put back from a backup, restored reads in the evidence what customers were sent before, and lists what the store
does not know of it; with --apply what arrived is noted at the deliveries the store has.

exit codes: 0 done; 1 refused, or not to be reached, or something is left to settle by hand; 64 usage, with what is allowed`
)

// breaches declares breaches, lists them, fetches their dossiers, and says who is on call.
func breaches(ctx context.Context, t terminal, args []string) int {
	what := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		what, args = args[0], args[1:]
	}
	t.explain(breachExits)
	c := &connection{}
	c.flags(t)
	switch what {
	case "declare":
		return c.declare(ctx, t, args)
	case "list":
		return c.list(ctx, t, args)
	case "dossier":
		return c.dossier(ctx, t, args)
	case "restored":
		return c.restored(ctx, t, args)
	case "oncall":
		return c.onCall(t, args)
	}
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	t.flags.Usage()
	return exitUsage
}

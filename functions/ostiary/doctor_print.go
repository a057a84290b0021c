package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/evidence/record"
)

// printProof says what was seen of each request at each place, and what it comes to.
func (c *connection) printProof(t terminal, found judged) error {
	if c.asJSON {
		return json.NewEncoder(t.out).Encode(found)
	}
	fmt.Fprintf(t.out, "The address requests come from, as %s sees it; it declares %s.\n", c.url, found.Layout)
	for _, p := range found.Places {
		at := ""
		if site, own, err := c.siteOf(p.url); err == nil && !own {
			at = " at " + site.Host
		}
		fmt.Fprintf(t.out, "\n%s%s, over %s:\n", p.Function, at, families[p.Family].name)
		for _, one := range p.cases {
			if p.NotAsked == "" {
				fmt.Fprintln(t.out, p.line(one))
			}
		}
		fmt.Fprintln(t.out, p.comes())
	}
	return nil
}

// line says what was seen of one request.
func (p judgedPlace) line(one clientproof.Case) string {
	names := make([]string, 0, len(one.Headers))
	for _, h := range one.Headers {
		names = append(names, h[0])
	}
	what := "nothing forged"
	switch {
	case len(names) > 4:
		what = fmt.Sprintf("%d headers together", len(names))
	case len(names) > 0:
		what = strings.Join(names, ", ")
	}
	line := fmt.Sprintf("  %-8s %-17s %s", cmp.Or(p.Cases[one.Name], "unsent"), one.Name, what)
	if at, wrong := p.Seen[one.Name]; wrong {
		line += "; seen as " + at
	}
	return line
}

// path is where the requests of the place go.
func (p judgedPlace) path() string {
	site, err := url.Parse(p.url)
	if err != nil {
		return p.url
	}
	return site.Path
}

// comes says what it comes to.
func (p judgedPlace) comes() string {
	stays := "It stays unproven: deployed, no address is taken here."
	if p.Proven {
		stays = "What was proven here before stands."
	}
	const declare = " Until this passes, a deployed service takes no address here.\nDeclare with OSTIARY_CLIENT_ADDRESS what the proxies in front do write, and let them overwrite what callers send."
	switch {
	case p.NotAsked != "":
		return "not asked: " + p.NotAsked + ". " + stays
	case p.Verdict == string(record.Violation) && p.Cases[clientproof.Plain] == string(clientproof.Forged):
		return "not proven: without any forged header, the service took the load balancer, or an address nobody has, for the sender." + declare
	case p.Verdict == string(record.Violation):
		return "not proven: a forged header was believed." + declare
	case p.Error != "":
		return "broken off: " + p.Error + "\nWhat did not arrive proves nothing: see to that, and run this again. " + stays
	case p.Verdict == string(record.Pass) && !p.Proven:
		return "passed, but another proof found a forgery believed since this one began. Until one passes that begins later, a deployed\nservice takes no address here: run this again."
	case p.Verdict == string(record.Pass) && len(p.Blocked) > 0:
		return fmt.Sprintf("proven: nobody can register an address that is not her own. What stands in front refused %d forged requests: whoever forges\nthose is turned away there, and not believed.", len(p.Blocked))
	case p.Verdict == string(record.Pass):
		return "proven: nobody can register an address that is not her own"
	case p.Cases[clientproof.Plain] == string(clientproof.Right):
		return "undetermined: what stands in front refused the forged requests that would show what the service believes: of each header it\nreads, one that names an address must arrive. Exempt the path " + p.path() + " of this host from the rule of the\nfirewall that refused them while this runs, and run it again. " + stays
	}
	return "undetermined: even without a forged header the service does not see the address given with --from.\nCheck --from first, then what OSTIARY_CLIENT_ADDRESS declares against the proxies in front. " + stays
}

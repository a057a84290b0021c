package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"ostiary.internal/shared/access/clientproof"
)

const (
	// doctorArgs is what follows "ostiary doctor".
	doctorArgs  = `--probe URL --from ADDRESS [--balancer ADDRESS] [--policy DIR] [--by EMAIL] [--json]`
	doctorExits = `
Sends requests with every header by which proxies pass on whose address a request is from, forged, and has the service say which
address it saw. The result is kept there: a deployed service that was not proven registers nobody. Run it from a machine whose
public address you know, after the first deployment and whenever something in front of the service changes.

` + envToken + ` is the identity token of somebody of security, or of the owner; on this machine --by says who.

exit codes: 0 proven; 1 not proven, refused, or not to be reached; 64 usage`
)

// judged is what a proof came to.
type judged struct {
	Passed bool              `json:"passed"`
	Layout string            `json:"layout"`
	Cases  map[string]string `json:"cases"`
	Seen   map[string]string `json:"seen,omitempty"` // from which address, where it was not the right one
}

// doctor examines a deployed installation.
func doctor(ctx context.Context, t terminal, args []string) int {
	t.explain(doctorExits)
	c := &breachCommand{}
	t.flags.StringVar(&c.server, "probe", "", "URL of the service")
	t.flags.StringVar(&c.policy, "policy", "policy", "policy folder, for --by")
	t.flags.StringVar(&c.by, "by", "", "who asks; the first of security in the policy by default")
	t.flags.BoolVar(&c.asJSON, "json", false, "print the answer as JSON")
	from := t.flags.String("from", "", "the public address of this machine")
	balancer := t.flags.String("balancer", "", "an address of the load balancer; what the URL's name leads to by default")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	site, err := url.Parse(c.server)
	if err != nil || site.Host == "" || site.Scheme != "https" && site.Scheme != "http" || strings.Trim(site.Path, "/") != "" {
		return t.usage("--probe: give the address of the service, such as https://ostiary.example")
	}
	if _, err := netip.ParseAddr(*from); err != nil {
		return t.usage("--from: give the public address of this machine, as somebody outside sees it")
	}
	if *balancer == "" {
		*balancer = leadsTo(ctx, site.Hostname())
	} else if _, err := netip.ParseAddr(*balancer); err != nil {
		return t.usage("--balancer: give an address, or leave it out")
	}
	code := exitWrong
	ended := c.run(ctx, t, func() error {
		found, err := c.prove(ctx, t, *from, *balancer)
		if err == nil && found.Passed {
			code = exitGood
		}
		return err
	})
	if ended != exitGood {
		return ended
	}
	return code
}

// leadsTo is a public address that a name leads to, or "": then a made-up one stands for it.
func leadsTo(ctx context.Context, host string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return ""
	}
	for _, a := range found {
		if a = a.Unmap(); a.IsGlobalUnicast() && !a.IsPrivate() {
			return a.String()
		}
	}
	return ""
}

// prove runs a proof from its beginning to its end.
func (c *breachCommand) prove(ctx context.Context, t terminal, from, balancer string) (judged, error) {
	var begun struct {
		ID    string
		Cases []clientproof.Case
	}
	body := map[string]string{"from": from}
	if balancer != "" {
		body["balancer"] = balancer
	}
	if err := c.ask(ctx, http.MethodPost, "/registerip/v1/proofs", body, &begun); err != nil {
		return judged{}, err
	}
	place := "/registerip/v1/proofs/" + url.PathEscape(begun.ID)
	seen := map[string]string{}
	for _, one := range begun.Cases {
		text, err := c.fetch(ctx, http.MethodPost, place+"/cases", map[string]string{"case": one.Name}, one.Headers...)
		if err != nil {
			return judged{}, fmt.Errorf("sending the request %q: %w", one.Name, err)
		}
		var answer struct{ Outcome, Address string }
		if err := json.Unmarshal(text, &answer); err != nil {
			return judged{}, fmt.Errorf("reading the server's answer: %w", err)
		}
		if answer.Outcome == string(clientproof.Wrong) {
			seen[one.Name] = answer.Address
		}
	}
	var found judged
	if err := c.ask(ctx, http.MethodPost, place+"/end", nil, &found); err != nil {
		return found, err
	}
	found.Seen = seen
	return found, c.printProof(t, begun.Cases, found)
}

// printProof says what was seen of each request, and what it comes to.
func (c *breachCommand) printProof(t terminal, cases []clientproof.Case, found judged) error {
	if c.asJSON {
		return json.NewEncoder(t.out).Encode(found)
	}
	fmt.Fprintf(t.out, "The address requests come from, as %s sees it; it declares %s:\n\n", c.url, found.Layout)
	for _, one := range cases {
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
		line := fmt.Sprintf("  %-8s %-17s %s", found.Cases[one.Name], one.Name, what)
		if at, wrong := found.Seen[one.Name]; wrong {
			line += "; seen as " + at
		}
		fmt.Fprintln(t.out, line)
	}
	switch {
	case found.Passed:
		fmt.Fprintln(t.out, "\nproven: nobody can register an address that is not her own")
	case found.Cases[clientproof.Plain] != string(clientproof.Right):
		fmt.Fprintln(t.out, "\nnot proven: even without a forged header the service does not see the address given with --from.\nCheck that address first, then what OSTIARY_CLIENT_ADDRESS declares against the proxies in front.")
	default:
		fmt.Fprintln(t.out, "\nnot proven: a forged header was believed. Until this passes, a deployed service registers nobody.\nDeclare with OSTIARY_CLIENT_ADDRESS what the proxies in front do write, and let them overwrite what callers send.")
	}
	return nil
}

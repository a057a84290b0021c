package main

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/evidence/record"
)

const (
	// doctorArgs is what follows "ostiary doctor".
	doctorArgs = `--project ID [--evidence ID] [--watchdog ID] [--archives FILE] [--policy DIR] [--skip AREA] [--deploys EMAIL] [--json]
       ostiary doctor --probe URL --from ADDRESS [--from ADDRESS] [--balancer ADDRESS] [--policy DIR] [--by EMAIL] [--json]`
	doctorExits = `
With --project it examines what is deployed there, as you are signed in with gcloud auth application-default login: whether the
functions are those of the release, who has which rights, whether the logs arrive, whether messages, schedules, secrets, keys,
databases, evidence, the site, the doors and the alarms are as they have to be, and what is blind. It changes nothing. You need
roles/viewer on the controls' and the watchdog's project, on that of the evidence the role by which the pipeline plans, and
roles/iam.securityReviewer on all of them and on what they lie in (docs/deploying.md, step 10); what you may not read is told as
not known. With --policy it also says which rules are blind; with --archives it takes what ought to run from there.

exit codes: 0 all is well; 1 something is wrong; 2 nothing is wrong and something could not be told; 64 usage

With --probe it sends requests with every header by which proxies pass on whose address a request is from, forged, and has the service say which
address it saw, at each place that takes addresses: the site, and the hosts of OSTIARY_PAIR_HOSTS, each over IPv4 and IPv6. The
result is kept there: a deployed service takes no address where that was not proven. Run it from a machine whose public
addresses you know, after the first deployment and whenever something in front of the service changes. Give --from once for its
IPv4 and once for its IPv6 address; places of a family without one are not asked, and said to be.

` + envToken + ` is the identity token of somebody of security, or of the owner; on this machine --by says who.

exit codes of --probe: 0 proven wherever requests were sent; 1 not proven, undetermined, refused, or not to be reached; 64 usage`
)

// judged is what a proof came to.
type judged struct {
	Layout string        `json:"layout"`
	Places []judgedPlace `json:"places"`
}

// judgedPlace is what it came to at one place.
type judgedPlace struct {
	Function string            `json:"function"`
	Family   string            `json:"family"`
	Verdict  string            `json:"verdict,omitempty"`
	Proven   bool              `json:"proven"`
	Cases    map[string]string `json:"cases,omitempty"`
	Seen     map[string]string `json:"seen,omitempty"`      // from which address, where it was not the right one and the place says so
	NotAsked string            `json:"not_asked,omitempty"` // why nothing was sent there
	Error    string            `json:"error,omitempty"`     // why not all was sent that should have been
	Blocked  []string          `json:"blocked,omitempty"`   // forged requests that what stands in front refused

	url   string
	cases []clientproof.Case
}

// doctor examines a deployed installation.
func doctor(ctx context.Context, t terminal, args []string) int {
	t.explain(doctorExits)
	c, e := &connection{}, &examination{}
	e.flags(t)
	t.flags.StringVar(&c.server, "probe", "", "URL of the service: prove that it sees the real address of whoever registers")
	t.flags.StringVar(&c.policy, "policy", "policy", "policy folder, for --by; with --project, whose rules are looked at")
	t.flags.StringVar(&c.by, "by", "", "who asks; the first of security in the policy by default")
	t.flags.BoolVar(&c.asJSON, "json", false, "print the answer as JSON")
	var from []string
	t.flags.Func("from", "a public `address` of this machine; once for IPv4, once for IPv6", func(text string) error {
		from = append(from, text)
		return nil
	})
	balancer := t.flags.String("balancer", "", "an address of the load balancer; what the URL's name leads to by default")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	if e.Project != "" {
		if c.server != "" || len(from) > 0 || *balancer != "" || c.by != "" {
			return t.usage("--project examines what is deployed, --probe sends requests to it: one or the other")
		}
		e.policy, e.asJSON = c.policy, c.asJSON
		return e.run(ctx, t)
	}
	site, err := url.Parse(c.server)
	if err != nil || site.Host == "" || site.Scheme != "https" && site.Scheme != "http" || strings.Trim(site.Path, "/") != "" {
		return t.usage("--probe: give the address of the service, such as https://ostiary.example; or give --project, to examine what is deployed")
	}
	if !oneOfEach(from) {
		return t.usage("--from: give the public address of this machine, as somebody outside sees it; or one of each family")
	}
	if *balancer == "" {
		*balancer = leadsTo(ctx, site.Hostname())
	} else if _, err := netip.ParseAddr(*balancer); err != nil {
		return t.usage("--balancer: give an address, or leave it out")
	}
	code := exitWrong
	ended := c.run(ctx, t, func() error {
		found, err := c.prove(ctx, from, *balancer)
		if err != nil {
			return err
		}
		if found.proven() {
			code = exitGood
		}
		return c.printProof(t, found)
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

// oneOfEach reports whether all are addresses, one or one of each family.
func oneOfEach(from []string) bool {
	six := map[bool]bool{}
	for _, text := range from {
		addr, err := netip.ParseAddr(text)
		if err != nil || six[addr.Unmap().Is6()] {
			return false
		}
		six[addr.Unmap().Is6()] = true
	}
	return len(from) > 0
}

// proven reports whether every place requests were, or should have been, sent to is.
func (j judged) proven() bool {
	return !slices.ContainsFunc(j.Places, func(p judgedPlace) bool {
		return p.Error != "" || p.Verdict != "" && (p.Verdict != string(record.Pass) || !p.Proven)
	})
}

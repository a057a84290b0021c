package checkup

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/platform/fault"
)

// expiring is how long a certificate has to be good for: Google renews a managed one a month before it ends.
const expiring = 14 * 24 * time.Hour

// site looks at the installation as a stranger sees it, and at the load balancer's parts behind which the functions are.
func site(ctx context.Context, v *visit) {
	v.backends(ctx)
	all := slices.Sorted(maps.Keys(v.values("OSTIARY_URL")))
	if len(all) == 0 {
		v.unsure("site", "OSTIARY_URL", fault.New(fault.Misconfigured, "no deployed function says where the site is"))
		return
	}
	if len(all) > 1 {
		v.wrong("site", "OSTIARY_URL", "functions are told different sites: "+strings.Join(all, " and "), "Apply the environment again: its settings are the same for all.")
	}
	for _, one := range all {
		u, err := url.Parse(strings.TrimSuffix(one, "/"))
		if err != nil || u.Scheme != "https" || u.Host == "" {
			v.wrong("site", one, "it is no https address", "Set OSTIARY_URL in the environment's settings, and apply.")
			continue
		}
		v.visible(ctx, u)
	}
}

// paged are the functions for everybody that show a page at /NAME/; another may answer 404 there.
var paged = []string{"requesterasure", "trustpage"}

// visible asks the site without any credentials.
func (v *visit) visible(ctx context.Context, u *url.URL) {
	root, err := v.stranger(ctx, u.String()+"/")
	if err != nil {
		v.wrong("site", u.Host, "it does not answer over TLS: "+err.Error(), "See whether DNS leads to the load balancer's addresses (terraform output), and whether the certificate is active: a first one takes up to an hour after DNS is right.")
		return
	}
	v.certificate(u.Host, root)
	open, closed := 0, 0
	for _, f := range v.functions {
		if _, is := v.there[f.Name]; !is {
			continue
		}
		answer, err := v.stranger(ctx, u.String()+"/"+f.Name+"/")
		switch {
		case err != nil:
			v.unsure("site", u.Host+" /"+f.Name+"/", err)
		case f.Callers == manifest.Public && (answer.StatusCode >= 500 || answer.StatusCode == http.StatusForbidden):
			v.wrong("site", u.Host+" /"+f.Name+"/", fmt.Sprintf("a stranger is answered %d by a page that is for everybody", answer.StatusCode), "See whether allUsers may invoke it: an organisation policy may have taken that away (domain-restricted sharing, exception by tag).")
		case slices.Contains(paged, f.Name) && answer.StatusCode == http.StatusNotFound:
			v.wrong("site", u.Host+" /"+f.Name+"/", "a stranger is answered 404 by a page that is for everybody", "See whether the load balancer leads there: apply the environment again.")
		case f.Callers == manifest.Public && answer.StatusCode != http.StatusNotFound:
			open++
		case f.Callers != manifest.Public && answer.StatusCode < 300:
			v.wrong("site", u.Host+" /"+f.Name+"/", fmt.Sprintf("a stranger is answered %d by a function for %s", answer.StatusCode, f.Callers), "Shut it at once: see whether IAP is on at its backend, and who may invoke it; then declare a suspicion.")
		default:
			closed++
		}
	}
	v.ok("site", u.Host, fmt.Sprintf("%d functions answer strangers, %d do not", open, closed))
	v.plain(ctx, u)
	v.pairs(ctx)
}

// certificate looks for how long the certificate of an answer is good.
func (v *visit) certificate(host string, answer *http.Response) {
	if answer.TLS == nil || len(answer.TLS.PeerCertificates) == 0 {
		return
	}
	left := answer.TLS.PeerCertificates[0].NotAfter.Sub(v.Clock.Now())
	if left < expiring {
		v.wrong("site", host+" certificate", fmt.Sprintf("it ends in %.0f days and was not renewed", left.Hours()/24), "See why Google does not renew it: the CNAME record by which it was allowed has to stay in DNS (terraform output dns).")
		return
	}
	v.ok("site", host+" certificate", fmt.Sprintf("good for %.0f days", left.Hours()/24))
}

// pairs looks at the two hosts by which a device registers its other address. Each is reached over one family alone, which this machine
// may not have.
func (v *visit) pairs(ctx context.Context) {
	for _, one := range divided(v.value("registerip", "OSTIARY_PAIR_HOSTS")) {
		family, site, _ := strings.Cut(one, "=")
		u, err := url.Parse(site)
		if err != nil || u.Host == "" {
			continue // the function refuses to start
		}
		answer, err := v.stranger(ctx, strings.TrimSuffix(site, "/")+"/pairaddress/")
		switch {
		case err != nil && family == "ipv6":
			v.told("site", u.Host, "it was not reached, which is as it should be where this machine has no IPv6")
		case err != nil:
			v.wrong("site", u.Host, "it does not answer over TLS: "+err.Error(), "Enter its record in DNS (terraform output dns), and wait for its certificate: up to an hour.")
		default:
			v.certificate(u.Host, answer)
		}
	}
}

// plain looks whether who comes without TLS is sent to it.
func (v *visit) plain(ctx context.Context, u *url.URL) {
	answer, err := v.stranger(ctx, "http://"+u.Hostname()+"/")
	switch {
	case err != nil:
		v.told("site", u.Host+" port 80", "nobody answers there, so that an address typed without https leads nowhere")
	case answer.StatusCode/100 != 3 || !strings.HasPrefix(answer.Header.Get("Location"), "https://"):
		v.wrong("site", u.Host+" port 80", fmt.Sprintf("it answers %d without TLS", answer.StatusCode), "Apply the environment again: port 80 leads to 443 and nowhere else.")
	}
}

// stranger asks once, as anybody, and follows nobody.
func (v *visit) stranger(ctx context.Context, address string) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, fault.New(fault.Invalid, "asking the site: %w", err)
	}
	client := http.Client{Transport: v.Site, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		return nil, fault.New(fault.Transient, "asking the site: %w", err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20))
	_ = answer.Body.Close()
	return answer, nil
}

// backends looks at the load balancer's part of each function that staff call: the function takes no token of another.
func (v *visit) backends(ctx context.Context) {
	layout, _, _ := strings.Cut(v.first("OSTIARY_CLIENT_ADDRESS"), ",")
	header, is := strings.CutPrefix(layout, "header:")
	if !is {
		header = ""
	}
	good := 0
	for _, f := range v.functions {
		audience, is := strings.CutPrefix(v.value(f.Name, "OSTIARY_IDENTITY"), "iap:?audience=/projects/")
		if !is || f.Callers != manifest.Staff {
			continue
		}
		id := audience[strings.LastIndexByte(audience, '/')+1:]
		var b struct {
			Name    string                 `json:"name"`
			IAP     struct{ Enabled bool } `json:"iap"`
			Policy  string                 `json:"securityPolicy"`
			Headers []string               `json:"customRequestHeaders"`
		}
		err := v.wire.get(ctx, "https://compute.googleapis.com/compute/v1/projects/"+v.Project+"/global/backendServices/"+url.PathEscape(id), &b)
		switch {
		case fault.Is(err, fault.NotFound):
			v.wrong("site", f.Name+" backend", "the load balancer's part whose token it takes is not there: nobody can sign in", "Apply the environment again: the audience follows from the backend.")
			continue
		case err != nil:
			v.unsure("site", f.Name+" backend", err)
			continue
		}
		bad := 0
		say := func(wrong bool, why, next string) {
			if wrong {
				bad++
				v.wrong("site", f.Name+" backend", why, next)
			}
		}
		say(!b.IAP.Enabled, "IAP is off: nobody is asked to sign in, and the function refuses everybody", "Apply the environment again; then look in the audit log at who switched it off.")
		say(b.Policy == "", "no Cloud Armor policy limits who comes how often", "Apply the environment again.")
		say(header != "" && !slices.ContainsFunc(b.Headers, func(h string) bool {
			name, value, _ := strings.Cut(h, ":")
			return strings.EqualFold(name, header) && strings.TrimSpace(value) == "{client_ip_address}"
		}), "it does not overwrite "+header+", by which the function learns whose address it is: that could be forged", "Apply the environment again; then prove it: ostiary doctor --probe.")
		if bad == 0 {
			good++
		}
	}
	if good > 0 {
		v.ok("site", "backends", fmt.Sprintf("%d functions for staff are behind IAP and Cloud Armor", good))
	}
}

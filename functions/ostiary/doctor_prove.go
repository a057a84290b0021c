package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"

	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/access/lease"
)

// families are the networks by which a place is reached over its family alone.
var families = map[string]struct{ name, dial, lookup string }{
	string(lease.IPv4): {"IPv4", "tcp4", "ip4"},
	string(lease.IPv6): {"IPv6", "tcp6", "ip6"},
}

// prove runs a proof from its beginning to its end.
func (c *breachCommand) prove(ctx context.Context, from []string, balancer string) (judged, error) {
	var begun struct {
		ID     string
		Places []struct {
			Function, Family, URL string
			Cases                 []clientproof.Case
		}
	}
	body := map[string]any{"from": from}
	if balancer != "" {
		body["balancer"] = balancer
	}
	if err := c.ask(ctx, http.MethodPost, "/registerip/v1/proofs", body, &begun); err != nil {
		return judged{}, err
	}
	sent := make([]judgedPlace, len(begun.Places))
	for i, place := range begun.Places {
		one := &sent[i]
		var err error
		if one.NotAsked, err = c.notAsked(ctx, place.Family, place.URL, from); err == nil && one.NotAsked == "" {
			one.Seen, err = c.send(ctx, place.Family, place.URL, place.Cases)
		}
		if err != nil {
			return judged{}, fmt.Errorf("proving %s over %s: %w", place.Function, place.Family, err)
		}
		one.url, one.cases = place.URL, place.Cases
	}
	var found judged
	if err := c.ask(ctx, http.MethodPost, "/registerip/v1/proofs/"+url.PathEscape(begun.ID)+"/end", nil, &found); err != nil {
		return found, err
	}
	if len(found.Places) != len(sent) {
		return found, fmt.Errorf("reading the server's answer: it judged %d places of %d", len(found.Places), len(sent))
	}
	for i, one := range sent {
		place := &found.Places[i]
		place.Seen, place.NotAsked, place.url, place.cases = one.Seen, one.NotAsked, one.url, one.cases
	}
	return found, nil
}

// notAsked says why nothing can be sent to a place; "" where it can.
func (c *breachCommand) notAsked(ctx context.Context, family, place string, from []string) (string, error) {
	f, known := families[family]
	if !known {
		return "", errors.New("this ostiary knows no such family; take that of the server")
	}
	given := false
	for _, text := range from {
		addr, err := netip.ParseAddr(text)
		given = given || err == nil && addr.Unmap().Is6() == (family == string(lease.IPv6))
	}
	if !given {
		return "no --from is an " + f.name + " address", nil
	}
	site, _, err := c.siteOf(place)
	if err != nil {
		return "", err
	}
	_, err = net.DefaultResolver.LookupNetIP(ctx, f.lookup, site.Hostname())
	var none *net.AddrError
	var missing *net.DNSError
	if errors.As(err, &none) || errors.As(err, &missing) && missing.IsNotFound {
		return site.Hostname() + " has no " + f.name + " address", nil
	}
	return "", err
}

// siteOf resolves where the requests of a place go, and whether that is the server the proof was begun on.
func (c *breachCommand) siteOf(place string) (site *url.URL, own bool, err error) {
	ref, err := url.Parse(place)
	if err != nil {
		return nil, false, fmt.Errorf("reading the server's answer: %w", err)
	}
	base, err := url.Parse(c.url)
	if err != nil {
		return nil, false, err
	}
	if site = base.ResolveReference(ref); site.Host == base.Host && site.Scheme == base.Scheme {
		return site, true, nil
	}
	return site, false, private(site.String())
}

// send sends the requests to a place over its family alone, and returns from which address those were seen that were seen
// wrong, where the place says so. Who asks is told to nobody but the server the proof was begun on.
func (c *breachCommand) send(ctx context.Context, family, place string, cases []clientproof.Case) (map[string]string, error) {
	site, own, err := c.siteOf(place)
	if err != nil {
		return nil, err
	}
	to := &breachCommand{url: site.Scheme + "://" + site.Host, client: over(families[family].dial)}
	defer to.client.CloseIdleConnections()
	if own {
		to.token = c.token
	}
	seen := map[string]string{}
	for _, one := range cases {
		text, err := to.fetch(ctx, http.MethodPost, site.EscapedPath(), map[string]string{"case": one.Name, "family": family}, one.Headers...)
		if err != nil {
			return nil, fmt.Errorf("sending the request %q: %w", one.Name, err)
		}
		var answer struct{ Outcome, Address string }
		if err := json.Unmarshal(text, &answer); err != nil {
			return nil, fmt.Errorf("reading the server's answer: %w", err)
		}
		if answer.Outcome == string(clientproof.Wrong) && answer.Address != "" {
			seen[one.Name] = answer.Address
		}
	}
	return seen, nil
}

// over returns a client that connects by one network alone: tcp4 or tcp6.
func over(network string) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = func(ctx context.Context, _, addr string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	return &http.Client{Transport: t}
}

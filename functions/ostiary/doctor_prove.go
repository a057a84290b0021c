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
	"slices"

	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
)

// families are the networks by which a place is reached over its family alone.
var families = map[string]struct{ name, dial, lookup string }{
	string(lease.IPv4): {"IPv4", "tcp4", "ip4"},
	string(lease.IPv6): {"IPv6", "tcp6", "ip6"},
}

// placeToProve is a place as the server names it when a proof begins.
type placeToProve struct {
	Function, Family, URL string
	Cases                 []clientproof.Case
}

// prove runs a proof from its beginning to its end. A place that cannot be asked keeps none of the others from being judged.
func (c *connection) prove(ctx context.Context, from []string, balancer string) (judged, error) {
	var begun struct {
		ID     string
		Places []placeToProve
	}
	body := map[string]any{"from": from}
	if balancer != "" {
		body["balancer"] = balancer
	}
	if err := c.ask(ctx, http.MethodPost, "/registerip/v1/proofs", body, &begun); err != nil {
		return judged{}, err
	}
	sent := make([]judgedPlace, len(begun.Places))
	blocked := []map[string]any{} // null is no list
	var broken []error
	arrived := 0
	for i, place := range begun.Places {
		one, n, err := c.proveAt(ctx, begun.ID, place, from)
		if arrived += n; err != nil {
			one.Error = err.Error()
			broken = append(broken, fmt.Errorf("proving %s over %s: %w", place.Function, place.Family, err))
		}
		if len(one.Blocked) > 0 {
			blocked = append(blocked, map[string]any{"function": place.Function, "family": place.Family, "cases": one.Blocked})
		}
		sent[i] = one
	}
	if arrived == 0 && len(broken) > 0 {
		return judged{}, errors.Join(broken...)
	}
	var found judged
	if err := c.ask(ctx, http.MethodPost, "/registerip/v1/proofs/end", map[string]any{"id": begun.ID, "blocked": blocked}, &found); err != nil {
		return found, errors.Join(append(broken, err)...)
	}
	if len(found.Places) != len(sent) {
		return found, fmt.Errorf("reading the server's answer: it judged %d places of %d", len(found.Places), len(sent))
	}
	for i, one := range sent {
		place := &found.Places[i]
		place.Seen, place.NotAsked, place.Error, place.Blocked, place.url, place.cases = one.Seen, one.NotAsked, one.Error, one.Blocked, one.url, one.cases
	}
	return found, nil
}

// proveAt sends the requests to one place, and returns how many arrived.
func (c *connection) proveAt(ctx context.Context, id string, place placeToProve, from []string) (one judgedPlace, arrived int, err error) {
	one.url, one.cases = place.URL, place.Cases
	if one.NotAsked, err = c.notAsked(ctx, place.Family, place.URL, from); err != nil || one.NotAsked != "" {
		return one, 0, err
	}
	one.Seen = map[string]string{}
	to, path, err := c.reach(place)
	if err != nil {
		return one, 0, err
	}
	defer to.client.CloseIdleConnections()
	for _, each := range place.Cases {
		seen, refused, err := to.request(ctx, path, map[string]string{"id": id, "case": each.Name, "family": place.Family}, each.Headers)
		switch {
		case err != nil && refused && each.Name != clientproof.Plain:
			one.Blocked = append(one.Blocked, each.Name)
			continue
		case err != nil:
			return one, arrived, fmt.Errorf("sending the request %q: %w", each.Name, err)
		case slices.Contains([]clientproof.Outcome{clientproof.Wrong, clientproof.Forged}, clientproof.Outcome(seen.Outcome)) && seen.Address != "":
			one.Seen[each.Name] = seen.Address
		}
		arrived++
	}
	return one, arrived, nil
}

// notAsked says why nothing can be sent to a place; "" where it can.
func (c *connection) notAsked(ctx context.Context, family, place string, from []string) (string, error) {
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
func (c *connection) siteOf(place string) (site *url.URL, own bool, err error) {
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

// reach is how a place is reached over its family alone. Who asks is told to nobody but the server the proof was begun on.
func (c *connection) reach(place placeToProve) (to *connection, path string, err error) {
	site, own, err := c.siteOf(place.URL)
	if err != nil {
		return nil, "", err
	}
	to = &connection{url: site.Scheme + "://" + site.Host, client: over(families[place.Family].dial)}
	if own {
		to.token = c.token
	}
	return to, site.EscapedPath(), nil
}

// seenCase is what the service says of one request.
type seenCase struct{ Outcome, Address string }

// turnedAway are the answers by which a firewall or a proxy refuses a request for what it says (RFC 9110 section 15.5, RFC 6585
// section 5). Others say nothing of it: who asks is unknown, asks too often, or at the wrong place.
var turnedAway = []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotAcceptable, http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge}

// request sends one request of a proof. refused, with an error, says that it was turned away in words that are not the
// service's: whatever stands in front did, and the service never saw it.
func (c *connection) request(ctx context.Context, path string, body any, headers [][2]string) (seen seenCase, refused bool, err error) {
	text, err := c.fetch(ctx, http.MethodPost, path, body, headers...)
	if err != nil {
		last, known := c.client.Transport.(*lastAnswer)
		return seen, known && fault.CodeOf(err) == "" && slices.Contains(turnedAway, last.status), err
	}
	if err := json.Unmarshal(text, &seen); err != nil || seen.Outcome == "" {
		return seen, false, fmt.Errorf("reading the answer of %s: it is not the service's; check what the host leads to", c.url)
	}
	return seen, false, nil
}

// lastAnswer keeps the status of the last answer; 0 where none came. It sends one request at a time.
type lastAnswer struct {
	*http.Transport
	status int
}

// RoundTrip sends a request.
func (l *lastAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	l.status = 0
	answer, err := l.Transport.RoundTrip(r)
	if err == nil {
		l.status = answer.StatusCode
	}
	return answer, err
}

// over returns a client that connects by one network alone: tcp4 or tcp6. It goes through no proxy of this machine: what the
// service sees would be the proxy's address, and its family that of the way to the proxy.
func over(network string) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.DialContext = func(ctx context.Context, _, addr string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	return &http.Client{Transport: &lastAnswer{Transport: t}}
}

// Package admit tells a gateway whether the address a request came from is registered right now. It promises to
// look at no header but the one the gateway declares in services.yaml, never at a body, and to admit nobody when
// anything it needs does not answer. It does not cut connections that are open already.
//
// A gateway sends its key in the header Gateway-Key; one without a key, an ID token in Authorization of a service that
// has the gateway's id and may call admit. (Where Cloud Run's IAM stands in front, it wants a token beside a key too.)
// The answer 403 is "not registered"; 400 and 401 are faults of the gateway's configuration, 503 is ours, and gateways
// shut the door at all of them. The three below declare
//
//	gateways:
//	  - {id: edge, header: X-Real-Ip, key_ref: gateway-edge}
//
// nginx (auth_request takes any 2xx). Nothing of the client's own headers is passed on:
//
//	location = /_ostiary {
//		internal;
//		proxy_pass https://admit.example.com/admit/v1/check;
//		proxy_pass_request_body off;
//		proxy_pass_request_headers off;
//		proxy_set_header Content-Length "";
//		proxy_set_header X-Real-Ip $remote_addr;
//		proxy_set_header Gateway-Key "KEY";
//		proxy_ssl_server_name on;
//		proxy_ssl_verify on;
//		proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
//	}
//	location / {
//		auth_request /_ostiary;
//		proxy_pass http://application.example.com;
//	}
//
// Envoy (ext_authz takes 200 and nothing else, and calls the prefix with the client's own method and path behind
// it: hence the routes below /v1/check/). The connection manager must have normalize_path and merge_slashes on, for
// a path that is not clean is answered by a redirect, which denies:
//
//	http_filters:
//	  - name: envoy.filters.http.header_mutation
//	    typed_config:
//	      "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
//	      mutations:
//	        request_mutations:
//	          - append:
//	              header: {key: x-real-ip, value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}
//	              append_action: OVERWRITE_IF_EXISTS_OR_ADD
//	  - name: envoy.filters.http.ext_authz
//	    typed_config:
//	      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
//	      allowed_headers: {patterns: [{exact: x-real-ip}]}
//	      http_service:
//	        server_uri: {uri: "https://admit.example.com", cluster: ostiary_admit, timeout: 2s}
//	        path_prefix: /admit/v1/check
//	        authorization_request:
//	          headers_to_add: [{key: gateway-key, value: KEY}]
//
// Traefik (forwardAuth takes any 2xx; its entry point sets X-Real-Ip, unless forwardedHeaders trusts the client to).
// A router names the three in this order, so that the key does not reach the application:
//
//	http:
//	  middlewares:
//	    ostiary-key: {headers: {customRequestHeaders: {Gateway-Key: KEY}}}
//	    ostiary:
//	      forwardAuth:
//	        address: https://admit.example.com/admit/v1/check
//	        authRequestHeaders: [Gateway-Key, X-Real-Ip]
//	    ostiary-keyless: {headers: {customRequestHeaders: {Gateway-Key: ""}}}
package admit

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"

	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/secret/secretmanager"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: parts.Schema, Build: build}

func init() { functions.HTTP("admit", Function.Entry()) }

// KeyHeader carries the key of a gateway that sends no token.
const KeyHeader = "Gateway-Key"

// keyLife is how long a gateway's key is remembered before it is read again.
const keyLife = 5 * time.Minute

// leastKey is how many bytes a gateway's key has at least: requests have no cap here, so a shorter one could be tried.
const leastKey = 16

// admit holds what the handler needs.
type admit struct {
	*parts.Parts
	leases *lease.Service

	mu   sync.Mutex
	keys map[string]key // by gateway id
}

type key struct {
	hash [sha256.Size]byte
	read time.Time
}

func build(_ context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	a := &admit{Parts: p, keys: map[string]key{}}
	if a.leases, err = p.Leases(); err != nil {
		return web.Function{}, err
	}
	return d.Served(a.routes()...)
}

// methods are those that Envoy may call us with, for it keeps the client's; GET answers HEAD too. Any other method
// is refused, which denies.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

func (a *admit) routes() []web.Route {
	route := func(method, path, summary string, admitted int) web.Route {
		return web.Route{
			Method: method, Path: path, Summary: summary, Uncapped: true,
			Params:  []web.Param{{Name: KeyHeader, In: "header", Doc: "the gateway's key, unless it sends a service token"}},
			Answers: map[int]any{admitted: nil}, Problems: []string{"gateway_unknown", "address_unreadable", "not_admitted", "unavailable"},
			Handle: a.check(admitted),
		}
	}
	routes := []web.Route{route(http.MethodGet, "/v1/check", "Is the client's address admitted? The gateway tells it in the one header it declares.", http.StatusNoContent)}
	for _, method := range methods {
		routes = append(routes, route(method, "/v1/check/{rest...}", "The same for Envoy, which adds the client's own method and path, and takes 200 alone.", http.StatusOK))
	}
	return routes
}

// check answers whether the request's client is admitted, with the status the gateway takes for a yes.
func (a *admit) check(admitted int) func(w http.ResponseWriter, r *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		gateway, err := a.gateway(r)
		if err != nil {
			return err
		}
		addr, err := clientOf(r, gateway)
		if err != nil {
			return err
		}
		found, err := a.leases.Admit(r.Context(), addr, a.Clock.Now())
		if err != nil {
			return caller.Refused(err)
		}
		if !found.Admitted {
			return fault.Refuse(fault.Denied, "not_admitted", "This address is not registered.", "Register it on the morning page, from the same connection.")
		}
		w.WriteHeader(admitted)
		return nil
	}
}

// gateway finds out which gateway asks, by its token or by its key. All keys are compared, in constant time.
func (a *admit) gateway(r *http.Request) (policy.Gateway, error) {
	given := r.Header.Get(KeyHeader)
	switch {
	case len(r.Header.Values(KeyHeader)) > 1:
		return policy.Gateway{}, unknown() // one of them may be the client's
	case given == "":
		return a.byToken(r)
	}
	sum := sha256.Sum256([]byte(given))
	var found policy.Gateway
	var trouble error
	known := 0
	for _, g := range a.Policy.Gateways {
		want, err := a.key(r.Context(), g)
		if err != nil {
			trouble = err
			continue
		}
		if same := subtle.ConstantTimeCompare(sum[:], want[:]); same == 1 {
			found, known = g, 1
		}
	}
	switch {
	case known == 1:
		return found, nil
	case trouble != nil:
		return policy.Gateway{}, caller.Unavailable(trouble)
	}
	return policy.Gateway{}, unknown()
}

// byToken takes a service token whose service has a gateway's id.
func (a *admit) byToken(r *http.Request) (policy.Gateway, error) {
	service, err := a.Gate.Service(r, a.Manifest.Name)
	if fault.Is(err, fault.Denied) {
		return policy.Gateway{}, unknown()
	}
	if err != nil {
		return policy.Gateway{}, err
	}
	if g, ok := a.Policy.Gateway(service.ID); ok {
		return g, nil
	}
	return policy.Gateway{}, unknown()
}

func unknown() error {
	e := fault.Refuse(fault.Denied, "gateway_unknown", "This gateway is not known.", "Send the key of a gateway in services.yaml in the header "+KeyHeader+", or a service token.")
	e.Status = http.StatusUnauthorized
	return e
}

func (a *admit) key(ctx context.Context, g policy.Gateway) ([sha256.Size]byte, error) {
	now := a.Clock.Now()
	a.mu.Lock()
	kept, ok := a.keys[g.ID]
	a.mu.Unlock()
	if ok && now.Sub(kept.read) < keyLife {
		return kept.hash, nil
	}
	value, err := a.Secrets.Get(ctx, g.KeyRef)
	if err != nil {
		return kept.hash, err
	}
	if len(value) < leastKey {
		return kept.hash, fault.New(fault.Misconfigured, "the key of the gateway %s has %d bytes: put one of at least %d random ones into the secret %s", g.ID, len(value), leastKey, g.KeyRef)
	}
	fresh := key{hash: sha256.Sum256(value), read: now}
	a.mu.Lock()
	a.keys[g.ID] = fresh
	a.mu.Unlock()
	return fresh.hash, nil
}

// clientOf reads the client's address from the one header the gateway declares, and from no other.
func clientOf(r *http.Request, g policy.Gateway) (netip.Addr, error) {
	values := r.Header.Values(g.Header)
	if len(values) == 1 {
		if addr, err := netip.ParseAddr(values[0]); err == nil && addr.Zone() == "" {
			return addr.Unmap(), nil
		}
	}
	return netip.Addr{}, fault.Refuse(fault.Invalid, "address_unreadable", "The header "+g.Header+" does not hold one address.", "Set it to the client's address, and to nothing else, in the gateway.")
}

// Package admit tells a gateway whether the address a request came from is registered right now: nginx by
// auth_request, Envoy by its HTTP authorisation filter, Traefik by forwardAuth.
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
	return d.Served(web.Route{
		Method: "GET", Path: "/v1/check", Summary: "Is the client's address admitted? The gateway tells it in the one header it declares.", Uncapped: true,
		Params:  []web.Param{{Name: KeyHeader, In: "header", Doc: "the gateway's key, unless it sends a service token"}},
		Answers: map[int]any{http.StatusNoContent: nil}, Problems: []string{"gateway_unknown", "address_unreadable", "not_admitted", "unavailable"},
		Handle: a.check,
	})
}

func (a *admit) check(w http.ResponseWriter, r *http.Request) error {
	gateway, err := a.gateway(r)
	if err != nil {
		return err
	}
	addr, err := clientOf(r, gateway)
	if err != nil {
		return err
	}
	admitted, err := a.leases.Admit(r.Context(), addr, a.Clock.Now())
	if err != nil {
		return parts.Refused(err)
	}
	if !admitted.Admitted {
		return fault.Refuse(fault.Denied, "not_admitted", "This address is not registered.", "Register it on the morning page, from the same connection.")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// gateway finds out which gateway asks, by its token or by its key.
func (a *admit) gateway(r *http.Request) (policy.Gateway, error) {
	given := r.Header.Get(KeyHeader)
	if given == "" && r.Header.Get("Authorization") != "" {
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
	case known == 1 && given != "":
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

// Package registerip registers the address a signed-in employee is on until the end of her day, against a one-time
// password. The address is the one observed; nothing a client says about it is ever used.
package registerip

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/pair"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/directory/workspace"
	_ "ostiary.internal/shared/platform/identity/iap"
	_ "ostiary.internal/shared/platform/seal/kms"
	_ "ostiary.internal/shared/platform/secret/secretmanager"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: parts.Schema, Build: build}

func init() { functions.HTTP("registerip", Function.Entry()) }

// registerip holds what the handlers share.
type registerip struct {
	*parts.Staffed
	leases *lease.Service
	pairs  *pair.Service
	hosts  map[lease.Family]string // where the other address of a device is registered; none: nowhere
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.NewStaffed(ctx, d)
	if err != nil {
		return web.Function{}, err
	}
	f := &registerip{Staffed: p}
	if f.leases, err = p.Leases(); err != nil {
		return web.Function{}, err
	}
	if f.pairs, err = p.Pairs(ctx, f.leases); err != nil {
		return web.Function{}, err
	}
	if f.hosts, err = p.PairHosts(); err != nil {
		return web.Function{}, err
	}
	served, err := f.Staffed.Staffed.Served(slices.Concat(f.api(), f.deviceAPI(), f.html(), f.deviceHTML(), f.proofRoutes(), f.registerRoutes())...)
	served.Connect = p.Rules.Beacons()
	for _, family := range []lease.Family{lease.IPv4, lease.IPv6} {
		if site, ok := f.hosts[family]; ok {
			served.Connect = append(served.Connect, site+pairAPI)
			served.Forms = append(served.Forms, site+pairForm)
		}
	}
	return served, err
}

// Registration asks for a lease. The keys ip, address and prefix are ignored, and reported.
type Registration struct {
	Code     string `json:"code" required:"true" doc:"what the authenticator shows"`
	Device   string `json:"device" doc:"the code another device of yours shows: that one is registered, and not this one"`
	Replaces string `json:"replaces" doc:"id of the lease that this device had: it ends once the new one is confirmed"`
}

// Lease is one registered address.
type Lease struct {
	ID      string    `json:"id"`
	Prefix  string    `json:"prefix"`
	Ends    time.Time `json:"ends"`
	State   string    `json:"state" enum:"received,written,confirmed,working,ended,failed"`
	Ignored []string  `json:"ignored,omitempty" doc:"keys of the request that were not looked at"`
	Pair    *Pairing  `json:"pair,omitempty" doc:"how this device registers its address of the other family, without another code"`
}

// Leases is the list.
type Leases struct {
	Leases []Lease `json:"leases"`
}

var signedIn = slices.Concat(staffed.SignedIn, parts.Problems)

func (f *registerip) api() []web.Route {
	refusals := append(slices.Clone(signedIn), "otp_wrong", "otp_replay", "otp_malformed", "otp_waiting", "otp_locked", "no_authenticator",
		"address_refused", "address_unknown", "address_unproven", "relay_refused", "hosting_refused", "person_limit", "idempotency_mismatch", "capacity_full", "device_unknown", "body_invalid", "too_large")
	return []web.Route{
		{Method: "POST", Path: "/v1/leases", Summary: "Register the address this request comes from.", Body: Registration{},
			Params:  []web.Param{{Name: "Idempotency-Key", In: "header", Required: true, Doc: "random, new with each new request: a repeated one gets the first answer again"}},
			Answers: map[int]any{201: Lease{}}, Problems: refusals, Browser: true, Handle: f.Staff(f.create)},
		{Method: "GET", Path: "/v1/leases", Summary: "Your leases of today and yesterday, the newest first.", Answers: map[int]any{200: Leases{}}, Problems: signedIn, Browser: true, Handle: f.Staff(f.list)},
		{Method: "DELETE", Path: "/v1/leases/{id}", Summary: "End a lease: I am done.", Answers: map[int]any{200: Lease{}},
			Problems: append(slices.Clone(signedIn), "lease_unknown"), Browser: true, Handle: f.Staff(f.end)},
	}
}

func (f *registerip) create(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, ignored, err := web.DecodeBody[Registration](w, r, "ip", "address", "prefix")
	if err != nil {
		return err
	}
	made, err := f.register(r, who, body, r.Header.Get("Idempotency-Key"))
	if err != nil {
		return err
	}
	answer := listed(made)
	answer.Ignored = ignored
	if body.Device == "" { // the other device brings its own
		if answer.Pair, err = f.waiting(r.Context(), who, made.Prefix); err != nil {
			f.Log.WarnContext(r.Context(), "reading a pairing: the lease stands without", "error", err)
		}
	}
	return web.WriteJSON(w, http.StatusCreated, answer)
}

// register is the one way to a lease, for the interface and the page alike.
func (f *registerip) register(r *http.Request, who caller.Staff, asked Registration, key string) (lease.Lease, error) {
	addr, err := f.Client.Client(r)
	if err == nil {
		err = f.Proven(r.Context(), addr)
	}
	if err != nil {
		if asked.Device == "" {
			return lease.Lease{}, err
		}
		addr = netip.Addr{} // the device at hand is not registered where it lets another one in: where it is need not be known
	}
	if err := f.Ready(r.Context()); err != nil {
		return lease.Lease{}, err
	}
	// What is stored of the body must not give a code away that is still to come true: only who knows the key of
	// the request can tell which code it was.
	sum := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(sum, "%d:%s%d:%s%s", len(asked.Code), asked.Code, len(asked.Device), asked.Device, asked.Replaces)
	now := f.Clock.Now()
	request := lease.Request{
		Person: who.ID, Zone: who.Location(), Subject: who.Subject, TwoStep: who.TwoStep, Address: addr, Code: asked.Code, Key: key, Replaces: asked.Replaces,
		BodyHash: base64.RawURLEncoding.EncodeToString(sum.Sum(nil)), ID: web.RequestID(r.Context()),
	}
	if f.hosts != nil {
		if request.Granted, err = f.pairs.Issue(now); err != nil {
			return lease.Lease{}, err
		}
	}
	if asked.Device != "" {
		f.pairs.Approve(&request, asked.Device)
		request.Elsewhere = f.stillProven(request.Elsewhere)
	}
	return f.leases.Register(r.Context(), request, now)
}

// stillProven refuses a device whose address is of a family over which nothing is proven any more: what it asked with was seen
// minutes ago.
func (f *registerip) stillProven(device func(store.Tx) (netip.Addr, error)) func(store.Tx) (netip.Addr, error) {
	return func(tx store.Tx) (netip.Addr, error) {
		addr, err := device(tx)
		if err == nil {
			err = f.ProvenIn(tx, addr)
		}
		return addr, err
	}
}

func (f *registerip) list(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	found, err := f.leases.List(r.Context(), who.ID)
	if err != nil {
		return err
	}
	answer := Leases{Leases: []Lease{}}
	for _, l := range found {
		answer.Leases = append(answer.Leases, listed(l))
	}
	return web.WriteJSON(w, http.StatusOK, answer)
}

func (f *registerip) end(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	ended, err := f.done(r.Context(), who, r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, listed(ended))
}

// leaseID is the form of a lease's id. Anything else is no lease of anybody, and some of it no id at all.
var leaseID = regexp.MustCompile(`^[a-z0-9]{1,64}(-[0-9]{1,9})?$`)

// done ends one of the person's leases, for the interface and the page alike. Code lease_unknown.
func (f *registerip) done(ctx context.Context, who caller.Staff, id string) (lease.Lease, error) {
	if !leaseID.MatchString(id) {
		return lease.Lease{}, unknownLease()
	}
	ended, err := f.leases.End(ctx, who.ID, id, lease.Done)
	if fault.Is(err, fault.NotFound) {
		return lease.Lease{}, unknownLease()
	}
	return ended, err
}

func unknownLease() error {
	return fault.Refuse(fault.NotFound, "lease_unknown", "You have no such lease.", "List your leases and take an id from there.")
}

func listed(l lease.Lease) Lease {
	return Lease{ID: l.ID, Prefix: l.Prefix.String(), Ends: l.Ends, State: string(l.State)}
}

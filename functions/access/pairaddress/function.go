// Package pairaddress registers the second address of a device: the morning page was opened over one family, and calls
// here over the other, by a host name that has addresses of that family alone. What it shows is the token of a
// registration of the last minute; the address is the one observed.
//
// It promises to know nobody, to read no cookie, to say nothing to whoever has no such token, and to let scripts of the
// morning page alone read its answers. It checks no one-time password: the registration did.
package pairaddress

import (
	"context"
	_ "embed"
	"net/http"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/pair"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: parts.Schema, Build: build}

func init() { functions.HTTP("pairaddress", Function.Entry()) }

// pairaddress holds what the handlers share.
type pairaddress struct {
	*parts.Parts
	pairs *pair.Service
	page  string // where the morning page is, without a slash at its end
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	f := &pairaddress{Parts: p}
	if f.page, err = d.Site(); err != nil {
		return web.Function{}, err
	}
	leases, err := p.Leases()
	if err != nil {
		return web.Function{}, err
	}
	if f.pairs, err = p.Pairs(ctx, leases); err != nil {
		return web.Function{}, err
	}
	served, err := d.Served(append(f.routes(), f.proofRoutes()...)...)
	served.Origins = []string{f.page}
	return served, err
}

// Token is what a registration was answered with, or its page holds.
type Token struct {
	Token string `json:"token" required:"true" doc:"of one registration, good for a minute, once"`
}

// Lease is the registered second address.
type Lease struct {
	ID     string    `json:"id"`
	Prefix string    `json:"prefix"`
	Ends   time.Time `json:"ends"`
	State  string    `json:"state" enum:"received,written,confirmed,working,ended,failed"`
}

func (f *pairaddress) routes() []web.Route {
	refusals := []string{"pair_unknown", "address_refused", "address_unknown", "address_unproven", "relay_refused", "hosting_refused", "capacity_full", "unavailable"}
	return []web.Route{
		{Method: http.MethodPost, Path: "/v1/addresses", Summary: "Register the address this request comes from, beside the one that was registered.", Body: Token{},
			Answers: map[int]any{201: Lease{}}, Problems: append(refusals, "body_invalid", "too_large"), Browser: true, Handle: f.readable(f.add)},
		{Method: http.MethodOptions, Path: "/v1/addresses", Summary: "May a page call here? The morning page may.", Answers: map[int]any{204: nil}, Handle: f.readable(preflight)},
		{Method: http.MethodPost, Path: "/", Summary: "The same from a form of the morning page, and back to it.",
			Answers: map[int]any{303: nil}, Problems: []string{"body_invalid", "too_large", "unavailable"}, Handle: f.form},
	}
}

// readable lets scripts of the morning page, and of no other, read what handle answers (Fetch, section 3.2).
func (f *pairaddress) readable(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Add("Vary", "Origin")
		if r.Header.Get("Origin") == f.page {
			w.Header().Set("Access-Control-Allow-Origin", f.page)
		}
		return caller.Refused(handle(w, r))
	}
}

// preflight answers what a browser asks before a script may send JSON. Cookies are never let through.
func preflight(w http.ResponseWriter, _ *http.Request) error {
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		w.Header().Set("Access-Control-Allow-Methods", http.MethodPost)
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (f *pairaddress) add(w http.ResponseWriter, r *http.Request) error {
	body, _, err := web.DecodeBody[Token](w, r)
	if err != nil {
		return err
	}
	l, err := f.redeem(r, body.Token)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, Lease{ID: l.ID, Prefix: l.Prefix.String(), Ends: l.Ends, State: string(l.State)})
}

// form does the same without a script. Whatever comes of it, the person is sent back to a page that speaks her language. A
// page that sends no referrer sends no origin with its forms either: what tells a foreign site is Sec-Fetch-Site, and both
// hosts are of one site.
func (f *pairaddress) form(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return fault.Refuse(fault.Denied, "cross_origin", "This came from a page of another site.", "Open the morning page and try again.")
	}
	values, err := web.ReadForm(w, r)
	if err != nil {
		return err
	}
	done := "done.paired"
	if _, err := f.redeem(r, values.Get("token")); fault.CodeOf(err) != "" {
		done = "done.unpaired"
	} else if err != nil {
		return caller.Refused(err)
	}
	w.Header().Set("Location", f.page+"/registerip/?done="+done)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

func (f *pairaddress) redeem(r *http.Request, token string) (lease.Lease, error) {
	addr, err := f.Client.Client(r)
	if err != nil {
		return lease.Lease{}, err
	}
	if err := f.Proven(r.Context(), addr); err != nil {
		return lease.Lease{}, err
	}
	return f.pairs.Redeem(r.Context(), token, addr, web.RequestID(r.Context()), f.Clock.Now())
}

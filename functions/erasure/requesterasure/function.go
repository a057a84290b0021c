// Package requesterasure is where anybody asks to be forgotten: as a page, and as an interface for the product. Whoever asks
// gets the same answer in the same time, known or not; the proof of who asks goes to the address on file. Whoever holds the
// code of that mail sees how far the request has come, takes it back, and gets the signed receipt.
//
// It searches nothing and erases nothing, and it has no right to.
package requesterasure

import (
	"context"
	_ "embed"
	"net/http"
	"strings"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/erasure/internal/page"
	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/identity/oidc"
	_ "ostiary.internal/shared/platform/seal/kms"
	_ "ostiary.internal/shared/platform/secret/secretmanager"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: parts.Schema, Build: build}

func init() { functions.HTTP("requesterasure", Function.Entry()) }

// asking holds what the handlers share.
type asking struct {
	*parts.Parts
	pages *shell.Shell
	gate  caller.Gate
}

func build(_ context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	// A token of anybody but the product's own issuer says nothing about its customers.
	issuer := d.Policy.Company.Issuer.URL
	if from, _ := d.Env(wiring.EnvIdentity); issuer != "" && !strings.HasPrefix(from, "oidc:"+issuer+"?") {
		return web.Function{}, fault.New(fault.Misconfigured, "%s: not the issuer of the product that company.yaml names", wiring.EnvIdentity)
	}
	a := &asking{Parts: p, pages: page.NewAsk(d.Manifest.Name), gate: caller.Gate{Policy: d.Policy, Identity: d.Identity, Clock: d.Clock}}
	served, err := d.Served(append(a.api(), a.html()...)...)
	served.ErrorPage = a.pages.Problem
	return served, err
}

// open is a handler for anybody: errors of ours read as such.
func open(handle func(w http.ResponseWriter, r *http.Request) error) func(w http.ResponseWriter, r *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error { return caller.Refused(handle(w, r)) }
}

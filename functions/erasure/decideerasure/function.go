// Package decideerasure is the desk of the people who look after requests to be forgotten. They see what is due, what was
// found, in numbers and entry by entry, and why somebody has to look; they approve exactly the plan they saw, keep single
// entries for a ground of the closed list, refuse, extend, and enter what came by letter or mail. What takes two people
// takes two; nobody decides about her own request, nor about one she entered.
//
// It searches nothing and erases nothing, and it has no right to.
package decideerasure

import (
	"context"
	_ "embed"
	"net/http"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/erasure/internal/page"
	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure/request"
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

func init() { functions.HTTP("decideerasure", Function.Entry()) }

// desk holds what the handlers share.
type desk struct {
	*parts.Parts
	*staffed.Staffed
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	s, err := staffed.New(ctx, d, page.NewDesk(d.Manifest.Name))
	if err != nil {
		return web.Function{}, err
	}
	k := &desk{p, s}
	return k.Staffed.Served(append(k.api(), k.html()...)...)
}

// signed is a handler for a signed-in person, who is given the requests.
func (k *desk) signed(handle func(w http.ResponseWriter, r *http.Request, who caller.Staff, s *request.Service) error) staffed.Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		s, err := k.Requests(r.Context())
		if err != nil {
			return err
		}
		return handle(w, r, who, s)
	}
}

// routes makes the function's routes.
func (k *desk) routes() staffed.Routes {
	return staffed.Routes{Problems: []string{"role_missing"}, Guard: k.guard}
}

// guard lets every approved person through the gate: who may look after requests, the requests say.
func (k *desk) guard(handle staffed.Handler) func(http.ResponseWriter, *http.Request) error {
	return k.Signed(func(*http.Request, caller.Staff) error { return nil }, handle)
}

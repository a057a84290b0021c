// Package acceptdrift is where people see what is configured otherwise than was promised, what was wanted and what there is
// side by side, and who may have done it; and where they accept a value for a while. A link to one of its pages grants
// nothing: the person signs in, and sees what her role lets her. It repairs nothing.
package acceptdrift

import (
	"context"
	_ "embed"
	"net/http"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/drift/internal/page"
	"ostiary.internal/functions/drift/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"

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

func init() { functions.HTTP("acceptdrift", Function.Entry()) }

// acceptdrift holds what the handlers share.
type acceptdrift struct {
	*parts.Parts
	*staffed.Staffed
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	s, err := staffed.New(ctx, d, page.New(d.Manifest.Name))
	if err != nil {
		return web.Function{}, err
	}
	a := &acceptdrift{p, s}
	return a.Staffed.Served(append(a.api(), a.html()...)...)
}

// staff is a handler for a signed-in person. What changes something may give notice, and is prepared for it.
func (a *acceptdrift) staff(handle staffed.Handler) func(http.ResponseWriter, *http.Request) error {
	return a.Noticing(a.Ready, handle)
}

// decides reports whether a person is one of those who accept; looks, whether she may read.
func decides(who caller.Staff) bool { return who.May(policy.Security, policy.DPO, policy.Owner) }

func looks(who caller.Staff) bool { return decides(who) || who.May(policy.OnCall, policy.Auditor) }

// looking is a handler for those who may read.
func looking(handle staffed.Handler) staffed.Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		if !looks(who) {
			return fault.Refuse(fault.Denied, "role_missing", "This is shown to security, the DPO, the owner, whoever is on call, and auditors.", "Ask one of them.")
		}
		return handle(w, r, who)
	}
}

// Package justify is where people explain what the log watch found about them, where somebody else reviews what they
// said, and where two people agree on suppressions and change windows. A link to one of its pages grants nothing: the
// person signs in, and sees what concerns her.
package justify

import (
	"context"
	_ "embed"
	"net/http"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/watch/internal/page"
	"ostiary.internal/functions/watch/internal/parts"
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

func init() { functions.HTTP("justify", Function.Entry()) }

// justify holds what the handlers share.
type justify struct {
	*parts.Parts
	*staffed.Staffed
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	s, err := staffed.New(ctx, d, page.NewJustify(d.Manifest.Name))
	if err != nil {
		return web.Function{}, err
	}
	j := &justify{p, s}
	return j.Staffed.Served(append(j.api(), j.html()...)...)
}

// staff is a handler for a signed-in person. What changes something may give notice, and is prepared for it.
func (j *justify) staff(handle staffed.Handler) func(http.ResponseWriter, *http.Request) error {
	return j.Noticing(j.Ready, handle)
}

// decides reports whether a person is one of those who agree on exceptions; looks, whether she may read them.
func decides(who caller.Staff) bool {
	return who.May(policy.Security) || who.May(policy.DPO) || who.May(policy.Owner)
}

func looks(who caller.Staff) bool { return decides(who) || who.May(policy.Auditor) }

func mayNotLook() error {
	return fault.Refuse(fault.Denied, "role_missing", "Suppressions and change windows are shown to security, the DPO, the owner and auditors.", "Ask one of them.")
}

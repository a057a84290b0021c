// Package declarebreach is where people declare a breach, say whose data it concerns, score it, decide by two who is told,
// write and approve the notices, and keep the register. One path takes them all: a page, a command, and a suspicion of the
// log watch that somebody promotes.
//
// It decides nothing of its own: who may do what, and what follows, the packages cases and notice say. It sends nothing.
package declarebreach

import (
	"context"
	_ "embed"
	"net/http"
	"slices"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/breach/internal/page"
	"ostiary.internal/functions/breach/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/breach/cases"
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

func init() { functions.HTTP("declarebreach", Function.Entry()) }

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
	s, err := staffed.New(ctx, d, page.New(d.Manifest.Name))
	if err != nil {
		return web.Function{}, err
	}
	k := &desk{p, s}
	return k.Staffed.Served(slices.Concat(k.api(), k.noticesAPI(), k.filesAPI(), k.drillsAPI(), pages(k))...)
}

// routes makes the function's routes. Every approved person passes the gate: whoever finds a breach declares it.
func (k *desk) routes() staffed.Routes {
	return staffed.Routes{Guard: func(handle staffed.Handler) func(http.ResponseWriter, *http.Request) error {
		return k.Signed(func(*http.Request, caller.Staff) error { return nil }, handle)
	}}
}

// looks reports whether a person may read every case: whoever decides, is called up the ladder, or audits.
func (k *desk) looks(who caller.Staff) bool {
	if who.May(policy.Security, policy.DPO, policy.Owner, policy.Auditor) {
		return true
	}
	return slices.ContainsFunc(k.Breach.Rules.Ladder, func(s cases.Step) bool { return who.May(s.Roles...) })
}

func mayNotLook() error {
	return fault.Refuse(fault.Denied, "role_missing", "Breaches are shown to those who decide about them, who are called, and who audit.", "Ask one of them.")
}

// looking is a handler for those who may read every case.
func (k *desk) looking(handle staffed.Handler) staffed.Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		if !k.looks(who) {
			return mayNotLook()
		}
		return handle(w, r, who)
	}
}

// id is the id of the case of a path, which its number stands for as well. Whoever may not look at it reads that there is
// none.
func (k *desk) id(r *http.Request, who caller.Staff) (string, error) {
	id, c, err := k.known(r, who)
	if err == nil && !k.sees(c, who) {
		err = unknown()
	}
	return id, err
}

// known is id for whoever may know that there is the case as well: what she reads of it is up to her.
func (k *desk) known(r *http.Request, who caller.Staff) (id string, c cases.Case, err error) {
	if id, err = k.ID(r.Context(), r.PathValue("id")); err != nil {
		return id, c, err
	}
	if c, err = k.Cases.Look(r.Context(), id); err == nil && !k.knows(c, who) {
		err = unknown()
	}
	return id, c, err
}

// sees reports whether a person may look at a case: who may read every case, where it is not her own matter.
func (k *desk) sees(c cases.Case, who caller.Staff) bool {
	return k.looks(who) && !k.Cases.Concerns(c, who.Person)
}

// knows reports whether a person may know that there is a case: who looks at it, who declared it, and who does what its
// review came to. Nobody knows of what may be her own matter.
func (k *desk) knows(c cases.Case, who caller.Staff) bool {
	owns := slices.ContainsFunc(c.Actions, func(a cases.Action) bool { return a.Owner == who.ID })
	return (k.looks(who) || c.By != "" && c.By == who.ID || owns) && !k.Cases.Concerns(c, who.Person)
}

func unknown() error {
	return fault.Refuse(fault.NotFound, "case_unknown", "There is no such case.", "Look at the list of cases.")
}

// Package attest takes people's word for what no machine can see: duties done and reviewed by a second person, statements
// signed in a role, exceptions two people agree on. Every word becomes evidence in which nobody's name stands.
package attest

import (
	"context"
	_ "embed"
	"net/http"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/internal/page"
	"ostiary.internal/functions/trust/internal/parts"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/shared/trust/waiver"

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

func init() { functions.HTTP("attest", Function.Entry()) }

// attest holds what the handlers share.
type attest struct {
	*parts.Parts
	*staffed.Staffed
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	s, err := staffed.New(ctx, d, page.NewAttest(d.Manifest.Name))
	if err != nil {
		return web.Function{}, err
	}
	a := &attest{p, s}
	return a.Staffed.Served(append(a.api(), a.html()...)...)
}

// staff is a handler for a signed-in person. What changes something may give notice, and is prepared for it.
func (a *attest) staff(handle staffed.Handler) func(http.ResponseWriter, *http.Request) error {
	return a.Noticing(a.Ready, handle)
}

// sees reports whether a person may look at a task: everybody at the company's, those who decide and those concerned at
// the others.
func sees(who caller.Staff, t duty.Task, d duty.Duty) bool {
	return t.Person == "" && t.Asker == "" || t.Own(who.ID) || d.MayDo(who.Person) || d.MayReview(who.Person) || looks(who)
}

// known is the duty of a request's path, for who may look at it. Code: duty_unknown.
func (a *attest) known(r *http.Request, who caller.Staff) (duty.Task, duty.Duty, error) {
	t, d, err := a.Duties.Get(r.Context(), r.PathValue("id"), a.Clock.Now())
	if err == nil && !sees(who, t, d) {
		err = fault.Refuse(fault.NotFound, "duty_unknown", "There is no such duty, or it has lapsed.", "Look at the list of duties again.")
	}
	return t, d, err
}

// onKnown is a handler of a duty that whoever may not look at it takes for none.
func (a *attest) onKnown(handle staffed.Handler) staffed.Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		if _, _, err := a.known(r, who); err != nil {
			return err
		}
		return handle(w, r, who)
	}
}

// mayDo and mayReview report whether the person is one who moves the task on now.
func mayDo(who caller.Staff, t duty.Task, d duty.Duty) bool {
	return t.Owed() && d.MayDo(who.Person) && (d.Second != "" || !t.Own(who.ID)) && len(t.Missing(d)) == 0
}

func mayReview(who caller.Staff, t duty.Task, d duty.Duty) bool {
	return t.Waiting() && d.MayReview(who.Person) && !t.Did(who.ID) && !t.Own(who.ID)
}

// looks reports whether a person may read what others wrote about exceptions.
func looks(who caller.Staff) bool { return waiver.MayDecide(who.Person) || who.May(policy.Auditor) }

// visible returns the tasks a person may look at with their duties, by id.
func (a *attest) visible(ctx context.Context, who caller.Staff) ([]duty.Task, error) {
	tasks, err := a.Duties.List(ctx, a.Clock.Now())
	if err != nil {
		return nil, err
	}
	var seen []duty.Task
	for _, t := range tasks {
		if d, known := a.Duties.Rules.Duty(t.Duty); known && sees(who, t, d) {
			seen = append(seen, t)
		}
	}
	return seen, nil
}

// Package enrolotp binds one-time-password authenticators to people: enrolment by QR code, replacement, two-code
// resynchronisation, recovery, import of existing secrets, and resets that two people decide.
package enrolotp

import (
	"context"
	_ "embed"
	"net/http"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/otp"
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

func init() { functions.HTTP("enrolotp", Function.Entry()) }

// enrolotp holds what the handlers share.
type enrolotp struct {
	*parts.Staffed
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.NewStaffed(ctx, d)
	if err != nil {
		return web.Function{}, err
	}
	e := &enrolotp{p}
	return e.Staffed.Staffed.Served(append(e.api(), e.html()...)...)
}

// routes makes the function's routes, behind one of its guards.
func (e *enrolotp) routes(guard func(staffed.Handler) func(http.ResponseWriter, *http.Request) error) staffed.Routes {
	return staffed.Routes{Problems: parts.Problems, Guard: guard}
}

// staff is a handler for a signed-in person that may give notice.
func (e *enrolotp) staff(handle staffed.Handler) func(w http.ResponseWriter, r *http.Request) error {
	return e.Staff(func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		if r.Method != http.MethodGet && r.Method != http.MethodHead { // what changes nothing gives no notice
			if err := e.Ready(r.Context()); err != nil {
				return err
			}
		}
		return handle(w, r, who)
	})
}

// security is a handler for a signed-in person in the role that decides about other people's authenticators.
func (e *enrolotp) security(handle staffed.Handler) func(w http.ResponseWriter, r *http.Request) error {
	return e.staff(func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		if !mayDecide(who) {
			return fault.Refuse(fault.Denied, "role_missing", "This takes the role security.", "Ask somebody of the security team.")
		}
		return handle(w, r, who)
	})
}

func mayDecide(who caller.Staff) bool { return who.May(policy.Security) }

// own is what is known of a request of a person about herself.
func (e *enrolotp) own(r *http.Request, who caller.Staff) otp.Meta {
	meta := e.Meta(r)
	meta.Subject = who.Subject
	return meta
}

// about is what is known of a request of one person about another.
func (e *enrolotp) about(r *http.Request, who caller.Staff) otp.Meta {
	meta := e.Meta(r)
	meta.Actor = who.ID
	return meta
}

// other returns the person for whom an administrator binds an authenticator without a code of one she has. Nobody does
// that for herself, but for her first one, which she may bring either way. Codes person_unknown, own_matter.
func (e *enrolotp) other(r *http.Request, who caller.Staff, email string) (policy.Person, error) {
	person, err := e.person(email)
	if err != nil || person.ID != who.ID {
		return person, err
	}
	account, err := e.Account(r.Context(), who)
	if err == nil && account.Bound {
		err = otp.OwnMatter()
	}
	return person, err
}

// person returns the approved person an administrator names.
func (e *enrolotp) person(email string) (policy.Person, error) {
	person, known := e.Policy.Person(email)
	if !known || !person.Active(e.Clock.Now()) {
		return policy.Person{}, fault.Refuse(fault.NotFound, "person_unknown", "Nobody with this address is on the approved list.", "Check the address against people.yaml.")
	}
	return person, nil
}

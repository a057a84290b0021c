// Package staffed is what functions have in common that show pages to people who signed in. It lets nobody in whom the
// gate of package caller does not, and decides nothing beyond that.
package staffed

import (
	"context"
	"net/http"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/web"
)

// Handler answers a signed-in person.
type Handler = func(w http.ResponseWriter, r *http.Request, who caller.Staff) error

// Staffed are the pages of a function, their forms, and the gate before them.
type Staffed struct {
	Pages *shell.Shell
	Forms *web.Forms
	deps  *wiring.Deps
	gate  caller.Gate
}

// New reads the key that makes and checks the tokens of forms. Errors: those of the secrets.
func New(ctx context.Context, d *wiring.Deps, pages *shell.Shell) (*Staffed, error) {
	key, err := d.Secrets.Get(ctx, "form-key")
	if err != nil {
		return nil, err
	}
	forms, err := web.NewForms(key)
	gate := caller.Gate{Policy: d.Policy, Identity: d.Identity, Directory: d.Directory, Clock: d.Clock, Fronted: d.Fronted()}
	return &Staffed{Pages: pages, Forms: forms, deps: d, gate: gate}, err
}

// Served is the function that serves routes; its problems read as pages to people.
func (s *Staffed) Served(routes ...web.Route) (web.Function, error) {
	served, err := s.deps.Served(routes...)
	served.ErrorPage = s.Pages.Problem
	return served, err
}

// Signed is a handler for a signed-in person. ready is asked before each request of hers, and may refuse it.
func (s *Staffed) Signed(ready func(r *http.Request, who caller.Staff) error, handle Handler) func(w http.ResponseWriter, r *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := s.gate.Staff(r)
		if err != nil {
			return err
		}
		if err := ready(r, who); err != nil {
			return err
		}
		return caller.Refused(handle(w, r, who))
	}
}

package parts

import (
	"context"
	"net/http"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/web"
)

// Staffed are the parts of a function that shows signed-in people pages and checks their one-time passwords.
type Staffed struct {
	*Parts
	Pages *shell.Shell
	Forms *web.Forms
}

// NewStaffed is New, with one-time passwords, pages and their forms.
func NewStaffed(ctx context.Context, d *wiring.Deps) (*Staffed, error) {
	p, err := New(d)
	if err != nil {
		return nil, err
	}
	if err := p.WithOTP(); err != nil {
		return nil, err
	}
	forms, err := p.forms(ctx)
	return &Staffed{Parts: p, Pages: page.New(d.Manifest.Name), Forms: forms}, err
}

// forms makes and checks the tokens of the pages' forms.
func (p *Parts) forms(ctx context.Context) (*web.Forms, error) {
	key, err := p.Secrets.Get(ctx, "form-key")
	if err != nil {
		return nil, err
	}
	return web.NewForms(key)
}

// Served is the function that serves routes; its problems read as pages to people.
func (s *Staffed) Served(routes ...web.Route) (web.Function, error) {
	served, err := s.Deps.Served(routes...)
	served.ErrorPage = s.Pages.Problem
	return served, err
}

// Staff is a handler for a signed-in person whose account is her own.
func (s *Staffed) Staff(handle func(w http.ResponseWriter, r *http.Request, who caller.Staff) error) func(w http.ResponseWriter, r *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := s.Gate.Staff(r)
		if err != nil {
			return err
		}
		if _, err := s.Account(r.Context(), who); err != nil {
			return err
		}
		return Refused(handle(w, r, who))
	}
}

package parts

import (
	"context"
	"net/http"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/web"
)

// Staffed are the parts of a function that shows signed-in people pages.
type Staffed struct {
	*Parts
	*staffed.Staffed
}

// NewStaffed is New, with pages and their forms.
func NewStaffed(ctx context.Context, d *wiring.Deps, pages *shell.Shell) (*Staffed, error) {
	p, err := New(d)
	if err != nil {
		return nil, err
	}
	s, err := staffed.New(ctx, d, pages)
	return &Staffed{p, s}, err
}

// Served is the function that serves routes; its problems read as pages to people.
func (s *Staffed) Served(routes ...web.Route) (web.Function, error) {
	return s.Staffed.Served(routes...)
}

// Staff is a handler for a signed-in person. What changes something may give notice, and is prepared for it.
func (s *Staffed) Staff(handle staffed.Handler) func(w http.ResponseWriter, r *http.Request) error {
	return s.Noticing(s.Ready, handle)
}

// Says is what is wrong, in a language: what the assertion says; "" of a difference from Terraform.
func (s *Staffed) Says(f finding.Finding, language string) string { return s.words(f, language) }

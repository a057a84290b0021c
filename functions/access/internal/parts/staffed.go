package parts

import (
	"context"
	"net/http"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/internal/wiring"
)

// Staffed are the parts of a function that shows signed-in people pages and checks their one-time passwords.
type Staffed struct {
	*Parts
	*staffed.Staffed
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
	pages, err := staffed.New(ctx, d, page.New(d.Manifest.Name))
	return &Staffed{p, pages}, err
}

// Problems are those that every route for signed-in people of this control may answer, beside staffed.SignedIn.
var Problems = []string{"subject_changed"}

// Staff is a handler for a signed-in person whose account is her own.
func (s *Staffed) Staff(handle staffed.Handler) func(w http.ResponseWriter, r *http.Request) error {
	return s.Signed(func(r *http.Request, who caller.Staff) error {
		_, err := s.Account(r.Context(), who)
		return err
	}, handle)
}

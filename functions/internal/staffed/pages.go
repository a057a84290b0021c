package staffed

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// Filled answers a form of a signed-in person. refused is why it could not be read, when it was left open too long: the
// page is shown again with that.
type Filled = func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error

// Trouble is a refusal as a page shows it, in the reader's language.
type Trouble struct {
	Code, Detail, Next string
}

// Sentence is a promise as it was published in one language.
type Sentence struct {
	ID, Lang, Text string
}

// Form is a handler of a form that Render gave its token. Errors: those of web.Forms but form_expired, which handle gets.
func (s *Staffed) Form(handle Filled) Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		values, err := s.Forms.Read(w, r, who.Subject, s.deps.Manifest.Name, s.deps.Clock.Now())
		if err != nil && fault.CodeOf(err) != "form_expired" {
			return err
		}
		return handle(w, r, who, values, err)
	}
}

// Render shows a page with the form token of the person. What data has as Kept stays in the address when the language is changed.
func (s *Staffed) Render(w http.ResponseWriter, r *http.Request, who caller.Staff, status int, name, title, path string, data any) error {
	view := shell.View{Path: path, Title: title, Name: who.Name, Form: s.Forms.Token(who.Subject, s.deps.Manifest.Name, s.deps.Clock.Now()), Data: data}
	if page, keeps := data.(interface{ Kept() template.URL }); keeps {
		view.Keep = page.Kept()
	}
	return s.Pages.Render(w, r, status, name, view)
}

// Trouble is TroubleOn the function's pages.
func (s *Staffed) Trouble(r *http.Request, err error) (*Trouble, int, error) {
	return TroubleOn(s.Pages, r, err)
}

// TroubleOn is a refusal as a page shows it, with the status it has; nil and 200 for no error. Other errors go on.
func TroubleOn(pages *shell.Shell, r *http.Request, err error) (*Trouble, int, error) {
	if err == nil {
		return nil, http.StatusOK, nil
	}
	if fault.CodeOf(err) == "" {
		return nil, 0, err
	}
	p := pages.Localise(Language(r), web.ProblemOf(err))
	return &Trouble{p.Code, p.Detail, p.Next}, p.Status, nil
}

// NameOf is how a page calls a person; the id of somebody who has left the policy stands for itself.
func (s *Staffed) NameOf(id string) string {
	if p, known := s.deps.Policy.PersonByID(id); known {
		return p.Name
	}
	return id
}

// Sentence is a promise in the reader's language, or in another where that is all there is.
func (s *Staffed) Sentence(r *http.Request, id string) Sentence {
	p, _ := s.deps.Policy.Promise(id)
	for _, l := range append([]string{Language(r)}, shell.Languages...) {
		if text := p.Text.In(l); text != "" {
			return Sentence{ID: id, Lang: l, Text: text}
		}
	}
	return Sentence{ID: id, Text: id}
}

// Noticing is Signed for handlers that may give notice where they change something: ready is asked before those.
func (s *Staffed) Noticing(ready func(context.Context) error, handle Handler) func(w http.ResponseWriter, r *http.Request) error {
	return s.Signed(func(r *http.Request, _ caller.Staff) error {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return nil
		}
		return ready(r.Context())
	}, handle)
}

// Moment writes a time in the person's zone and language, to the minute; "" for none.
func Moment(r *http.Request, who caller.Staff, at time.Time) string {
	return shell.Moment(Language(r), at.In(who.Location()))
}

// LastDay reads the end of a form's last day, or a time as it stands (RFC 3339); the zero time, which services refuse, of what is neither.
func LastDay(text string, zone *time.Location) time.Time {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return time.Time{}
	}
	return day.AddDate(0, 0, 1)
}

// Language is the one a page speaks to the reader.
func Language(r *http.Request) string { return web.Language(r, shell.Languages...) }

// Note is the text that a page shows after a form was done, of those it may show; anything else in the query is ignored.
func Note(r *http.Request, texts []string) string {
	if done := r.URL.Query().Get("done"); slices.Contains(texts, done) {
		return done
	}
	return ""
}

package attest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/trust/internal/page"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/trust/duty"
)

// purpose tells this function's forms from others; home is where its pages begin.
const (
	purpose = "attest"
	home    = "/attest/"
)

// notes are the texts a page may show after a form was done; anything else in the query is ignored.
var notes = []string{"done.done", "done.waiting", "done.reviewed", "done.returned", "done.refused", "done.withdrawn", "done.asked", "done.signed", "done.waived", "done.approved", "done.ended"}

// filled answers a form of a signed-in person. refused is why it could not be read, when it was left open too long: the
// page is shown again with that.
type filled = func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error

// html is the table of the pages.
func (a *attest) html() []web.Route {
	get := func(path, summary string, handle handler) web.Route {
		return web.Route{Method: "GET", Path: path, Summary: summary, Page: true, Answers: map[int]any{200: web.Media("text/html")}, Problems: signedIn, Handle: a.Staff(handle)}
	}
	post := func(path, summary string, handle filled) web.Route {
		return web.Route{Method: "POST", Path: path, Summary: summary, Page: true, Answers: map[int]any{200: web.Media("text/html"), 303: nil}, Problems: signedIn, Handle: a.Staff(a.form(handle))}
	}
	return []web.Route{
		a.Pages.Assets(),
		get("/", "What waits for you.", a.overview),
		get("/duties/{id}", "One duty.", a.dutyPage),
		post("/duties/{id}/done", "Say that it is done.", a.doneForm),
		post("/duties/{id}/review", "Review what another person did.", a.reviewForm),
		post("/duties/{id}/withdraw", "Take back what you asked for.", a.withdrawForm),
		get("/ask/{id}", "Ask for something.", a.askPage),
		post("/ask/{id}", "Ask for something.", a.askForm),
		get("/statements", "The promises that people sign.", a.statementsPage),
		get("/statements/{id}", "One of them.", a.signPage),
		post("/statements/{id}", "Sign it.", a.signForm),
		get("/waivers", "Exceptions.", a.waiversPage),
		post("/waivers", "Ask for an exception.", a.waiveForm),
		post("/waivers/{id}/approve", "Approve one.", a.approveForm),
		post("/waivers/{id}/end", "End one before its time.", a.endForm),
	}
}

func (a *attest) form(handle filled) handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		values, err := a.Forms.Read(w, r, who.Subject, purpose, a.Clock.Now())
		if err != nil && fault.CodeOf(err) != "form_expired" {
			return err
		}
		return handle(w, r, who, values, err)
	}
}

// render shows a page with the form token of the person.
func (a *attest) render(w http.ResponseWriter, r *http.Request, who caller.Staff, status int, name, title, path string, data any) error {
	return a.Pages.Render(w, r, status, name, shell.View{Path: path, Title: title, Name: who.Name,
		Form: a.Forms.Token(who.Subject, purpose, a.Clock.Now()), Data: data})
}

// trouble is a refusal as a page shows it, with the status it has; other errors go on.
func (a *attest) trouble(r *http.Request, err error) (*page.Trouble, int, error) {
	if err == nil {
		return nil, http.StatusOK, nil
	}
	if fault.CodeOf(err) == "" {
		return nil, 0, err
	}
	p := a.Pages.Localise(lang(r), web.ProblemOf(err))
	return page.NewTrouble(p), p.Status, nil
}

func lang(r *http.Request) string { return web.Language(r, shell.Languages...) }

func note(r *http.Request) string {
	if done := r.URL.Query().Get("done"); slices.Contains(notes, done) {
		return done
	}
	return ""
}

// by writes the end of something as the last day that counts, or the time on it, in the person's zone.
func by(r *http.Request, who caller.Staff, end time.Time) string {
	if end.IsZero() {
		return ""
	}
	local := end.In(who.Location())
	if local.Hour() == 0 && local.Minute() == 0 {
		return day(r, local.Add(-time.Minute))
	}
	return day(r, local) + ", " + local.Format("15:04")
}

func day(r *http.Request, local time.Time) string {
	return shell.Day(lang(r), local) + " " + strconv.Itoa(local.Year())
}

// name is how a page calls a person; the id of somebody who has left the policy stands for itself.
func (a *attest) name(id string) string {
	if p, known := a.Policy.PersonByID(id); known {
		return p.Name
	}
	return id
}

// sentence is a promise in the reader's language, or in another where that is all there is.
func (a *attest) sentence(r *http.Request, id string) page.Sentence {
	p, _ := a.Policy.Promise(id)
	for _, l := range append([]string{lang(r)}, shell.Languages...) {
		if text := p.Text.In(l); text != "" {
			return page.Sentence{ID: id, Lang: l, Text: text}
		}
	}
	return page.Sentence{ID: id, Text: id}
}

// sentences are promises with those that say the same as one, in the reader's language where there is one.
func (a *attest) sentences(r *http.Request, ids []string) []page.Sentence {
	var found []page.Sentence
	at := map[string]int{}
	for _, id := range ids {
		p, _ := a.Policy.Promise(id)
		root, s := cmp.Or(p.SameAs, id), a.sentence(r, id)
		i, known := at[root]
		if !known {
			at[root] = len(found)
			found = append(found, s)
			continue
		}
		if s.ID = found[i].ID + ", " + id; s.Lang != lang(r) {
			s.Lang, s.Text = found[i].Lang, found[i].Text
		}
		found[i] = s
	}
	return found
}

// item is a task in a list.
func (a *attest) item(r *http.Request, who caller.Staff, t duty.Task, d duty.Duty) page.Item {
	i := page.Item{Path: home + "duties/" + url.PathEscape(t.ID), State: "state." + string(t.State), About: t.About}
	i.What, i.Lang = d.What.Best(lang(r))
	now := a.Clock.Now()
	switch {
	case t.Waiting() && t.Finding != "" && !now.Before(t.Due):
		i.State, i.Bad = "state.late", true
	case t.Waiting():
		i.State = "state.waiting"
	}
	i.Bad = i.Bad || t.State == duty.Overdue || t.Owed() && len(t.Failed(d)) > 0
	if t.Owed() || t.Waiting() {
		i.Due = by(r, who, t.Due)
	} else if t.InForce(now) {
		i.Until = by(r, who, t.Valid)
	}
	if t.Person != "" {
		i.Person = a.name(t.Person)
	}
	if t.Asker != "" {
		i.Asker = a.name(t.Asker)
	}
	return i
}

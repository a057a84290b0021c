package justify

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/watch/internal/page"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/watch/episode"
)

// purpose tells this function's forms from others; home is where its pages begin.
const (
	purpose = "justify"
	home    = "/justify/"
)

// notes are the texts a page may show after a form was done; anything else in the query is ignored.
var notes = []string{"done.answered", "done.not_me", "done.accepted", "done.refused", "done.asked", "done.approved", "done.ended"}

// filled answers a form of a signed-in person. refused is why it could not be read, when it was left open too long: the
// page is shown again with that.
type filled = func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error

// html is the table of the pages.
func (j *justify) html() []web.Route {
	get := func(path, summary string, handle handler) web.Route {
		return web.Route{Method: "GET", Path: path, Summary: summary, Page: true, Answers: map[int]any{200: web.Media("text/html")}, Problems: signedIn, Handle: j.Staff(handle)}
	}
	post := func(path, summary string, handle filled) web.Route {
		return web.Route{Method: "POST", Path: path, Summary: summary, Page: true, Answers: map[int]any{200: web.Media("text/html"), 303: nil}, Problems: signedIn, Handle: j.Staff(j.form(handle))}
	}
	return []web.Route{
		j.Pages.Assets(),
		get("/", "What waits for you.", j.overview),
		get("/{id}", "One episode.", j.episodePage),
		post("/{id}/answer", "Explain it.", j.answerForm),
		post("/{id}/review", "Review what another person explained.", j.reviewForm),
		get("/exceptions", "Suppressions and change windows.", j.exceptionsPage),
		post("/exceptions", "Ask for one.", j.exceptForm),
		post("/exceptions/{id}/approve", "Approve one.", j.approveForm),
		post("/exceptions/{id}/end", "End one before its time.", j.endForm),
	}
}

func (j *justify) form(handle filled) handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		values, err := j.Forms.Read(w, r, who.Subject, purpose, j.Clock.Now())
		if err != nil && fault.CodeOf(err) != "form_expired" {
			return err
		}
		return handle(w, r, who, values, err)
	}
}

// render shows a page with the form token of the person.
func (j *justify) render(w http.ResponseWriter, r *http.Request, who caller.Staff, status int, name, title, path string, data any) error {
	return j.Pages.Render(w, r, status, name, shell.View{Path: path, Title: title, Name: who.Name,
		Form: j.Forms.Token(who.Subject, purpose, j.Clock.Now()), Data: data})
}

// trouble is a refusal as a page shows it, with the status it has; other errors go on.
func (j *justify) trouble(r *http.Request, err error) (*page.Trouble, int, error) {
	if err == nil {
		return nil, http.StatusOK, nil
	}
	if fault.CodeOf(err) == "" {
		return nil, 0, err
	}
	p := j.Pages.Localise(lang(r), web.ProblemOf(err))
	return page.NewTrouble(p), p.Status, nil
}

func lang(r *http.Request) string { return web.Language(r, shell.Languages...) }

func note(r *http.Request) string {
	if done := r.URL.Query().Get("done"); slices.Contains(notes, done) {
		return done
	}
	return ""
}

// moment writes a time in the person's zone; "" for none.
func moment(r *http.Request, who caller.Staff, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	local := at.In(who.Location())
	return shell.Day(lang(r), local) + " " + strconv.Itoa(local.Year()) + ", " + local.Format("15:04")
}

// name is how a page calls a person; the id of somebody who has left the policy stands for itself.
func (j *justify) name(id string) string {
	if p, known := j.Policy.PersonByID(id); known {
		return p.Name
	}
	return id
}

// sentence is a promise in the reader's language, or in another where that is all there is.
func (j *justify) sentence(r *http.Request, id string) page.Sentence {
	p, _ := j.Policy.Promise(id)
	for _, l := range append([]string{lang(r)}, shell.Languages...) {
		if text := p.Text.In(l); text != "" {
			return page.Sentence{ID: id, Lang: l, Text: text}
		}
	}
	return page.Sentence{ID: id, Text: id}
}

// item is an episode in a list.
func (j *justify) item(r *http.Request, who caller.Staff, e episode.Episode) page.Item {
	what, next, _ := strings.Cut(j.what(r, e), ". ")
	i := page.Item{
		Path: home + e.ID, What: strings.TrimSuffix(what, ".") + ".", Next: next, Severity: "severity." + string(e.Severity), State: "state." + string(e.State), Rule: e.Rule,
		When: moment(r, who, e.First), Bad: e.State == episode.Escalated || e.State == episode.Asked || e.State == episode.Told,
	}
	if e.Person != "" {
		i.Who = j.name(e.Person)
	}
	if e.State == episode.Asked || e.State == episode.Answered {
		i.Due = moment(r, who, e.Due)
	}
	return i
}

func (j *justify) overview(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	now := j.Clock.Now()
	found, err := j.Episodes.List(r.Context(), who.Person, now)
	if err != nil {
		return err
	}
	data := page.Overview{Done: note(r), MayLook: looks(who)}
	for _, e := range found {
		list := &data.Others
		switch {
		case j.Episodes.MayReview(e, who.Person, now):
			list = &data.Review
		case j.Episodes.MayAnswer(e, who.Person, now) && (e.Person == who.ID || e.State == episode.Asked):
			list = &data.Explain
		case !e.Open:
			list = &data.Settled
		}
		*list = append(*list, j.item(r, who, e))
	}
	if decides(who) {
		exceptions, err := j.Episodes.Exceptions(r.Context(), now)
		if err != nil {
			return err
		}
		for _, x := range exceptions {
			if x.Waiting(now) && x.Asker != who.ID {
				data.Waiting++
			}
		}
	}
	return j.render(w, r, who, http.StatusOK, "overview", "overview.title", home, data)
}

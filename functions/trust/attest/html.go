package attest

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/trust/internal/page"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/trust/duty"
)

// home is where the pages begin.
const home = "/attest/"

// notes are the texts a page may show after a form was done; anything else in the query is ignored.
var notes = []string{"done.done", "done.waiting", "done.reviewed", "done.returned", "done.refused", "done.withdrawn", "done.asked", "done.signed", "done.waived", "done.approved", "done.ended"}

// html is the table of the pages.
func (a *attest) html() []web.Route {
	routes := staffed.Routes{Guard: a.staff}
	get := routes.Page
	post := func(path, summary string, handle staffed.Filled) web.Route {
		return routes.Form(path, summary, a.Form(handle))
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

// by writes the end of something as the last day that counts, or the time on it, in the person's zone.
func by(r *http.Request, who caller.Staff, end time.Time) string {
	if end.IsZero() {
		return ""
	}
	local := end.In(who.Location())
	if local.Hour() == 0 && local.Minute() == 0 {
		return day(r, local.Add(-time.Minute))
	}
	return staffed.Moment(r, who, end)
}

func day(r *http.Request, local time.Time) string { return shell.Date(staffed.Language(r), local) }

// sentences are promises with those that say the same as one, in the reader's language where there is one.
func (a *attest) sentences(r *http.Request, ids []string) []staffed.Sentence {
	var found []staffed.Sentence
	at := map[string]int{}
	for _, id := range ids {
		p, _ := a.Policy.Promise(id)
		root, s := cmp.Or(p.SameAs, id), a.Sentence(r, id)
		i, known := at[root]
		if !known {
			at[root] = len(found)
			found = append(found, s)
			continue
		}
		if s.ID = found[i].ID + ", " + id; s.Lang != staffed.Language(r) {
			s.Lang, s.Text = found[i].Lang, found[i].Text
		}
		found[i] = s
	}
	return found
}

// item is a task in a list.
func (a *attest) item(r *http.Request, who caller.Staff, t duty.Task, d duty.Duty) page.Item {
	i := page.Item{Path: home + "duties/" + url.PathEscape(t.ID), State: "state." + string(t.State), About: t.About}
	i.What, i.Lang = d.What.Best(staffed.Language(r))
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
		i.Person = a.NameOf(t.Person)
	}
	if t.Asker != "" {
		i.Asker = a.NameOf(t.Asker)
	}
	return i
}

package justify

import (
	"net/http"
	"strings"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/watch/internal/page"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/watch/episode"
)

// home is where the pages begin.
const home = "/justify/"

// notes are the texts a page may show after a form was done; anything else in the query is ignored.
var notes = []string{"done.answered", "done.not_me", "done.accepted", "done.refused", "done.asked", "done.approved", "done.ended"}

// html is the table of the pages.
func (j *justify) html() []web.Route {
	routes := staffed.Routes{Guard: j.staff}
	get := routes.Page
	post := func(path, summary string, handle staffed.Filled) web.Route {
		return routes.Form(path, summary, j.Form(handle))
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

// item is an episode in a list.
func (j *justify) item(r *http.Request, who caller.Staff, e episode.Episode) page.Item {
	what, next, _ := strings.Cut(j.what(r, e), ". ")
	i := page.Item{
		Path: home + e.ID, What: strings.TrimSuffix(what, ".") + ".", Next: next, Severity: "severity." + string(e.Severity), State: "state." + string(e.State), Rule: e.Rule,
		When: staffed.Moment(r, who, e.First), Bad: e.State == episode.Escalated || e.State == episode.Asked || e.State == episode.Told,
	}
	if e.Person != "" {
		i.Who = j.NameOf(e.Person)
	}
	if e.State == episode.Asked || e.State == episode.Answered {
		i.Due = staffed.Moment(r, who, e.Due)
	}
	return i
}

func (j *justify) overview(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	now := j.Clock.Now()
	found, err := j.Episodes.List(r.Context(), who.Person, now)
	if err != nil {
		return err
	}
	data := page.Overview{Done: staffed.Note(r, notes), MayLook: looks(who)}
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
	return j.Render(w, r, who, http.StatusOK, "overview", "overview.title", home, data)
}

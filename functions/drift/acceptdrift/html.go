package acceptdrift

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/drift/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// home is where the pages begin.
const home = "/acceptdrift/"

// notes are the texts a page may show after a form was done; anything else in the query is ignored.
var notes = []string{"done.accepted", "done.proposed", "done.revoked", "done.withdrawn"}

// html is the table of the pages.
func (a *acceptdrift) html() []web.Route {
	routes := staffed.Routes{Problems: []string{"role_missing"}, Guard: func(handle staffed.Handler) func(http.ResponseWriter, *http.Request) error {
		return a.staff(looking(handle))
	}}
	get := routes.Page
	post := func(path, summary string, handle staffed.Filled) web.Route {
		return routes.Form(path, summary, a.Form(handle))
	}
	return []web.Route{
		a.Pages.Assets(),
		get("/", "What is out of order.", a.overview),
		get("/{id}", "One finding, side by side.", func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
			return a.show(w, r, who, nil, nil)
		}),
		post("/{id}/accept", "Accept it for a while.", a.acceptForm),
		post("/{id}/revoke", "Take an acceptance back.", a.revokeForm),
	}
}

// Limits of the first page: of each state, and of what is in order again.
const (
	shown      = 100
	shownEnded = 20
)

func (a *acceptdrift) overview(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	data := page.Overview{Done: staffed.Note(r, notes)}
	counts := map[string]int{}
	for state, into := range map[finding.State]*[]page.Item{finding.Open: &data.Open, finding.Settling: &data.Settling, finding.Accepted: &data.Accepted, finding.Healed: &data.Ended, finding.Dropped: &data.Dropped} {
		limit := shown
		if state.Over() {
			limit = shownEnded
		}
		found, next, err := a.Findings.List(r.Context(), state, nil, limit)
		if err != nil {
			return err
		}
		data.More = data.More || next != nil && !state.Over()
		for _, f := range found {
			list := into
			if a.second(f, who) {
				list = &data.Asked
			}
			if state == finding.Open {
				counts[string(f.Severity)]++
			}
			*list = append(*list, a.item(r, who, f))
		}
	}
	data.Bars = page.Bars([]string{string(policy.Critical), string(policy.High), string(policy.Medium), string(policy.Low), string(policy.Info)}, counts)
	look, err := a.look(r, who)
	if err != nil {
		return err
	}
	data.Look = look
	return a.Render(w, r, who, http.StatusOK, "overview", "overview.title", home, data)
}

// second reports whether a finding waits for the reader as the second person.
func (a *acceptdrift) second(f finding.Finding, who caller.Staff) bool {
	return f.State == finding.Open && f.Proposed != nil && !a.same(who, f.Proposed.By) && f.Proposed.Got == f.Got && decides(who) && !a.mayHaveDone(f, who)
}

// same reports whether the reader has an id, or is or looks like whom it belongs to.
func (a *acceptdrift) same(who caller.Staff, id string) bool {
	return id == who.ID || slices.Contains(a.Policy.Twins(who.Person), id)
}

func (a *acceptdrift) mayHaveDone(f finding.Finding, who caller.Staff) bool {
	return slices.ContainsFunc(f.Actors, func(actor finding.Actor) bool { return actor.Person != "" && a.same(who, actor.Person) })
}

// item is a finding in a list.
func (a *acceptdrift) item(r *http.Request, who caller.Staff, f finding.Finding) page.Item {
	at := f.Opened
	if at.IsZero() {
		at = f.First
	}
	if f.State.Over() {
		at = f.Ended
	}
	what, _ := said(a.Says(f, staffed.Language(r)))
	i := page.Item{Path: home + f.ID, What: what, Class: "class." + f.Class, On: page.Plain(asset.Base(f.Asset)), Severity: "severity." + string(f.Severity),
		State: "state." + string(f.State), When: staffed.Moment(r, who, at), Unknown: staffed.Moment(r, who, f.Unknown)}
	i.Grave = !f.State.Over() && (f.Severity == policy.Critical || f.Severity == policy.High)
	if f.Class != finding.Forbidden && f.What != f.Class {
		i.Field = page.Plain(f.What)
	}
	address, _, _ := strings.Cut(i.Field, " ")
	i.Name = page.Short(cmp.Or(i.On, address, a.Pages.Text(staffed.Language(r), "company")))
	if len(f.Actors) > 0 && f.Actors[0].Person != "" {
		i.Who = a.NameOf(f.Actors[0].Person)
	}
	if f.Accepted != nil {
		i.Until = lastMoment(r, who, f.Accepted.Until)
	}
	return i
}

// said is what is wrong, and what to do, of what an assertion says.
func said(words string) (what, advice string) {
	what, advice, _ = strings.Cut(words, ". ")
	if what != "" {
		what = strings.TrimSuffix(what, ".") + "."
	}
	return what, advice
}

// lastMoment writes the end of an acceptance: the first instant of a day reads as the end of the one before.
func lastMoment(r *http.Request, who caller.Staff, at time.Time) string {
	local := at.In(who.Location())
	if local.Hour()+local.Minute() == 0 {
		return shell.Day(staffed.Language(r), local.AddDate(0, 0, -1)) + ", 24:00"
	}
	return staffed.Moment(r, who, at)
}

func (a *acceptdrift) acceptForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	if refused != nil {
		return a.show(w, r, who, form, refused)
	}
	wish := finding.Wish{Reason: form.Get("reason"), Ticket: strings.TrimSpace(form.Get("ticket")), Got: strings.ReplaceAll(form.Get("got"), "\r\n", "\n"), Until: staffed.LastDay(form.Get("until"), who.Location())}
	f, err := a.Findings.Accept(r.Context(), r.PathValue("id"), wish, who.Person, a.Clock.Now())
	if err != nil {
		return a.show(w, r, who, form, err)
	}
	done := "done.accepted"
	if f.State != finding.Accepted {
		done = "done.proposed"
	}
	return web.SeeOther(w, home+"?done="+done)
}

func (a *acceptdrift) revokeForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	if refused != nil {
		return a.show(w, r, who, nil, refused)
	}
	if _, err := a.Findings.Revoke(r.Context(), r.PathValue("id"), who.Person, a.Clock.Now()); err != nil {
		return a.show(w, r, who, nil, err)
	}
	done := "done.revoked"
	if form.Get("of") == "proposed" {
		done = "done.withdrawn"
	}
	return web.SeeOther(w, home+"?done="+done)
}

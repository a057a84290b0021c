package decideerasure

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/erasure/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// home is where the pages begin.
const home = "/decideerasure/"

// notes are the texts a page may show after a form was done; anything else in the query is ignored.
var notes = []string{"done.approved", "done.proposed", "done.held", "done.released", "done.rejected", "done.extended", "done.exported", "done.settled",
	"done.resumed", "done.reviewed", "done.given_up", "done.passed_on", "done.entered"}

// html is the table of the pages.
func (k *desk) html() []web.Route {
	get, post := k.routes().Page, k.routes().Form
	routes := []web.Route{
		k.Pages.Assets(),
		get("/", "Requests, those due first in front.", k.signed(k.deskPage)),
		get("/{id}", "One request.", k.signed(k.filePage)),
		get("/enter", "Enter a letter or mail.", k.enterPage),
		post("/enter", "Enter a letter or mail.", k.signed(k.enterForm)),
		get("/parties", "What has to be settled with third parties by hand.", k.partiesPage),
		post("/parties/connection", "Say what became of a connection.", k.Form(k.settled(k.connectionSettled))),
		post("/parties/notice", "Say what became of telling a recipient.", k.Form(k.settled(k.noticeSettled))),
	}
	for _, d := range k.deeds() {
		routes = append(routes, post("/{id}/"+d.path, d.summary, k.Form(k.deed(d))))
	}
	return routes
}

// day writes a day in the reader's language.
func day(r *http.Request, d calendar.Day) string { return letter.Date(d, staffed.Language(r)) }

func (k *desk) deskPage(w http.ResponseWriter, r *http.Request, who caller.Staff, s *request.Service) error {
	q, now, today := r.URL.Query(), k.Clock.Now(), k.today()
	show, state := q.Get("show"), request.State(q.Get("state"))
	if !slices.Contains(shows, show) {
		show = showOpen
	}
	l := listing(show, state, q.Get("after"))
	data := page.Desk{Done: staffed.Note(r, notes), Heading: "show." + show, State: string(state)}
	if l.State != "" {
		show, data.Heading = "", "state."+string(state)
	}
	listed, next, err := s.Browse(r.Context(), who.Person, l, now)
	if err != nil {
		return err
	}
	if next != "" {
		data.Next = home + "?" + url.Values{"show": {show}, "state": {string(l.State)}, "after": {next}}.Encode()
	}
	for _, one := range shows {
		filter := page.Show{Value: one, Label: "show." + one, Count: -1, Chosen: one == show}
		if one != showOver {
			counted, more, err := s.Browse(r.Context(), who.Person, listing(one, "", ""), now)
			if err != nil {
				return err
			}
			filter.Count, filter.More = len(counted), more != ""
		}
		data.Shows = append(data.Shows, filter)
	}
	for _, one := range request.States() {
		data.States = append(data.States, page.Choice{Value: string(one), Label: "state." + string(one)})
	}
	for _, one := range listed {
		data.Items = append(data.Items, k.item(r, one, today))
	}
	return k.Render(w, r, who, http.StatusOK, "desk", "desk.title", home, data)
}

// Ways to filter the list that are none of the request's own.
const (
	showOpen = "open"
	showOver = "over"
)

var shows = []string{showOpen, string(request.ShowDesk), string(request.ShowOverdue), string(request.ShowPerson), string(request.ShowUnknown), string(request.ShowWork), showOver}

// listing is what a filter holds; an unknown one is the first. A state, where it is one, counts before it.
func listing(show string, state request.State, after string) request.Listing {
	l := request.Listing{Over: show == showOver, After: after}
	switch {
	case slices.Contains(request.States(), state):
		l.State = state
	case slices.Contains(shows, show) && show != showOpen:
		l.Show = request.Show(show)
	}
	return l
}

// soon is within how many days an answer is due soon: when the first alarm is given.
const soon = 10

// item is a request in the list.
func (k *desk) item(r *http.Request, one request.Request, f found) page.Item {
	i := page.Item{
		ID: one.ID, Number: page.Group(one.Number), Anchor: one.Number, State: "state." + string(one.State), Kind: "kind." + string(one.Kind), Tenant: k.tenant(one.Tenant),
		Due: day(r, one.Deadline.Due), Came: day(r, calendar.Date(one.Received, k.Policy.Company.Location())), Overdue: f.overdue(one),
		Late: one.Late && one.Open, Second: one.Proposed != nil, Reopened: !one.Reopened.IsZero() && one.Open, NotAnswered: !one.State.Answered(),
	}
	for _, want := range one.Wants() {
		i.Wants = append(i.Wants, "want."+want)
	}
	left := 0
	for d := f.today; left <= soon && d.Before(one.Deadline.Due); d = calendar.AddDays(d, 1) {
		left++
	}
	if i.NotAnswered && !i.Overdue && left <= soon {
		i.Soon, i.Days = true, left
	}
	return i
}

// tenant is how a page calls an organisation.
func (k *desk) tenant(id string) string {
	if t, known := k.Policy.Tenant(id); known {
		return t.Name
	}
	return id
}

// enterPage shows the form for a letter or mail.
func (k *desk) enterPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return k.showEnter(w, r, who, url.Values{"language": {k.Policy.Company.Languages[0]}}, nil)
}

const localTime = "2006-01-02T15:04"

func (k *desk) showEnter(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	// The form lists who our customers are, a refused one too.
	if !who.May(policy.DPO, policy.Security, policy.Owner) {
		return fault.Refuse(fault.Denied, "role_missing", "This is for the data protection officer, security and the owner.", "Ask one of them.")
	}
	trouble, status, err := k.Trouble(r, refused)
	if err != nil {
		return err
	}
	data := page.Enter{Problem: trouble, Form: flat(form), Most: k.Clock.Now().In(who.Location()).Format(localTime)}
	for _, t := range k.Policy.Tenants {
		data.Tenants = append(data.Tenants, page.Choice{Value: t.ID, Label: t.Name})
	}
	return k.Render(w, r, who, status, "enter", "enter.title", home+"enter", data)
}

// flat is a form with the first value of each field.
func flat(form url.Values) map[string]string {
	all := map[string]string{}
	for name := range form {
		all[name] = form.Get(name)
	}
	return all
}

func (k *desk) enterForm(w http.ResponseWriter, r *http.Request, who caller.Staff, s *request.Service) error {
	now := k.Clock.Now()
	form, raw, err := k.Forms.Upload(w, r, who.Subject, k.Manifest.Name, "eml", request.MaxMail, now)
	if err != nil {
		if form == nil {
			return err
		}
		return k.showEnter(w, r, who, form, err) // the page was open too long
	}
	e := request.Entry{
		Channel: request.Channel(form.Get("channel")), Tenant: form.Get("tenant"), Kind: request.Kind(form.Get("kind")), Email: form.Get("email"), Reply: form.Get("reply"),
		Text: strings.ReplaceAll(strings.TrimSpace(form.Get("text")), "\r\n", "\n"), Raw: raw, Language: form.Get("language"), Export: form.Get("export") == "yes", Mandate: strings.TrimSpace(form.Get("mandate")),
	}
	if at, err := time.ParseInLocation(localTime, form.Get("received"), who.Location()); err == nil {
		e.Received = at.UTC()
	}
	made, err := s.Enter(r.Context(), who.Person, e, now)
	if err != nil {
		return k.showEnter(w, r, who, form, err)
	}
	return web.SeeOther(w, home+made.ID+"?done=done.entered")
}

package justify

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/watch/internal/page"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/watch/episode"
)

func (j *justify) exceptionsPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return j.showExceptions(w, r, who, nil, nil)
}

func (j *justify) showExceptions(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	found, err := j.exceptions(r, who)
	if err != nil {
		return err
	}
	trouble, status, err := j.Trouble(r, refused)
	if err != nil {
		return err
	}
	now := j.Clock.Now().In(who.Location())
	data := page.Exceptions{
		Done: staffed.Note(r, notes), Problem: trouble, MayDecide: decides(who), Kind: form.Get("kind"), Rule: form.Get("rule"), Actor: form.Get("actor"),
		Resource: form.Get("resource"), Method: form.Get("method"), Reason: form.Get("reason"), Ticket: form.Get("ticket"), Note: form.Get("note"),
		From: form.Get("from"), Until: form.Get("until"), Least: now.Format(time.DateOnly), Most: now.AddDate(0, 0, 89).Format(time.DateOnly),
	}
	if data.Until == "" {
		data.Until = now.AddDate(0, 0, 14).Format(time.DateOnly)
	}
	for _, x := range found {
		one := page.Exception{ID: x.ID, Kind: "exception." + x.Kind, Rule: x.Rule, Actor: x.Actor, Resource: x.Resource, Method: x.Method, Reason: "reason." + x.Reason,
			Note: x.Note, Ticket: x.Ticket, From: staffed.Moment(r, who, x.From), Until: staffed.Moment(r, who, x.Until), Asker: j.NameOf(x.Asker), Used: x.Used, Mine: x.Asker == who.ID}
		if x.Approver != "" {
			one.Approver = j.NameOf(x.Approver)
		}
		list := map[string]*[]page.Exception{"asked": &data.Waiting, "in-force": &data.InForce, "ended": &data.Ended}[x.State]
		*list = append(*list, one)
	}
	for _, rule := range j.Rules.Rules() {
		data.Rules = append(data.Rules, page.Choice{Value: rule.Name, Label: rule.Name})
	}
	for _, reason := range episode.ExceptionReasons() {
		data.Reasons = append(data.Reasons, page.Choice{Value: reason, Label: "reason." + reason})
	}
	return j.Render(w, r, who, status, "exceptions", "exceptions.title", home+"exceptions", data)
}

func (j *justify) exceptForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	err := refused
	if err == nil {
		field := func(name string) string { return strings.TrimSpace(form.Get(name)) }
		_, err = j.Episodes.Except(r.Context(), episode.Request{
			Kind:   episode.ExceptionKind(field("kind")),
			Scope:  episode.Scope{Rule: field("rule"), Actor: field("actor"), Resource: field("resource"), Method: field("method")},
			Reason: field("reason"), Note: field("note"), Ticket: field("ticket"),
			From: begin(field("from"), who.Location()), Until: staffed.LastDay(field("until"), who.Location()),
		}, who.Person, j.Clock.Now())
	}
	if err != nil {
		return j.showExceptions(w, r, who, form, err)
	}
	return web.SeeOther(w, home+"exceptions?done=done.asked")
}

// begin is a time as a form writes it; the zero time, now, of what is none.
func begin(text string, zone *time.Location) time.Time {
	at, err := time.ParseInLocation("2006-01-02T15:04", text, zone)
	if err != nil {
		return time.Time{}
	}
	return at
}

func (j *justify) approveForm(w http.ResponseWriter, r *http.Request, who caller.Staff, _ url.Values, refused error) error {
	return j.decideForm(w, r, who, refused, j.Episodes.Approve, "done.approved")
}

func (j *justify) endForm(w http.ResponseWriter, r *http.Request, who caller.Staff, _ url.Values, refused error) error {
	return j.decideForm(w, r, who, refused, j.Episodes.End, "done.ended")
}

func (j *justify) decideForm(w http.ResponseWriter, r *http.Request, who caller.Staff, refused error, decide decision, done string) error {
	err := refused
	if err == nil {
		_, err = decide(r.Context(), r.PathValue("id"), who.Person, j.Clock.Now())
	}
	if err != nil {
		return j.showExceptions(w, r, who, nil, err)
	}
	return web.SeeOther(w, home+"exceptions?done="+done)
}

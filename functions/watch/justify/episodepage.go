package justify

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/watch/internal/page"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/watch/episode"
)

func (j *justify) episodePage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return j.showEpisode(w, r, who, nil, nil)
}

// shown is how many of the things seen a page lists, the newest; the interface for programs gives all.
const shown = 50

// showEpisode shows one, with a refusal and what was filled in when there was one.
func (j *justify) showEpisode(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	trouble, status, err := j.Trouble(r, refused)
	if err != nil {
		return err
	}
	now := j.Clock.Now()
	view, err := j.Episodes.Get(r.Context(), r.PathValue("id"), who.Person, now)
	if err != nil {
		return err
	}
	e := view.Episode
	data := page.Episode{
		Item: j.item(r, who, e), Problem: trouble, Question: e.Round, Words: e.Words, Ticket: e.Ticket, Note: e.Note, Closed: staffed.Moment(r, who, e.Closed),
		MayAnswer: j.Episodes.MayAnswer(e, who.Person, now), MayReview: j.Episodes.MayReview(e, who.Person, now), Revision: view.Revision,
		Mine:   e.Person == who.ID,
		Unsure: e.Kind == episode.Undetermined,
		Own:    e.State == episode.Answered && (e.Person == who.ID || e.AnsweredBy == who.ID),
		Form:   page.Form{Reason: form.Get("reason"), Words: form.Get("words"), Ticket: form.Get("ticket"), Note: form.Get("note")},
	}
	if _, on := j.Policy.Read(breachFile); on && !data.Mine {
		data.Breach, data.BreachAt = "episode.cases", "/declarebreach/"
		if e.State != episode.Escalated {
			data.Breach, data.BreachAt = "episode.declare", (&url.URL{Path: "/declarebreach/declare", RawQuery: url.Values{"tenant": concerned(e)}.Encode()}).String()
		}
	}
	if e.AnsweredBy != "" {
		data.Answered = j.NameOf(e.AnsweredBy) + ", " + staffed.Moment(r, who, e.AnsweredAt)
	}
	if e.Reason != "" {
		data.Reason = "reason." + string(e.Reason)
	}
	if e.ReviewedBy != "" {
		data.Reviewed, data.Verdict = j.NameOf(e.ReviewedBy)+", "+staffed.Moment(r, who, e.ReviewedAt), "verdict."+string(e.Verdict)
	}
	if e.Cause != "" {
		data.Cause = "cause." + string(e.Cause)
	}
	for _, reason := range episode.Reasons() {
		data.Reasons = append(data.Reasons, page.Choice{Value: string(reason), Label: "reason." + string(reason)})
	}
	for _, id := range e.Promises {
		data.Promises = append(data.Promises, j.Sentence(r, id))
	}
	j.list(&data, r, who, view)
	return j.Render(w, r, who, status, "episode", "episode.title", data.Path, data)
}

// breachFile is the file of the policy with which breaches can be declared.
const breachFile = "breach.yaml"

// mostTenants is how many customers a link names; of more, whoever declares says herself whose data it was.
const mostTenants = 50

// concerned are the customers whom a link to declare a breach names.
func concerned(e episode.Episode) []string {
	if len(e.Tenants) > mostTenants {
		return nil
	}
	return e.Tenants
}

// list fills in what was seen, and draws when.
func (j *justify) list(data *page.Episode, r *http.Request, who caller.Staff, view episode.View) {
	var at []time.Time
	for i, m := range view.Members {
		at = append(at, m.At)
		if len(view.Members)-i > shown {
			data.More++
			continue
		}
		s := seen(m)
		line := page.Seen{
			When: m.At.In(who.Location()).Format("15:04:05"), Where: m.At.UTC().Format("2006-01-02 15:04:05 UTC"), Did: s.Method, On: s.Resource, From: s.From,
			Agent: s.Agent, Who: s.Actor, Change: s.Change, Values: s.Values, Count: s.Count, Unsure: s.Unsure, New: view.Round > 1 && m.Round == view.Round,
		}
		if s.Outcome != "" {
			line.Outcome = "outcome." + s.Outcome
		}
		if len(s.Chain) > 1 {
			line.Chain = s.Chain
		}
		data.Seen = append(data.Seen, line)
	}
	data.Line = page.NewTimeline(at, func(t time.Time) string { return staffed.Moment(r, who, t) + t.In(who.Location()).Format(":05") })
}

func (j *justify) answerForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	if refused != nil {
		return j.showEpisode(w, r, who, form, refused)
	}
	words := strings.TrimSpace(form.Get("words"))
	a := episode.Answer{Reason: episode.Reason(form.Get("reason")), Words: words, Ticket: strings.TrimSpace(form.Get("ticket"))}
	done := "done.answered"
	switch {
	case form.Get("not_me") != "":
		if form.Get("sure") != "yes" {
			return j.showEpisode(w, r, who, form, fault.Refuse(fault.Invalid, "unsure", "The box was not ticked.", "Tick it if it was not you; otherwise choose a reason above."))
		}
		a, done = episode.Answer{NotMe: true}, "done.not_me"
	case a.Reason == "" && words != "":
		a.Reason = episode.Other
	}
	if _, err := j.Episodes.Answer(r.Context(), r.PathValue("id"), episode.By{Person: who.Person, Revision: form.Get("revision")}, a, j.Clock.Now()); err != nil {
		return j.showEpisode(w, r, who, form, err)
	}
	return web.SeeOther(w, home+"?done="+done)
}

func (j *justify) reviewForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	if refused != nil {
		return j.showEpisode(w, r, who, form, refused)
	}
	verdict := episode.Verdict(form.Get("verdict"))
	by := episode.By{Person: who.Person, Revision: form.Get("revision")}
	if _, err := j.Episodes.Review(r.Context(), r.PathValue("id"), by, verdict, form.Get("note"), j.Clock.Now()); err != nil {
		return j.showEpisode(w, r, who, form, err)
	}
	return web.SeeOther(w, home+"?done=done."+string(verdict))
}

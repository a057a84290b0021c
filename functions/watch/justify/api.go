package justify

import (
	"context"
	"net/http"
	"slices"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/episode"
)

// api is the table of the JSON interface.
func (j *justify) api() []web.Route {
	route := staffed.Routes{Guard: j.staff}.Program
	return []web.Route{
		route("GET", "/v1/episodes", "List the episodes you may look at, open ones first.", nil, map[int]any{200: map[string][]Episode{}}, nil, j.listEpisodes),
		route("GET", "/v1/episodes/{id}", "One episode, with everything that was seen.", nil, map[int]any{200: Episode{}}, []string{"episode_unknown"}, j.getEpisode),
		route("POST", "/v1/episodes/{id}/answer", "Explain it, or say that it was not you.", Answer{}, map[int]any{200: Episode{}},
			[]string{"episode_unknown", "role_missing", "reason_invalid", "ticket_invalid", "episode_moved", "episode_settled", "episode_answered"}, j.answer),
		route("POST", "/v1/episodes/{id}/review", "Review what another person explained.", Review{}, map[int]any{200: Episode{}},
			[]string{"episode_unknown", "role_missing", "verdict_invalid", "note_invalid", "episode_moved", "episode_settled", "not_answered", "review_self", "same_person"}, j.review),
		route("GET", "/v1/exceptions", "List suppressions and change windows.", nil, map[int]any{200: map[string][]Exception{}}, []string{"role_missing"}, j.listExceptions),
		route("POST", "/v1/exceptions", "Ask for one; another person has to approve it.", NewException{}, map[int]any{201: Exception{}},
			[]string{"role_missing", "own_matter", "same_person", "rule_unknown", "scope_invalid", "reason_invalid", "note_invalid", "ticket_invalid", "until_invalid"}, j.except),
		route("POST", "/v1/exceptions/{id}/approve", "Approve one that another person asked for.", nil, map[int]any{200: Exception{}},
			[]string{"role_missing", "exception_unknown", "exception_self", "same_person", "own_matter", "exception_decided"}, j.approve),
		route("POST", "/v1/exceptions/{id}/end", "End one before its time.", nil, map[int]any{200: Exception{}}, []string{"role_missing", "exception_unknown"}, j.end),
	}
}

func (j *justify) listEpisodes(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	found, err := j.Episodes.List(r.Context(), who.Person, j.Clock.Now())
	if err != nil {
		return err
	}
	listed := []Episode{}
	for _, e := range found {
		listed = append(listed, j.described(r, who, e))
	}
	return web.WriteJSON(w, http.StatusOK, map[string][]Episode{"episodes": listed})
}

func (j *justify) getEpisode(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	view, err := j.Episodes.Get(r.Context(), r.PathValue("id"), who.Person, j.Clock.Now())
	if err != nil {
		return err
	}
	told := j.described(r, who, view.Episode)
	told.Revision = view.Revision
	for _, m := range view.Members {
		told.Seen = append(told.Seen, seen(m))
	}
	return web.WriteJSON(w, http.StatusOK, told)
}

func (j *justify) described(r *http.Request, who caller.Staff, e episode.Episode) Episode {
	now := j.Clock.Now()
	told := Episode{
		ID: e.ID, Kind: string(e.Kind), State: string(e.State), Rule: e.Rule, What: j.what(r, e), Severity: string(e.Severity), Promises: append([]string{}, e.Promises...),
		Person: e.Person, ActorKind: e.ActorKind, First: e.First, Due: e.Due, Question: e.Round, Reason: string(e.Reason), Ticket: e.Ticket, Words: e.Words,
		Answered: e.AnsweredBy, AnswerAt: e.AnsweredAt, Verdict: string(e.Verdict), Note: e.Note, Reviewed: e.ReviewedBy, ReviewAt: e.ReviewedAt,
		Cause: string(e.Cause), Closed: e.Closed, MayAnswer: j.Episodes.MayAnswer(e, who.Person, now), MayReview: j.Episodes.MayReview(e, who.Person, now),
	}
	if e.Alarmed > 0 {
		told.Alarmed = time.UnixMicro(e.Alarmed).UTC()
	}
	return told
}

// what says what an episode is about, in the reader's language.
func (j *justify) what(r *http.Request, e episode.Episode) string {
	language := web.Language(r, shell.Languages...)
	if e.Kind == episode.Unreadable || e.Kind == episode.Silence {
		return j.Pages.Text(language, "kind."+string(e.Kind))
	}
	return j.Episodes.What(e)(language)
}

func seen(m episode.Listed) Seen {
	s, o := m.Detail.Subject, m.Detail.Origin
	return Seen{
		At: m.At, Question: m.Round, Service: s.Service, Method: s.Method, Resource: s.Resource, Project: s.Project, Outcome: s.Outcome, Actor: o.Email,
		Chain: o.Chain, From: o.IP, Agent: o.Agent, Change: o.Delta, Values: m.Detail.Values, Count: m.Detail.Count, Because: s.Because, Unsure: m.Detail.Why,
		Log: o.Log, Entry: s.Entry,
	}
}

func (j *justify) answer(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Answer](w, r)
	if err != nil {
		return err
	}
	e, err := j.Episodes.Answer(r.Context(), r.PathValue("id"), episode.By{Person: who.Person, Revision: body.Revision}, explained(body.Reason, body.Ticket, body.NotMe), j.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, j.described(r, who, e))
}

// explained tells a code from somebody's own words.
func explained(reason, ticket string, notMe bool) episode.Answer {
	a := episode.Answer{Reason: episode.Reason(reason), Ticket: ticket, NotMe: notMe}
	if reason != "" && !slices.Contains(episode.Reasons(), a.Reason) {
		a.Reason, a.Words = episode.Other, reason
	}
	return a
}

func (j *justify) review(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Review](w, r)
	if err != nil {
		return err
	}
	by := episode.By{Person: who.Person, Revision: body.Revision}
	e, err := j.Episodes.Review(r.Context(), r.PathValue("id"), by, episode.Verdict(body.Verdict), body.Note, j.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, j.described(r, who, e))
}

func (j *justify) listExceptions(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	listed, err := j.exceptions(r, who)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, map[string][]Exception{"exceptions": listed})
}

// exceptions are those there are, with how often each was used.
func (j *justify) exceptions(r *http.Request, who caller.Staff) ([]Exception, error) {
	if !looks(who) {
		return nil, mayNotLook()
	}
	found, err := j.Episodes.Exceptions(r.Context(), j.Clock.Now())
	if err != nil {
		return nil, err
	}
	listed := []Exception{}
	for _, x := range found {
		told := j.excepted(x)
		if told.Used, err = j.Episodes.Uses(r.Context(), x.ID); err != nil {
			return nil, err
		}
		listed = append(listed, told)
	}
	return listed, nil
}

func (j *justify) excepted(x episode.Exception) Exception {
	told := Exception{
		ID: x.ID, Kind: string(x.Kind), State: "ended", Rule: x.Scope.Rule, Actor: x.Scope.Actor, Resource: x.Scope.Resource, Method: x.Scope.Method,
		Reason: x.Reason, Note: x.Note, Ticket: x.Ticket, From: x.From, Until: x.Until, Asker: x.Asker, Approver: x.Approver, Ended: x.Ended, Record: x.Record,
	}
	switch now := j.Clock.Now(); {
	case x.Waiting(now):
		told.State = "asked"
	case !x.Approved.IsZero() && x.Ended.IsZero() && now.Before(x.Until):
		told.State = "in-force"
	}
	return told
}

func (j *justify) except(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[NewException](w, r)
	if err != nil {
		return err
	}
	x, err := j.Episodes.Except(r.Context(), body.request(), who.Person, j.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, j.excepted(x))
}

func (n NewException) request() episode.Request {
	return episode.Request{
		Kind: episode.ExceptionKind(n.Kind), Scope: episode.Scope{Rule: n.Rule, Actor: n.Actor, Resource: n.Resource, Method: n.Method},
		Reason: n.Reason, Note: n.Note, Ticket: n.Ticket, From: n.From, Until: n.Until,
	}
}

func (j *justify) approve(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return j.decided(w, r, who, j.Episodes.Approve)
}

func (j *justify) end(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return j.decided(w, r, who, j.Episodes.End)
}

// decision is what a person decides about an exception.
type decision = func(ctx context.Context, id string, by policy.Person, now time.Time) (episode.Exception, error)

func (j *justify) decided(w http.ResponseWriter, r *http.Request, who caller.Staff, decide decision) error {
	x, err := decide(r.Context(), r.PathValue("id"), who.Person, j.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, j.excepted(x))
}

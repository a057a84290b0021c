package attest

import (
	"net/http"
	"slices"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/shared/trust/statement"
	"ostiary.internal/shared/trust/waiver"
)

// api is the table of the JSON interface.
func (a *attest) api() []web.Route {
	route := staffed.Routes{Guard: a.staff}.Program
	return []web.Route{
		route("GET", "/v1/duties", "List the duties you may look at.", nil, map[int]any{200: map[string][]Duty{}}, nil, a.listDuties),
		route("POST", "/v1/duties/{id}/ask", "Ask for something a duty decides, such as new software; {id} is the duty's.", Ask{}, map[int]any{201: Duty{}},
			[]string{"duty_unknown", "about_invalid", "asked_too_much"}, a.ask),
		route("POST", "/v1/duties/{id}/done", "Say that a duty is done.", Word{}, map[int]any{200: Duty{}},
			[]string{"duty_unknown", "role_missing", "reference_invalid", "duty_moved", "duty_done", "own_matter", "same_person", "evidence_missing",
				"document_invalid", "until_invalid"}, a.onKnown(a.done)),
		route("POST", "/v1/duties/{id}/review", "Review what another person did, or refuse what was asked for.", Review{}, map[int]any{200: Duty{}},
			[]string{"duty_unknown", "role_missing", "verdict_invalid", "duty_moved", "duty_not_done", "duty_reviewed", "review_self", "same_person"}, a.onKnown(a.review)),
		route("POST", "/v1/duties/{id}/withdraw", "Take back what you asked for.", Withdraw{}, map[int]any{200: Duty{}},
			[]string{"duty_unknown", "not_asker", "duty_moved", "duty_reviewed", "own_matter"}, a.onKnown(a.withdraw)),
		route("GET", "/v1/statements", "List the promises that people sign.", nil, map[int]any{200: map[string][]Statement{}}, nil, a.listStatements),
		route("POST", "/v1/statements", "Sign the text of a promise.", Sign{}, map[int]any{201: Statement{}},
			[]string{"promise_unknown", "role_missing", "text_changed", "until_invalid"}, a.sign),
		route("GET", "/v1/waivers", "List exceptions that wait or are in force.", nil, map[int]any{200: map[string][]Waiver{}}, []string{"role_missing"}, a.listWaivers),
		route("POST", "/v1/waivers", "Ask for an exception; another person has to approve it.", NewWaiver{}, map[int]any{201: Waiver{}},
			[]string{"role_missing", "promise_unknown", "reason_invalid", "note_invalid", "until_invalid"}, a.waive),
		route("POST", "/v1/waivers/{id}/approve", "Approve an exception another person asked for.", nil, map[int]any{200: Waiver{}},
			[]string{"role_missing", "waiver_unknown", "waiver_self", "same_person", "waiver_decided"}, a.approve),
		route("POST", "/v1/waivers/{id}/end", "End an exception before its time, at once.", nil, map[int]any{200: Waiver{}},
			[]string{"role_missing", "waiver_unknown", "waiver_waiting"}, a.end),
	}
}

func (a *attest) listDuties(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	tasks, err := a.visible(r.Context(), who)
	if err != nil {
		return err
	}
	listed := []Duty{}
	for _, t := range tasks {
		listed = append(listed, a.described(r, who, t))
	}
	return web.WriteJSON(w, http.StatusOK, map[string][]Duty{"duties": listed})
}

func (a *attest) described(r *http.Request, who caller.Staff, t duty.Task) Duty {
	d, _ := a.Duties.Rules.Duty(t.Duty)
	told := Duty{
		ID: t.ID, Duty: t.Duty, What: d.What.In(web.Language(r, shell.Languages...)), State: string(t.State), Cycle: t.Cycle, Due: t.Due, Valid: t.Valid,
		Person: t.Person, Asker: t.Asker, About: t.About, Owner: string(d.Owner), Second: string(d.Second), Evidence: names(d.Evidence), Files: d.Files(),
		DoneBy: t.DoneBy, DoneAt: t.DoneAt, Ref: t.Ref, Reviewer: t.Reviewer, Promises: append(slices.Clone(d.Promises), d.Certificates...),
		MayDo: mayDo(who, t, d), MayCheck: mayReview(who, t, d),
		MayTurn: d.MayRefuse(who.Person, t), MayDrop: d.MayWithdraw(who.Person, t), Late: t.Late,
	}
	if t.Owed() {
		told.Missing, told.Failed = names(t.Missing(d)), names(t.Failed(d))
	}
	if doc := t.Document; doc != (duty.Document{}) {
		told.Document = &Document{doc.Issuer, doc.Number, doc.Until}
	}
	return told
}

func names(needed []duty.Needed) []string {
	names := make([]string, len(needed))
	for i, n := range needed {
		names[i] = n.String()
	}
	return names
}

// optional reads a body that may be left out.
func optional[T any](w http.ResponseWriter, r *http.Request) (T, error) {
	if r.ContentLength == 0 && r.Header.Get("Content-Type") == "" {
		return *new(T), nil
	}
	body, _, err := web.DecodeBody[T](w, r)
	return body, err
}

func (a *attest) ask(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Ask](w, r)
	if err != nil {
		return err
	}
	t, err := a.Duties.Ask(r.Context(), r.PathValue("id"), who.Person, body.About, a.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, a.described(r, who, t))
}

func (a *attest) done(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, err := optional[Word](w, r)
	if err != nil {
		return err
	}
	by := duty.By{Person: who.Person, Ref: body.Ref, Cycle: body.Cycle, Document: a.document(body.Issuer, body.Number, body.Until)}
	t, err := a.Duties.Done(r.Context(), r.PathValue("id"), by, a.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, a.described(r, who, t))
}

// document is what somebody says she puts on file.
func (a *attest) document(issuer, number, until string) duty.Document {
	return duty.Document{Issuer: issuer, Number: number, Until: a.until(until)}
}

func (a *attest) review(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, err := optional[Review](w, r)
	if err != nil {
		return err
	}
	verdict := duty.Verdict(body.Verdict)
	if verdict == "" {
		verdict = duty.Approved
	}
	t, err := a.Duties.Review(r.Context(), r.PathValue("id"), duty.By{Person: who.Person, Cycle: body.Cycle}, verdict, a.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, a.described(r, who, t))
}

func (a *attest) withdraw(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, err := optional[Withdraw](w, r)
	if err != nil {
		return err
	}
	t, err := a.Duties.Withdraw(r.Context(), r.PathValue("id"), duty.By{Person: who.Person, Cycle: body.Cycle}, a.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, a.described(r, who, t))
}

func (a *attest) listStatements(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	found, err := a.Statements.Find(r.Context())
	if err != nil {
		return err
	}
	listed := []Statement{}
	for _, p := range a.Policy.Promises {
		if len(statement.Signers(p)) > 0 {
			listed = append(listed, a.stated(p, found, who))
		}
	}
	return web.WriteJSON(w, http.StatusOK, map[string][]Statement{"statements": listed})
}

// States of a statement, beside those of the store.
const (
	missing = "missing"
	inForce = "in-force"
	expired = "expired"
	changed = "text-changed"
)

// stated tells how a promise that people sign stands. What was signed for the same sentence in another document counts,
// unless this one was signed itself.
func (a *attest) stated(p policy.Promise, found map[string]statement.Statement, who caller.Staff) Statement {
	now, last := a.Clock.Now(), found[p.ID]
	counts := last.Promise != "" && last.InForce(p, now)
	if same, known := a.Policy.Promise(p.SameAs); known && !counts {
		if twin := found[same.ID]; twin.Promise != "" && twin.InForce(same, now) {
			last, counts = twin, true
		}
	}
	told := Statement{Promise: p.ID, Text: map[string]string{}, Hash: promise.TextHash(p.Text), State: missing,
		Role: string(last.Role), Signed: last.Signed, Until: last.Until, Record: last.Record}
	for _, lang := range shell.Languages {
		if text := p.Text.In(lang); text != "" {
			told.Text[lang] = text
		}
	}
	for _, role := range statement.Signers(p) {
		told.Roles = append(told.Roles, string(role))
		told.MaySign = told.MaySign || who.May(role)
	}
	switch {
	case last.Promise == "":
	case counts:
		told.State = inForce
	case now.Before(last.Until):
		told.State = changed
	default:
		told.State = expired
	}
	return told
}

func (a *attest) sign(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Sign](w, r)
	if err != nil {
		return err
	}
	signed, err := a.Statements.Sign(r.Context(), body.Promise, body.Text, a.until(body.Until), who.Person, a.Clock.Now())
	if err != nil {
		return err
	}
	p, _ := a.Policy.Promise(body.Promise)
	return web.WriteJSON(w, http.StatusCreated, a.stated(p, map[string]statement.Statement{p.ID: signed}, who))
}

func (a *attest) listWaivers(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	if !looks(who) {
		return mayNotLook()
	}
	found, err := a.Waivers.List(r.Context(), a.Clock.Now())
	if err != nil {
		return err
	}
	listed := []Waiver{}
	for _, one := range found {
		listed = append(listed, waived(one))
	}
	return web.WriteJSON(w, http.StatusOK, map[string][]Waiver{"waivers": listed})
}

func mayNotLook() error {
	return fault.Refuse(fault.Denied, "role_missing", "Exceptions are shown to security, the DPO, the owner and auditors.", "Ask one of them.")
}

func waived(w waiver.Waiver) Waiver {
	return Waiver{ID: w.ID, Promise: w.Promise, Reason: w.Reason, Note: w.Note, Until: w.Until, State: string(w.State), Asker: w.Asker, Asked: w.Asked,
		Approver: w.Approver, Ender: w.Ender, Ended: w.Ended, Record: w.Record}
}

func (a *attest) waive(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[NewWaiver](w, r)
	if err != nil {
		return err
	}
	asked, err := a.Waivers.Ask(r.Context(), waiver.Request{Promise: body.Promise, Reason: body.Reason, Note: body.Note, Until: a.until(body.Until)}, who.Person, a.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, waived(asked))
}

func (a *attest) approve(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	approved, err := a.Waivers.Approve(r.Context(), r.PathValue("id"), who.Person, a.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, waived(approved))
}

func (a *attest) end(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	ended, err := a.Waivers.End(r.Context(), r.PathValue("id"), who.Person, a.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, waived(ended))
}

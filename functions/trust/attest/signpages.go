package attest

import (
	"net/http"
	"net/url"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/trust/internal/page"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/shared/trust/statement"
	"ostiary.internal/shared/trust/waiver"
)

// stateItem is a statement in a list.
func (a *attest) stateItem(r *http.Request, who caller.Staff, told Statement) page.Item {
	s := a.Sentence(r, told.Promise)
	i := page.Item{Path: home + "statements/" + told.Promise, What: s.Text, Lang: s.Lang, State: "state." + told.State, Bad: told.State != inForce, Until: by(r, who, told.Until)}
	if told.State == inForce && !a.Clock.Now().Add(statement.Ahead).Before(told.Until) {
		i.State, i.Bad = "state.ending", true
	}
	return i
}

func (a *attest) statementsPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	found, err := a.Statements.Find(r.Context())
	if err != nil {
		return err
	}
	var data page.Statements
	for _, p := range a.Policy.Promises {
		if len(statement.Signers(p)) == 0 {
			continue
		}
		told := a.stated(p, found, who)
		list := &data.Others
		if told.MaySign {
			list = &data.Mine
		}
		*list = append(*list, a.stateItem(r, who, told))
	}
	return a.Render(w, r, who, http.StatusOK, "statements", "statements.title", home+"statements", data)
}

func (a *attest) signPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return a.showSign(w, r, who, "", nil)
}

func (a *attest) showSign(w http.ResponseWriter, r *http.Request, who caller.Staff, chosen string, refused error) error {
	trouble, status, err := a.Trouble(r, refused)
	if err != nil {
		return err
	}
	p, known := a.Policy.Promise(r.PathValue("id"))
	if !known || len(statement.Signers(p)) == 0 {
		return fault.Refuse(fault.NotFound, "promise_unknown", "There is no such promise that a person signs.", "Look at the list of statements.")
	}
	found, err := a.Statements.Find(r.Context())
	if err != nil {
		return err
	}
	told := a.stated(p, found, who)
	data := page.Sign{
		Problem: trouble, ID: p.ID, Hash: promise.TextHash(p.Text), State: "state." + told.State, Bad: told.State != inForce, MaySign: told.MaySign,
		Least: a.date(1), Most: a.date(statement.MostDays), Chosen: a.date(365), Until: by(r, who, told.Until),
	}
	if chosen != "" {
		data.Chosen = chosen
	}
	for _, l := range shell.Languages {
		if text := p.Text.In(l); text != "" {
			data.Sentences = append(data.Sentences, staffed.Sentence{ID: p.ID, Lang: l, Text: text})
		}
	}
	for _, role := range told.Roles {
		data.Roles = append(data.Roles, "role."+role)
	}
	if told.Role != "" {
		data.SignedBy, data.SignedOn = "role."+told.Role, day(r, told.Signed.In(who.Location()))
	}
	return a.Render(w, r, who, status, "sign", "statements.title", home+"statements/"+p.ID, data)
}

// date is the company's date so many days from now.
func (a *attest) date(days int) string {
	zone := a.Policy.Company.Location()
	return calendar.Date(calendar.Period{Days: days}.Add(a.Clock.Now(), zone), zone).String()
}

// until reads the last day that counts, or a time; the zero time, which is refused, when it is neither.
func (a *attest) until(text string) time.Time {
	end, _ := statement.ReadUntil(text, a.Policy.Company.Location())
	return end
}

func (a *attest) signForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	err := refused
	if err == nil && form.Get("true") != "yes" {
		err = fault.Refuse(fault.Invalid, "unsigned", "The sentence was not confirmed.", "Tick the box if the sentence is true; otherwise do not sign.")
	}
	if err == nil {
		_, err = a.Statements.Sign(r.Context(), r.PathValue("id"), form.Get("text_hash"), a.until(form.Get("until")), who.Person, a.Clock.Now())
	}
	if err != nil {
		return a.showSign(w, r, who, form.Get("until"), err)
	}
	return web.SeeOther(w, home+"?done=done.signed")
}

func (a *attest) waiversPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return a.showWaivers(w, r, who, nil, nil)
}

func (a *attest) showWaivers(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	if !looks(who) {
		return mayNotLook()
	}
	trouble, status, err := a.Trouble(r, refused)
	if err != nil {
		return err
	}
	now := a.Clock.Now()
	found, err := a.Waivers.List(r.Context(), now)
	if err != nil {
		return err
	}
	data := page.Waivers{
		Done: staffed.Note(r, notes), Problem: trouble, MayDecide: waiver.MayDecide(who.Person), Least: a.date(0), Most: a.date(waiver.MostDays - 1), Chosen: a.date(30),
		Promise: form.Get("promise"), Reason: form.Get("reason"), Note: form.Get("note"), Until: form.Get("until"),
	}
	for _, one := range found {
		shown := page.Waiver{ID: one.ID, Reason: "reason." + one.Reason, Note: one.Note, Until: by(r, who, one.Until), Asker: a.NameOf(one.Asker),
			Sentence: a.Sentence(r, one.Promise), Mine: one.Asker == who.ID}
		if one.InForce(now) {
			shown.Approver = a.NameOf(one.Approver)
			data.InForce = append(data.InForce, shown)
		} else {
			data.Waiting = append(data.Waiting, shown)
		}
	}
	for _, p := range a.Policy.Promises {
		data.Promises = append(data.Promises, page.Choice{Value: p.ID, Label: short(p.ID + ": " + a.Sentence(r, p.ID).Text)})
	}
	for _, reason := range waiver.Reasons() {
		data.Reasons = append(data.Reasons, page.Choice{Value: reason, Label: "reason." + reason})
	}
	return a.Render(w, r, who, status, "waivers", "waivers.title", home+"waivers", data)
}

// short cuts a sentence to what fits an entry of a list.
func short(text string) string {
	const most = 80
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func (a *attest) waiveForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	err := refused
	if err == nil {
		_, err = a.Waivers.Ask(r.Context(), waiver.Request{Promise: form.Get("promise"), Reason: form.Get("reason"), Note: form.Get("note"), Until: a.until(form.Get("until"))}, who.Person, a.Clock.Now())
	}
	if err != nil {
		return a.showWaivers(w, r, who, form, err)
	}
	return web.SeeOther(w, home+"waivers?done=done.waived")
}

func (a *attest) approveForm(w http.ResponseWriter, r *http.Request, who caller.Staff, _ url.Values, refused error) error {
	err := refused
	if err == nil {
		_, err = a.Waivers.Approve(r.Context(), r.PathValue("id"), who.Person, a.Clock.Now())
	}
	if err != nil {
		return a.showWaivers(w, r, who, nil, err)
	}
	return web.SeeOther(w, home+"waivers?done=done.approved")
}

func (a *attest) endForm(w http.ResponseWriter, r *http.Request, who caller.Staff, _ url.Values, refused error) error {
	err := refused
	if err == nil {
		_, err = a.Waivers.End(r.Context(), r.PathValue("id"), who.Person, a.Clock.Now())
	}
	if err != nil {
		return a.showWaivers(w, r, who, nil, err)
	}
	return web.SeeOther(w, home+"waivers?done=done.ended")
}

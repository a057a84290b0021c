package enrolotp

import (
	"net/http"
	"net/url"
	"slices"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/platform/web"
)

func (e *enrolotp) desk(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return e.showDesk(w, r, who, page.Desk{}, nil)
}

func (e *enrolotp) showDesk(w http.ResponseWriter, r *http.Request, who caller.Staff, data page.Desk, refused error) error {
	now := e.Clock.Now()
	if refused != nil {
		var err error
		if data.Problem, err = e.trouble(r, refused); err != nil {
			return err
		}
	}
	open, err := e.OTP.OpenResets(r.Context(), now)
	if err != nil {
		return err
	}
	lang := web.Language(r, shell.Languages...)
	for _, reset := range open {
		data.Resets = append(data.Resets, page.Reset{ID: reset.ID, Person: e.name(reset.Person), Reason: reset.Reason, Asker: e.name(reset.Requester),
			Since: shell.Day(lang, reset.Requested.In(who.Location())), Mine: who.ID == reset.Requester || who.ID == reset.Person})
	}
	for _, p := range e.Policy.People {
		if p.Active(now) && p.ID != who.ID {
			data.People = append(data.People, page.Choice{Value: p.Email, Label: p.Name})
		}
	}
	if note := r.URL.Query().Get("done"); slices.Contains(notes, note) {
		data.Done = note
	}
	return e.pages.Render(w, r, http.StatusOK, "desk", shell.View{Title: "desk.title", Name: who.Name, Form: e.forms.Token(who.Subject, purpose, now), Data: data})
}

// name is how the desk calls a person; the id of somebody who has left the policy stands for itself.
func (e *enrolotp) name(id string) string {
	if p, known := e.Policy.PersonByID(id); known {
		return p.Name
	}
	return id
}

func (e *enrolotp) askForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	if _, err := e.ask(r, who, NewReset{Email: form.Get("email"), Reason: form.Get("reason")}); err != nil {
		return e.showDesk(w, r, who, page.Desk{}, err)
	}
	return web.SeeOther(w, "/enrolotp/desk?done=done.reset")
}

func (e *enrolotp) approveForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	if _, err := e.approve(r, who, form.Get("id")); err != nil {
		return e.showDesk(w, r, who, page.Desk{}, err)
	}
	return web.SeeOther(w, "/enrolotp/desk?done=done.approved")
}

func (e *enrolotp) inviteForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	token, err := e.link(r, who, form.Get("email"))
	if err != nil {
		return e.showDesk(w, r, who, page.Desk{}, err)
	}
	// The token stands in the fragment, which browsers send to no server; it can also be typed.
	return e.showDesk(w, r, who, page.Desk{Link: "/enrolotp/#enrol=" + token.Text, Code: token.Text}, nil)
}

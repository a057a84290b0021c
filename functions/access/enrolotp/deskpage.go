package enrolotp

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/web"
)

// deskPath is where the security desk begins.
const deskPath = "/enrolotp/desk"

func (e *enrolotp) desk(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return e.showDesk(w, r, who, page.Desk{}, "", nil)
}

// showDesk shows the desk, with a refusal at the form it belongs to.
func (e *enrolotp) showDesk(w http.ResponseWriter, r *http.Request, who caller.Staff, data page.Desk, at string, refused error) error {
	now, status := e.Clock.Now(), http.StatusOK
	if refused != nil {
		var err error
		if data.Problem, status, err = e.trouble(r, at, refused); err != nil {
			return err
		}
	}
	var err error
	if data.Rollover, err = otp.NewRolloverID(e.Random); err != nil {
		return err
	}
	open, err := e.OTP.OpenResets(r.Context(), now)
	if err != nil {
		return err
	}
	lang := staffed.Language(r)
	for _, reset := range open {
		listed := page.Reset{ID: reset.ID, Person: e.NameOf(reset.Person), Reason: reset.Reason, Asker: e.NameOf(reset.Requester),
			Since: shell.Day(lang, reset.Requested.In(who.Location())), Mine: who.ID == reset.Requester || who.ID == reset.Person}
		if from := reset.NotBefore.In(who.Location()); now.Before(from) {
			listed.From = shell.Day(lang, from) + ", " + from.Format("15:04")
		}
		data.Resets = append(data.Resets, listed)
	}
	for _, p := range e.Policy.People {
		if p.Active(now) && p.ID != who.ID {
			data.People = append(data.People, page.Choice{Value: p.Email, Label: p.Name})
		}
	}
	rolling, err := e.OTP.OpenRollovers(r.Context())
	if err != nil {
		return err
	}
	for _, all := range rolling {
		data.Rollovers = append(data.Rollovers, page.Rollover{ID: all.ID, By: shell.Day(lang, all.By.Add(-time.Nanosecond).In(who.Location())), Reason: all.Reason})
	}
	data.Done = cmp.Or(staffed.Note(r, notes), data.Done)
	return e.Render(w, r, who, status, "desk", "desk.title", deskPath, data)
}

func (e *enrolotp) askForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	if _, err := e.ask(r, who, NewReset{Email: form.Get("email"), Reason: form.Get("reason")}); err != nil {
		return e.showDesk(w, r, who, page.Desk{Email: form.Get("email"), Reason: form.Get("reason")}, "ask", err)
	}
	return web.SeeOther(w, deskPath+"?done=done.reset")
}

func (e *enrolotp) approveForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	if _, err := e.approve(r, who, form.Get("id")); err != nil {
		return e.showDesk(w, r, who, page.Desk{}, "approve", err)
	}
	return web.SeeOther(w, deskPath+"?done=done.approved")
}

func (e *enrolotp) refuseForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	if _, err := e.refuse(r, who, form.Get("id")); err != nil {
		return e.showDesk(w, r, who, page.Desk{}, "approve", err)
	}
	return web.SeeOther(w, deskPath+"?done=done.refused")
}

func (e *enrolotp) inviteForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	bind, email := e.link, form.Get("email")
	if form.Get("today") == "yes" {
		bind = e.pass
	}
	token, err := bind(r, who, email)
	if err != nil {
		return e.showDesk(w, r, who, page.Desk{Email: email}, "invite", err)
	}
	person, _ := e.Policy.Person(email)
	// The token stands in the fragment, which browsers send to no server; it can also be typed.
	return e.showDesk(w, r, who, page.Desk{Link: "/enrolotp/#enrol=" + token.Text, Code: token.Text, For: person.Name,
		Until: token.Expires.In(who.Location()).Format("15:04")}, "", nil)
}

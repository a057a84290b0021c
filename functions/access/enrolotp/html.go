package enrolotp

import (
	"cmp"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// notes are the texts a page may show after a form was done; anything else in the query is ignored.
var notes = []string{"done.confirmed", "done.removed", "done.resync", "done.recovered", "done.objected", "done.reset", "done.approved", "done.refused", "done.rolling", "done.rolled_all", "done.rolled_nobody", "done.rolling_nobody"}

// html is the table of the pages.
func (e *enrolotp) html() []web.Route {
	own, desk := e.routes(e.staff), e.routes(e.security)
	form := func(of staffed.Routes, path, summary string, handle filled) web.Route {
		return of.Form(path, summary, e.form(handle))
	}
	return []web.Route{
		e.Pages.Assets(),
		own.Page("/", "Your authenticators.", e.show),
		form(own, "/add", "Begin an authenticator and show its QR code.", e.add),
		form(own, "/confirm", "Confirm it by a code.", e.confirmForm),
		form(own, "/resync", "Match it again.", e.resyncForm),
		form(own, "/remove", "End it.", e.removeForm),
		form(own, "/recover", "Spend a recovery code.", e.recoverForm),
		form(own, "/codes", "Make new recovery codes.", e.codesForm),
		form(own, "/object", "Refuse a reset of one's own.", e.objectForm),
		desk.Page("/desk", "Resets and enrolment links.", e.desk),
		form(desk, "/desk/reset", "Ask for a reset.", e.askForm),
		form(desk, "/desk/approve", "Approve a reset.", e.approveForm),
		form(desk, "/desk/refuse", "Refuse a reset.", e.refuseForm),
		form(desk, "/desk/invite", "Make an enrolment link.", e.inviteForm),
		form(desk, "/desk/person", "See a person's second factor.", e.personForm),
		form(desk, "/desk/zero", "Set the drift of an authenticator to zero.", e.zeroForm),
		form(desk, "/desk/assign", "Assign a hardware token.", e.assignForm),
		form(desk, "/desk/roll", "Have authenticators replaced.", e.rollForm),
		form(desk, "/desk/step", "Go on with a rollover of everybody.", e.stepForm),
	}
}

// filled answers a form that was read.
type filled = func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error

// form reads a posted form of the signed-in person. One that was left open too long leads to the page again.
func (e *enrolotp) form(handle filled) staffed.Handler {
	return e.Form(func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
		switch {
		case refused == nil:
			return handle(w, r, who, form)
		case strings.HasPrefix(r.URL.Path, deskPath) && mayDecide(who):
			return e.showDesk(w, r, who, page.Desk{}, "", refused)
		}
		return e.again(w, r, who, page.Enrolment{}, "", refused)
	})
}

func (e *enrolotp) show(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return e.enrolment(w, r, who, http.StatusOK, page.Enrolment{})
}

// enrolment shows the page with what the form that led here brought along. Authenticators that were begun and never
// confirmed are not listed: they prove nothing and go by themselves.
func (e *enrolotp) enrolment(w http.ResponseWriter, r *http.Request, who caller.Staff, status int, data page.Enrolment) error {
	now := e.Clock.Now()
	list, err := e.OTP.List(r.Context(), who.ID, now)
	if err != nil {
		return err
	}
	lang := staffed.Language(r)
	open, err := e.OTP.OpenResets(r.Context(), now)
	if err != nil {
		return err
	}
	for _, reset := range open {
		if reset.Person == who.ID {
			data.Resets = append(data.Resets, page.Reset{Asker: e.NameOf(reset.Requester), Since: shell.Day(lang, reset.Requested.In(who.Location()))})
		}
	}
	for _, a := range list.Authenticators {
		if a.State == otp.Pending {
			continue
		}
		data.Authenticators = append(data.Authenticators, page.Authenticator{ID: a.ID, Name: a.Name, Kind: kinds[a.Kind],
			Since: shell.Day(lang, a.Created.In(who.Location())), Drift: a.Offset + a.Drift, Assigned: a.State == otp.Assigned})
		data.MayRenew = data.MayRenew || a.State == otp.Active && !a.Overdue(now) && !list.Locked
		if shown := &data.Authenticators[len(data.Authenticators)-1]; a.State == otp.Active && a.Why != otp.Temporary {
			shown.Until, shown.Overdue = untilDay(lang, a, who.Location()), a.Overdue(now)
			if shown.Until != "" && data.Renew == "" {
				data.Renew = a.ID
			}
		}
	}
	data.Full = len(data.Authenticators) >= e.Rules.OTP.MaxAuthenticators && data.Renew == ""
	data.RecoveryLeft, data.NeedsToken, data.MayDecide = list.Recovery, list.NeedsToken, mayDecide(who)
	data.Done = cmp.Or(staffed.Note(r, notes), data.Done)
	return e.Render(w, r, who, status, "enrol", "enrol.title", "/enrolotp/", data)
}

var kinds = map[otp.Kind]string{otp.TOTP: "TOTP", otp.HOTP: "HOTP"}

// trouble is a refusal as the page shows it at one of its forms, with the status it has; other errors go on.
func (e *enrolotp) trouble(r *http.Request, at string, err error) (*page.Trouble, int, error) {
	if fault.CodeOf(err) == "" {
		return nil, 0, err
	}
	p := e.Pages.Localise(staffed.Language(r), web.ProblemOf(err))
	return page.NewTrouble(p, at), p.Status, nil
}

// again shows the page with a refusal at the form it belongs to.
func (e *enrolotp) again(w http.ResponseWriter, r *http.Request, who caller.Staff, data page.Enrolment, at string, refused error) error {
	problem, status, err := e.trouble(r, at, refused)
	if err != nil {
		return err
	}
	data.Problem = problem
	return e.enrolment(w, r, who, status, data)
}

// add begins an authenticator and shows it. What was begun on the page before and not confirmed is dropped: whoever
// begins again has lost sight of it, and it would count against the limit.
func (e *enrolotp) add(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	body := NewAuthenticator{Name: form.Get("name"), Kind: form.Get("kind"), Replaces: form.Get("replaces"), Token: form.Get("token")}
	list, err := e.OTP.List(r.Context(), who.ID, e.Clock.Now())
	if err != nil {
		return err
	}
	active := false
	for _, a := range list.Authenticators {
		active = active || a.State == otp.Active
		if a.State == otp.Pending {
			if err := e.revoke(r, who, a.ID, false); err != nil {
				return err
			}
		}
	}
	made, err := e.begin(r, who, body)
	if err != nil {
		return e.again(w, r, who, page.Enrolment{Token: body.Token}, "add", err)
	}
	svg, err := otp.QR(made.URI)
	if err != nil {
		return err
	}
	return e.enrolment(w, r, who, http.StatusOK, page.Enrolment{New: &page.Fresh{
		ID: made.ID, Name: body.Name, QR: template.HTML(svg), URI: template.URL(made.URI), Key: made.Manual, Digits: made.Digits,
		Minutes: int(otp.PendingLife / time.Minute), NeedsOld: active && body.Token == "",
	}})
}

func (e *enrolotp) confirmForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	confirmed, result, err := e.OTP.Confirm(r.Context(), who.ID, form.Get("id"), form.Get("code"), form.Get("old"), e.own(r, who), e.Clock.Now())
	if refused := result.Fault(); err == nil && refused != nil {
		err = refused
	}
	switch {
	case fault.CodeOf(err) == "authenticator_unknown": // it died, or was confirmed already: nothing to type a code for
		return e.again(w, r, who, page.Enrolment{}, "", err)
	case err != nil:
		retry := &page.Fresh{ID: form.Get("id"), Minutes: int(otp.PendingLife / time.Minute), NeedsOld: form.Has("old")}
		return e.again(w, r, who, page.Enrolment{New: retry}, "confirm", err)
	case len(confirmed.RecoveryCodes) > 0:
		return e.enrolment(w, r, who, http.StatusOK, page.Enrolment{Codes: confirmed.RecoveryCodes, Done: "done.confirmed"})
	}
	return web.SeeOther(w, "/enrolotp/?done=done.confirmed")
}

func (e *enrolotp) resyncForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	result, err := e.OTP.Resync(r.Context(), who.ID, form.Get("id"), []string{form.Get("a"), form.Get("b")}, e.own(r, who), e.Clock.Now())
	if refused := result.Fault(); err == nil && refused != nil {
		err = refused
	}
	if err != nil {
		return e.again(w, r, who, page.Enrolment{Changing: form.Get("id")}, "resync", err)
	}
	return web.SeeOther(w, "/enrolotp/?done=done.resync")
}

func (e *enrolotp) removeForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	if err := e.revoke(r, who, form.Get("id"), form.Get("lost") == "yes"); err != nil {
		return e.again(w, r, who, page.Enrolment{}, "", err)
	}
	return web.SeeOther(w, "/enrolotp/?done=done.removed")
}

func (e *enrolotp) recoverForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	token, result, err := e.OTP.Recover(r.Context(), who.ID, form.Get("recovery"), e.own(r, who), e.Clock.Now())
	if refused := result.Fault(); err == nil && refused != nil {
		err = refused
	}
	if err != nil {
		return e.again(w, r, who, page.Enrolment{}, "recover", err)
	}
	return e.enrolment(w, r, who, http.StatusOK, page.Enrolment{Token: token.Text, Done: "done.recovered"})
}

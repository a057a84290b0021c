package enrolotp

import (
	"net/http"
	"net/url"
	"time"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// personForm shows what the desk may see of a person. It is posted, so that no address stands in a URL; it changes nothing.
func (e *enrolotp) personForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	person, err := e.person(form.Get("email"))
	if err != nil {
		return e.showDesk(w, r, who, page.Desk{}, "look", err)
	}
	return e.showPerson(w, r, who, person, page.Person{}, "", nil)
}

// showPerson shows a person's second factor, with a refusal at the form it belongs to.
func (e *enrolotp) showPerson(w http.ResponseWriter, r *http.Request, who caller.Staff, person policy.Person, data page.Person, at string, refused error) error {
	now, status := e.Clock.Now(), http.StatusOK
	if refused != nil {
		var err error
		if data.Problem, status, err = e.trouble(r, at, refused); err != nil {
			return err
		}
	}
	list, err := e.OTP.List(r.Context(), person.ID, now)
	if err != nil {
		return err
	}
	if data.Rollover, err = otp.NewRolloverID(e.Random); err != nil {
		return err
	}
	lang := staffed.Language(r)
	data.Name, data.Email, data.Mine = person.Name, person.Email, person.ID == who.ID
	data.RecoveryLeft, data.Failures, data.Locked = list.Recovery, list.Failures, list.Locked
	if !list.Until.IsZero() {
		data.Wait = page.Seconds(list.Until.Sub(now))
	}
	for _, a := range list.Authenticators {
		if a.State != otp.Pending {
			data.Authenticators = append(data.Authenticators, kept(lang, a, person.Location(), now))
		}
	}
	return e.Render(w, r, who, status, "desk", "desk.title", deskPath, page.Desk{Whose: &data})
}

// kept is an authenticator as the desk lists it, its days where the person is.
func kept(lang string, a otp.Authenticator, zone *time.Location, now time.Time) page.Kept {
	k := page.Kept{ID: a.ID, Name: a.Name, Kind: kinds[a.Kind], Serial: a.Serial, Since: shell.Day(lang, a.Created.In(zone)), Assigned: a.State == otp.Assigned,
		Drift: a.Offset + a.Drift, Failures: a.Failures, Overdue: a.Overdue(now), Note: a.Note}
	if !a.LastUsed.IsZero() {
		k.LastDay = shell.Day(lang, a.LastUsed.In(zone))
	}
	k.Until = untilDay(lang, a, zone)
	return k
}

// untilDay is the day by whose end an authenticator is replaced; "" for none.
func untilDay(lang string, a otp.Authenticator, zone *time.Location) string {
	if a.Until.IsZero() {
		return ""
	}
	return shell.Day(lang, a.Until.Add(-time.Nanosecond).In(zone)) // midnight ends the day before
}

func (e *enrolotp) zeroForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	id, reason := form.Get("id"), form.Get("reason")
	person, err := e.zero(r, who, Correction{Email: form.Get("email"), Authenticator: id, Reason: reason})
	switch {
	case person.ID == "":
		return e.showDesk(w, r, who, page.Desk{}, "look", err)
	case fault.CodeOf(err) == "authenticator_unknown" || fault.CodeOf(err) == "own_matter":
		id = ""
	}
	return e.after(w, r, who, person, page.Person{Reason: reason}, "done.zeroed", id, err)
}

func (e *enrolotp) assignForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	person, err := e.person(form.Get("email"))
	if err != nil {
		return e.showDesk(w, r, who, page.Desk{}, "look", err)
	}
	_, err = e.assign(r, who, Assignment{Serial: form.Get("serial"), Email: person.Email})
	return e.after(w, r, who, person, page.Person{Serial: form.Get("serial")}, "done.assigned", "give", err)
}

// after shows the person again: what was done, or why not, with what was typed.
func (e *enrolotp) after(w http.ResponseWriter, r *http.Request, who caller.Staff, person policy.Person, typed page.Person, done, at string, err error) error {
	if err != nil {
		return e.showPerson(w, r, who, person, typed, at, err)
	}
	return e.showPerson(w, r, who, person, page.Person{Done: done}, "", nil)
}

func (e *enrolotp) rollForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	body := NewRollover{ID: form.Get("rollover"), Email: form.Get("email"), Everyone: form.Get("everyone") == "yes", Leaked: form.Get("leaked") == "yes", Reason: form.Get("reason")}
	by, err := e.endOf(form.Get("by"), who)
	body.By = by
	var done Rollover
	if err == nil {
		done, err = e.roll(r, who, body)
	}
	if body.Everyone {
		if err == nil && done.Changed == 0 {
			note := "done.rolling_nobody" // it is begun, and its first step failed
			if done.State == string(otp.RolloverDone) {
				note = "done.rolled_nobody"
			}
			return web.SeeOther(w, deskPath+"?done="+note)
		}
		return e.afterStep(w, r, who, done, err)
	}
	person, known := e.person(body.Email)
	if known != nil {
		return e.showDesk(w, r, who, page.Desk{}, "look", known)
	}
	note := "done.rolled"
	if done.Changed == 0 {
		note = "done.rolled_nobody"
	}
	return e.after(w, r, who, person, page.Person{Reason: body.Reason}, note, "roll", err)
}

func (e *enrolotp) stepForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	done, err := e.step(r, who, form.Get("id"))
	return e.afterStep(w, r, who, done, err)
}

// afterStep shows the desk after a step of a rollover of everybody.
func (e *enrolotp) afterStep(w http.ResponseWriter, r *http.Request, who caller.Staff, done Rollover, err error) error {
	switch {
	case err != nil:
		return e.showDesk(w, r, who, page.Desk{}, "all", err)
	case done.State == string(otp.RolloverDone):
		return web.SeeOther(w, deskPath+"?done=done.rolled_all")
	}
	return web.SeeOther(w, deskPath+"?done=done.rolling")
}

// endOf is the end of a day as the one who types it lives it; the zero time for no day, which means at once.
func (e *enrolotp) endOf(day string, who caller.Staff) (time.Time, error) {
	if day == "" {
		return time.Time{}, nil
	}
	noon, err := time.ParseInLocation("2006-01-02 15", day+" 12", who.Location())
	if err != nil {
		return time.Time{}, fault.Refuse(fault.Invalid, "date_invalid", "This is no day.", "Write it as 2026-03-31.")
	}
	end := calendar.EndOfDay(noon, who.Location())
	if !end.After(e.Clock.Now()) {
		return time.Time{}, fault.Refuse(fault.Invalid, "date_invalid", "This day has passed.", "Choose a day from today on, or none for at once.")
	}
	return end, nil
}

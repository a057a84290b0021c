package attest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/functions/trust/internal/page"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/shared/trust/statement"
	"ostiary.internal/shared/trust/waiver"
)

func (a *attest) overview(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	data := page.Overview{Done: staffed.Note(r, notes), MayLook: looks(who)}
	if err := a.duties(r, who, &data); err != nil {
		return err
	}
	found, err := a.Statements.Find(r.Context())
	if err != nil {
		return err
	}
	for _, p := range a.Policy.Promises {
		told := a.stated(p, found, who)
		if fine := told.State == inForce && a.Clock.Now().Add(statement.Ahead).Before(told.Until); told.MaySign && !fine && p.SameAs == "" {
			data.Sign = append(data.Sign, a.stateItem(r, who, told))
		}
	}
	if waiver.MayDecide(who.Person) {
		waivers, err := a.Waivers.List(r.Context(), a.Clock.Now())
		if err != nil {
			return err
		}
		for _, one := range waivers {
			if one.Waiting(a.Clock.Now()) && one.Asker != who.ID {
				data.Approve++
			}
		}
	}
	return a.Render(w, r, who, http.StatusOK, "overview", "overview.title", home, data)
}

// duties fills in the tasks: what waits for the person first, the earliest end first.
func (a *attest) duties(r *http.Request, who caller.Staff, data *page.Overview) error {
	tasks, err := a.visible(r.Context(), who)
	if err != nil {
		return err
	}
	slices.SortStableFunc(tasks, func(x, y duty.Task) int { return x.Due.Compare(y.Due) })
	for _, t := range tasks {
		d, _ := a.Duties.Rules.Duty(t.Duty)
		list := &data.Others
		switch {
		case mayDo(who, t, d), t.Owed() && d.MayRefuse(who.Person, t):
			list = &data.Do
		case mayReview(who, t, d):
			list = &data.Review
		}
		i := a.item(r, who, t, d)
		*list = append(*list, i)
	}
	for _, d := range a.Duties.Rules.Duties {
		if d.Requested() {
			data.Ask = append(data.Ask, page.Choice{Value: d.ID, Label: d.What.In(staffed.Language(r))})
		}
	}
	return nil
}

func (a *attest) dutyPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return a.showDuty(w, r, who, nil, nil)
}

// showDuty shows one task, with a refusal and what was filled in when there was one.
func (a *attest) showDuty(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	trouble, status, err := a.Trouble(r, refused)
	if err != nil {
		return err
	}
	t, d, err := a.known(r, who)
	if err != nil {
		return err
	}
	data := page.Duty{
		Item: a.item(r, who, t, d), Problem: trouble, Owner: "role." + string(d.Owner), Ref: cmp.Or(t.Ref, form.Get("reference")), Cycle: t.Cycle,
		Issuer: cmp.Or(t.Document.Issuer, form.Get("issuer")), Number: cmp.Or(t.Document.Number, form.Get("number")), Ends: by(r, who, t.Document.Until),
		MayDo: mayDo(who, t, d), MayReview: mayReview(who, t, d), MayRefuse: d.MayRefuse(who.Person, t), MayWithdraw: d.MayWithdraw(who.Person, t),
		Refused: t.State == duty.Refused, Late: t.Late,
		Own: t.Owed() && d.MayDo(who.Person) && d.Second == "" && t.Own(who.ID) || t.Waiting() && d.MayReview(who.Person) && (t.Own(who.ID) || t.Did(who.ID)),
	}
	if d.Second != "" {
		data.Second = "role." + string(d.Second)
	}
	if d.Files() {
		data.Filed = &page.Dates{Least: a.date(0), Most: a.date(365 * duty.MostYears), Chosen: form.Get("valid_until")}
	}
	if t.Owed() {
		data.Evidence, data.Failed = evidence(t.Missing(d)), evidence(t.Failed(d))
	}
	if !t.DoneAt.IsZero() {
		data.At = day(r, t.DoneAt.In(who.Location()))
	}
	if t.DoneBy != "" {
		data.By = a.NameOf(t.DoneBy)
	}
	if t.Reviewer != "" {
		data.Reviewer = a.NameOf(t.Reviewer)
	}
	data.Promises = a.sentences(r, append(slices.Clone(d.Promises), d.Certificates...))
	return a.Render(w, r, who, status, "duty", "overview.title", data.Path, data)
}

func evidence(needed []duty.Needed) []page.Evidence {
	var shown []page.Evidence
	for _, n := range needed {
		shown = append(shown, page.Evidence{Type: "evidence." + n.Type, About: n.About})
	}
	return shown
}

func (a *attest) doneForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	if refused != nil {
		return a.showDuty(w, r, who, nil, refused)
	}
	by := duty.By{Person: who.Person, Ref: form.Get("reference"), Cycle: cycle(form), Document: a.document(form.Get("issuer"), form.Get("number"), form.Get("valid_until"))}
	t, err := a.Duties.Done(r.Context(), r.PathValue("id"), by, a.Clock.Now())
	switch {
	case err != nil:
		return a.showDuty(w, r, who, form, err)
	case t.Waiting():
		return web.SeeOther(w, home+"?done=done.waiting")
	}
	return web.SeeOther(w, home+"?done=done.done")
}

// cycle is the one the page showed; an unreadable one is none there is.
func cycle(form url.Values) int {
	n, err := strconv.Atoi(form.Get("cycle"))
	if err != nil || n < 1 {
		return -1
	}
	return n
}

func (a *attest) reviewForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	if refused != nil {
		return a.showDuty(w, r, who, nil, refused)
	}
	verdict := duty.Verdict(form.Get("verdict"))
	if _, err := a.Duties.Review(r.Context(), r.PathValue("id"), duty.By{Person: who.Person, Cycle: cycle(form)}, verdict, a.Clock.Now()); err != nil {
		return a.showDuty(w, r, who, nil, err)
	}
	switch verdict {
	case duty.Returned:
		return web.SeeOther(w, home+"?done=done.returned")
	case duty.Turned:
		return web.SeeOther(w, home+"?done=done.refused")
	}
	return web.SeeOther(w, home+"?done=done.reviewed")
}

func (a *attest) withdrawForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	err := refused
	if err == nil {
		_, err = a.Duties.Withdraw(r.Context(), r.PathValue("id"), duty.By{Person: who.Person, Cycle: cycle(form)}, a.Clock.Now())
	}
	if err != nil {
		return a.showDuty(w, r, who, nil, err)
	}
	return web.SeeOther(w, home+"?done=done.withdrawn")
}

func (a *attest) askPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return a.showAsk(w, r, who, "", nil)
}

func (a *attest) showAsk(w http.ResponseWriter, r *http.Request, who caller.Staff, about string, refused error) error {
	trouble, status, err := a.Trouble(r, refused)
	if err != nil {
		return err
	}
	d, known := a.Duties.Rules.Duty(r.PathValue("id"))
	if !known || !d.Requested() {
		return fault.Refuse(fault.NotFound, "duty_unknown", "There is no such duty, or it has lapsed.", "Look at the list of duties again.")
	}
	data := page.Ask{Item: page.Item{Path: home + "ask/" + d.ID, What: d.What.In(staffed.Language(r))}, Problem: trouble, About: about}
	return a.Render(w, r, who, status, "ask", "ask.title", data.Path, data)
}

func (a *attest) askForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	err := refused
	if err == nil {
		_, err = a.Duties.Ask(r.Context(), r.PathValue("id"), who.Person, form.Get("about"), a.Clock.Now())
	}
	if err != nil {
		return a.showAsk(w, r, who, form.Get("about"), err)
	}
	return web.SeeOther(w, home+"?done=done.asked")
}

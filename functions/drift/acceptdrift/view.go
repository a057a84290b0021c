package acceptdrift

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"ostiary.internal/functions/drift/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/policy"
)

// show shows one finding, with a refusal and what was filled in when there was one.
func (a *acceptdrift) show(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	trouble, status, err := a.Trouble(r, refused)
	if err != nil {
		return err
	}
	f, err := a.Findings.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	steps, err := a.Findings.History(r.Context(), f.ID)
	if err != nil {
		return err
	}
	data := page.Detail{
		Item: a.item(r, who, f), Problem: trouble, Beside: page.Fold(page.Beside(f.Want, f.Got)), Cut: page.Cut(f.Want) || page.Cut(f.Got), Asset: page.Long(page.Plain(f.Asset)),
		Opened: staffed.Moment(r, who, f.Opened), Seen: staffed.Moment(r, who, f.Seen), Ended: staffed.Moment(r, who, f.Ended), Repair: page.Plain(a.repair(f)), Code: page.Plain(code(f)), Void: void(f, steps),
	}
	if f.Data != "" {
		data.Holds = "holds." + f.Data
	}
	if !f.State.Over() {
		_, data.Advice = said(a.Says(f, staffed.Language(r)))
	}
	for _, actor := range f.Actors {
		data.Actors = append(data.Actors, a.actor(r, who, actor))
	}
	words := map[int]string{}
	for _, s := range steps {
		words[int(s.N)] = s.Words
		one := page.Step{When: staffed.Moment(r, who, s.At), What: "step." + string(s.What), Words: s.Words, Ticket: s.Ticket}
		if s.By != "" {
			one.By = a.NameOf(s.By)
		}
		if !s.Until.IsZero() {
			one.Until = lastMoment(r, who, s.Until)
		}
		data.Steps = append(data.Steps, one)
	}
	data.Accepted, data.Proposed = a.agreed(r, who, f.Accepted, words), a.agreed(r, who, f.Proposed, words)
	for _, id := range f.Promises {
		data.Promises = append(data.Promises, a.Sentence(r, id))
	}
	a.may(r, &data, f, who, form)
	return a.Render(w, r, who, status, "finding", "overview.title", data.Path, data)
}

// void is the key of why what was accepted in this round is not any more; "" where nothing was, or something is again.
func void(f finding.Finding, steps []finding.Step) (why string) {
	for _, s := range steps {
		switch s.What {
		case finding.Void, finding.Outgrown, finding.Own, finding.Over:
			why = "void." + string(s.What)
		case finding.Began, finding.Asked, finding.Agreed, finding.Revoked:
			why = ""
		}
	}
	if f.State != finding.Open {
		return ""
	}
	return why
}

// may fills in what the reader may do, and the form for it.
func (a *acceptdrift) may(r *http.Request, data *page.Detail, f finding.Finding, who caller.Staff, form url.Values) {
	data.Own = a.mayHaveDone(f, who)
	data.Two = f.Severity == policy.High || f.Severity == policy.Critical
	data.Second = a.second(f, who)
	waits := f.Proposed != nil && a.same(who, f.Proposed.By)
	data.MayAccept = f.State == finding.Open && decides(who) && !data.Own && !waits
	data.MayRevoke = decides(who) && (f.State == finding.Accepted || f.State == finding.Open && f.Proposed != nil)
	data.Got = f.Got
	most, now := finding.MostOther, a.Clock.Now().In(who.Location())
	if data.Two {
		most = finding.MostHigh
	}
	last := now.Add(most).AddDate(0, 0, -1)
	data.Least, data.Most, data.MostDay = now.Format(time.DateOnly), last.Format(time.DateOnly), shell.Date(staffed.Language(r), last)
	data.Form = page.Form{Reason: form.Get("reason"), Ticket: form.Get("ticket"), Until: form.Get("until")}
	if data.Second {
		data.Form.Until = f.Proposed.Until.Format(time.RFC3339)
	} else if data.Form.Until == "" {
		data.Form.Until = now.AddDate(0, 0, 7).Format(time.DateOnly)
	}
}

func (a *acceptdrift) actor(r *http.Request, who caller.Staff, actor finding.Actor) page.Actor {
	one := page.Actor{Kind: "kind." + actor.Kind, Method: page.Plain(actor.Method), When: staffed.Moment(r, who, actor.At), Agent: page.Plain(actor.UserAgent), Ticket: page.Plain(actor.Ticket), Entry: page.Plain(actor.Entry)}
	if actor.Person != "" {
		one.Name = a.NameOf(actor.Person)
	}
	if actor.Why != "" {
		one.Why = "why." + actor.Why
	}
	for _, c := range actor.Asked {
		one.Asked = append(one.Asked, page.Asked{Field: page.Long(page.Plain(c.Field)), Was: page.Long(page.Plain(c.Was)), Now: page.Long(page.Plain(c.Now)), Unsure: c.Unsure})
	}
	if actor.Unasked != "" {
		one.Unasked = "asked." + actor.Unasked
	}
	switch {
	case actor.Planned:
		one.Mark = "mark.planned"
	case actor.Suspicious:
		one.Mark = "mark.suspicious"
	}
	for _, link := range actor.Chain {
		one.Through = append(one.Through, a.link(r, link))
	}
	if len(one.Through) == 1 && actor.Person != "" {
		one.Through = nil // she acted herself
	}
	return one
}

// link is one of those a call went through: a person, a program of services.yaml, or a kind of account.
func (a *acceptdrift) link(r *http.Request, link string) string {
	if id, is := strings.CutPrefix(link, "service:"); is {
		return page.Plain(id)
	}
	if text := a.Pages.Text(staffed.Language(r), "kind."+link); text != "" {
		return text
	}
	return a.NameOf(link)
}

func (a *acceptdrift) agreed(r *http.Request, who caller.Staff, x *finding.Acceptance, words map[int]string) *page.Acceptance {
	if x == nil {
		return nil
	}
	out := &page.Acceptance{By: a.NameOf(x.By), Reason: words[x.Reason], Ticket: x.Ticket, Until: lastMoment(r, who, x.Until), At: staffed.Moment(r, who, x.At)}
	if x.Second != "" {
		out.Second = a.NameOf(x.Second)
	}
	return out
}

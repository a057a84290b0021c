package decideerasure

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/erasure/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/request/letter"
)

// decisions fills in what was decided, what waits for a second person, and what the reader may decide.
func (k *desk) decisions(data *page.File, r *http.Request, who caller.Staff, f request.File, now time.Time) error {
	lang, q := staffed.Language(r), f.Request
	for _, h := range q.Holds {
		one, err := k.hold(r, h)
		if err != nil {
			return err
		}
		data.Holds = append(data.Holds, *one)
	}
	if err := k.proposed(data, r, who, q); err != nil {
		return err
	}
	if q.Refusal != nil {
		words, err := letter.Ground(string(q.Refusal.Ground), q.Refusal.Citation, lang)
		if err != nil {
			return err
		}
		data.Refusal = &page.Ground{Words: words, By: k.NameOf(q.Refusal.By), Second: k.NameOf(q.Refusal.Second)}
	}
	data.May = may(f, who, now)
	for _, t := range k.Policy.Tenants {
		data.Tenants = append(data.Tenants, page.Choice{Value: t.ID, Label: t.Name})
	}
	for _, e := range k.Map.Entries {
		data.Entries = append(data.Entries, page.Choice{Value: e.ID, Label: e.ID})
	}
	var err error
	if data.Holding, err = grounds(request.HoldGrounds(), lang); err != nil {
		return err
	}
	data.Refusing, err = grounds(request.RejectGrounds(), lang)
	return err
}

func grounds(all []request.Ground, lang string) (list []page.Choice, err error) {
	for _, g := range all {
		words, err := letter.Ground(string(g), "", lang)
		if err != nil {
			return nil, err
		}
		list = append(list, page.Choice{Value: string(g), Label: words})
	}
	return list, nil
}

func (k *desk) hold(r *http.Request, h request.Hold) (*page.Hold, error) {
	words, err := letter.Ground(string(h.Ground), h.Citation, staffed.Language(r))
	shown := &page.Hold{ID: h.ID, Entry: h.Entry, Fields: strings.Join(h.Fields, ", "), Ground: words, Until: day(r, h.Until), By: k.NameOf(h.By)}
	if h.Second != "" {
		shown.Second = k.NameOf(h.Second)
	}
	return shown, err
}

// proposed fills in what waits for a second person, with the words she would have to repeat.
func (k *desk) proposed(data *page.File, r *http.Request, who caller.Staff, q request.Request) error {
	p := q.Proposed
	if p == nil {
		return nil
	}
	shown := &page.Proposed{What: "proposed." + string(p.What), By: k.NameOf(p.By), At: staffed.Moment(r, who, p.At), Mine: p.By == who.ID, Action: string(p.What)}
	var err error
	switch {
	case p.Hold != nil:
		h := p.Hold
		shown.Hold, err = k.hold(r, *h)
		shown.Fields = map[string]string{"entry": h.Entry, "fields": strings.Join(h.Fields, ","), "ground": string(h.Ground), "citation": h.Citation, "until": h.Until.String()}
	case p.Refusal != nil:
		var words string
		words, err = letter.Ground(string(p.Refusal.Ground), p.Refusal.Citation, staffed.Language(r))
		shown.Refuse = &page.Ground{Words: words}
		shown.Fields = map[string]string{"ground": string(p.Refusal.Ground), "citation": p.Refusal.Citation}
	}
	data.Proposed = shown
	return err
}

// may is what the reader may decide about a request as it stands. The request has the last word.
func may(f request.File, who caller.Staff, now time.Time) (m page.May) {
	q, in := f.Request, func(states ...request.State) bool { return slices.Contains(states, f.State) }
	m.Own, m.Entered = f.Private.Concerns(who.Email), q.EnteredBy == who.ID
	if m.Own || !q.Closed.IsZero() && q.Private == nil {
		return m
	}
	before := in(request.Received, request.IdentityPending, request.Planning, request.AwaitingApproval, request.Approved, request.Blocked)
	m.Approve = in(request.AwaitingApproval) && !m.Entered
	m.Hold = (before || in(request.Executing, request.Partial, request.Retained)) && !m.Entered
	m.Reject = before && !q.Begun && !m.Entered
	m.Extend = q.Extended == nil && !q.State.Answered() && !q.Proved.IsZero() && !q.Deadline.NoticeBy.Before(calendar.Date(now, cmp.Or(who.Location(), time.UTC)))
	m.Exported = q.Export && q.Exported.IsZero() && in(request.Planning, request.AwaitingApproval, request.Approved, request.Blocked)
	m.Settle = in(request.Blocked) && q.Why == request.LastOwner && !m.Entered
	m.Resume = in(request.Blocked, request.Partial)
	m.Review = in(request.AwaitingApproval, request.Approved, request.Executing, request.Verifying, request.Partial) && !m.Entered
	m.PassOn = q.Kind == request.Person && !m.Entered && (in(request.Received, request.IdentityPending) || in(request.Blocked) && (q.Why == request.NoContact || q.Why == request.Undelivered))
	m.GiveUp = in(request.Received, request.IdentityPending)
	return m
}

package requesterasure

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"ostiary.internal/functions/erasure/internal/page"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
)

// showState shows how far a request has come, with a refusal when there was one.
func (a *asking) showState(w http.ResponseWriter, r *http.Request, form url.Values, v request.View, done string, refused error) error {
	trouble, status, err := a.trouble(r, refused)
	if err != nil {
		return err
	}
	lang := staffed.Language(r)
	data := page.Follow{
		Problem: trouble, Done: done, Number: spoken(v.Number), Code: form.Get("code"), State: "state." + string(v.State), Said: said(v),
		Extended: v.Extended, Received: a.moment(lang, v.Received), First: spoken(v.First), Erased: v.Erased,
		Steps:     page.NewSteps(v, page.Told{Moment: func(t time.Time) string { return a.moment(lang, t) }}),
		MayCancel: v.Counts != "" && slices.Contains(takeable, v.State) && v.Executed.IsZero(),
		MayClose:  v.Closes,
		Beside:    len(v.Unsearched) > 0,
		Apart:     v.Apart,
		Proving:   v.State == request.Received || v.State == request.IdentityPending,
	}
	if !v.State.Answered() {
		data.Due = letter.Date(v.Due, lang)
	}
	if !v.After.IsZero() && a.Clock.Now().Before(v.After) {
		data.After = a.moment(lang, v.After)
	}
	if slices.Contains(arguable, v.State) {
		data.Remedies = letter.Remedies(letter.Authority(a.Policy.Company.Country), lang)
	}
	if v.Ground != "" {
		if data.Ground, err = letter.Ground(string(v.Ground), v.Citation, lang); err != nil {
			return err
		}
	}
	if err := keep(&data, v, lang); err != nil {
		return err
	}
	if data.Recipients, err = a.recipients(r.Context(), v, lang); err != nil {
		return err
	}
	switch _, err = a.file(r.Context(), v); {
	case err == nil:
		data.Signed = true
	case fault.CodeOf(err) != "receipt_missing":
		return err
	}
	return a.render(w, r, status, "state", "state.title", "follow", data)
}

// takeable are the states in which a request can be taken back; arguable those whose answer somebody may not agree with.
var (
	takeable = []request.State{request.Received, request.IdentityPending, request.Planning, request.AwaitingApproval, request.Approved, request.Blocked}
	arguable = []request.State{request.Retained, request.Rejected, request.NotEstablished, request.Partial, request.Forwarded}
)

// keep lists what stays, and what backups hold for a while.
func keep(data *page.Follow, v request.View, lang string) error {
	for _, k := range v.Kept {
		why, err := letter.Ground(string(k.Ground), k.Citation, lang)
		if err != nil {
			return err
		}
		data.Kept = append(data.Kept, page.Kept{What: k.Entry, Items: k.Items, Why: why, Until: letter.Date(k.Until, lang)})
	}
	for _, b := range v.Purge {
		data.Backups = append(data.Backups, page.Backup{Class: b.Class, By: letter.Date(b.By, lang)})
	}
	return nil
}

// recipients are those who were told of the erasure: the person may know them (GDPR, article 19).
func (a *asking) recipients(ctx context.Context, v request.View, lang string) (all []page.Recipient, err error) {
	if v.Counts == "" {
		return nil, nil
	}
	told, err := recipient.List(ctx, a.Store, a.Map, v.Counts)
	for _, one := range told {
		all = append(all, page.Recipient{Name: one.Name, Outcome: "told." + string(one.Outcome), At: a.moment(lang, one.At)})
	}
	return all, err
}

// said is the key of the sentence that says where a request stands.
func said(v request.View) string {
	switch {
	case v.State == request.Received || v.State == request.IdentityPending:
		return "said.waiting"
	case v.State == request.Approved && v.Kind == request.Account:
		return "said.closing"
	case v.State == request.Cancelled && v.Why == request.Duplicate:
		return "said.duplicate"
	case v.State == request.Blocked && v.Why == request.LastOwner && !v.Closes:
		return "said.owner_asks"
	case v.State == request.Blocked && (v.Why == request.LastOwner || v.Why == request.NotOwner):
		return "said." + string(v.Why)
	}
	return "said." + string(v.State)
}

// moment writes an instant where the company is.
func (a *asking) moment(lang string, at time.Time) string {
	return shell.Moment(lang, at.In(a.Policy.Company.Location()))
}

package decideerasure

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/web"
)

// deed is a decision as a form of a page sends it. done names the text that says what has come of it.
type deed struct {
	path, summary string
	act           func(ctx context.Context, s *request.Service, id string, who caller.Staff, form url.Values) (request.Request, error)
	done          func(after request.Request) string
}

// deeds are all decisions that pages have forms for.
func (k *desk) deeds() []deed {
	always := func(text string) func(request.Request) string { return func(request.Request) string { return text } }
	return []deed{
		{"approve", "Approve the plan.", filling(k, approving, func(f url.Values) (b Approval) { b.PlanDigest = f.Get("plan_digest"); return b }), always("done.approved")},
		{"hold", "Keep something.", filling(k, k.holding, hold), func(after request.Request) string {
			if after.Proposed != nil && after.Proposed.What == request.HoldIt {
				return "done.proposed"
			}
			return "done.held"
		}},
		{"release", "End a hold.", filling(k, releasing, func(f url.Values) Released { return Released{f.Get("hold")} }), always("done.released")},
		{"reject", "Refuse.", filling(k, rejecting, func(f url.Values) Refusal { return Refusal{f.Get("ground"), f.Get("citation")} }), func(after request.Request) string {
			if after.State != request.Rejected {
				return "done.proposed"
			}
			return "done.rejected"
		}},
		{"extend", "Take two further months.", filling(k, extending, func(f url.Values) Extension { return Extension{f.Get("reason")} }), always("done.extended")},
		{"reviewed", "Say that you looked.", filling(k, reviewing, func(f url.Values) Reviewed {
			items, _ := strconv.ParseInt(f.Get("items"), 10, 64) // what is no number is no count
			return Reviewed{f.Get("entry"), items, f.Get("why"), f.Get("set"), strings.TrimSpace(f.Get("reference"))}
		}), always("done.reviewed")},
		{"exported", "Say that the person has her copy.", filling(k, exporting, handed), always("done.exported")},
		{"settle", "Say that there is another owner.", filling(k, settling, none), always("done.settled")},
		{"resume", "Search again.", filling(k, resuming, none), always("done.resumed")},
		{"passon", "Pass a request on.", filling(k, passingOn, func(f url.Values) PassedOn { return PassedOn{f.Get("tenant")} }), always("done.passed_on")},
		{"giveup", "End a request nobody can prove.", filling(k, givingUp, none), always("done.given_up")},
	}
}

func none(url.Values) (b nothing) { return b }

// handed reads on which day a copy was handed over; today where none can be read.
func handed(f url.Values) (b Handed) {
	if day, err := calendar.ParseDay(f.Get("on")); err == nil {
		b.On = day
	}
	return b
}

// hold reads what is to be kept from a form.
func hold(f url.Values) NewHold {
	h := NewHold{Entry: f.Get("entry"), Ground: f.Get("ground"), Citation: f.Get("citation")}
	h.Fields = strings.FieldsFunc(f.Get("fields"), func(r rune) bool { return r == ',' || r == ' ' })
	if day, err := calendar.ParseDay(f.Get("until")); err == nil {
		h.Until = day // without one the hold is refused
	}
	return h
}

// filling makes a decision from a form.
func filling[T any](k *desk, decide decision[T], read func(url.Values) T) func(context.Context, *request.Service, string, caller.Staff, url.Values) (request.Request, error) {
	return func(ctx context.Context, s *request.Service, id string, who caller.Staff, form url.Values) (request.Request, error) {
		return decide(ctx, s, id, who.Person, read(form), k.Clock.Now())
	}
}

// deed answers the form of a decision.
func (k *desk) deed(d deed) staffed.Filled {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
		s, err := k.Requests(r.Context())
		if err != nil {
			return err
		}
		id := r.PathValue("id")
		if refused == nil {
			var after request.Request
			if after, refused = d.act(r.Context(), s, id, who, form); refused == nil {
				return web.SeeOther(w, home+id+"?done="+d.done(after))
			}
		}
		if form == nil {
			form = url.Values{}
		}
		form.Set("deed", d.path)
		return k.showFile(w, r, who, s, form, refused)
	}
}

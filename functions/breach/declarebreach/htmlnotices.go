package declarebreach

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/functions/breach/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"
)

// draftPage is the form for a new notice.
func (k *desk) draftPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return k.showDraft(w, r, who, notice.Kind(r.URL.Query().Get("kind")), page.Form{}, http.StatusOK)
}

func (k *desk) showDraft(w http.ResponseWriter, r *http.Request, who caller.Staff, kind notice.Kind, form page.Form, status int) error {
	id, err := k.id(r, who)
	if err != nil {
		return err
	}
	c, err := k.Cases.Get(r.Context(), id)
	if err != nil {
		return err
	}
	switch {
	case c.State == cases.Closed:
		kind = notice.Withdrawal // nothing else is said about a case that is over
	case !slices.Contains(notice.Kinds(), kind):
		kind = notice.Initial
	}
	data := k.reader(r, who).NewDraft(c, kind, nil, k.Breach.Contact)
	if data.Form.Values["tenant"], err = k.Notices.Choice(r.Context(), id, kind); err != nil {
		return err
	}
	if form.Open() {
		data.Form = form
	}
	return k.Render(w, r, who, status, "draft", "draft.title", data.Path+"/new", data)
}

// writeForm takes a version of a notice, and shows exactly what would be sent.
func (k *desk) writeForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	n := 0
	if refused == nil {
		var written notice.Notice
		if written, refused = k.written(r, who, form); refused == nil {
			return web.SeeOther(w, page.NoticePath(written)+"?done=done.written")
		}
	}
	f, status, err := k.refusal(r, "write", form, refused)
	if err != nil {
		return err
	}
	if f.Field != "" {
		reader := k.reader(r, who)
		f.Problem.Detail, f.Problem.Next = reader.Lint(f.Problem.Detail), reader.Say("lint.next")
	}
	if n, err = strconv.Atoi(form.Get("n")); err == nil && n > 0 {
		return k.showNotice(w, r, who, n, f, status)
	}
	return k.showDraft(w, r, who, notice.Kind(form.Get("kind")), f, status)
}

func (k *desk) written(r *http.Request, who caller.Staff, form url.Values) (made notice.Notice, err error) {
	id, err := k.id(r, who)
	if err != nil {
		return made, err
	}
	n, err := strconv.Atoi(form.Get("n"))
	if err != nil || n < 0 {
		return made, fault.Refuse(fault.NotFound, "notice_unknown", "There is no such notice.", "Look at the notices of the case.")
	}
	d, tenants := page.ReadDraft(form)
	draft, err := k.draft(NewNotice{Kind: string(d.Kind), Texts: d.Texts, Own: d.Tenants, Tenants: tenants})
	if err != nil {
		return made, err
	}
	made, err = k.Notices.Write(r.Context(), who.Person, id, n, draft, tenants, k.Clock.Now())
	if code := fault.CodeOf(err); code == "texts_missing" || code == "texts_invalid" {
		err = about(page.DraftField(web.ProblemOf(err).Detail), err)
	}
	return made, err
}

func (k *desk) noticePage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	_, n, err := k.the(r, who)
	if err != nil {
		return err
	}
	return k.showNotice(w, r, who, n, page.Form{}, http.StatusOK)
}

// deliveriesPage is how many recipients of a notice one page lists.
const deliveriesPage = 50

// showNotice shows one notice exactly as it would be sent, or was, to one of its recipients, and what became of it.
func (k *desk) showNotice(w http.ResponseWriter, r *http.Request, who caller.Staff, n int, form page.Form, status int) error {
	id, err := k.id(r, who)
	if err != nil {
		return err
	}
	c, err := k.Cases.Get(r.Context(), id)
	if err != nil {
		return err
	}
	chosen, err := strconv.Atoi(r.URL.Query().Get("to"))
	if err != nil || chosen < 0 {
		chosen = 0
	}
	opened, messages, err := k.Notices.Preview(r.Context(), id, n, k.Clock.Now())
	switch {
	case err != nil && opened.N > 0 && form.Problem == nil:
		// It cannot be sent as things are now, and can still be read, and written again.
		if form, _, err = k.refusal(r, "", nil, err); err != nil {
			return err
		}
	case err != nil && opened.N == 0:
		return err
	case opened.Next > 0:
		if messages, err = k.Notices.Kept(r.Context(), id, n, chosen, 1); err != nil {
			return err
		}
		chosen = 0
	}
	reader := k.reader(r, who)
	data := reader.NewNotice(c, opened, messages, chosen)
	data.Form = form
	if data.Draft != nil && form.Deed == "write" {
		data.Draft.Form = form
	}
	if form.Problem == nil {
		data.Done = staffed.Note(r, notes)
	}
	if err := k.listDeliveries(r, reader, &data, id, n); err != nil {
		return err
	}
	return k.Render(w, r, who, status, "notice", "notices.title", data.Path, data)
}

func (k *desk) listDeliveries(r *http.Request, reader page.Reader, data *page.Notice, id string, n int) error {
	var after *store.Cursor
	if text := r.URL.Query().Get("after"); text != "" {
		after, _ = cursor(text) // what is no page begins at the first
	}
	found, err := k.Notices.Deliveries(r.Context(), id, n, after, deliveriesPage)
	if err != nil {
		return err
	}
	for _, d := range found {
		data.Deliveries = append(data.Deliveries, reader.NewDelivery(d))
	}
	if len(found) == deliveriesPage {
		last := found[len(found)-1]
		data.Next = data.Path + "?after=" + url.QueryEscape(strconv.Itoa(last.At)+"."+last.ID) + "#deliveries"
	}
	return nil
}

// agreementForm is a change of a notice that was written, as a form of its page sends it.
type agreementForm struct {
	path, summary, done string
	act                 func(ctx context.Context, k *desk, who caller.Staff, id string, n int, f url.Values, now time.Time) error
	fields              map[string]string
}

func agreements() []agreementForm {
	return []agreementForm{
		{"approve", "Approve exactly what you saw.", "done.approve", func(ctx context.Context, k *desk, who caller.Staff, id string, n int, f url.Values, now time.Time) error {
			_, err := approving(ctx, k.Notices, who.Person, id, n, Agreement{f.Get("hash")}, now)
			return err
		}, nil},
		{"break", "Approve alone, in need.", "done.break", func(ctx context.Context, k *desk, who caller.Staff, id string, n int, f url.Values, now time.Time) error {
			_, err := breaking(ctx, k.Notices, who.Person, id, n, Need{f.Get("hash"), unix(f.Get("reason"))}, now)
			return err
		}, map[string]string{"reason_missing": "reason", "text_invalid": "reason"}},
		{"review", "Look at what one person approved alone.", "done.reviewed", func(ctx context.Context, k *desk, who caller.Staff, id string, n int, f url.Values, now time.Time) error {
			_, err := reviewing(ctx, k.Notices, who.Person, id, n, nothing{}, now)
			return err
		}, nil},
		{"note", "Note how persons were told.", "done.note", func(ctx context.Context, k *desk, who caller.Staff, id string, n int, f url.Values, now time.Time) error {
			when, err := k.instant(f, "at")
			if err == nil {
				_, err = k.noting(ctx, k.Notices, who.Person, id, n, Spoken{unix(f.Get("means")), when}, now)
			}
			return err
		}, map[string]string{"means_missing": "means", "times_invalid": "at", "text_invalid": "means"}},
	}
}

func (k *desk) agreementForm(a agreementForm) staffed.Filled {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
		id, n, err := k.the(r, who)
		if err != nil {
			return err
		}
		if refused == nil {
			if refused = located(a.act(r.Context(), k, who, id, n, form, k.Clock.Now()), a.fields); refused == nil {
				return web.SeeOther(w, page.CasePath(id)+"/notices/"+strconv.Itoa(n)+"?done="+a.done)
			}
		}
		f, status, err := k.refusal(r, a.path, form, refused)
		if err != nil {
			return err
		}
		return k.showNotice(w, r, who, n, f, status)
	}
}

// settleAs does what a form says of a delivery: it arrived, did not, or is to be tried again.
func (k *desk) settleAs(r *http.Request, who caller.Staff, id string, n int, form url.Values) (err error) {
	now, delivery := k.Clock.Now(), form.Get("delivery")
	if form.Get("arrived") == "again" {
		return k.Notices.Replay(r.Context(), who.Person, id, n, delivery, now)
	}
	found := notice.Found{Arrived: form.Get("arrived") == "yes"}
	if found.Arrived {
		if found.At, err = k.instant(form, "at"); err != nil {
			return err
		}
	}
	_, err = k.Notices.Settle(r.Context(), who.Person, id, n, delivery, found, now)
	return err
}

// settleForm takes what a person found out about a delivery.
func (k *desk) settleForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	id, n, err := k.the(r, who)
	if err != nil {
		return err
	}
	if refused == nil {
		if refused = k.settleAs(r, who, id, n, form); refused == nil {
			return web.SeeOther(w, page.CasePath(id)+"/notices/"+strconv.Itoa(n)+"?done=done.settle#deliveries")
		}
	}
	f, status, err := k.refusal(r, "settle", form, refused)
	if err != nil {
		return err
	}
	return k.showNotice(w, r, who, n, f, status)
}

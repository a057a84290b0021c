package registerip

import (
	"crypto/rand"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// purpose tells this function's forms from others.
const purpose = "registerip"

// soon is how close to the end of the day the page says that little is left.
const soon = 30 * time.Minute

func (f *registerip) html() []web.Route {
	form := func(path, summary string, handle func(http.ResponseWriter, *http.Request, caller.Staff, url.Values) error) web.Route {
		return web.Route{Method: "POST", Path: path, Summary: summary, Page: true, Answers: map[int]any{200: web.Media("text/html"), 303: nil}, Problems: signedIn,
			Handle: f.staff(func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
				values, err := f.forms.Read(w, r, who.Subject, purpose, f.Clock.Now())
				if err != nil {
					return err
				}
				return handle(w, r, who, values)
			})}
	}
	return []web.Route{
		f.pages.Assets(),
		{Method: "GET", Path: "/", Summary: "The morning page.", Page: true, Answers: map[int]any{200: web.Media("text/html")}, Problems: signedIn,
			Handle: f.staff(func(w http.ResponseWriter, r *http.Request, who caller.Staff) error { return f.morning(w, r, who, nil) })},
		form("/", "Register from the page.", f.registerForm),
		form("/done", "End a lease from the page.", f.doneForm),
	}
}

func (f *registerip) registerForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	if _, err := f.register(r, who, form.Get("code"), form.Get("key")); err != nil {
		return f.morning(w, r, who, parts.Refused(err))
	}
	return web.SeeOther(w, "/registerip/")
}

func (f *registerip) doneForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	if _, err := f.leases.End(r.Context(), who.ID, form.Get("lease"), lease.Done); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return web.SeeOther(w, "/registerip/")
}

// morning shows the page; a refusal is shown on it, everything else is an error.
func (f *registerip) morning(w http.ResponseWriter, r *http.Request, who caller.Staff, refused error) error {
	lang := web.Language(r, shell.Languages...)
	data := page.Morning{Place: shell.Place(who.Zone), Key: rand.Text(), MayDecide: who.May(policy.Security)}
	if refused != nil {
		if fault.CodeOf(refused) == "" {
			return refused
		}
		p := f.pages.Localise(lang, web.ProblemOf(refused))
		data.Problem = &page.Trouble{Detail: p.Detail, Next: p.Next}
	}
	now := f.Clock.Now()
	here := f.here(r)
	if here.IsValid() {
		data.Address = here.Addr().String()
		if here.Addr().Is6() {
			data.Address = here.String()
		}
	}
	if err := f.authenticators(r, who, now, &data); err != nil {
		return err
	}
	if err := f.registered(r, who, here, now, &data); err != nil {
		return err
	}
	ends, err := lease.Term(now, who.Location(), f.Rules.Lease)
	if fault.CodeOf(err) != "" && data.Problem == nil { // outside the hours of registration: say so before a code is typed
		p := f.pages.Localise(lang, web.ProblemOf(err))
		data.Problem = &page.Trouble{Detail: p.Detail, Next: p.Next}
	} else if err != nil && data.Problem == nil {
		return err
	}
	local := now.In(who.Location())
	data.Today, data.Until = shell.Day(lang, local), shell.Until(ends.In(who.Location()))
	if left := ends.Sub(now); left < soon {
		data.NearEnd = int(left/time.Minute) + 1
	}
	return f.pages.Render(w, r, http.StatusOK, "morning", shell.View{Title: "morning.title", Name: who.Name, Form: f.forms.Token(who.Subject, purpose, now), Data: data})
}

// here is the prefix this request would register; the zero prefix when there is none.
func (f *registerip) here(r *http.Request) netip.Prefix {
	addr, err := f.Client.Client(r)
	if err != nil {
		return netip.Prefix{}
	}
	prefix, err := address.Prefix(addr)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

func (f *registerip) authenticators(r *http.Request, who caller.Staff, now time.Time, data *page.Morning) error {
	list, err := f.OTP.List(r.Context(), who.ID, now)
	if err != nil {
		return err
	}
	for _, a := range list.Authenticators {
		if a.State != otp.Active {
			continue
		}
		data.Enrolled = true
		data.Digits = max(data.Digits, a.Digits)
		if a.Kind == otp.TOTP {
			data.StepLeft = int((otp.StepEnds(now) + time.Second - 1) / time.Second)
		}
	}
	return nil
}

func (f *registerip) registered(r *http.Request, who caller.Staff, here netip.Prefix, now time.Time, data *page.Morning) error {
	found, err := f.leases.List(r.Context(), who.ID)
	if err != nil {
		return err
	}
	for _, l := range found {
		if data.Last == "" && l.Prefix.Addr().Is4() == here.Addr().Is4() && !l.Live(now) {
			data.Last = l.Prefix.Addr().String()
			if l.Prefix.Addr().Is6() {
				data.Last = l.Prefix.String()
			}
		}
		if !l.Live(now) && (l.State != lease.Failed || now.After(l.Ends)) {
			continue
		}
		data.Leases = append(data.Leases, page.Lease{ID: l.ID, Prefix: l.Prefix.String(), Ends: shell.Until(l.Ends.In(who.Location())), State: l.State, Here: l.Prefix == here})
		data.Watch = data.Watch || l.State == lease.Received || l.State == lease.Written || l.State == lease.Confirmed
	}
	return nil
}

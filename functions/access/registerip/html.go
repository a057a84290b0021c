package registerip

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/network"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// soon is how close to the end of the day the page says that little is left.
const soon = 30 * time.Minute

// notes are the texts a page may show after a form was done; anything else in the query is ignored.
var notes = []string{"done.ended", "done.device", "done.paired", "done.unpaired"}

// routes makes the function's pages and forms.
func (f *registerip) routes() staffed.Routes {
	return staffed.Routes{Problems: parts.Problems, Guard: f.Staff}
}

// filled answers a form that was read.
type filled = func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error

// form is a route of a form of the page.
func (f *registerip) form(path, summary string, handle filled) web.Route {
	return f.formOr(path, summary, handle, func(w http.ResponseWriter, r *http.Request, who caller.Staff, expired error) error {
		return f.morning(w, r, who, nil, expired)
	})
}

// formOr is form with the page that is shown anew where a form was left open too long: no dead end.
func (f *registerip) formOr(path, summary string, handle filled, anew func(http.ResponseWriter, *http.Request, caller.Staff, error) error) web.Route {
	return f.routes().Form(path, summary, f.Form(func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, expired error) error {
		if expired != nil {
			return anew(w, r, who, expired)
		}
		return handle(w, r, who, form)
	}))
}

func (f *registerip) html() []web.Route {
	return []web.Route{
		f.Pages.Assets(), page.Icons(),
		f.routes().Page("/", "The morning page.", func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
			return f.morning(w, r, who, nil, nil)
		}),
		f.form("/", "Register from the page.", f.registerForm),
		f.form("/done", "End a lease from the page.", f.doneForm),
	}
}

func (f *registerip) registerForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	made, err := f.register(r, who, Registration{Code: form.Get("code"), Replaces: form.Get("replaces")}, form.Get("key"))
	if err != nil {
		return f.morning(w, r, who, nil, caller.Refused(err))
	}
	f.remember(w, made)
	return web.SeeOther(w, "/registerip/")
}

func (f *registerip) doneForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	if _, err := f.done(r.Context(), who, form.Get("lease")); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return web.SeeOther(w, "/registerip/?done=done.ended")
}

// morning shows the page, with the other device that is about to be let in, if any; a refusal meant for the person is
// shown on it, every other error is returned.
func (f *registerip) morning(w http.ResponseWriter, r *http.Request, who caller.Staff, other *page.Device, refused error) error {
	now, status := f.Clock.Now(), http.StatusOK
	lang := staffed.Language(r)
	data := page.Morning{Place: shell.Place(who.Zone), MayDecide: who.May(policy.Security), MayRead: who.May(readers...), Approve: other}
	var err error
	if data.Key, err = newKey(f.Random); err != nil {
		return err
	}
	data.Done = staffed.Note(r, notes)
	here := f.here(r)
	if here.IsValid() {
		data.Address, data.Network = written(here), f.network(here)
	}
	if err := f.secondFactor(r, who, now, &data); err != nil {
		return err
	}
	if err := f.registered(r, who, here, now, &data); err != nil {
		return err
	}
	if err := f.asked(r, who, here, now, &data); err != nil {
		return err
	}
	if err := f.day(lang, who, here, now, &data); err != nil {
		return err
	}
	if refused != nil {
		if fault.CodeOf(refused) == "" {
			return refused
		}
		p := web.ProblemOf(refused)
		status = p.Status
		p = f.Pages.Localise(lang, p)
		if data.Wait > 0 { // the next code would not be looked at
			p.Next = f.Pages.Localise(lang, web.Problem{Code: "otp_waiting"}).Next
		}
		data.Problem = trouble(p, data)
	}
	name := "morning"
	if data.Approve != nil {
		name = "device"
	}
	return f.Render(w, r, who, status, name, "morning.title", "/registerip/", data)
}

// newKey names one filled-in form, so that sending it twice is one registration.
func newKey(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fault.New(fault.Transient, "naming a form: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// trouble puts a refusal where it belongs, and leaves out what the page says already.
func trouble(p web.Problem, data page.Morning) *page.Trouble {
	switch {
	case strings.HasPrefix(p.Code, "device_"):
		return page.NewTrouble(p, "device")
	case data.Network.Refused && data.Approve == nil && slices.Contains([]string{"relay_refused", "hosting_refused"}, p.Code):
		return nil
	case data.Locked && p.Code == "otp_locked", data.Closed != "" && p.Code == "person_limit":
		return nil
	case page.AtCode(p.Code):
		return page.NewTrouble(p, "code")
	}
	return page.NewTrouble(p, "")
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

// where is what is known of the network of a prefix.
func (f *registerip) where(p netip.Prefix) network.Network {
	known, _ := f.leases.Network(p.Addr())
	return known
}

// network is the same as the page shows it.
func (f *registerip) network(p netip.Prefix) page.Network {
	known := f.where(p)
	return page.Network{Kind: known.Kind, Name: known.Name, Refused: lease.Refused(f.Rules.Lease, known) != nil}
}

// written is a prefix the way people know their address: IPv4 without its length.
func written(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// day says how long today lasts for the person, or that nothing is registered now, before a code is typed.
func (f *registerip) day(lang string, who caller.Staff, here netip.Prefix, now time.Time, data *page.Morning) error {
	local := now.In(who.Location())
	data.Today = shell.Day(lang, local)
	ends, err := lease.Term(now, who.Location(), f.Rules.Lease)
	if fault.CodeOf(err) == "person_limit" {
		data.Closed, data.DayEnd, data.Until = "morning.closed.day", f.Rules.Lease.DayEnd, f.Rules.Lease.DayEnd
		if weekday := local.Weekday(); f.Rules.Lease.Weekend == access.Refuse && (weekday == time.Saturday || weekday == time.Sunday) {
			data.Closed, data.DayEnd = "morning.closed.weekend", ""
		}
		return nil
	}
	if err != nil {
		return err
	}
	ends = lease.Shorten(ends, now, f.Rules.Lease, f.where(here))
	data.Until = shell.Until(ends.In(who.Location()))
	if left := ends.Sub(now); left < soon {
		data.NearEnd = int(left/time.Minute) + 1
	}
	return nil
}

// secondFactor says whether and how the person can prove herself.
func (f *registerip) secondFactor(r *http.Request, who caller.Staff, now time.Time, data *page.Morning) error {
	list, err := f.OTP.List(r.Context(), who.ID, now)
	if err != nil {
		return err
	}
	data.Locked, data.Tries, data.Ended = list.Locked, list.Failures, list.NeedsToken
	if !list.Until.IsZero() {
		data.Wait = page.Seconds(list.Until.Sub(now))
	}
	for _, a := range list.Authenticators {
		if data.Overdue = data.Overdue || a.Overdue(now); a.State != otp.Active || a.Overdue(now) {
			continue
		}
		if !a.Until.IsZero() && a.Why != otp.Temporary {
			data.Renew = true
		}
		if !data.Enrolled {
			data.Digits = a.Digits
		} else if data.Digits != a.Digits {
			data.Digits = 0
		}
		data.Enrolled = true
		if a.Kind == otp.TOTP {
			data.StepLeft = page.Seconds(otp.StepEnds(now))
		}
	}
	return nil
}

package registerip

import (
	"net/http"
	"net/netip"
	"time"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/calendar"
)

// How long a browser without scripts looks again by itself, counted from the registration.
const (
	quickly = time.Minute      // while the doors are being told
	slowly  = 10 * time.Minute // until the person came in
)

// often is from how many registrations on the page says how many there were: where the address keeps changing, she
// should know that a limit comes.
const often = 3

// registered says what is registered, here and elsewhere, and what was before.
func (f *registerip) registered(r *http.Request, who caller.Staff, here netip.Prefix, now time.Time, data *page.Morning) error {
	found, err := f.leases.History(r.Context(), who.ID)
	if err != nil {
		return err
	}
	today := calendar.Date(now, who.Location()).String()
	device := "" // this one
	var shown []lease.Lease
	for _, l := range found {
		if data.Last == "" && l.Root == "" {
			data.Last = written(l.Prefix)
		}
		if l.Date == today && l.Root == "" {
			data.Changes++
		}
		data.Usual = data.Usual || l.Prefix == here
		if !l.Live(now) && (l.State != lease.Failed || now.After(l.Ends)) {
			continue
		}
		switch {
		case l.Prefix != here:
			if l.State != lease.Failed {
				shown = append(shown, l)
			}
		case data.Here == nil: // the newest first: what failed before counts no more
			data.Here, device = f.entry(who, l), l.Device()
			data.Refresh = refresh(l, now)
		}
	}
	if data.Limit = f.Rules.Lease.ChangesPerDay; data.Changes < min(often, data.Limit) {
		data.Changes = 0
	}
	f.elsewhere(who, shown, device, data)
	if data.Here != nil {
		data.Beacons = f.Rules.Beacons()
		return f.pairing(r, who, here, data)
	}
	f.moved(r, shown, here, data)
	return nil
}

// elsewhere puts the addresses of each device together.
func (f *registerip) elsewhere(who caller.Staff, shown []lease.Lease, device string, data *page.Morning) {
	at := map[string]int{}
	for _, l := range shown {
		i, known := at[l.Device()]
		switch {
		case l.Device() == device:
			data.Here.Also = append(data.Here.Also, *f.entry(who, l))
		case known:
			data.Others[i].Also = append(data.Others[i].Also, *f.entry(who, l))
		default:
			at[l.Device()] = len(data.Others)
			data.Others = append(data.Others, *f.entry(who, l))
		}
	}
}

func (f *registerip) entry(who caller.Staff, l lease.Lease) *page.Lease {
	return &page.Lease{ID: l.ID, Address: written(l.Prefix), Ends: shell.Until(l.Ends.In(who.Location())), State: l.State, Tested: l.Tested, Network: f.network(l.Prefix)}
}

// pairing lets the page bring the other address of this device.
func (f *registerip) pairing(r *http.Request, who caller.Staff, here netip.Prefix, data *page.Morning) error {
	waits, err := f.waiting(r.Context(), who, here)
	if err == nil && waits != nil {
		data.Pair = &page.Pair{URL: waits.form, API: waits.URL, Token: waits.Token}
	}
	return err
}

// remembered is the cookie that says which lease a browser registered last. It carries no authority: without it, or with
// another's, the page only says less.
const remembered = "ostiary_device"

func (f *registerip) remember(w http.ResponseWriter, l lease.Lease) {
	_, deployed := f.Env("K_SERVICE")
	http.SetCookie(w, &http.Cookie{Name: remembered, Value: l.ID, Path: "/registerip/", MaxAge: page.Seconds(l.Left(f.Clock.Now())), Secure: deployed, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// moved says that this very browser registered another address of the same family before: mobile networks change them,
// and what is registered now takes the place of that one instead of another device's.
func (f *registerip) moved(r *http.Request, live []lease.Lease, here netip.Prefix, data *page.Morning) {
	cookie, err := r.Cookie(remembered)
	if err != nil || !here.IsValid() {
		return
	}
	device := ""
	for _, l := range live {
		if l.ID == cookie.Value {
			device = l.Device()
		}
	}
	for _, l := range live {
		if l.Device() == device && l.Family == lease.FamilyOf(here) {
			data.Moved, data.Replaces = written(l.Prefix), l.ID
		}
	}
}

// refresh is when a browser without scripts looks again, in seconds; 0 when there is nothing to wait for.
func refresh(l lease.Lease, now time.Time) int {
	switch age := now.Sub(l.Started); {
	case (l.State == lease.Received || l.State == lease.Written) && age < quickly:
		return 3
	case l.Live(now) && l.State != lease.Working && age < slowly:
		return 10
	}
	return 0
}

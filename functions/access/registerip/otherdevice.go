package registerip

import (
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/platform/web"
)

// patiently is how often a page that shows a code looks again without a script, in seconds.
const patiently = 5

func (f *registerip) deviceHTML() []web.Route {
	return []web.Route{
		f.form("/device", "Show a short code on this device.", f.askForm),
		f.form("/look", "See which device shows a code.", f.lookForm),
		f.form("/approve", "Let that device in.", f.approveForm),
	}
}

func (f *registerip) askForm(w http.ResponseWriter, r *http.Request, who caller.Staff, _ url.Values) error {
	if _, err := f.ask(r, who); err != nil {
		return f.morning(w, r, who, nil, caller.Refused(err))
	}
	return web.SeeOther(w, "/registerip/")
}

func (f *registerip) lookForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	other, err := f.other(r, who, form.Get("device"))
	return f.morning(w, r, who, other, caller.Refused(err))
}

// approveForm registers the other device; a refusal of her one-time password leaves its code as it is.
func (f *registerip) approveForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	asked := Registration{Code: form.Get("code"), Device: form.Get("device")}
	if asked.Device == "" {
		return f.lookForm(w, r, who, form)
	}
	_, err := f.register(r, who, asked, form.Get("key"))
	if err == nil {
		return web.SeeOther(w, "/registerip/?done=done.device")
	}
	other, _ := f.other(r, who, asked.Device) // one that waits no more is not shown: err says so
	return f.morning(w, r, who, other, caller.Refused(err))
}

// other is the device that shows a code, as the page names it.
func (f *registerip) other(r *http.Request, who caller.Staff, code string) (*page.Device, error) {
	d, err := f.pairs.Look(r.Context(), who.ID, code)
	if err != nil {
		return nil, err
	}
	prefix, _ := address.Of(d.Address)
	found, err := f.leases.History(r.Context(), who.ID)
	if err != nil {
		return nil, err
	}
	other := &page.Device{Code: d.Code, Address: written(prefix), Same: prefix == f.here(r), Network: f.network(prefix)}
	for _, l := range found {
		other.Usual = other.Usual || l.Prefix == prefix
	}
	return other, nil
}

// asked shows the code of this device while it waits to be let in.
func (f *registerip) asked(r *http.Request, who caller.Staff, here netip.Prefix, now time.Time, data *page.Morning) error {
	if data.Here != nil && !data.Here.Failed() || data.Approve != nil || data.Closed != "" || data.Network.Refused {
		return nil
	}
	open, err := f.pairs.Asked(r.Context(), who.ID, now)
	if err != nil {
		return err
	}
	for _, d := range open {
		if prefix, _ := address.Of(d.Address); prefix == here {
			data.Shows = &page.Device{Code: d.Code, Address: here.String(), Minutes: int((d.Until.Sub(now) + time.Minute - 1) / time.Minute)}
			data.Refresh = patiently
		}
	}
	return nil
}

package registerip

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/pair"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// Where pairaddress takes the token of a registration: from a script, and from a form.
const (
	pairAPI  = "/pairaddress/v1/addresses"
	pairForm = "/pairaddress/"
)

// Pairing is what this device needs to register its address of the other family.
type Pairing struct {
	URL     string    `json:"url" doc:"reached over the other family alone; takes the token by POST"`
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
	form    string    // the same for a form
}

// waiting is the pairing of the newest registration of a prefix that nobody has used; nil for none.
func (f *registerip) waiting(ctx context.Context, who caller.Staff, prefix netip.Prefix) (*Pairing, error) {
	if f.hosts == nil {
		return nil, nil
	}
	tickets, err := f.pairs.Waiting(ctx, who.ID, f.Clock.Now())
	if err != nil {
		return nil, err
	}
	var newest *Pairing
	for _, t := range tickets {
		if t.Prefix == prefix && (newest == nil || t.Until.After(newest.Expires)) {
			site := f.hosts[t.Family]
			newest = &Pairing{URL: site + pairAPI, Token: t.Token, Expires: t.Until, form: site + pairForm}
		}
	}
	return newest, nil
}

// Device is a device of yours that asks to be let in.
type Device struct {
	Code    string    `json:"code" doc:"to be typed on the device that has your authenticator"`
	Prefix  string    `json:"prefix" doc:"what would be registered"`
	Expires time.Time `json:"expires"`
}

// Shown is a code that another device shows.
type Shown struct {
	Code string `json:"code" required:"true" doc:"as the other device shows it"`
}

func (f *registerip) deviceAPI() []web.Route {
	return []web.Route{
		{Method: "POST", Path: "/v1/devices", Summary: "Ask for a short code: your other device lets this one in.", Answers: map[int]any{201: Device{}},
			Problems: append(slices.Clone(signedIn), "address_refused", "address_unknown", "address_unproven", "relay_refused", "hosting_refused", "device_limit"), Browser: true, Handle: f.Staff(f.askAPI)},
		{Method: "POST", Path: "/v1/devices/look", Summary: "Which of your devices shows this code?", Body: Shown{}, Answers: map[int]any{200: Device{}},
			Problems: append(slices.Clone(signedIn), "device_unknown", "body_invalid", "too_large"), Browser: true, Handle: f.Staff(f.lookAPI)},
		{Method: "POST", Path: "/v1/leases/{id}/tested", Summary: "This device has reached every beacon behind the doors.", Answers: map[int]any{200: Lease{}},
			Problems: append(slices.Clone(signedIn), "address_unknown", "lease_unknown"), Browser: true, Handle: f.Staff(f.tested)},
	}
}

func (f *registerip) askAPI(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	d, err := f.ask(r, who)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, described(d))
}

// ask opens a code for the device a request comes from.
func (f *registerip) ask(r *http.Request, who caller.Staff) (pair.Device, error) {
	addr, err := f.Client.Client(r)
	if err != nil {
		return pair.Device{}, err
	}
	if err := f.Proven(r.Context(), addr); err != nil {
		return pair.Device{}, err
	}
	return f.pairs.Ask(r.Context(), who.ID, addr, f.Clock.Now())
}

func (f *registerip) lookAPI(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Shown](w, r)
	if err != nil {
		return err
	}
	d, err := f.pairs.Look(r.Context(), who.ID, body.Code)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, described(d))
}

func described(d pair.Device) Device {
	prefix, _ := address.Of(d.Address)
	return Device{Code: d.Code, Prefix: prefix.String(), Expires: d.Until}
}

// tested takes the word of the person's own page that every beacon answered it.
func (f *registerip) tested(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	addr, err := f.Client.Client(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	if !leaseID.MatchString(id) {
		return unknownLease()
	}
	l, err := f.leases.Tested(r.Context(), who.ID, id, addr, f.Clock.Now())
	if fault.Is(err, fault.NotFound) {
		return unknownLease()
	}
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, listed(l))
}

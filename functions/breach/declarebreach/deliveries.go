package declarebreach

import (
	"net/http"
	"strconv"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"
)

func (k *desk) deliveries(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	id, n, err := k.the(r, who)
	if err != nil {
		return err
	}
	var after *store.Cursor
	if text := r.URL.Query().Get("after"); text != "" {
		if after, err = cursor(text); err != nil {
			return fault.Refuse(fault.Invalid, "query_invalid", "There is no such page.", "Give back what an answer said, or leave it out.")
		}
	}
	if _, err := k.Notices.Get(r.Context(), id, n); err != nil {
		return err
	}
	found, err := k.Notices.Deliveries(r.Context(), id, n, after, listPage)
	if err != nil {
		return err
	}
	all := Delivered{Deliveries: []Delivery{}}
	for _, d := range found {
		all.Deliveries = append(all.Deliveries, delivered(d))
	}
	if len(found) == listPage {
		last := found[len(found)-1]
		all.Next = strconv.Itoa(last.At) + "." + last.ID
	}
	return web.WriteJSON(w, http.StatusOK, all)
}

func delivered(d notice.Delivery) Delivery {
	told := Delivery{
		ID: d.ID, Tenant: d.Tenant, Who: d.Who, Language: d.Language, Progress: string(d.Progress), Handed: d.Handed, Due: d.Due, Told: d.Told, Received: d.Delivered(), Contrary: d.Contrary(), Settler: d.Settler, Settled: d.Settled,
	}
	for i, channel := range d.Ways {
		told.Ways = append(told.Ways, channel+" "+d.Addresses[i])
	}
	for _, t := range d.Tries {
		one := Try{Channel: t.Channel, State: string(t.State), Attempts: t.Attempts, Why: t.Why, At: t.At, TLS: t.TLS, Peer: t.Reference}
		for _, f := range t.Fates {
			one.Later = append(one.Later, Later{string(f.State), f.At})
		}
		told.Tries = append(told.Tries, one)
	}
	return told
}

// settle takes what a person found out. Which tenants have the notice now, the case learns of.
func (k *desk) settle(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Outcome](w, r)
	if err != nil {
		return err
	}
	id, n, err := k.the(r, who)
	if err != nil {
		return err
	}
	now := k.Clock.Now()
	told, err := k.Notices.Settle(r.Context(), who.Person, id, n, r.PathValue("d"), notice.Found{Arrived: body.Arrived, At: body.At}, now)
	if err != nil {
		return err
	}
	if err := k.Tell(r.Context(), told, now); err != nil {
		return err
	}
	return k.showNoticed(w, r, id, n)
}

// replay has a lost delivery tried again.
func (k *desk) replay(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	id, n, err := k.the(r, who)
	if err != nil {
		return err
	}
	if err := k.Notices.Replay(r.Context(), who.Person, id, n, r.PathValue("d"), k.Clock.Now()); err != nil {
		return err
	}
	return k.showNoticed(w, r, id, n)
}

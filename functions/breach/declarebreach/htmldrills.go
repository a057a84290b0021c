package declarebreach

import (
	"net/http"
	"net/url"

	"ostiary.internal/functions/breach/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/platform/web"
)

// drillsPage shows exercises, and tests whether calls arrive: the link of such a message leads here.
func (k *desk) drillsPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return k.showDrills(w, r, who, nil)
}

func (k *desk) showDrills(w http.ResponseWriter, r *http.Request, who caller.Staff, refused error) error {
	trouble, status, err := k.Trouble(r, refused)
	if err != nil {
		return err
	}
	found, err := k.Drills.List(r.Context(), nil, listPage)
	if err != nil {
		return err
	}
	data := k.reader(r, who).NewDrills(found)
	if data.Problem = trouble; trouble == nil {
		data.Done = staffed.Note(r, notes)
	}
	return k.Render(w, r, who, status, "drills", "drills.title", page.Home+"drills", data)
}

// confirmForm takes that somebody read the message of a test.
func (k *desk) confirmForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	if refused == nil {
		id := r.PathValue("id")
		if _, refused = k.Drills.Confirm(r.Context(), who.Person, id, form.Get("channel"), k.Clock.Now()); refused == nil {
			return web.SeeOther(w, page.Home+"drills?done=done.confirmed#"+url.PathEscape(id))
		}
	}
	if !k.looks(who) {
		return refused
	}
	return k.showDrills(w, r, who, refused)
}

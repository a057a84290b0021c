package enrolotp

import (
	"net/http"
	"net/url"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/platform/web"
)

// Objection says what came of one.
type Objection struct {
	Refused int `json:"refused" doc:"resets that waited for a decision"`
}

func (e *enrolotp) object(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	refused, err := e.OTP.Object(r.Context(), who.ID, e.own(r, who), e.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, Objection{Refused: refused})
}

func (e *enrolotp) objectForm(w http.ResponseWriter, r *http.Request, who caller.Staff, _ url.Values) error {
	refused, err := e.OTP.Object(r.Context(), who.ID, e.own(r, who), e.Clock.Now())
	switch {
	case err != nil:
		return err
	case refused == 0: // it was decided, or has lapsed, since the page was made
		return web.SeeOther(w, "/enrolotp/")
	}
	return web.SeeOther(w, "/enrolotp/?done=done.objected")
}

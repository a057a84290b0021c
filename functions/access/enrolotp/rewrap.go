package enrolotp

import (
	"net/http"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/platform/web"
)

// NewRewrap asks for a step of wrapping the secrets again, after a new version of the key that wraps them was made.
type NewRewrap struct {
	After string `json:"after,omitempty" doc:"the next of the step before; left out to begin"`
}

// Rewrapped is what the step came to. Steps may be repeated: nothing moves twice.
type Rewrapped struct {
	Moved  int    `json:"moved" doc:"secrets that the present version of the key wraps now, and did not before"`
	Closed int    `json:"closed" doc:"secrets that do not open: altered, or wrapped by a version that is disabled or destroyed"`
	Next   string `json:"next,omitempty" doc:"where to go on; left out when all were looked at"`
}

func (e *enrolotp) rewrap(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[NewRewrap](w, r)
	if err != nil {
		return err
	}
	done, err := e.OTP.RewrapStep(r.Context(), body.After, e.about(r, who), e.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, Rewrapped(done))
}

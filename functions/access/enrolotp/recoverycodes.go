package enrolotp

import (
	"net/http"
	"net/url"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/platform/web"
)

// NewCodes asks for new recovery codes.
type NewCodes struct {
	Code string `json:"code" required:"true" doc:"of an authenticator: whoever holds the session alone gets none"`
}

// RecoveryCodes are shown once.
type RecoveryCodes struct {
	RecoveryCodes []string `json:"recovery_codes"`
	Remaining     int      `json:"recovery_codes_left"`
}

func (e *enrolotp) renewCodes(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[NewCodes](w, r)
	if err != nil {
		return err
	}
	fresh, err := e.renewed(r, who, body.Code)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, RecoveryCodes{RecoveryCodes: fresh, Remaining: len(fresh)})
}

// renewed replaces all recovery codes of the person.
func (e *enrolotp) renewed(r *http.Request, who caller.Staff, code string) ([]string, error) {
	fresh, result, err := e.OTP.Regenerate(r.Context(), who.ID, code, e.own(r, who), e.Clock.Now())
	if err == nil && !result.Granted() {
		err = parts.Refusal(result)
	}
	return fresh, err
}

func (e *enrolotp) codesForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	fresh, err := e.renewed(r, who, form.Get("code"))
	if err != nil {
		return e.again(w, r, who, page.Enrolment{}, "codes", err)
	}
	return e.enrolment(w, r, who, http.StatusOK, page.Enrolment{Codes: fresh, Done: "done.renewed"})
}

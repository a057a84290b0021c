package local

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// Invitation is an enrolment link, good once.
type Invitation struct {
	Link    string    `json:"link"`
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}

// Invite makes an enrolment link for a person, asked for by somebody of security: by is her address, or "" for the
// first of the policy. The function enrolotp decides, as for anybody else. Code: access_off, without the access control.
func (w *World) Invite(r *http.Request, email, by string) (Invitation, error) {
	if err := w.accessOff(); err != nil {
		return Invitation{}, err
	}
	if err := w.touch(); err != nil {
		return Invitation{}, err
	}
	if by == "" {
		for _, p := range w.policy.People {
			if p.Has(policy.Security) && p.Email != email {
				by = p.Email
				break
			}
		}
	}
	token, err := w.staffToken(by, nil)
	if err != nil {
		return Invitation{}, err
	}
	body, err := json.Marshal(map[string]string{"email": email})
	if err != nil {
		return Invitation{}, err
	}
	ask := httptest.NewRequestWithContext(r.Context(), http.MethodPost, "/enrolotp/v1/links", bytes.NewReader(body))
	ask.Header.Set("Content-Type", "application/json")
	ask.Header.Set(identity.AssertionHeader, token)
	told := httptest.NewRecorder()
	w.functions["enrolotp"].handler.ServeHTTP(told, ask)
	if told.Code != http.StatusCreated {
		var p struct{ Code, Detail, Next string }
		_ = json.Unmarshal(told.Body.Bytes(), &p)
		return Invitation{}, &fault.Error{Kind: fault.Denied, Code: p.Code, Detail: p.Detail, Next: p.Next, Status: told.Code}
	}
	var made struct {
		Token   string    `json:"enrol_token"`
		Expires time.Time `json:"expires"`
	}
	if err := json.Unmarshal(told.Body.Bytes(), &made); err != nil {
		return Invitation{}, err
	}
	// The code stands in the fragment, which browsers send to no server.
	return Invitation{Link: "/enrolotp/#enrol=" + made.Token, Code: made.Token, Expires: made.Expires}, nil
}

func (w *World) enrolLink(rw http.ResponseWriter, r *http.Request) error {
	var body struct {
		Email string `json:"email"`
		By    string `json:"by"`
	}
	if err := decode(rw, r, &body); err != nil {
		return err
	}
	made, err := w.Invite(r, body.Email, body.By)
	if err != nil {
		return err
	}
	return web.WriteJSON(rw, http.StatusCreated, made)
}

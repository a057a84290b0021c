package enrolotp

import (
	"net/http"
	"slices"
	"time"

	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/web"
)

// NewAuthenticator asks for an authenticator. All but the name may be left out.
type NewAuthenticator struct {
	Name      string `json:"name" doc:"given by the person, such as \"my phone\""`
	Kind      string `json:"kind,omitempty" enum:"totp,hotp"`
	Algorithm string `json:"algorithm,omitempty" enum:"SHA1,SHA256,SHA512"`
	Digits    int    `json:"digits,omitempty" doc:"6, 7 or 8"`
	Replaces  string `json:"replaces,omitempty" doc:"id of the authenticator that ends when this one is confirmed"`
	Token     string `json:"enrol_token,omitempty" doc:"from a recovery code or an enrolment link"`
}

// Enrolment is shown once.
type Enrolment struct {
	ID      string    `json:"id"`
	URI     string    `json:"otpauth_uri"`
	Secret  string    `json:"secret" doc:"base32 without padding"`
	Expires time.Time `json:"expires"`
}

// Confirm proves a new authenticator by one code of it.
type Confirm struct {
	Code    string `json:"code" required:"true"`
	OldCode string `json:"old_code,omitempty" doc:"of another authenticator, where there is one and no token was used"`
}

// Confirmed answers a confirmation.
type Confirmed struct {
	ID            string   `json:"id"`
	RecoveryCodes []string `json:"recovery_codes,omitempty" doc:"shown once"`
	Remaining     int      `json:"recovery_codes_left"`
}

// Authenticator is one in the list.
type Authenticator struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Kind      string    `json:"kind" enum:"totp,hotp"`
	Algorithm string    `json:"algorithm"`
	Digits    int       `json:"digits"`
	State     string    `json:"state" enum:"pending,assigned,active"`
	Drift     int       `json:"drift_steps"`
	Created   time.Time `json:"created"`
	LastUsed  time.Time `json:"last_used,omitzero"`
}

// Authenticators is the list.
type Authenticators struct {
	Authenticators []Authenticator `json:"authenticators"`
	Remaining      int             `json:"recovery_codes_left"`
}

// Codes are two codes in a row.
type Codes struct {
	Codes []string `json:"codes" required:"true" doc:"two codes that follow each other"`
}

// Import brings an authenticator whose secret already exists.
type Import struct {
	Email     string `json:"email" required:"true"`
	Name      string `json:"name,omitempty"`
	Kind      string `json:"kind,omitempty" enum:"totp,hotp"`
	Secret    string `json:"secret" required:"true" doc:"base32 without padding, at least 128 bits"`
	Digits    int    `json:"digits,omitempty"`
	Algorithm string `json:"algorithm,omitempty" enum:"SHA1,SHA256,SHA512"`
	Counter   uint64 `json:"counter,omitempty" doc:"of hotp: the next count"`
}

// ID answers with what was made.
type ID struct {
	ID string `json:"id"`
}

// Recovery spends a recovery code.
type Recovery struct {
	Code string `json:"code" required:"true"`
}

// EnrolToken lets its bearer, signed in as the person, bind one authenticator.
type EnrolToken struct {
	Token   string    `json:"enrol_token"`
	Expires time.Time `json:"expires"`
}

// Invite asks for an enrolment link.
type Invite struct {
	Email string `json:"email" required:"true"`
	Today bool   `json:"today,omitempty" doc:"what it binds works until the end of her day: for a phone left at home"`
}

// NewReset asks for the end of all authenticators of a person.
type NewReset struct {
	Email  string `json:"email" required:"true"`
	Reason string `json:"reason" required:"true"`
}

// Reset is one asked-for reset.
type Reset struct {
	ID     string    `json:"id"`
	State  string    `json:"state"`
	Person string    `json:"person,omitempty" doc:"id in people.yaml"`
	By     string    `json:"asked_by,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Asked  time.Time `json:"asked,omitzero"`
}

// routeOf makes a route of the JSON interface, as staffed.Routes does.
type routeOf func(method, path, summary string, body any, answers map[int]any, more []string, handle staffed.Handler) web.Route

// api is the table of the JSON interface.
func (e *enrolotp) api() []web.Route {
	tried := []string{"otp_wrong", "otp_malformed", "otp_waiting", "otp_locked"}
	attempt := append(slices.Clone(tried), "otp_replay", "authenticator_unknown")
	route, security := e.routes(e.staff).Program, e.routes(e.security).Program
	desk := func(method, path, summary string, body any, answers map[int]any, more []string, handle staffed.Handler) web.Route {
		return security(method, path, summary, body, answers, append(more, "role_missing"), handle)
	}
	own := []web.Route{
		route("POST", "/v1/authenticators", "Begin an authenticator; nothing works before it is confirmed.", NewAuthenticator{}, map[int]any{201: Enrolment{}},
			[]string{"name_invalid", "kind_invalid", "authenticator_limit", "authenticator_unknown", "enrol_token_required", "enrol_token_invalid"}, e.enrol),
		route("GET", "/v1/authenticators/", "List your authenticators.", nil, map[int]any{200: Authenticators{}}, nil, e.list),
		route("GET", "/v1/authenticators", "List your authenticators.", nil, map[int]any{200: Authenticators{}}, nil, e.list),
		route("POST", "/v1/authenticators/{id}/confirm", "Prove a new authenticator by a code of it.", Confirm{}, map[int]any{200: Confirmed{}},
			append(slices.Clone(attempt), "authenticator_limit", "old_code_required", "enrol_token_required"), e.confirm),
		route("POST", "/v1/authenticators/{id}/resync", "Match an authenticator again by two codes in a row.", Codes{}, map[int]any{200: Authenticators{}},
			append(slices.Clone(tried), "authenticator_unknown", "codes_invalid"), e.resync),
		withParam(route("DELETE", "/v1/authenticators/{id}", "End an authenticator, at once.", nil, map[int]any{204: nil}, []string{"authenticator_unknown"}, e.remove),
			web.Param{Name: "why", In: "query", Doc: "\"lost\" when it was lost or stolen: today's addresses end too"}),
		route("POST", "/v1/recovery", "Spend a recovery code for a token that is good to enrol once.", Recovery{}, map[int]any{200: EnrolToken{}},
			append(slices.Clone(tried), "no_authenticator"), e.recover),
		route("POST", "/v1/recovery-codes", "Replace all recovery codes, used or not.", NewCodes{}, map[int]any{200: RecoveryCodes{}},
			append(slices.Clone(attempt), "no_authenticator"), e.renewCodes),
		route("POST", "/v1/objections", "Refuse what resets of your own authenticators wait for a decision.", nil, map[int]any{200: Objection{}}, nil, e.object),
		desk("POST", "/v1/imports", "Import an authenticator whose secret exists.", Import{}, map[int]any{201: ID{}},
			[]string{"person_unknown", "own_matter", "name_invalid", "kind_invalid", "secret_invalid", "counter_invalid", "authenticator_limit"}, e.importSecret),
		desk("POST", "/v1/links", "Make an enrolment link's token for a person.", Invite{}, map[int]any{201: EnrolToken{}}, []string{"person_unknown", "own_matter"}, e.invite),
		desk("GET", "/v1/resets", "List resets that wait for a second person.", nil, map[int]any{200: map[string][]Reset{}}, nil, e.resets),
		desk("POST", "/v1/resets", "Ask for the end of all of a person's authenticators.", NewReset{}, map[int]any{201: Reset{}},
			[]string{"person_unknown", "reset_self", "reason_missing", "no_authenticator"}, e.askReset),
		desk("POST", "/v1/resets/{id}/approve", "Approve a reset another person asked for.", nil, map[int]any{200: Reset{}},
			[]string{"reset_self", "reset_early", "reset_unknown", "reset_decided"}, e.approveReset),
		desk("POST", "/v1/resets/{id}/refuse", "Refuse a reset, also one you asked for.", nil, map[int]any{200: Reset{}}, []string{"reset_unknown", "reset_decided"}, e.refuseReset),
		desk("POST", "/v1/rewraps", "Go a step in wrapping all secrets by the present version of the key.", NewRewrap{}, map[int]any{200: Rewrapped{}}, nil, e.rewrap),
	}
	return slices.Concat(own, e.stockAPI(desk), e.helpAPI(desk))
}

func withParam(r web.Route, p web.Param) web.Route {
	r.Params = append(r.Params, p)
	return r
}

func (e *enrolotp) enrol(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[NewAuthenticator](w, r)
	if err != nil {
		return err
	}
	made, err := e.begin(r, who, body)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, Enrolment{ID: made.ID, URI: made.URI, Secret: made.Secret, Expires: made.Expires})
}

func (e *enrolotp) begin(r *http.Request, who caller.Staff, body NewAuthenticator) (otp.Enrolment, error) {
	return e.OTP.Enrol(r.Context(), who.ID, otp.EnrolRequest{
		Name: body.Name, Label: who.Email, Kind: otp.Kind(body.Kind), Algorithm: otp.Algorithm(body.Algorithm), Digits: body.Digits, Replaces: body.Replaces, Token: body.Token,
	}, e.own(r, who), e.Clock.Now())
}

func (e *enrolotp) confirm(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Confirm](w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	confirmed, result, err := e.OTP.Confirm(r.Context(), who.ID, id, body.Code, body.OldCode, e.own(r, who), e.Clock.Now())
	if err != nil {
		return err
	}
	if problem := result.Fault(); problem != nil {
		return parts.Refusal(result)
	}
	return web.WriteJSON(w, http.StatusOK, Confirmed{ID: id, RecoveryCodes: confirmed.RecoveryCodes, Remaining: confirmed.Remaining})
}

func (e *enrolotp) list(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	listed, err := e.listed(r, who)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, listed)
}

func (e *enrolotp) listed(r *http.Request, who caller.Staff) (Authenticators, error) {
	found := Authenticators{Authenticators: []Authenticator{}}
	list, err := e.OTP.List(r.Context(), who.ID, e.Clock.Now())
	if err != nil {
		return found, err
	}
	for _, a := range list.Authenticators {
		found.Authenticators = append(found.Authenticators, listedAs(a))
	}
	found.Remaining = list.Recovery
	return found, nil
}

func listedAs(a otp.Authenticator) Authenticator {
	return Authenticator{ID: a.ID, Name: a.Name, Kind: string(a.Kind), Algorithm: string(a.Algorithm),
		Digits: a.Digits, State: string(a.State), Drift: a.Offset + a.Drift, Created: a.Created, LastUsed: a.LastUsed}
}

func (e *enrolotp) resync(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Codes](w, r)
	if err != nil {
		return err
	}
	// Listed before: once the codes are burned, nothing may fail that would say they are not.
	listed, err := e.listed(r, who)
	if err != nil {
		return err
	}
	id, now := r.PathValue("id"), e.Clock.Now()
	result, err := e.OTP.Resync(r.Context(), who.ID, id, body.Codes, e.own(r, who), now)
	if err != nil {
		return err
	}
	if !result.Granted() {
		return parts.Refusal(result)
	}
	for i := range listed.Authenticators {
		if a := &listed.Authenticators[i]; a.ID == id {
			a.Drift, a.LastUsed, a.State = result.Drift, now, string(otp.Active)
		}
	}
	return web.WriteJSON(w, http.StatusOK, listed)
}

func (e *enrolotp) remove(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	if err := e.revoke(r, who, r.PathValue("id"), r.URL.Query().Get("why") == "lost"); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// revoke ends an authenticator. A lost one may be in other hands, and so may today's addresses: they end too.
func (e *enrolotp) revoke(r *http.Request, who caller.Staff, id string, lost bool) error {
	why := otp.Removed
	if lost {
		why = otp.ReportLost
	}
	return e.OTP.Revoke(r.Context(), who.ID, id, why, e.own(r, who), e.Clock.Now())
}

func (e *enrolotp) recover(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Recovery](w, r)
	if err != nil {
		return err
	}
	token, result, err := e.OTP.Recover(r.Context(), who.ID, body.Code, e.own(r, who), e.Clock.Now())
	if err != nil {
		return err
	}
	if result.Outcome != otp.Recovered {
		return parts.Refusal(result)
	}
	return web.WriteJSON(w, http.StatusOK, EnrolToken{Token: token.Text, Expires: token.Expires})
}

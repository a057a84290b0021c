package enrolotp

import (
	"net/http"
	"regexp"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

func (e *enrolotp) importSecret(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Import](w, r)
	if err != nil {
		return err
	}
	person, err := e.other(r, who, body.Email)
	if err != nil {
		return err
	}
	id, err := e.OTP.Import(r.Context(), person.ID, otp.ImportRequest{
		Name: body.Name, Kind: otp.Kind(body.Kind), Algorithm: otp.Algorithm(body.Algorithm), Digits: body.Digits, Secret: body.Secret, Counter: body.Counter,
	}, e.about(r, who), e.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, ID{ID: id})
}

func (e *enrolotp) invite(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Invite](w, r)
	if err != nil {
		return err
	}
	bind := e.link
	if body.Today {
		bind = e.pass
	}
	token, err := bind(r, who, body.Email)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, EnrolToken{Token: token.Text, Expires: token.Expires})
}

// link makes the token of an enrolment link for a person.
func (e *enrolotp) link(r *http.Request, who caller.Staff, email string) (otp.Token, error) {
	person, err := e.other(r, who, email)
	if err != nil {
		return otp.Token{}, err
	}
	return e.OTP.EnrolLink(r.Context(), person.ID, e.about(r, who), e.Clock.Now())
}

// pass is link for an authenticator that works for the rest of the person's day.
func (e *enrolotp) pass(r *http.Request, who caller.Staff, email string) (otp.Token, error) {
	person, err := e.other(r, who, email)
	if err != nil {
		return otp.Token{}, err
	}
	now := e.Clock.Now()
	return e.OTP.TemporaryPass(r.Context(), person.ID, calendar.EndOfDay(now, person.Location()), e.about(r, who), now)
}

func (e *enrolotp) resets(w http.ResponseWriter, r *http.Request, _ caller.Staff) error {
	open, err := e.OTP.OpenResets(r.Context(), e.Clock.Now())
	if err != nil {
		return err
	}
	listed := []Reset{}
	for _, reset := range open {
		listed = append(listed, described(reset))
	}
	return web.WriteJSON(w, http.StatusOK, map[string][]Reset{"resets": listed})
}

func described(r otp.Reset) Reset {
	return Reset{ID: r.ID, State: string(r.State), Person: r.Person, By: r.Requester, Reason: r.Reason, Asked: r.Requested}
}

func (e *enrolotp) askReset(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[NewReset](w, r)
	if err != nil {
		return err
	}
	reset, err := e.ask(r, who, body)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, described(reset))
}

func (e *enrolotp) ask(r *http.Request, who caller.Staff, body NewReset) (otp.Reset, error) {
	person, err := e.person(body.Email)
	if err != nil {
		return otp.Reset{}, err
	}
	return e.OTP.RequestReset(r.Context(), person.ID, body.Reason, e.about(r, who), e.Clock.Now())
}

func (e *enrolotp) approveReset(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	reset, err := e.approve(r, who, r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, described(reset))
}

func (e *enrolotp) refuseReset(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	reset, err := e.refuse(r, who, r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, described(reset))
}

// resetID is the form of a reset's id. Anything else is no reset, and some of it no id at all.
var resetID = regexp.MustCompile(`^[a-z2-7]{1,64}$`)

// approve carries a reset out. The addresses the person registered end with her authenticators: whoever asked for
// the reset may have been right that they are in other hands.
func (e *enrolotp) approve(r *http.Request, who caller.Staff, id string) (otp.Reset, error) {
	if !resetID.MatchString(id) {
		return otp.Reset{}, resetUnknown()
	}
	err := e.OTP.ApproveReset(r.Context(), id, e.about(r, who), e.Clock.Now())
	return otp.Reset{ID: id, State: otp.ResetDone}, err
}

// refuse ends a reset without effect: it takes one person, who may be the one that asked.
func (e *enrolotp) refuse(r *http.Request, who caller.Staff, id string) (otp.Reset, error) {
	if !resetID.MatchString(id) {
		return otp.Reset{}, resetUnknown()
	}
	err := e.OTP.RefuseReset(r.Context(), id, e.about(r, who), e.Clock.Now())
	return otp.Reset{ID: id, State: otp.ResetDenied}, err
}

func resetUnknown() error {
	return fault.Refuse(fault.NotFound, "reset_unknown", "There is no such reset.", "Look at the list again.")
}

package enrolotp

import (
	"net/http"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// Lookup asks what the help desk may see of a person's second factor. It is a POST for the sake of the address, which
// belongs in no URL.
type Lookup struct {
	Email string `json:"email" required:"true"`
}

// Looked is what the help desk sees.
type Looked struct {
	Authenticators []LookedAt `json:"authenticators"`
	Remaining      int        `json:"recovery_codes_left"`
	Failures       int        `json:"failures" doc:"wrong codes since the last success"`
	Locked         bool       `json:"locked" doc:"no code is looked at any more"`
	WaitsUntil     time.Time  `json:"waits_until,omitzero"`
}

// LookedAt is one authenticator as the help desk sees it.
type LookedAt struct {
	Authenticator
	Serial    string    `json:"serial,omitempty" doc:"of a hardware token"`
	Failures  int       `json:"failures" doc:"wrong codes it was compared with since it last matched"`
	LastDay   string    `json:"last_success_day,omitempty" doc:"YYYY-MM-DD where the person is"`
	ReplaceBy time.Time `json:"replace_by,omitzero" doc:"from then on it registers no address"`
	Overdue   bool      `json:"overdue,omitempty"`
	Note      string    `json:"note,omitempty" doc:"why its drift was zeroed or it must be replaced"`
}

// Correction sets the drift of an authenticator's clock to zero.
type Correction struct {
	Email         string `json:"email" required:"true"`
	Authenticator string `json:"authenticator" required:"true" doc:"id"`
	Reason        string `json:"reason" required:"true" doc:"the person reads it"`
}

// NewRollover forces one person or everybody to replace authenticators.
type NewRollover struct {
	ID       string    `json:"id,omitempty" doc:"made by whoever asks, 16 to 64 of a to z and 2 to 7: repeated with it, the same rollover goes on, and takes nothing people got since it started; left out, it is a new one"`
	Email    string    `json:"email,omitempty" doc:"of one person; left out for everybody"`
	Everyone bool      `json:"everyone,omitempty"`
	By       time.Time `json:"by,omitzero" doc:"left out: at once"`
	Leaked   bool      `json:"leaked,omitempty" doc:"secrets may be known: the old ones vouch for nothing, and today's addresses end with them"`
	Reason   string    `json:"reason" required:"true"`
}

// Rollover is how far one is. One of a single person is done when it is answered.
type Rollover struct {
	ID      string    `json:"id"`
	State   string    `json:"state" enum:"open,done"`
	Changed int       `json:"changed" doc:"people it changed in this call"`
	By      time.Time `json:"by,omitzero"`
	Started time.Time `json:"started,omitzero" doc:"of one of everybody: what somebody set up later stays"`
	Reason  string    `json:"reason,omitempty"`
}

// helpAPI is the table of the routes of the help desk.
func (e *enrolotp) helpAPI(desk routeOf) []web.Route {
	return []web.Route{
		desk("POST", "/v1/lookups", "See a person's authenticators as the help desk may.", Lookup{}, map[int]any{200: Looked{}}, []string{"person_unknown"}, e.lookup),
		desk("POST", "/v1/corrections", "Set the drift of a person's authenticator to zero.", Correction{}, map[int]any{204: nil},
			[]string{"person_unknown", "own_matter", "authenticator_unknown", "reason_missing"}, e.correct),
		desk("GET", "/v1/rollovers", "List rollovers of everybody that are not done.", nil, map[int]any{200: map[string][]Rollover{}}, nil, e.rollovers),
		desk("POST", "/v1/rollovers", "Have one person, or everybody, replace authenticators by a date or at once.", NewRollover{}, map[int]any{200: Rollover{}},
			[]string{"person_unknown", "reason_missing", "date_invalid", "whose_missing", "rollover_differs"}, e.beginRollover),
		desk("POST", "/v1/rollovers/{id}/step", "Go on with a rollover of everybody, until it is done.", nil, map[int]any{200: Rollover{}}, []string{"rollover_unknown"}, e.stepRollover),
	}
}

func (e *enrolotp) lookup(w http.ResponseWriter, r *http.Request, _ caller.Staff) error {
	body, _, err := web.DecodeBody[Lookup](w, r)
	if err != nil {
		return err
	}
	person, err := e.person(body.Email)
	if err != nil {
		return err
	}
	now := e.Clock.Now()
	list, err := e.OTP.List(r.Context(), person.ID, now)
	if err != nil {
		return err
	}
	seen := Looked{Authenticators: []LookedAt{}, Remaining: list.Recovery, Failures: list.Failures, Locked: list.Locked, WaitsUntil: list.Until}
	for _, a := range list.Authenticators {
		one := LookedAt{Authenticator: listedAs(a), Serial: a.Serial, Failures: a.Failures, ReplaceBy: a.Until, Overdue: a.Overdue(now), Note: a.Note}
		if !a.LastUsed.IsZero() {
			one.LastDay = a.LastUsed.In(person.Location()).Format(time.DateOnly)
		}
		seen.Authenticators = append(seen.Authenticators, one)
	}
	return web.WriteJSON(w, http.StatusOK, seen)
}

func (e *enrolotp) correct(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Correction](w, r)
	if err != nil {
		return err
	}
	if _, err := e.zero(r, who, body); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent) // nothing is read after the fact: a failure would say that nothing was changed
	return nil
}

func (e *enrolotp) zero(r *http.Request, who caller.Staff, body Correction) (policy.Person, error) {
	person, err := e.person(body.Email)
	if err != nil {
		return person, err
	}
	return person, e.OTP.ZeroDrift(r.Context(), person.ID, body.Authenticator, body.Reason, e.about(r, who), e.Clock.Now())
}

func (e *enrolotp) rollovers(w http.ResponseWriter, r *http.Request, _ caller.Staff) error {
	open, err := e.OTP.OpenRollovers(r.Context())
	if err != nil {
		return err
	}
	listed := []Rollover{}
	for _, all := range open {
		listed = append(listed, rolled(all, 0))
	}
	return web.WriteJSON(w, http.StatusOK, map[string][]Rollover{"rollovers": listed})
}

func rolled(all otp.Everyone, changed int) Rollover {
	return Rollover{ID: all.ID, State: string(all.State), Changed: changed, By: all.By, Started: all.Started, Reason: all.Reason}
}

func (e *enrolotp) beginRollover(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[NewRollover](w, r)
	if err != nil {
		return err
	}
	done, err := e.roll(r, who, body)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, done)
}

// roll forces a rollover: of one person at once, of everybody as far as one call goes.
func (e *enrolotp) roll(r *http.Request, who caller.Staff, body NewRollover) (Rollover, error) {
	now := e.Clock.Now()
	if body.ID == "" {
		var err error
		if body.ID, err = otp.NewRolloverID(e.Random); err != nil {
			return Rollover{}, err
		}
	}
	forced := otp.Rollover{ID: body.ID, By: body.By, Why: otp.RolledOver, Reason: body.Reason}
	if body.Leaked {
		forced.Why = otp.Compromised
	}
	if body.Everyone == (body.Email != "") {
		return Rollover{}, fault.Refuse(fault.Invalid, "whose_missing", "Either one person replaces, or everybody.", "Name one person, or say everyone.")
	}
	if body.Everyone {
		all, err := e.OTP.ForceEveryone(r.Context(), forced, now)
		if err != nil {
			return Rollover{}, err
		}
		done, err := e.step(r, who, all.ID)
		if err != nil { // it is begun, and a step more carries it on
			return rolled(all, 0), nil
		}
		return done, nil
	}
	person, err := e.person(body.Email)
	if err != nil {
		return Rollover{}, err
	}
	done := Rollover{ID: forced.ID, State: string(otp.RolloverDone), By: forced.By}
	changed, err := e.OTP.ForceRollover(r.Context(), person.ID, forced, e.about(r, who), now)
	if changed {
		done.Changed = 1
	}
	return done, err
}

func (e *enrolotp) stepRollover(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	done, err := e.step(r, who, r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, done)
}

func (e *enrolotp) step(r *http.Request, who caller.Staff, id string) (Rollover, error) {
	if !resetID.MatchString(id) {
		return Rollover{}, rolloverUnknown()
	}
	all, changed, err := e.OTP.StepEveryone(r.Context(), id, e.about(r, who), e.Clock.Now())
	if changed > 0 { // what failed after them is for the next step: an error would say that nothing was changed
		err = nil
	}
	return rolled(all, changed), err
}

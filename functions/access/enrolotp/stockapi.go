package enrolotp

import (
	"encoding/base32"
	"net/http"
	"strings"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// NewSeedFile announces the keys of a file of hardware tokens.
type NewSeedFile struct {
	ID   string `json:"id" required:"true" doc:"16 to 64 letters a-z and digits 2-7, the same for the same file: an import that was cut off goes on"`
	Keys int    `json:"keys" required:"true" doc:"how many will come, at most 10000"`
}

// SeedFile is the import of one file.
type SeedFile struct {
	ID    string `json:"id"`
	State string `json:"state" enum:"open,finished"`
	Keys  int    `json:"keys"`
	Added int    `json:"added"`
}

// SeedKey is one key of a file.
type SeedKey struct {
	Serial    string    `json:"serial"`
	Kind      string    `json:"kind" enum:"totp,hotp"`
	Secret    string    `json:"secret" doc:"base32 without padding, at least 128 bits"`
	Algorithm string    `json:"algorithm" enum:"SHA1,SHA256,SHA512"`
	Digits    int       `json:"digits" doc:"6, 7 or 8"`
	Counter   uint64    `json:"counter,omitempty" doc:"of hotp: the next count"`
	Until     time.Time `json:"until,omitzero" doc:"from when on it must not be used"`
}

// SeedKeys are at most 100 of a file's keys.
type SeedKeys struct {
	Keys []SeedKey `json:"keys" required:"true"`
}

// SeedTrouble is one key that cannot be taken.
type SeedTrouble struct {
	At  int    `json:"at" doc:"index in the call, from 0"`
	Why string `json:"why"`
}

// SeedsAdded answers a call of keys: all of them were taken, or none and why.
type SeedsAdded struct {
	Added    int           `json:"added" doc:"keys of the file that are there by now"`
	Problems []SeedTrouble `json:"problems"`
}

// Assignment gives a token in stock to a person.
type Assignment struct {
	Serial string `json:"serial" required:"true" doc:"as printed on the token"`
	Email  string `json:"email" required:"true"`
}

// stockAPI is the table of the routes about hardware tokens.
func (e *enrolotp) stockAPI(desk routeOf) []web.Route {
	return []web.Route{
		desk("POST", "/v1/seedfiles", "Begin the import of a file of hardware tokens, or go on with it.", NewSeedFile{}, map[int]any{201: SeedFile{}},
			[]string{"seedfile_invalid", "seedfile_known", "seedfile_busy"}, e.beginSeeds),
		desk("POST", "/v1/seedfiles/{id}/keys", "Send keys of the file; a call whose answer was lost may be sent again.", SeedKeys{}, map[int]any{200: SeedsAdded{}},
			[]string{"seedfile_invalid", "seedfile_unknown", "seedfile_over"}, e.addSeeds),
		desk("POST", "/v1/seedfiles/{id}/finish", "Put all of the file's tokens in stock at once.", nil, map[int]any{200: SeedFile{}},
			[]string{"seedfile_unknown", "seedfile_over", "seedfile_incomplete"}, e.finishSeeds),
		desk("DELETE", "/v1/seedfiles/{id}", "Drop an import that is not finished.", nil, map[int]any{204: nil},
			[]string{"seedfile_unknown", "seedfile_known"}, e.dropSeeds),
		desk("POST", "/v1/assignments", "Give a token in stock to a person. It works from her first two codes on.", Assignment{}, map[int]any{201: ID{}},
			[]string{"person_unknown", "own_matter", "token_unknown", "token_assigned", "token_over", "authenticator_limit"}, e.assignToken),
	}
}

func (e *enrolotp) beginSeeds(w http.ResponseWriter, r *http.Request, _ caller.Staff) error {
	body, _, err := web.DecodeBody[NewSeedFile](w, r)
	if err != nil {
		return err
	}
	f, err := e.OTP.BeginSeedFile(r.Context(), body.ID, body.Keys, e.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, seedFile(f))
}

func seedFile(f otp.SeedFile) SeedFile {
	return SeedFile{ID: f.ID, State: string(f.State), Keys: f.Keys, Added: f.Added}
}

func (e *enrolotp) addSeeds(w http.ResponseWriter, r *http.Request, _ caller.Staff) error {
	body, _, err := web.DecodeBody[SeedKeys](w, r)
	if err != nil {
		return err
	}
	seeds := make([]otp.Seed, len(body.Keys))
	for i, k := range body.Keys {
		secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(k.Secret))
		if err != nil {
			secret = nil // too short for a secret, which is then said of this key
		}
		seeds[i] = otp.Seed{Serial: k.Serial, Kind: otp.Kind(k.Kind), Algorithm: otp.Algorithm(k.Algorithm), Digits: k.Digits, Secret: secret, Counter: k.Counter, Until: k.Until}
		defer seeds[i].Wipe()
	}
	f, problems, err := e.OTP.AddSeeds(r.Context(), r.PathValue("id"), seeds, e.Clock.Now())
	if err != nil {
		return err
	}
	answer := SeedsAdded{Added: f.Added, Problems: []SeedTrouble{}}
	for _, p := range problems {
		answer.Problems = append(answer.Problems, SeedTrouble(p))
	}
	return web.WriteJSON(w, http.StatusOK, answer)
}

func (e *enrolotp) finishSeeds(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	f, err := e.OTP.FinishSeedFile(r.Context(), r.PathValue("id"), e.about(r, who), e.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, seedFile(f))
}

func (e *enrolotp) dropSeeds(w http.ResponseWriter, r *http.Request, _ caller.Staff) error {
	if err := e.OTP.DropSeedFile(r.Context(), r.PathValue("id"), e.Clock.Now()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (e *enrolotp) assignToken(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Assignment](w, r)
	if err != nil {
		return err
	}
	id, err := e.assign(r, who, body)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, ID{ID: id})
}

func (e *enrolotp) assign(r *http.Request, who caller.Staff, body Assignment) (string, error) {
	person, err := e.other(r, who, body.Email)
	if err != nil {
		return "", err
	}
	return e.OTP.AssignToken(r.Context(), person.ID, body.Serial, e.about(r, who), e.Clock.Now())
}

// rolloverUnknown is what an id that cannot be one gets.
func rolloverUnknown() error {
	return fault.Refuse(fault.NotFound, "rollover_unknown", "There is no such rollover.", "Look at the list again.")
}

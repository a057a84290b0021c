package trustpage

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/trust/page"
	"ostiary.internal/shared/trust/promise"
)

// promises answers the newest page: its own bytes, which the record in the log names, or, where it is no longer
// believed, the same promises with every state unknown.
func (t *trustpage) promises(w http.ResponseWriter, r *http.Request) error {
	s, err := t.newest(r.Context())
	if err != nil {
		return err
	}
	body := s.bytes
	if now := t.Clock.Now(); page.Behind(s.Checked, now) {
		body = s.current(now).Canonical()
	}
	return answer(w, r, "application/json", forNow, body)
}

// One is one promise and what its state was computed from.
type One struct {
	Company string      `json:"company"`
	Policy  string      `json:"policy" doc:"digest of the policy's files, SHA-256 in hex"`
	Origin  string      `json:"origin" doc:"of the evidence log"`
	Size    int64       `json:"size" doc:"records of the log the state was computed from"`
	At      time.Time   `json:"at" doc:"the time the state is true for"`
	Checked time.Time   `json:"checked" doc:"when it was last found to hold"`
	Page    string      `json:"page" doc:"digest of the page it stands on"`
	Proof   string      `json:"proof,omitempty" doc:"path of the proof of its newest evidence"`
	Promise promise.Row `json:"promise"`
}

func (t *trustpage) promise(w http.ResponseWriter, r *http.Request) error {
	s, err := t.newest(r.Context())
	if err != nil {
		return err
	}
	now := s.current(t.Clock.Now())
	i := slices.IndexFunc(now.Promises, func(row promise.Row) bool { return row.ID == r.PathValue("id") })
	if i < 0 {
		return fault.Refuse(fault.NotFound, "promise_unknown", "There is no promise of this id.", "Take an id from promises.json.")
	}
	one := One{Company: now.Company, Policy: now.Policy, Origin: now.Origin, Size: now.Size, At: now.At, Checked: s.Checked, Page: s.Digest, Promise: now.Promises[i]}
	if last := one.Promise.Last; last.ID != "" {
		one.Proof = t.home() + "v1/proofs/" + number(last.Index)
	}
	return answerJSON(w, r, forNow, one)
}

// exact answers the bytes of a page that was shown.
func (t *trustpage) exact(w http.ResponseWriter, r *http.Request) error {
	s, err := t.asked(r)
	if err != nil {
		return err
	}
	return answer(w, r, "application/json", forEver, s.bytes)
}

// Day is what was shown on a day.
type Day struct {
	Day   string  `json:"day"`
	Pages []Shown `json:"pages"`
	After string  `json:"after,omitempty" doc:"there are more: ask again with ?after= this"`
}

// Shown is one page of a day.
type Shown struct {
	At     time.Time `json:"at"`
	Digest string    `json:"digest" doc:"of its bytes, as the record of kind page has it"`
	Size   int64     `json:"size" doc:"records of the log it was computed from"`
	Exact  string    `json:"exact" doc:"path of its bytes"`
	Page   string    `json:"page" doc:"path of the page as it looked"`
}

func (t *trustpage) day(w http.ResponseWriter, r *http.Request) error {
	day, err := time.Parse(time.DateOnly, r.PathValue("day"))
	if err != nil {
		return notADay()
	}
	var after time.Time
	if text := r.URL.Query().Get("after"); text != "" {
		if after, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return notADay()
		}
	}
	found, err := t.shelf.Of(r.Context(), day, after)
	if err != nil {
		return err
	}
	listed := Day{Day: day.Format(time.DateOnly), Pages: []Shown{}}
	for _, p := range found {
		listed.Pages = append(listed.Pages, Shown{At: p.At, Digest: p.Digest, Size: p.Size, Exact: t.home() + "v1/pages/" + p.Digest, Page: t.home() + "pages/" + p.Digest})
	}
	if len(found) == store.MaxQueryResults {
		listed.After = found[len(found)-1].At.Format(time.RFC3339Nano)
	}
	return answerJSON(w, r, forNow, listed)
}

func notADay() error {
	return fault.Refuse(fault.Invalid, "day_malformed", "This is not a day, or not a time behind which to go on.", "Write a day as YYYY-MM-DD and a time as RFC 3339.")
}

// registered answers the register of a digest, byte for byte: that of a page shown some time, for whoever computes its states
// again.
func (t *trustpage) registered(w http.ResponseWriter, r *http.Request) error {
	body, err := t.shelf.Read(r.Context(), "sha256:"+strings.TrimPrefix(r.PathValue("digest"), "sha256:"))
	if err == nil {
		if _, not := promise.ReadRegister(body); not != nil { // a page has its own address
			err = fault.New(fault.NotFound, "reading a register: %w", not)
		}
	}
	if fault.Is(err, fault.NotFound) {
		return fault.Refuse(fault.NotFound, "register_unknown", "No page was computed for a register of this digest.", "Take the digest from the member register of a page.")
	}
	if err != nil {
		return err
	}
	return answer(w, r, "application/json", forEver, body)
}

// register answers the register the newest page names.
func (t *trustpage) register(w http.ResponseWriter, r *http.Request) error {
	s, err := t.newest(r.Context())
	if err != nil {
		return err
	}
	body, err := t.shelf.Read(r.Context(), s.snapshot.Register)
	if fault.Is(err, fault.NotFound) {
		return missing()
	}
	if err != nil {
		return err
	}
	return answer(w, r, "application/json", forNow, body)
}

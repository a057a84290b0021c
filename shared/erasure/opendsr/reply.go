package opendsr

import (
	"encoding/json"
	"slices"
	"time"
)

// Discovery is the body of GET /discovery.
type Discovery struct {
	APIVersion   string              `json:"api_version"`
	Identities   []SupportedIdentity `json:"supported_identities"`
	RequestTypes []string            `json:"supported_subject_request_types"`
	Certificate  string              `json:"processor_certificate"` // https, on the domain that discovery is on
}

// SupportedIdentity is one combination that is understood.
type SupportedIdentity struct {
	Type   IdentityType `json:"identity_type"`
	Format Format       `json:"identity_format"`
}

// Discover describes what is served here: erasure, by identities of these types as they stand, and by digests of those
// that are hashed.
func Discover(types, hashed []IdentityType, certificate string) Discovery {
	d := Discovery{APIVersion: "2.0", Identities: []SupportedIdentity{}, RequestTypes: []string{"erasure"}, Certificate: certificate}
	for _, t := range types {
		for _, f := range Formats {
			if f == Raw || slices.Contains(hashed, t) {
				d.Identities = append(d.Identities, SupportedIdentity{t, f})
			}
		}
	}
	return d
}

// Created is the body of the answer 201 to POST /requests.
type Created struct {
	Controller string    `json:"controller_id"`
	Expected   time.Time `json:"expected_completion_time"`
	Received   time.Time `json:"received_time"`
	Encoded    string    `json:"encoded_request"`
	ID         string    `json:"subject_request_id"`
	// Extensions tells of identities that are not served, where there are any.
	Extensions Extensions `json:"extensions,omitempty"`
}

// State is the body of the answer to GET /requests/{id}, and of a callback, which names its URL.
type State struct {
	Controller  string     `json:"controller_id"`
	Expected    time.Time  `json:"expected_completion_time"`
	ID          string     `json:"subject_request_id"`
	Status      Status     `json:"request_status"`
	APIVersion  string     `json:"api_version"`
	CallbackURL string     `json:"status_callback_url,omitempty"`
	Extensions  Extensions `json:"extensions,omitempty"`
}

// Extensions are what a processor adds, by its domain.
type Extensions map[string]Extension

// Extension tells what the four states do not.
type Extension struct {
	Detail     string     `json:"detail_status"`               // our own state
	Erased     int64      `json:"erased,omitempty"`            // items deleted
	Anonymised int64      `json:"anonymised,omitempty"`        // items made anonymous
	Retained   []Retained `json:"retained,omitempty"`          // what is kept, on what ground, until when
	Entries    []Entry    `json:"entries,omitempty"`           // what there was and what became of it, by entry of the data map
	Reason     string     `json:"reason,omitempty"`            // of a rejection: a word
	Receipt    string     `json:"receipt_url,omitempty"`       // where the signed receipt is, once there is one
	Unused     []string   `json:"unused_identities,omitempty"` // of the answer 201: types that are not served
}

// Entry counts the items of one entry of the data map, over all runs. It names nobody.
type Entry struct {
	Entry      string `json:"entry"`
	Found      int64  `json:"found"`
	Deleted    int64  `json:"deleted"`
	Anonymised int64  `json:"anonymised"`
	Retained   int64  `json:"retained"`
	Ground     string `json:"ground,omitempty"` // of what is retained: as Retained has it
	Open       int64  `json:"open"`             // still to be erased, looked at by a person, or let go by the store
	Why        string `json:"why,omitempty"`    // a word: what stands in the way, such as unreachable or review
}

// Retained is what is kept of the person although she asked (GDPR article 17(3), or a law).
type Retained struct {
	Entry  string `json:"entry"`
	Ground string `json:"ground"`
	Until  string `json:"until"` // YYYY-MM-DD
	Count  int64  `json:"count"`
}

// Cancellation is the body of the answer 202 to DELETE /requests/{id}.
type Cancellation struct {
	Controller string    `json:"controller_id"`
	ID         string    `json:"subject_request_id"`
	Received   time.Time `json:"received_time"`
	APIVersion string    `json:"api_version"`
}

// Bytes returns what is sent and signed. A body is encoded once: the signature is over these very bytes.
func Bytes(body any) ([]byte, error) { return json.Marshal(body) }

// Life is what a status goes by.
type Life struct {
	State string // ours
	Begun bool   // something may have been erased
	Over  bool   // the controller was told last that it was completed
	Left  bool   // the last search found something that is to go
}

// Status is how a controller sees a request: it goes from pending to in_progress to completed, or from pending to cancelled,
// and never back, but for one step: what was completed is in_progress again when something more was found or is to go. A look
// that finds nothing changes nothing. What is blocked before anything was erased is still pending, for it may end cancelled.
// False for a state that is none.
func (l Life) Status() (Status, bool) {
	s, known := StatusOf(l.State)
	switch {
	case l.Begun && l.Over && l.State == "planning" && !l.Left:
		return Completed, known
	case l.Begun && s == Pending:
		return InProgress, known
	case !l.Begun && l.State == "blocked":
		return Pending, known
	}
	return s, known
}

// StatusOf maps our state of a request to the four of the specification, false for a state that is none. A request
// that was rejected reads cancelled, and Extension.Reason says why; one whose person cannot be identified ends so too.
// Life.Status says how it reads in the course of time.
func StatusOf(state string) (Status, bool) {
	switch state {
	case "received", "identity_pending", "planning", "awaiting_approval", "approved":
		return Pending, true
	case "executing", "verifying", "blocked", "partial", "forwarding":
		return InProgress, true
	case "completed", "completed_with_retention":
		return Completed, true
	case "cancelled", "rejected", "identity_not_established", "forwarded":
		return Cancelled, true
	}
	return "", false
}

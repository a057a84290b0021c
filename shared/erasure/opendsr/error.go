package opendsr

import (
	"encoding/json"
	"strconv"
)

// Error is an answer that refuses. It holds neither an identity nor anything of a token. The answer carries
// Cache-Control: no-store.
type Error struct {
	Status  int // of HTTP: 400 but for 401, 403, 404, 413 and 5xx
	Message string
	Details []Detail
}

// Detail is one thing that is wrong. Reason is stable: programs branch on it.
type Detail struct {
	Domain  string `json:"domain"` // the member of the body, or ""
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Error returns the reasons.
func (e *Error) Error() string {
	text := "opendsr: " + strconv.Itoa(e.Status)
	for _, d := range e.Details {
		text += " " + d.Reason
	}
	return text
}

// Document is what an answer that refuses holds, as its member "error" (section "Errors").
type Document struct {
	Code    int      `json:"code"` // the status
	Message string   `json:"message"`
	Errors  []Detail `json:"errors,omitempty"`
}

// Document returns what the answer holds.
func (e *Error) Document() Document { return Document{e.Status, e.Message, e.Details} }

// MarshalJSON writes the document of the specification, section "Errors".
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]Document{"error": e.Document()})
}

func refuse(status int, reason, message string) *Error {
	return &Error{Status: status, Message: message, Details: []Detail{{Reason: reason, Message: message}}}
}

// IDConflict answers a request whose id was used for another body.
func IDConflict() *Error {
	return refuse(400, "IdConflict", "a request with this subject_request_id and another body was accepted before; choose a new id")
}

// NotPending answers a cancellation that comes too late.
func NotPending() *Error {
	return refuse(400, "NotPending", "the request is being carried out or has ended, and can no longer be cancelled")
}

// NotFound answers an id that does not exist, or that another controller made: the two are not told apart.
func NotFound() *Error {
	return refuse(404, "NotFound", "there is no request with this subject_request_id")
}

// Unusable answers identities by which nobody may be searched for, and a person's own request that is too long ago.
func Unusable() *Error {
	return refuse(400, "Unusable", "an identity stands for nobody or for many, or submitted_time is more than a year ago")
}

// ForeignCallback answers a request with a callback that may not be called.
func ForeignCallback(i int) *Error {
	e := refuse(400, "CallbackNotAllowed", "a callback URL is not an https URL of a host that was agreed for this controller")
	e.Details[0].Domain = "status_callback_urls[" + strconv.Itoa(i) + "]"
	return e
}

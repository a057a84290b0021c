package duty

import (
	"time"

	"ostiary.internal/shared/platform/fault"
)

// MostYears is how far ahead a document may end: nobody issues a certificate for longer, and a year mistyped must not
// keep a promise for ever.
const MostYears = 5

// Document is what somebody outside issued and the company puts on file: a certificate, a report. Its end is the
// document's own, whatever the duty's next time is.
type Document struct {
	Issuer string    `json:"issuer"` // who issued it, in one line of at most 100 bytes
	Number string    `json:"number"` // its number or name, a reference
	Until  time.Time `json:"until"`  // first instant at which it no longer counts
}

// Files reports whether the duty puts a document on file: the promises that call it a certificate count on one.
func (d Duty) Files() bool { return len(d.Certificates) > 0 }

// accepts checks a document against the duty. Codes: document_invalid, until_invalid.
func (d Duty) accepts(doc Document, now time.Time) error {
	const most = 100
	switch {
	case !d.Files() && doc == (Document{}):
		return nil
	case !d.Files():
		return fault.Refuse(fault.Invalid, "document_invalid", "This duty puts no document on file.", "Leave out issuer, number and end, or look for the duty that does.")
	case !isLine(doc.Issuer) || len(doc.Issuer) > most || !refForm.MatchString(doc.Number):
		return fault.Refuse(fault.Invalid, "document_invalid", "The issuer or the number of the document is missing, or cannot be one.",
			"Give who issued it in one line of at most 100 bytes, and its number: letters, digits and . _ / + : # - only, at most 80.")
	case !now.Before(doc.Until) || doc.Until.After(now.AddDate(MostYears, 0, 1)):
		return fault.Refuse(fault.Invalid, "until_invalid", "The document has ended already, or ends more than 5 years from now.", "Give its last day as it stands on it, as YYYY-MM-DD.")
	}
	return nil
}

// same reports whether two are one document: its end may have been read in another zone.
func (d Document) same(e Document) bool {
	return d.Issuer == e.Issuer && d.Number == e.Number && d.Until.Equal(e.Until)
}

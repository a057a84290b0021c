package request

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

// Ground is a reason in law to keep data, or to refuse a request. The list is closed. It is stored, and stands in records
// and letters.
type Ground string

// The grounds. The first six keep single records or fields, never an account; all refuse.
const (
	Expression     Ground = "art17-3-a" // freedom of expression and information
	Obligation     Ground = "art17-3-b" // a legal obligation or a task in the public interest; with its citation
	PublicHealth   Ground = "art17-3-c"
	Archiving      Ground = "art17-3-d" // archiving, research, statistics
	LegalClaims    Ground = "art17-3-e" // to establish, exercise or defend legal claims
	Statute        Ground = "statute"   // a retention period by law; with its citation
	Excessive      Ground = "art12-5"   // manifestly unfounded or excessive: the company bears the burden of proof
	NotOwed        Ground = "art17-1"   // none of the grounds for erasure applies
	maxCitation           = 200
	maxEntryFields        = 50
)

// HoldGrounds are those that keep data.
func HoldGrounds() []Ground {
	return []Ground{Expression, Obligation, PublicHealth, Archiving, LegalClaims, Statute}
}

// RejectGrounds are those that refuse a request.
func RejectGrounds() []Ground { return append(HoldGrounds(), Excessive, NotOwed) }

// cites reports whether a ground means nothing without the provision it rests on.
func (g Ground) cites() bool { return g == Obligation || g == Statute }

// Hold keeps the items of one entry of the data map, or some fields of them, until a day. All fields but Fields are
// needed, Citation where the ground cites.
type Hold struct {
	ID       string       `json:"id"`
	Entry    string       `json:"entry"`
	Fields   []string     `json:"fields,omitempty"` // none: the whole items
	Ground   Ground       `json:"ground"`
	Citation string       `json:"citation,omitempty"` // shown in the letter; never in records
	Until    calendar.Day `json:"until"`              // its last day
	By       string       `json:"by"`
	Second   string       `json:"second"`
	At       time.Time    `json:"at"`
}

// Refusal is why a request was rejected.
type Refusal struct {
	Ground   Ground `json:"ground"`
	Citation string `json:"citation,omitempty"`
	By       string `json:"by"`
	Second   string `json:"second"`
}

// Proposed is a decision that waits for a second person.
type Proposed struct {
	What    What      `json:"what"` // Hold, Reject or Settle
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Hold    *Hold     `json:"hold,omitempty"`
	Refusal *Refusal  `json:"refusal,omitempty"`
}

// ExtensionReason is why two further months are needed (article 12(3)). It is stored, and stands in records and letters.
type ExtensionReason string

// The reasons of an extension.
const (
	Complexity ExtensionReason = "complexity"
	Number     ExtensionReason = "number" // of requests
)

// isName reports whether a text may name an entry of the data map or a field.
func isName(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r)
	})
}

func isLine(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// cited refuses a ground that is not of the list, or lacks its citation. Code: ground_invalid.
func cited(g Ground, citation string, allowed []Ground) error {
	if slices.Contains(allowed, g) && isLine(citation, maxCitation) && (citation != "" || !g.cites()) {
		return nil
	}
	var all []string
	for _, one := range allowed {
		all = append(all, string(one))
	}
	return fault.Refuse(fault.Invalid, "ground_invalid", "This is no ground of the list, or the provision it rests on is missing, longer than 200 bytes or not one line.", "Give one of "+strings.Join(all, ", ")+"; with art17-3-b and statute also the citation.")
}

// check refuses a hold that keeps more than it may. Codes: ground_invalid, hold_invalid.
func (h Hold) check(now time.Time, zone *time.Location) error {
	if err := cited(h.Ground, h.Citation, HoldGrounds()); err != nil {
		return err
	}
	longest := MaxHold
	if h.Ground == Statute {
		longest = MaxStatute
	}
	ends := time.Time{}
	if !h.Until.IsZero() {
		ends = h.Until.End(zone)
	}
	bad := func(name string) bool { return !isName(name) }
	if !isName(h.Entry) || len(h.Fields) > maxEntryFields || slices.ContainsFunc(h.Fields, bad) || !ends.After(now) || ends.After(now.Add(longest)) {
		return fault.Refuse(fault.Invalid, "hold_invalid", "A hold names one entry of the data map, or fields of it, and ends: within three years, or 31 where a statute says so.", "Name the entry and the last day. An account as a whole is never held.")
	}
	return nil
}

// same reports whether two holds keep the same for the same reason as long.
func (h Hold) same(o Hold) bool {
	return h.Entry == o.Entry && slices.Equal(h.Fields, o.Fields) && h.Ground == o.Ground && h.Citation == o.Citation && h.Until == o.Until
}

package otp

import (
	"io"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// The collections of this package in the control's database.
const (
	Accounts = "accounts"       // Account, by person id
	Former   = "authenticators" // Ended, by authenticator id: never deleted but with the person
	Resets   = "resets"         // Reset, by reset id

	Rollovers = "rollovers" // Everyone, by rollover id
	SeedFiles = "seedfiles" // SeedFile, by the id whoever imports it gives
	Tokens    = "tokens"    // HardwareToken, by a digest of its serial number
	Seeds     = "seeds"     // who has a secret, by a keyed digest of it; and that key, sealed
)

// Version is the shape of the documents of this package.
const Version = 1

// Collection declares what this package keeps and asks.
func Collection() []store.Collection {
	return []store.Collection{
		{Name: Accounts},
		{Name: Former, Indexes: []store.Index{{"person"}}},
		{Name: Resets, Indexes: []store.Index{{"state"}}},
		{Name: Rollovers, Indexes: []store.Index{{"state"}}, Expires: true},
		{Name: SeedFiles},
		{Name: Tokens, Indexes: []store.Index{{"file"}}},
		{Name: Seeds},
	}
}

// Account is all one person's second factor consists of, in one document, so that one transaction reads and
// writes the whole of it. Its size is bounded: authenticators that ended move to Former.
type Account struct {
	V              int             `json:"v"`
	Person         string          `json:"person"`
	Subject        string          `json:"subject,omitempty"` // of the identity provider; "" until the person was here
	Salt           []byte          `json:"salt"`              // 32 random bytes; commitments die with it
	Authenticators []Authenticator `json:"authenticators,omitempty"`
	Throttle       Throttle        `json:"throttle"`
	LastSuccess    time.Time       `json:"last_success,omitzero"`
	Recovery       *RecoverySet    `json:"recovery,omitempty"`
	Grant          *Grant          `json:"grant,omitempty"`
	Rolled         Rolled          `json:"rolled,omitzero"`
	Bound          bool            `json:"bound,omitempty"` // had an authenticator: without one, enrolling needs a grant
}

// Kind says what moves an authenticator's codes on. It is stored.
type Kind string

// A counter (RFC 4226) or the time (RFC 6238).
const (
	HOTP Kind = "hotp"
	TOTP Kind = "totp"
)

// State is where an authenticator is in its life. It is stored.
type State string

// Pending authenticators prove nothing but themselves; assigned ones are hardware tokens that wait for the first two
// codes of their person; only active ones are checked; the rest are history.
const (
	Pending  State = "pending"
	Assigned State = "assigned"
	Active   State = "active"
	Retired  State = "retired"
	Lost     State = "lost"
)

// Reason says why an authenticator ended or must be replaced. It is stored.
type Reason string

// Reasons a person or a rule may give.
const (
	Removed     Reason = "removed"     // by the person, who still had it
	ReportLost  Reason = "lost"        // or stolen
	Replaced    Reason = "replaced"    // another one took its place
	ByReset     Reason = "reset"       // two people ended all of the person's
	RolledOver  Reason = "rollover"    // the date to replace it passed
	Temporary   Reason = "temporary"   // a pass for one day, which is over
	Compromised Reason = "compromised" // its secret may be known to somebody
)

// Authenticator is one thing that makes codes. Steps are counters for HOTP and periods since the epoch for TOTP.
type Authenticator struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"` // given by the person
	Kind        Kind           `json:"kind"`
	Algorithm   Algorithm      `json:"algorithm"`
	Digits      int            `json:"digits"`
	Profile     Profile        `json:"profile"`
	State       State          `json:"state"`
	Seal        int            `json:"seal"` // number of the sealing; part of the envelope's binding
	Envelope    *seal.Envelope `json:"envelope,omitempty"`
	Floor       int64          `json:"floor"`            // highest consumed step, -1 when none; never decreases
	Offset      int            `json:"offset,omitempty"` // steps, set by an explicit resynchronisation
	Drift       int            `json:"drift,omitempty"`  // steps on top of Offset, moved by logins, capped
	Failures    int            `json:"failures,omitempty"`
	ResyncStep  int64          `json:"resync_step,omitempty"` // first code of an automatic resynchronisation
	ResyncUntil time.Time      `json:"resync_until,omitzero"`

	Imported  bool      `json:"imported,omitempty"`
	Serial    string    `json:"serial,omitempty"` // of a hardware token out of a seed file
	Replaces  string    `json:"replaces,omitempty"`
	Grant     []byte    `json:"grant,omitempty"`  // hash of the token a pending one was started with
	Source    string    `json:"source,omitempty"` // prefix it was bound from, where known
	Created   time.Time `json:"created"`
	Expires   time.Time `json:"pending_until,omitzero"`
	Confirmed time.Time `json:"confirmed,omitzero"`
	LastUsed  time.Time `json:"last_used,omitzero"`
	Until     time.Time `json:"replace_by,omitzero"` // a forced rollover: from then on it is not checked
	Note      string    `json:"note,omitempty"`      // why somebody of security zeroed the drift or forced the rollover; never in evidence
	Ended     time.Time `json:"ended,omitzero"`
	Why       Reason    `json:"why,omitempty"`
}

// Ended is the permanent record of an authenticator that was bound once (NIST SP 800-63B-4 section 4.1). Its
// envelope is destroyed.
type Ended struct {
	V             int           `json:"v"`
	Person        string        `json:"person"`
	Authenticator Authenticator `json:"authenticator"`
}

const saltBytes = 32

// NewSalt returns the salt of a new account.
func NewSalt(random io.Reader) ([]byte, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil, fault.New(fault.Transient, "making a salt: %w", err)
	}
	return salt, nil
}

// NewAccount is what a person has before the first authenticator: marks can be made for her, and no code is hers.
func NewAccount(person string, salt []byte) Account {
	return Account{V: Version, Person: person, Salt: salt}
}

// usable reports whether a is checked for codes at now.
func (a Authenticator) usable(now time.Time) bool {
	return a.State == Active && (a.Until.IsZero() || now.Before(a.Until))
}

// Overdue reports whether a had to be replaced by now. It registers nothing any more, but for RenewalLife its codes still
// vouch for the one that takes its place: whoever missed the date needs nobody's help. One whose secret may be known
// vouches for nothing.
func (a Authenticator) Overdue(now time.Time) bool {
	return a.State == Active && !a.usable(now) && a.Why != Temporary && a.Why != Compromised && now.Before(a.Until.Add(RenewalLife))
}

func (a Authenticator) pending(now time.Time) bool {
	return a.State == Pending && now.Before(a.Expires)
}

// Active returns the authenticators a code is compared with at now, in the order they were bound.
func (acc Account) Active(now time.Time) []Authenticator {
	var active []Authenticator
	for _, a := range acc.Authenticators {
		if a.usable(now) {
			active = append(active, a)
		}
	}
	return active
}

// BoundTo returns the account bound to the identity provider's subject. An account is bound once, at first use;
// another subject behind the same address (an account deleted and made again) is Denied until a reset.
func (acc Account) BoundTo(subject string) (Account, error) {
	switch {
	case subject == "" || subject == acc.Subject:
	case acc.Subject == "":
		acc.Subject = subject
	default:
		return acc, fault.Refuse(fault.Denied, "subject_changed",
			"The codes of this address belong to another sign-in account.", "Ask the security lead for a reset.")
	}
	return acc, nil
}

// at returns the index of an authenticator, or -1.
func (acc Account) at(id string) int {
	return slices.IndexFunc(acc.Authenticators, func(a Authenticator) bool { return a.ID == id })
}

// clone lets a pure function change the copy and leave the original alone.
func (acc Account) clone() Account {
	acc.Authenticators = slices.Clone(acc.Authenticators)
	return acc
}

// end takes an authenticator out of the account and returns it as history, its secret destroyed.
func (acc *Account) end(i int, why Reason, now time.Time) Ended {
	a := acc.Authenticators[i]
	acc.Authenticators = slices.Delete(acc.Authenticators, i, i+1)
	a.State, a.Why, a.Ended = Retired, why, now
	if why == ReportLost {
		a.State = Lost
	}
	a.Envelope, a.Grant, a.ResyncUntil = nil, nil, time.Time{}
	return Ended{V: Version, Person: acc.Person, Authenticator: a}
}

// tidy drops pending authenticators that died and ends those whose date passed.
func (acc *Account) tidy(now time.Time) []Ended {
	var ended []Ended
	for i := len(acc.Authenticators) - 1; i >= 0; i-- {
		switch a := acc.Authenticators[i]; {
		case a.State == Pending && !a.pending(now):
			acc.Authenticators = slices.Delete(acc.Authenticators, i, i+1) // never bound: no history
		case a.State == Assigned && !a.Until.IsZero() && !now.Before(a.Until), a.State == Active && !a.usable(now) && !a.Overdue(now):
			why := a.Why
			if why == "" {
				why = RolledOver
			}
			ended = append(ended, acc.end(i, why, a.Until))
		}
	}
	return ended
}

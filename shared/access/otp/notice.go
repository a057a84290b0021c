package otp

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"
)

// NoticeKind says what a person is told (NIST SP 800-63B-4 section 4.1.2).
type NoticeKind string

// The notices.
const (
	AuthenticatorAdded   NoticeKind = "authenticator-added"
	AuthenticatorRemoved NoticeKind = "authenticator-removed"
	CodeReplayed         NoticeKind = "code-replayed"  // somebody used the person's code first
	AccountLocked        NoticeKind = "account-locked" // the hard stop was reached
	RecoveryUsed         NoticeKind = "recovery-used"
	RecoveryRenewed      NoticeKind = "recovery-renewed" // the old set is dead
	LinkIssued           NoticeKind = "enrol-link-issued"
	ResetRequested       NoticeKind = "reset-requested"
	ResetApproved        NoticeKind = "reset-approved"
	ResetRefused         NoticeKind = "reset-refused"
	DriftCorrected       NoticeKind = "drift-corrected"
	DriftWasZeroed       NoticeKind = "drift-zeroed" // by the security team; "reason" is in their words
	RolloverDue          NoticeKind = "rollover-due"
	TokenAssigned        NoticeKind = "token-assigned" // a hardware token, which waits for its first two codes
)

// Notice asks for one message to one person. Data never holds a code, token or secret; its "name" is the name the
// person gave an authenticator, "at" the time in RFC 3339, UTC.
type Notice struct {
	Person string
	Kind   NoticeKind
	Key    string // the same for the same event: a message with a known key is not sent again
	Data   map[string]string
	Second bool // send it over a second, independent channel too
}

// second reports whether an attacker who reads the person's mail would like to hide the notice.
func (k NoticeKind) second() bool {
	switch k {
	case ResetRequested, ResetApproved, RecoveryUsed, AccountLocked, LinkIssued:
		return true
	}
	return false
}

// notify gives notice of one event; about names it among the person's events of the kind.
func (e *edit) notify(kind NoticeKind, about string, data map[string]string) error {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(kind), e.acc.Person, about}, "\x00")))
	n := Notice{Person: e.acc.Person, Kind: kind, Key: "otp-" + base32NoPad.EncodeToString(sum[:15]), Data: data, Second: kind.second()}
	if n.Data == nil {
		n.Data = map[string]string{}
	}
	n.Data["at"] = e.now.UTC().Format(time.RFC3339)
	return e.s.Notify(e.batch, n)
}

// announce gives the notices an attempt's outcome calls for.
func (e *edit) announce(r Result) error {
	if r.Spent {
		about := r.Authenticator + "/" + strconv.FormatInt(r.step, 10) // one message, however often it is tried
		if err := e.notify(CodeReplayed, about, map[string]string{"name": r.Name}); err != nil {
			return err
		}
	}
	if r.LockedNow {
		about := strconv.FormatInt(e.now.UnixMicro(), 10)
		if err := e.notify(AccountLocked, about, map[string]string{"failures": strconv.Itoa(r.Failures)}); err != nil {
			return err
		}
	}
	about := r.Authenticator + "/" + strconv.FormatInt(r.step, 10)
	switch r.Outcome {
	case ResyncOK:
		if r.First {
			return e.notify(AuthenticatorAdded, r.Authenticator, map[string]string{"name": r.Name})
		}
		return e.notify(DriftCorrected, about, map[string]string{"name": r.Name})
	case Recovered:
		return e.notify(RecoveryUsed, strconv.FormatInt(e.now.UnixMicro(), 10), map[string]string{"remaining": strconv.Itoa(r.Remaining)})
	}
	return nil
}

package otp

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
)

// Control is the name of the check that the evidence of this package is for.
const Control = "otp-gate"

// Action says what a record is about. It is stored in the evidence.
type Action string

// The attempts, which have an outcome, and the events of an account's life, which have none.
const (
	Checked         Action = "check"
	BindTried       Action = "bind"
	ResyncTried     Action = "resync"
	RecoveryTried   Action = "recovery"
	RecoveryRenewal Action = "recovery-renewal"

	Begun           Action = "enrol"
	Imported        Action = "import"
	Unbound         Action = "unbind"
	DriftZeroed     Action = "drift-zeroed"
	LinkMade        Action = "enrol-link"
	ResetAsked      Action = "reset-requested"
	ResetGranted    Action = "reset-approved"
	ResetTurnedDown Action = "reset-refused"
	RolloverForced  Action = "rollover"
	SeedsImported   Action = "seeds-imported"
	TokenGiven      Action = "token-assigned"
	Rewrapped       Action = "rewrap"
)

// Mark is the commitment that stands for a value of this person in evidence of a month: equal within the month,
// unlinkable to other months and other people, and dead once the account's salt is erased.
func (acc Account) Mark(kind, value string, at time.Time) string {
	month := hmac.New(sha256.New, acc.Salt)
	month.Write([]byte("evidence " + at.UTC().Format("2006-01")))
	return record.Commitment(month.Sum(nil), kind, value)
}

// subject is the mark of the person, or "" for a person without an account.
func (acc Account) subject(at time.Time) string {
	if len(acc.Salt) == 0 {
		return ""
	}
	return acc.Mark("person", acc.Person, at)
}

// Record is the evidence of an attempt, or of an event when the result has no outcome. It holds the outcome and
// commitments; never a code, a secret, a name or an address. acc may be the zero account of an unknown person. The
// clause on phishing is part of it: a one-time password does not resist it (NIST SP 800-63B-4 section 3.2.5).
func (r Result) Record(acc Account, action Action, meta Meta, now time.Time, policy string, promises ...string) record.Record {
	// One request may try several things, and a request id may come again with another time.
	event := strings.Join([]string{meta.Request, string(action), acc.subject(now), r.Authenticator, strconv.FormatInt(now.UnixMicro(), 10)}, "\x00")
	kind := record.Access
	if action == ResetGranted || action == ResetTurnedDown {
		kind = record.Review
	}
	e := record.New(kind, Control, event, promises...)
	e.Config, e.Method = policy, record.Test
	e.Source.Type, e.Source.Observed, e.Source.Collected = cmp.Or(meta.Via, "http"), now, now
	e.Facts = map[string]string{"action": string(action), "request": record.Digest([]byte(meta.Request)), "phishing_resistant": "no"}
	if r.Outcome != "" {
		e.Facts["outcome"], e.Facts["failures"] = string(r.Outcome), strconv.Itoa(r.Failures)
	}
	if r.Authenticator != "" {
		e.Facts["authenticator"] = r.Authenticator
	}
	if r.Granted() || r.Outcome == Replay || r.Outcome == Stale || r.Outcome == DriftCapped {
		e.Facts["step_delta"] = strconv.Itoa(r.StepDelta)
	}
	if r.Wrap != "" {
		e.Facts["key"] = record.Digest([]byte(r.Wrap))
	}
	if len(acc.Salt) > 0 {
		e.Subjects = append(e.Subjects, record.Subject{Type: "person", C: acc.subject(now)})
		if meta.Actor != "" {
			e.Subjects = append(e.Subjects, record.Subject{Type: "actor", C: acc.Mark("person", meta.Actor, now)})
		}
		if source := meta.source(); source != "" {
			e.Subjects = append(e.Subjects, record.Subject{Type: "source", C: acc.Mark("source", source, now)})
		}
	}
	return e
}

// record puts the evidence of the edit into its batch.
func (e *edit) record(r Result) error {
	evidence := r.Record(e.acc, e.action, e.meta, e.now, e.s.Policy, e.s.Promises...)
	return evidence.Put(e.batch)
}

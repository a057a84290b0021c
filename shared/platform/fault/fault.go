// Package fault gives errors a kind, and the kind alone decides what happens next: whether a message is
// delivered again, which status a caller reads, whether a process refuses to start.
//
// An error carries three texts that never mix: what the caller reads (Detail, Next), the stable Code a program
// branches on, and the internal error, which goes to the log and nowhere else.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind says what may be done about an error. Kinds are stored and logged, hence strings.
type Kind string

const (
	Invalid       Kind = "invalid"       // the input is wrong and stays wrong; never retried
	Denied        Kind = "denied"        // the caller may not; never retried
	NotFound      Kind = "not-found"     // the thing does not exist, or has expired
	Conflict      Kind = "conflict"      // the state is not the one the caller assumed; read again
	Exhausted     Kind = "exhausted"     // a limit is reached; RetryAfter says when to come back
	Transient     Kind = "transient"     // the same call may succeed later; redelivered
	Misconfigured Kind = "misconfigured" // a person must change the configuration; refuse to start
)

// Error is an error with a kind. The zero values of Code, Detail and Next mean "nothing for the caller": the
// adapter then answers with the kind's general sentence.
type Error struct {
	Kind       Kind
	Code       string        // stable name for programs, such as "otp_wrong"
	Detail     string        // for the caller: what is the matter; no secret, no personal data
	Next       string        // for the caller: what to do now
	Status     int           // HTTP status where the kind's own does not fit; 0 otherwise
	RetryAfter time.Duration // for Exhausted and Transient; 0 when unknown
	Err        error         // the internal error; never shown to the caller
}

// Error returns the internal text: code and cause where there are any.
func (e *Error) Error() string {
	switch {
	case e.Err != nil && e.Code != "":
		return e.Code + ": " + e.Err.Error()
	case e.Err != nil:
		return e.Err.Error()
	case e.Code != "":
		return string(e.Kind) + ": " + e.Code
	case e.Detail != "":
		return string(e.Kind) + ": " + e.Detail
	}
	return string(e.Kind)
}

// Unwrap returns the internal error.
func (e *Error) Unwrap() error { return e.Err }

// New makes an internal error of the given kind; format may wrap a cause with %w.
func New(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// Refuse makes an error a caller reads: code is stable, detail says what is the matter, next what to do.
func Refuse(kind Kind, code, detail, next string) *Error {
	return &Error{Kind: kind, Code: code, Detail: detail, Next: next}
}

// KindOf returns the kind of the first Error in err's chain. A cancelled or timed-out context is Transient;
// an error nobody classified has no kind ("").
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Transient
	}
	return ""
}

// Is reports whether err is of the given kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// CodeOf returns the stable code of the first Error in err's chain, or "".
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// RetryAfter is how long an error asks to wait before the next attempt, by the first Error in err's chain that says so; 0 where
// none does.
func RetryAfter(err error) time.Duration {
	for err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			break
		}
		if e.RetryAfter > 0 {
			return e.RetryAfter
		}
		err = e.Err
	}
	return 0
}

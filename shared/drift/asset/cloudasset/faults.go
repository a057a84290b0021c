package cloudasset

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/reach"
)

// longest is how long an answer may ask to wait.
const longest = time.Hour

// explain gives an error of the inventory its kind. What it says in words names projects and people, so only its code and reason
// are kept. resumed: it was asked to read on from a page.
func explain(err error, resumed bool) error {
	if fault.KindOf(err) != "" {
		return err
	}
	s := status.Convert(err)
	reason, wait := s.Code().String(), time.Duration(0)
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			reason += " " + word(d.GetReason())
		case *errdetails.RetryInfo:
			wait = min(max(0, d.GetRetryDelay().AsDuration()), longest)
		}
	}
	const doing = "listing assets"
	switch s.Code() {
	case codes.PermissionDenied, codes.Unauthenticated:
		return fault.New(fault.Denied, doing+": %s", reason)
	case codes.ResourceExhausted:
		// The client says the same of a page that is larger than it may be: to ask later would not help.
		if strings.Contains(s.Message(), "larger than max") {
			return fault.New(fault.Misconfigured, doing+": a page has more than %d MiB", mostOfPage>>20)
		}
		return &fault.Error{Kind: fault.Exhausted, RetryAfter: wait, Err: fault.New(fault.Exhausted, doing+": too many requests")}
	case codes.InvalidArgument, codes.OutOfRange:
		if resumed {
			return fault.New(fault.Conflict, doing+": it cannot be read on from here: %s", reason)
		}
		return fault.New(fault.Misconfigured, doing+": %s", reason)
	case codes.NotFound, codes.FailedPrecondition, codes.Unimplemented:
		return fault.New(fault.Misconfigured, doing+": %s", reason)
	}
	return fault.New(fault.Transient, doing+": %s", reason)
}

// word is a reason, of which nothing but letters counts.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '_' {
			return r
		}
		return -1
	}, s[:min(len(s), 60)])
}

// busy are reasons by which older services say with 403 what others say with 429.
var busy = map[string]bool{"rateLimitExceeded": true, "userRateLimitExceeded": true, "quotaExceeded": true, "RATE_LIMIT_EXCEEDED": true}

// refused gives an answer its kind; NotFound only where the service itself says so.
func refused(kind string, code int, h http.Header, body []byte) error {
	var answer struct {
		Error struct {
			Code    int    `json:"code"`
			Status  string `json:"status"`
			Errors  []struct{ Reason string }
			Details []struct{ Reason string }
		} `json:"error"`
	}
	spoke := json.Unmarshal(body, &answer) == nil && answer.Error.Code == code
	reason := answer.Error.Status
	for _, one := range answer.Error.Errors {
		reason = one.Reason
	}
	for _, one := range answer.Error.Details {
		if one.Reason != "" {
			reason = one.Reason
		}
	}
	reason = word(reason)
	doing := "reading a " + kind
	switch {
	case code == http.StatusTooManyRequests, code == http.StatusForbidden && busy[reason]:
		return &fault.Error{Kind: fault.Exhausted, RetryAfter: reach.RetryAfter(h, longest), Err: fault.New(fault.Exhausted, "%s: too many requests", doing)}
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return fault.New(fault.Denied, "%s: %d %s", doing, code, reason)
	case code == http.StatusNotFound && spoke:
		return fault.New(fault.NotFound, "%s: it is not there", doing)
	case code >= 300 && code < 400, code == http.StatusBadRequest, code == http.StatusNotFound, code == http.StatusMethodNotAllowed:
		// No service speaks there: the address is wrong, which says nothing of the asset.
		return fault.New(fault.Misconfigured, "%s: %d %s", doing, code, reason)
	}
	return fault.New(fault.Transient, "%s: %d %s", doing, code, reason)
}

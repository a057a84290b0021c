// Package googledoor is what the doors on Google Cloud share: the client that speaks for this process, and what its errors
// mean. It promises that an error names what was being done, the status and the service's own reason, and never an address
// or a person, and that nothing is tried again within a call.
package googledoor

import (
	"context"
	"errors"
	"net/http"
	"time"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	transport "google.golang.org/api/transport/http"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/reach"
)

// patience bounds one request.
const patience = 30 * time.Second

// scope is the one all the services take; what may be done is for IAM to say.
const scope = "https://www.googleapis.com/auth/cloud-platform"

// Client returns a client that authorises its requests as whom the process runs. Misconfigured: there are no credentials.
func Client(ctx context.Context) (*http.Client, error) {
	made, _, err := transport.NewClient(ctx, option.WithScopes(scope))
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "connecting to Google Cloud: %w", err)
	}
	return Guard(made), nil
}

// Guard bounds a client: time, the length of an answer, and no redirect is followed.
func Guard(c *http.Client) *http.Client {
	one := *c
	if one.Transport == nil {
		one.Transport = http.DefaultTransport
	}
	one.Transport = bounded{one.Transport}
	one.Timeout, one.Jar = patience, nil
	one.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &one
}

// reasons say more than the status they come with, in an answer or, in capitals, in an operation that failed.
var reasons = map[string]fault.Kind{
	"quotaExceeded": fault.Exhausted, "rateLimitExceeded": fault.Exhausted, "userRateLimitExceeded": fault.Exhausted,
	"dailyLimitExceeded": fault.Exhausted, "concurrentLimitExceeded": fault.Exhausted,
	"QUOTA_EXCEEDED": fault.Exhausted, "RATE_LIMIT_EXCEEDED": fault.Exhausted, "RESOURCE_OPERATION_RATE_EXCEEDED": fault.Exhausted,
	"resourceNotReady": fault.Conflict, "RESOURCE_NOT_READY": fault.Conflict, // comes as a 400; another change is under way
	"RESOURCE_NOT_FOUND": fault.NotFound, "PERMISSIONS_ERROR": fault.Denied,
}

// Explain gives an error of a Google client its kind; doing says what was tried and on which door, as in "reading rule
// ostiary-v4-00". Nil stays nil.
//
// Conflict: 409, 412 of a fingerprint that is no longer right, and what is not ready because another change of it is under
// way. Exhausted: 429, and whatever names a quota; RetryAfter holds where the service says. Denied: 401, other 403. NotFound:
// 404. Misconfigured: other 4xx, a request we should not have made. Transient: everything else, no answer above all.
func Explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	var api *googleapi.Error
	if !errors.As(err, &api) {
		return fault.New(fault.Transient, "%s: no answer", doing)
	}
	kind, reason := byStatus(api.Code), ""
	for _, item := range api.Errors {
		reason = item.Reason
		if tells, known := reasons[reason]; known {
			kind = tells
			break
		}
	}
	return &fault.Error{Kind: kind, RetryAfter: reach.RetryAfter(api.Header, time.Hour), Err: fault.New(kind, "%s: status %d, reason %q", doing, api.Code, reason)}
}

func byStatus(status int) fault.Kind {
	switch {
	case status == http.StatusTooManyRequests:
		return fault.Exhausted
	case status == http.StatusConflict, status == http.StatusPreconditionFailed:
		return fault.Conflict
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fault.Denied
	case status == http.StatusNotFound:
		return fault.NotFound
	case status >= http.StatusInternalServerError, status == http.StatusRequestTimeout:
		return fault.Transient
	}
	return fault.Misconfigured
}

// As gives an error the kind that its kind means here; how long to wait stays.
func As(err error, kinds map[fault.Kind]fault.Kind) error {
	to, ok := kinds[fault.KindOf(err)]
	if !ok {
		return err
	}
	wrapped := &fault.Error{Kind: to, Err: err}
	if e, is := errors.AsType[*fault.Error](err); is {
		wrapped.RetryAfter = e.RetryAfter
	}
	return wrapped
}

// Reading is As for what reads a whole door: one that is not there must be made first, and one that is busy is read later.
func Reading(err error) error {
	return As(err, map[fault.Kind]fault.Kind{fault.NotFound: fault.Misconfigured, fault.Conflict: fault.Transient, fault.Exhausted: fault.Transient})
}

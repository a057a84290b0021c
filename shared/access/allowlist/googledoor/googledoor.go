// Package googledoor is what the doors on Google Cloud share: the client that speaks for this process, and what its errors
// mean. It promises that an error names what was being done, the status and the service's own reason, and never an address
// or a person, and that nothing is tried again within a call.
package googledoor

import (
	"context"
	"errors"
	"net/http"
	"slices"
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

// limits are the reasons of a 403 that mean "later", not "never".
var limits = []string{"quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "concurrentLimitExceeded"}

// Explain gives an error of a Google client its kind; doing says what was tried and on which door, as in "reading rule
// ostiary-v4-00". Nil stays nil.
//
// Conflict: 409, and 412 of a fingerprint that is no longer right. Exhausted: 429, and a 403 for a quota; RetryAfter holds
// where the service says. Denied: 401, other 403. NotFound: 404. Misconfigured: other 4xx, a request we should not have made.
// Transient: everything else, no answer above all.
func Explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	var api *googleapi.Error
	if !errors.As(err, &api) {
		return fault.New(fault.Transient, "%s: no answer", doing)
	}
	reason := ""
	for _, item := range api.Errors {
		reason = item.Reason
	}
	return &fault.Error{Kind: kind(api.Code, reason), RetryAfter: reach.RetryAfter(api.Header, time.Hour), Err: fault.New(kind(api.Code, reason), "%s: status %d, reason %q", doing, api.Code, reason)}
}

func kind(status int, reason string) fault.Kind {
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusForbidden && slices.Contains(limits, reason):
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

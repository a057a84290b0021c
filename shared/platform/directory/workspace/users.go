package workspace

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/api/googleapi"

	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/fault"
)

// ask makes one request (users.get). Workspace also finds an account by an alias or a number; here only the
// primary address is the account's name, and anything else is nobody.
func (d *Directory) ask(ctx context.Context, address string) (directory.Account, error) {
	users, err := d.users.Get(ctx)
	if err != nil {
		return directory.Account{}, err
	}
	user, err := users.Get(address).Projection("basic").ViewType("admin_view").
		Fields("id", "primaryEmail", "suspended", "archived", "isEnrolledIn2Sv", "isEnforcedIn2Sv").
		Context(ctx).Do()
	if err != nil {
		return directory.Account{}, classify(err)
	}
	if user == nil { // the client's reading of "null"
		return directory.Account{}, fault.New(fault.Transient, "asking the Workspace directory: an empty answer")
	}
	if !strings.EqualFold(user.PrimaryEmail, address) {
		return directory.Account{}, fault.New(fault.NotFound, "looking up an account: the address is not a primary one")
	}
	return directory.Account{
		Email:   address,
		Subject: user.Id,
		// An archived account cannot sign in either.
		Suspended: user.Suspended || user.Archived,
		// A field left out of the answer reads as false, and so cannot let anybody pass.
		TwoStep: user.IsEnrolledIn2Sv && user.IsEnforcedIn2Sv,
	}, nil
}

// limits are the reasons of a 403 that mean "later", not "never".
var limits = []string{"quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "backendError"}

// classify gives an error its kind. Its text keeps status and reason only: the rest may name the person.
func classify(err error) error {
	var api *googleapi.Error
	if !errors.As(err, &api) {
		// A url.Error quotes the address it asked, and the account is a part of that.
		var request *url.Error
		if errors.As(err, &request) {
			err = request.Err
		}
		return fault.New(fault.Transient, "asking the Workspace directory: %w", err)
	}
	reason := ""
	if len(api.Errors) > 0 {
		reason = api.Errors[0].Reason
	}
	kind := fault.Misconfigured // a request we should not have made, or a right nobody granted as it must be
	switch {
	case api.Code == http.StatusNotFound:
		kind = fault.NotFound
	case api.Code == http.StatusTooManyRequests, api.Code >= http.StatusInternalServerError,
		api.Code == http.StatusRequestTimeout, api.Code == http.StatusForbidden && slices.Contains(limits, reason):
		kind = fault.Transient
	case api.Code == http.StatusForbidden, api.Code == http.StatusUnauthorized:
		kind = fault.Denied
	}
	return fault.New(kind, "asking the Workspace directory: status %d, reason %q", api.Code, reason)
}

// Package caller says who is calling a function, and refuses everybody else. Identity comes from a signed
// token; whether the person is approved, suspended or without 2-step verification is asked at every request.
package caller

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/policy"
)

// directoryAge is how old the directory's answer may be at a request.
const directoryAge = 5 * time.Minute

// Gate checks callers against one policy.
type Gate struct {
	Policy    *policy.Policy
	Identity  identity.Verifier
	Directory directory.Directory
	Clock     clock.Clock
	Fronted   bool // IAM has checked the tokens of services and machines before the request came here
}

// Staff is a signed-in, approved person.
type Staff struct {
	policy.Person
	Subject string // of the token: the key of the person, which no address is
	TwoStep string // what may be said of her second factor: "used" or "enforced"
}

// May reports whether the person has one of the roles.
func (s Staff) May(roles ...policy.Role) bool {
	return slices.ContainsFunc(roles, func(r policy.Role) bool { return slices.Contains(s.Roles, r) })
}

// Staff verifies the assertion of Identity-Aware Proxy and the person behind it. The header Authorization and the
// proxy's unsigned headers are not looked at. Errors carry the codes unauthenticated, not_approved, suspended,
// two_step_missing and unavailable.
func (g Gate) Staff(r *http.Request) (Staff, error) {
	token := r.Header.Get(identity.AssertionHeader)
	if token == "" || len(r.Header.Values(identity.AssertionHeader)) > 1 {
		return Staff{}, unauthenticated("the request carries no assertion of Identity-Aware Proxy")
	}
	who, err := g.Identity.Verify(r.Context(), token)
	if err != nil {
		return Staff{}, unavailableOr(err)
	}
	if who.ServiceAccount || !who.HostedBy(g.Policy.Company.Domains...) {
		return Staff{}, notApproved()
	}
	person, known := g.Policy.Person(who.Email)
	if !known || !person.Active(g.Clock.Now()) {
		return Staff{}, notApproved()
	}
	if err := g.account(r.Context(), who.Email); err != nil {
		return Staff{}, err
	}
	s := Staff{Person: person, Subject: who.Subject, TwoStep: "enforced"}
	if slices.Contains(who.AMR, "mfa") {
		s.TwoStep = "used"
	}
	return s, nil
}

// Known returns the approved person with an address whose account is in order, for a service that asks about her.
// Denied: there is none, whatever the reason. Transient: the directory does not answer.
func (g Gate) Known(ctx context.Context, email string) (policy.Person, error) {
	person, known := g.Policy.Person(email)
	if !known || !person.Active(g.Clock.Now()) {
		return policy.Person{}, notApproved()
	}
	return person, g.account(ctx, person.Email)
}

func (g Gate) account(ctx context.Context, email string) error {
	account, err := g.Directory.Lookup(ctx, email, directoryAge)
	switch {
	case fault.Is(err, fault.NotFound):
		return notApproved()
	case err != nil:
		return unavailableOr(err)
	case account.Suspended:
		return fault.Refuse(fault.Denied, "suspended", "This account is suspended.", "Call the security team.")
	case !account.TwoStep:
		return fault.Refuse(fault.Denied, "two_step_missing", "2-step verification is not enforced on this account.",
			"Turn it on in your Google account, then try again in five minutes.")
	}
	return nil
}

// Service returns the policy's entry for the calling service, which must be allowed to call the function. Codes:
// caller_unauthenticated 401, caller_denied 403, unavailable 503.
func (g Gate) Service(r *http.Request, function string) (policy.Service, error) {
	email, err := g.program(r)
	if err != nil {
		return policy.Service{}, err
	}
	service, known := g.Policy.Service(email)
	if !known || !service.MayCall(function) {
		return policy.Service{}, fault.Refuse(fault.Denied, "caller_denied", "This service may not call "+function+".",
			"Add the function to the service's list in services.yaml and publish the policy.")
	}
	return service, nil
}

// Source returns the policy's entry for the calling program as a source of machine evidence. Codes: those of Service.
func (g Gate) Source(r *http.Request) (policy.Source, error) {
	email, err := g.program(r)
	if err != nil {
		return policy.Source{}, err
	}
	source, known := g.Policy.Source(email)
	if !known {
		return policy.Source{}, fault.Refuse(fault.Denied, "caller_denied", "This program is no source of evidence.",
			"Add it to the sources in services.yaml and publish the policy.")
	}
	return source, nil
}

// Machine lets our own invoker account through, invoker being its address. Without an address nobody passes. Codes:
// those of Service.
func (g Gate) Machine(r *http.Request, invoker string) error {
	email, err := g.program(r)
	switch {
	case err != nil:
		return err
	case invoker == "" || email != invoker:
		return fault.Refuse(fault.Denied, "caller_denied", "Only this function's own invoker may call here.", "Check the subscription and the schedule of the function.")
	}
	return nil
}

// program returns the address of the account a program calls with.
func (g Gate) program(r *http.Request) (string, error) {
	if g.Fronted {
		return vouched(r, g.Clock.Now())
	}
	token, ok := bearer(r, "Authorization")
	if !ok {
		return "", callerUnauthenticated("the request carries no bearer token")
	}
	who, err := g.Identity.Verify(r.Context(), token)
	switch {
	case fault.Is(err, fault.Denied):
		return "", callerUnauthenticated("the token of the request was refused")
	case err != nil:
		return "", unavailableOr(err)
	}
	return who.Email, nil
}

func bearer(r *http.Request, header string) (string, bool) {
	values := r.Header.Values(header)
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

func unauthenticated(why string) error {
	e := fault.Refuse(fault.Denied, identity.CodeUnauthenticated, "You are not signed in.", "Sign in with your company account and try again.")
	e.Status = http.StatusUnauthorized
	e.Err = fault.New(fault.Denied, "%s", why)
	return e
}

func callerUnauthenticated(why string) error {
	e := fault.Refuse(fault.Denied, "caller_unauthenticated", "The calling service is not known.", "Send an ID token for this function's audience as a bearer token.")
	e.Status = http.StatusUnauthorized
	e.Err = fault.New(fault.Denied, "%s", why)
	return e
}

func notApproved() error {
	return fault.Refuse(fault.Denied, "not_approved", "This account is not on the approved list.", "Ask the security team to add you to people.yaml.")
}

// unavailableOr keeps refusals as they are and turns everything else into one answer: what we depend on does not
// answer, so nothing is done.
func unavailableOr(err error) error {
	if fault.Is(err, fault.Denied) && fault.CodeOf(err) != "" {
		return err
	}
	return Unavailable(err)
}

// Unavailable refuses because something the decision needs does not answer: nothing is changed, nothing is used up.
func Unavailable(err error) error {
	e := fault.Refuse(fault.Transient, "unavailable", "Something this service depends on does not answer. Nothing was changed and no code was used up.", "Try again in a minute.")
	e.Err = err
	return e
}

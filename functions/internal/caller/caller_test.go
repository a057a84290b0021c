package caller_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/issuer"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"

	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/identity/iap"
)

const (
	audience = "https://function.test"
	emma     = "emma.dubois@sharedcontacts.example"
	bastion  = "bastion@services.sharedcontacts.example"
)

var start = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

// accounts answers every look-up alike.
type accounts struct {
	account directory.Account
	err     error
}

func (a accounts) Lookup(context.Context, string, time.Duration) (directory.Account, error) {
	return a.account, a.err
}
func (accounts) Close() error { return nil }

var fine = accounts{account: directory.Account{TwoStep: true}}

func company(t *testing.T) *policy.Policy {
	t.Helper()
	p, _, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// door is a gate of one kind of caller, and the issuer of what it takes.
func door(t *testing.T, kind string, d directory.Directory) (caller.Gate, *issuer.Issuer, *clock.Manual) {
	t.Helper()
	clk := clock.NewManual(start)
	i := issuer.New(filepath.Join(t.TempDir(), "issuer"), "", clk)
	verifier, err := identity.Drivers.Open(t.Context(), kind+":?audience="+audience, identity.Options{Clock: clk, Transport: i.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	return caller.Gate{Policy: company(t), Identity: verifier, Directory: d, Clock: clk}, i, clk
}

func request(header, value string) *http.Request {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set(header, value)
	return r
}

func problem(err error) string {
	if err == nil {
		return ""
	}
	return web.ProblemOf(err).Code
}

// TestStanding: the answer of the directory, and its silence, decide at each request.
func TestStanding(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		accounts
		want string
	}{
		"fine":               {fine, ""},
		"suspended":          {accounts{account: directory.Account{Suspended: true, TwoStep: true}}, "suspended"},
		"without 2-step":     {accounts{}, "two_step_missing"},
		"gone":               {accounts{err: fault.New(fault.NotFound, "gone")}, "not_approved"},
		"down":               {accounts{err: fault.New(fault.Transient, "down")}, "unavailable"},
		"refuses us":         {accounts{err: fault.New(fault.Denied, "no right")}, "unavailable"},
		"unclassified fault": {accounts{err: context.DeadlineExceeded}, "unavailable"},
	} {
		g, i, _ := door(t, "iap", test.accounts)
		token, err := i.Issue(issuer.Claims{Kind: issuer.Staff, Email: emma, Audience: audience})
		if err != nil {
			t.Fatal(err)
		}
		who, err := g.Staff(request(identity.AssertionHeader, token))
		if problem(err) != test.want {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (who.ID != "emma" || who.TwoStep != "enforced" || who.Subject != "accounts.google.com:"+issuer.Number(emma) || who.May(policy.Security) || !who.May(policy.Security, policy.Employee)) {
			t.Errorf("%s: %+v", name, who)
		}
		if _, err := g.Known(t.Context(), strings.ToUpper(emma)); (err == nil) != (test.want == "") || fault.Is(err, fault.Transient) != (test.want == "unavailable") {
			t.Errorf("%s: known: %v", name, err)
		}
	}
}

// TestWording: that a second factor was used is said only where the token says so.
func TestWording(t *testing.T) {
	t.Parallel()
	g, i, _ := door(t, "iap", fine)
	token, err := i.Issue(issuer.Claims{Kind: issuer.Staff, Email: emma, Audience: audience, Override: map[string]any{"amr": []string{"pwd", "mfa"}}})
	if err != nil {
		t.Fatal(err)
	}
	if who, err := g.Staff(request(identity.AssertionHeader, token)); err != nil || who.TwoStep != "used" {
		t.Errorf("%+v, %v", who.TwoStep, err)
	}
}

// TestLastDay: approval ends with the last day in the person's own zone.
func TestLastDay(t *testing.T) {
	t.Parallel()
	g, _, clk := door(t, "iap", fine)
	files := fstest.MapFS{}
	for _, name := range []string{"company.yaml", "promises/access.yaml"} {
		data, err := policies.FS.ReadFile("baseline/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files["acme/"+name] = &fstest.MapFile{Data: data}
	}
	files["acme/people.yaml"] = &fstest.MapFile{Data: []byte("people: [{id: omkar, email: omkar@example.com, name: Omkar, roles: [employee], zone: Asia/Kolkata, language: en, until: 2026-03-03}]")}
	var err error
	if g.Policy, _, err = policy.Load(files, "acme"); err != nil {
		t.Fatal(err)
	}
	email := g.Policy.People[0].Email
	if _, err := g.Known(t.Context(), email); err != nil {
		t.Errorf("on the last day: %v", err)
	}
	if err := clk.Set(time.Date(2026, 3, 3, 18, 30, 0, 0, time.UTC)); err != nil { // midnight in Kolkata
		t.Fatal(err)
	}
	if _, err := g.Known(t.Context(), email); problem(err) != "not_approved" {
		t.Errorf("after the last day: %v", err)
	}
}

// TestPrograms: services and invokers, with a token verified here and with one that IAM has checked.
func TestPrograms(t *testing.T) {
	t.Parallel()
	g, i, _ := door(t, "google", fine)
	issue := func(email string) string {
		token, err := i.Issue(issuer.Claims{Kind: issuer.Service, Email: email, Audience: audience})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	stripped := func(token string) string {
		return token[:strings.LastIndexByte(token, '.')+1] + "SIGNATURE_REMOVED_BY_GOOGLE"
	}
	front := g
	front.Identity, front.Fronted = nil, true
	for _, test := range []struct {
		name             string
		gate             caller.Gate
		header, value    string
		service, machine string
	}{
		{"a service", g, "Authorization", "Bearer " + issue(bastion), "", "caller_denied"},
		{"a service, in small letters", g, "authorization", "bearer " + issue(bastion), "", "caller_denied"},
		{"the invoker", g, "Authorization", "Bearer " + issue("in@test.iam.gserviceaccount.com"), "caller_denied", ""},
		{"a stripped token where nobody checked it", g, "Authorization", "Bearer " + stripped(issue(bastion)), "caller_unauthenticated", "caller_unauthenticated"},
		{"nothing", g, "Accept", "*/*", "caller_unauthenticated", "caller_unauthenticated"},
		{"a scheme without a token", g, "Authorization", "Bearer ", "caller_unauthenticated", "caller_unauthenticated"},
		{"a service behind IAM", front, "Authorization", "Bearer " + stripped(issue(bastion)), "", "caller_denied"},
		{"the invoker behind IAM", front, "Authorization", "Bearer " + stripped(issue("in@test.iam.gserviceaccount.com")), "caller_denied", ""},
		{"nothing behind IAM", front, "Accept", "*/*", "caller_unauthenticated", "caller_unauthenticated"},
		{"not base64 behind IAM", front, "Authorization", "Bearer a.!.c", "caller_unauthenticated", "caller_unauthenticated"},
		{"no claims behind IAM", front, "Authorization", "Bearer a.bnVsbA.c", "caller_unauthenticated", "caller_unauthenticated"},
	} {
		_, err := test.gate.Service(request(test.header, test.value), "checkotp")
		if problem(err) != test.service {
			t.Errorf("%s, as a service: %v", test.name, err)
		}
		if err := test.gate.Machine(request(test.header, test.value), "in@test.iam.gserviceaccount.com"); problem(err) != test.machine {
			t.Errorf("%s, as the invoker: %v", test.name, err)
		}
	}
	r := request("Authorization", "Bearer "+issue(bastion))
	if _, err := g.Service(r, "admit"); problem(err) != "caller_denied" {
		t.Errorf("a function it may not call: %v", err)
	}
	if err := g.Machine(r, ""); err == nil {
		t.Error("without an invoker's address somebody passed")
	}
	if _, err := g.Source(r); problem(err) != "caller_denied" {
		t.Errorf("a service that is no source: %v", err)
	}
	if _, err := g.Source(request("Authorization", "Bearer x")); problem(err) != "caller_unauthenticated" {
		t.Errorf("a source without a token: %v", err)
	}
	got, err := g.Source(request("Authorization", "Bearer "+issue("people@services.sharedcontacts.example")))
	if err != nil || got.ID != "people-desk" {
		t.Errorf("a source: %+v, %v", got, err)
	}
}

// TestKeysUnreachable: where public keys cannot be had nobody is let in, and nobody is told it is her fault.
func TestKeysUnreachable(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(start)
	i := issuer.New(filepath.Join(t.TempDir(), "issuer"), "", clk)
	token, err := i.Issue(issuer.Claims{Kind: issuer.Service, Email: bastion, Audience: audience})
	if err != nil {
		t.Fatal(err)
	}
	dead := roundTripper(func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded })
	verifier, err := identity.Drivers.Open(t.Context(), "google:?audience="+audience, identity.Options{Clock: clk, Transport: dead})
	if err != nil {
		t.Fatal(err)
	}
	g := caller.Gate{Policy: company(t), Identity: verifier, Directory: fine, Clock: clk}
	if _, err := g.Service(request("Authorization", "Bearer "+token), "checkotp"); problem(err) != "unavailable" {
		t.Errorf("as a service: %v", err)
	}
	if _, err := g.Staff(request(identity.AssertionHeader, token)); problem(err) != "unavailable" {
		t.Errorf("as a person: %v", err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzVouched: whatever claims to have been checked, only an address in a well-formed token of Google's counts.
func FuzzVouched(f *testing.F) {
	for _, seed := range []string{"Bearer a.eyJpc3MiOiJodHRwczovL2FjY291bnRzLmdvb2dsZS5jb20iLCJlbWFpbCI6ImFAYi5leGFtcGxlIiwiZW1haWxfdmVyaWZpZWQiOnRydWUsImV4cCI6OTk5OTk5OTk5OX0.c", "Bearer ..", "Bearer a.e30.c", ""} {
		f.Add(seed)
	}
	p, _, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil {
		f.Fatal(err)
	}
	g := caller.Gate{Policy: p, Clock: clock.NewManual(start), Fronted: true}
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header["Authorization"] = []string{value}
		if _, err := g.Service(r, "checkotp"); err != nil && problem(err) != "caller_unauthenticated" && problem(err) != "caller_denied" {
			t.Errorf("%q: %v", value, err)
		}
	})
}

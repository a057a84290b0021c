package functiontest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/directory/people"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/issuer"
	"ostiary.internal/shared/platform/store"
)

// attempt is one way to come to a function's door.
type attempt struct {
	name    string
	prepare func(w *World, r *Request) // after it the request is sent
	after   func(w *World)
	status  int
	code    string
}

// try sends every request in every way, and looks that nothing has changed.
func (w *World) try(t *testing.T, seen *Coverage, requests []Request, attempts []attempt) {
	for _, a := range attempts {
		t.Run(a.name, func(t *testing.T) {
			for _, r := range requests {
				r.Token = "" // whoever made the request had one
				a.prepare(w, &r)
				before := w.State(t)
				got := seen.Saw(w.Call(t, r))
				if got.Status != a.status || got.Code != a.code && !isPage(got) {
					t.Errorf("%s %s: answered %d %q, want %d %q", r.Method, r.Path, got.Status, got.Code, a.status, a.code)
				}
				w.Unchanged(t, before)
			}
			if a.after != nil {
				a.after(w)
			}
		})
	}
}

func isPage(a Answer) bool { return strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") }

// StaffGate sends requests that an approved person may make in the name of everybody else: nobody, the wrong header,
// forged headers, foreign and expired tokens, people who are gone, suspended or somebody else by now.
func StaffGate(t *testing.T, s Setup, seen *Coverage, email string, requests ...Request) {
	w := New(t, s)
	change := func(c people.Change) func(*World) {
		return func(w *World) {
			if err := w.People.Change(t.Context(), email, c); err != nil {
				t.Fatal(err)
			}
		}
	}
	as := func(prepare func(w *World), token func(w *World) string) func(*World, *Request) {
		return func(w *World, r *Request) {
			prepare(w)
			r.Token = token(w)
		}
	}
	own := func(w *World) string { return w.Staff(email) }
	nothing := func(*World) {}
	claims := func(c map[string]any) func(*World, *Request) {
		return as(nothing, func(w *World) string { return w.Staff(email, c) })
	}
	header := func(name string, values ...string) func(*World, *Request) {
		return func(w *World, r *Request) { r.Header = http.Header{name: values} }
	}
	token := w.Staff(email)
	if w.Raw("access") != nil { // authenticators are bound to sign-in accounts
		w.try(t, seen, requests, []attempt{
			{"another account behind the same address", as(func(w *World) { w.BindTo(t, email, "accounts.google.com:1") }, own), nil, 403, "subject_changed"},
		})
		w = New(t, s)
		token = w.Staff(email)
	}
	w.try(t, seen, requests, []attempt{
		{"nobody", func(*World, *Request) {}, nil, 401, "unauthenticated"},
		{"assertion as bearer token", header("Authorization", "Bearer "+token), nil, 401, "unauthenticated"},
		{"two assertions", header(identity.AssertionHeader, token, token), nil, 401, "unauthenticated"},
		{"unsigned headers of the proxy", func(_ *World, r *Request) {
			r.Header = http.Header{"X-Goog-Authenticated-User-Email": {"accounts.google.com:" + email}, "X-Goog-Authenticated-User-Id": {"accounts.google.com:1"}}
		}, nil, 401, "unauthenticated"},
		{"no token at all", func(_ *World, r *Request) { r.Token = "not.a.token" }, nil, 401, "unauthenticated"},
		{"a service's token", func(w *World, r *Request) { r.Token = w.Service("bastion@services.sharedcontacts.example") }, nil, 401, "unauthenticated"},
		{"another audience", as(nothing, func(w *World) string {
			return w.Issue(issuer.Claims{Kind: issuer.Staff, Email: email, Audience: ServiceAudience})
		}), nil, 401, "unauthenticated"},
		{"an expired token", claims(map[string]any{"exp": Start.Add(-time.Hour).Unix(), "iat": Start.Add(-2 * time.Hour).Unix()}), nil, 401, "unauthenticated"},
		{"a token from the future", claims(map[string]any{"iat": Start.Add(time.Hour).Unix(), "exp": Start.Add(2 * time.Hour).Unix()}), nil, 401, "unauthenticated"},
		{"a consumer account with the company's address", claims(map[string]any{"hd": nil}), nil, 403, "not_approved"},
		{"an account of another domain", claims(map[string]any{"hd": "elsewhere.example"}), nil, 403, "not_approved"},
		{"a service account", as(nothing, func(w *World) string {
			return w.Staff("robot@project.iam.gserviceaccount.com", map[string]any{"hd": w.Policy.Company.Domains[0]})
		}), nil, 403, "not_approved"},
		{"somebody who is not in people.yaml", as(nothing, func(w *World) string { return w.Staff("nobody@" + w.Policy.Company.Domains[0]) }), nil, 403, "not_approved"},
		{"suspended", as(change(people.Suspend), own), change(people.Unsuspend), 403, "suspended"},
		{"without 2-step verification", as(change(people.TwoStepOff), own), change(people.TwoStepOn), 403, "two_step_missing"},
		{"gone from the directory", as(change(people.Remove), own), change(people.Restore), 403, "not_approved"},
		{"the directory is down", as(func(w *World) { w.Directory.Down() }, own), func(w *World) { w.Directory.Up() }, 503, "unavailable"},
		{"after the last day", as(func(w *World) { w.move(t, time.Date(2028, 1, 1, 12, 0, 0, 0, time.UTC)) }, func(w *World) string {
			return w.Staff("aurel.roth@sharedcontacts.example")
		}), nil, 403, "not_approved"},
	})
}

// BindTo binds a person's account to a sign-in account, as if she had come with it before.
func (w *World) BindTo(t testing.TB, email, subject string) {
	t.Helper()
	person, _ := w.Policy.Person(email)
	var account otp.Account
	if err := w.Raw("access").Get(t.Context(), otp.Accounts, person.ID, &account); err != nil {
		w.Phone(t, email)
	}
	if err := w.Raw("access").Tx(t.Context(), func(tx store.Tx) error {
		if err := tx.Get(otp.Accounts, person.ID, &account); err != nil {
			return err
		}
		account.Subject = subject
		return tx.Put(otp.Accounts, person.ID, account)
	}); err != nil {
		t.Fatal(err)
	}
}

func (w *World) move(t testing.TB, to time.Time) {
	t.Helper()
	if w.Clock.Now().Before(to) {
		if err := w.Clock.Set(to); err != nil {
			t.Fatal(err)
		}
	}
}

// Advance moves the clock on.
func (w *World) Advance(t testing.TB, by time.Duration) {
	t.Helper()
	w.move(t, w.Clock.Now().Add(by))
}

// ServiceGate sends requests that a service of the policy may make in the name of everybody else: nobody, the wrong
// header, people, our own invokers, services the policy does not know.
func ServiceGate(t *testing.T, s Setup, seen *Coverage, service string, requests ...Request) {
	w := New(t, s)
	token := w.Service(service)
	bearer := func(values ...string) func(*World, *Request) {
		return func(_ *World, r *Request) { r.Header = http.Header{"Authorization": values} }
	}
	claims := func(c map[string]any) func(*World, *Request) {
		return func(w *World, r *Request) { r.Token = w.Service(service, c) }
	}
	w.try(t, seen, requests, append(foreign(service, token, bearer, claims), []attempt{
		{"a service the policy does not know", func(w *World, r *Request) { r.Token = w.Service("stranger@services.sharedcontacts.example") }, nil, 403, "caller_denied"},
		{"our own invoker", func(w *World, r *Request) { r.Token = w.Invoker("syncallowlist") }, nil, 403, "caller_denied"},
		{"a person's identity token", func(w *World, r *Request) {
			r.Token = w.Service("emma.dubois@sharedcontacts.example", map[string]any{"hd": "sharedcontacts.example"})
		}, nil, 403, "caller_denied"},
	}...))
}

// foreign are tokens that prove nothing to a function that is called by machines or services.
func foreign(account, token string, bearer func(...string) func(*World, *Request), claims func(map[string]any) func(*World, *Request)) []attempt {
	const refused = "caller_unauthenticated"
	return []attempt{
		{"nobody", func(*World, *Request) {}, nil, 401, refused},
		{"the token in the header of the proxy", func(_ *World, r *Request) { r.Header = http.Header{identity.AssertionHeader: {token}} }, nil, 401, refused},
		{"two tokens", bearer("Bearer "+token, "Bearer "+token), nil, 401, refused},
		{"another scheme", bearer("Basic " + token), nil, 401, refused},
		{"no token at all", bearer("Bearer not.a.token"), nil, 401, refused},
		{"a signature that was taken off", bearer("Bearer " + token[:strings.LastIndexByte(token, '.')+1] + "SIGNATURE_REMOVED_BY_GOOGLE"), nil, 401, refused},
		{"an assertion of a person", func(w *World, r *Request) { r.Token = w.Staff("emma.dubois@sharedcontacts.example") }, nil, 401, refused},
		{"another audience", func(w *World, r *Request) {
			r.Token = w.Issue(issuer.Claims{Kind: issuer.Service, Email: account, Audience: "https://elsewhere.test"})
		}, nil, 401, refused},
		{"an expired token", claims(map[string]any{"exp": Start.Add(-time.Hour).Unix(), "iat": Start.Add(-2 * time.Hour).Unix()}), nil, 401, refused},
		{"an address nobody verified", claims(map[string]any{"email_verified": false}), nil, 401, refused},
	}
}

// MachineGate sends pushes and ticks in the name of everybody but the function's own invoker.
func MachineGate(t *testing.T, s Setup, seen *Coverage, function string, requests ...Request) {
	w := New(t, s)
	token := w.Invoker(function)
	bearer := func(values ...string) func(*World, *Request) {
		return func(_ *World, r *Request) { r.Header = http.Header{"Authorization": values} }
	}
	claims := func(c map[string]any) func(*World, *Request) {
		return func(w *World, r *Request) { r.Token = w.Service(invoker(function), c) }
	}
	w.try(t, seen, requests, append(foreign(invoker(function), token, bearer, claims), []attempt{
		{"another function's invoker", func(w *World, r *Request) { r.Token = w.Invoker("registerip") }, nil, 403, "caller_denied"},
		{"a service of the policy", func(w *World, r *Request) { r.Token = w.Service("bastion@services.sharedcontacts.example") }, nil, 403, "caller_denied"},
		{"the invoker, but GET", func(w *World, r *Request) { r.Token, r.Method = w.Invoker(function), "GET" }, nil, 405, "method_not_allowed"},
	}...))
}

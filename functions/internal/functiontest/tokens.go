package functiontest

import (
	"maps"
	"os"
	"sync"
	"time"

	"ostiary.internal/shared/platform/identity/issuer"
)

// issuerKeys is the key file of every World's issuer: to make an RSA key takes longer than most tests.
var issuerKeys struct {
	sync.Mutex
	file []byte
}

// newIssuer returns an issuer whose keys lie in path, the same ones in the whole process.
func (w *World) newIssuer(path string) *issuer.Issuer {
	w.t.Helper()
	issuerKeys.Lock()
	defer issuerKeys.Unlock()
	made := issuer.New(path, w.Policy.Company.Issuer.URL, w.Clock)
	var err error
	if issuerKeys.file != nil {
		err = os.WriteFile(path, issuerKeys.file, 0o600)
	} else if _, err = made.Issue(issuer.Claims{Kind: issuer.Service, Email: invoker("first"), Audience: ServiceAudience}); err == nil {
		issuerKeys.file, err = os.ReadFile(path)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

// invoker is the account that pushes to a function and schedules it.
func invoker(function string) string { return "in-" + function + "@test.iam.gserviceaccount.com" }

// Issue signs a token; what it says of a person must not show in the log.
func (w *World) Issue(c issuer.Claims) string {
	w.t.Helper()
	token, err := w.issuer.Issue(c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Private(token, c.Email)
	return token
}

// Staff returns the assertion of a signed-in person, with claims replaced by the given ones.
func (w *World) Staff(email string, claims ...map[string]any) string {
	w.t.Helper()
	return w.Issue(issuer.Claims{Kind: issuer.Staff, Email: email, Audience: StaffAudience, Override: merged(claims)})
}

// Subject is the sign-in account that Staff's assertions of an address name.
func Subject(email string) string { return "accounts.google.com:" + issuer.Number(email) }

// Service returns the token of a service account, with claims replaced by the given ones.
func (w *World) Service(email string, claims ...map[string]any) string {
	w.t.Helper()
	return w.Issue(issuer.Claims{Kind: issuer.Service, Email: email, Audience: ServiceAudience, Override: merged(claims)})
}

// Customer returns the token of somebody who is signed in to the product, with claims replaced by the given ones.
func (w *World) Customer(email, tenant string, claims ...map[string]any) string {
	w.t.Helper()
	return w.Issue(issuer.Claims{Kind: issuer.Customer, Email: email, Tenant: tenant, Audience: w.Policy.Company.Issuer.Audience, Override: merged(claims)})
}

// pass is a token and when it was signed.
type pass struct {
	token string
	at    time.Time
}

// Invoker returns the token of the account that pushes to a function. It is the same for half of its life, as the
// platform's is.
func (w *World) Invoker(function string) string {
	w.t.Helper()
	now := w.Clock.Now()
	w.mu.Lock()
	held := w.passes[function]
	w.mu.Unlock()
	if age := now.Sub(held.at); held.token != "" && age >= 0 && age < issuer.Life/2 {
		return held.token
	}
	fresh := pass{w.Service(invoker(function)), now}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passes[function] = fresh
	return fresh.token
}

// Private adds texts that must not stand in the log when the test ends.
func (w *World) Private(texts ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.private = append(w.private, texts...)
}

func merged(claims []map[string]any) map[string]any {
	all := map[string]any{}
	for _, c := range claims {
		maps.Copy(all, c)
	}
	return all
}

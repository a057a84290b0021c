package functiontest

import (
	"maps"

	"ostiary.internal/shared/platform/identity/issuer"
)

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

// Invoker returns the token of the account that pushes to a function.
func (w *World) Invoker(function string) string {
	w.t.Helper()
	return w.Service(invoker(function))
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

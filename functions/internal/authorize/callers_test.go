package authorize

import (
	"encoding/base64"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/access/admit"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory/people"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/issuer"
)

func email(name string) string { return name + "@sharedcontacts.example" }

// People by the names the table uses. The first is whom the objects of the tests are about, the manager is hers, and the
// asker is a second one of security, who began whatever takes two.
var persons = []struct{ label, email string }{
	{"herself", email("emma.dubois")}, {"colleague", email("erik.vogel")}, {"manager", email("marc.petit")}, {"oncall", email("omkar.rao")},
	{"security", email("simone.bernard")}, {"dpo", email("dorothea.klein")}, {"owner", email("odile.martin")}, {"auditor", email("aurel.roth")},
	{"asker", email("stefan.weber")},
}

const (
	herself = "emma.dubois@sharedcontacts.example"
	asker   = "stefan.weber@sharedcontacts.example"
)

// programs are callers that are no people, by the names the table uses.
var programs = []struct{ label, email string }{
	{"bastion", "bastion@services.sharedcontacts.example"}, {"deployment", "deploy@sharedcontacts-live.iam.gserviceaccount.com"},
	{"edge", "edge@services.sharedcontacts.example"}, {"nord-dsr", "dsr@services.cabinetnord.example"}, {"sud-dsr", "dsr@services.cabinetsud.example"},
	{"people-desk", "people@services.sharedcontacts.example"}, {"unlisted service", "stranger@services.sharedcontacts.example"},
}

// caller is one way to come to a function. Whatever it shows goes into both headers, as whoever tries doors would send it.
type caller struct {
	label string
	kind  kind
	show  func(w *world, m manifest.Function) http.Header
	after func(w *world)
}

// kind is what a caller proves to be.
type kind string

const (
	nobody   kind = "nobody"
	forged   kind = "forged" // shows what nobody who may issues
	staff    kind = "staff"
	denied   kind = "denied" // signed in, and not or no longer somebody who works here
	program  kind = "program"
	invoker  kind = "invoker"
	customer kind = "customer"
	gateway  kind = "gateway"
)

func bearing(text string) http.Header {
	return http.Header{"Authorization": {"Bearer " + text}, http.CanonicalHeaderKey(identity.AssertionHeader): {text}}
}

// callers are all of them.
func callers(t testing.TB) []caller {
	all := []caller{{label: "nobody", kind: nobody, show: func(*world, manifest.Function) http.Header { return http.Header{} }}}
	add := func(label string, k kind, show func(w *world, m manifest.Function) string) {
		all = append(all, caller{label: label, kind: k, show: func(w *world, m manifest.Function) http.Header { return bearing(w.signed(label+" "+m.Name, m, show)) }})
	}
	for _, p := range persons {
		add(p.label, staff, func(w *world, _ manifest.Function) string { return w.Staff(p.email) })
	}
	for _, p := range programs {
		add(p.label, program, func(w *world, _ manifest.Function) string { return w.Service(p.email) })
	}
	for _, c := range []struct{ label, tenant, role string }{{"customer", "cabinet-nord", ""}, {"customer's owner", "cabinet-nord", "owner"}, {"another customer's owner", "cabinet-sud", "owner"}} {
		add(c.label, customer, func(w *world, _ manifest.Function) string {
			return w.Customer("mia.canary@cabinetnord.example", c.tenant, map[string]any{"role": c.role})
		})
	}
	add("own invoker", invoker, func(w *world, m manifest.Function) string { return w.Invoker(m.Name) })
	add("another function's invoker", invoker, func(w *world, m manifest.Function) string {
		if m.Name == "tickwatch" {
			return w.Invoker("tickbreach")
		}
		return w.Invoker("tickwatch")
	})
	all = append(all,
		caller{label: "gateway", kind: gateway, show: func(*world, manifest.Function) http.Header { return http.Header{admit.KeyHeader: {edgeKey}} }},
		caller{label: "who asked", kind: gateway, show: func(w *world, _ manifest.Function) http.Header {
			return http.Header{"Request-Secret": {w.things["secret"]}}
		}},
		caller{label: "gateway with a wrong key", kind: forged, show: func(*world, manifest.Function) http.Header { return http.Header{admit.KeyHeader: {edgeKey + "."}} }},
		caller{label: "unsigned headers of the proxy", kind: forged, show: func(*world, manifest.Function) http.Header {
			return http.Header{"X-Goog-Authenticated-User-Email": {"accounts.google.com:" + asker}, "X-Goog-Authenticated-User-Id": {functiontest.Subject(asker)}}
		}},
	)
	return append(append(all, gone()...), forgeries(t)...)
}

// signed signs a token once: all callers of a world call at the same instant.
func (w *world) signed(key string, m manifest.Function, sign func(w *world, m manifest.Function) string) string {
	if w.tokens[key] == "" {
		w.tokens[key] = sign(w, m)
	}
	return w.tokens[key]
}

// gone are people who would be security, and are not let in. Whoever sends another account's token is signed in as well.
func gone() []caller {
	var all []caller
	for label, c := range map[string][2]people.Change{
		"suspended": {people.Suspend, people.Unsuspend}, "without 2-step verification": {people.TwoStepOff, people.TwoStepOn}, "gone from the directory": {people.Remove, people.Restore},
	} {
		change := func(w *world, to people.Change) { must(w.t, w.People.Change(w.t.Context(), asker, to)) }
		all = append(all, caller{label: label, kind: denied, after: func(w *world) { change(w, c[1]) }, show: func(w *world, m manifest.Function) http.Header {
			change(w, c[0])
			return bearing(w.signed("asker "+m.Name, m, func(w *world, _ manifest.Function) string { return w.Staff(asker) }))
		}})
	}
	for label, claims := range map[string]map[string]any{"consumer account": {"hd": nil}, "account of another domain": {"hd": "elsewhere.example"}} {
		all = append(all, caller{label: label, kind: denied, show: func(w *world, m manifest.Function) http.Header {
			return bearing(w.signed(label, m, func(w *world, _ manifest.Function) string { return w.Staff(asker, claims) }))
		}})
	}
	return append(all, caller{label: "not in people.yaml", kind: denied, show: func(w *world, m manifest.Function) http.Header {
		return bearing(w.signed("stranger", m, func(w *world, _ manifest.Function) string { return w.Staff(email("nobody")) }))
	}})
}

// best is the caller with the most rights at a function, of whom tokens are forged.
func best(w *world, m manifest.Function) issuer.Claims {
	switch m.Callers {
	case manifest.Staff:
		return issuer.Claims{Kind: issuer.Staff, Email: asker, Audience: functiontest.StaffAudience}
	case manifest.Public:
		return issuer.Claims{Kind: issuer.Customer, Email: "mia.canary@cabinetnord.example", Tenant: "cabinet-nord", Audience: w.Policy.Company.Issuer.Audience}
	case manifest.Machine:
		return issuer.Claims{Kind: issuer.Service, Email: "in-" + m.Name + "@test.iam.gserviceaccount.com", Audience: functiontest.ServiceAudience}
	}
	who := map[string]string{"checkotp": programs[0].email, "admit": programs[2].email, "opendsr": programs[3].email, "collectevidence": programs[5].email}[m.Name]
	return issuer.Claims{Kind: issuer.Service, Email: who, Audience: functiontest.ServiceAudience}
}

// forgeries are tokens that say the right things and are not to be believed.
func forgeries(t testing.TB) []caller {
	foreign := issuer.New(filepath.Join(t.TempDir(), "issuer"), "https://login.sharedcontacts.example", clock.NewManual(functiontest.Start))
	with := func(claims map[string]any) func(w *world, m manifest.Function) string {
		return func(w *world, m manifest.Function) string {
			c := best(w, m)
			c.Override = claims
			return w.Issue(c)
		}
	}
	part := func(change func(parts []string)) func(w *world, m manifest.Function) string {
		return func(w *world, m manifest.Function) string {
			parts := strings.Split(w.Issue(best(w, m)), ".")
			change(parts)
			return strings.Join(parts, ".")
		}
	}
	text := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	var all []caller
	for label, sign := range map[string]func(w *world, m manifest.Function) string{
		"expired token":     with(map[string]any{"exp": functiontest.Start.Add(-time.Hour).Unix(), "iat": functiontest.Start.Add(-2 * time.Hour).Unix()}),
		"token of tomorrow": with(map[string]any{"exp": functiontest.Start.Add(25 * time.Hour).Unix(), "iat": functiontest.Start.Add(24 * time.Hour).Unix()}),
		"token for another": with(map[string]any{"aud": "https://elsewhere.test"}),
		"token of another":  with(map[string]any{"iss": "https://elsewhere.test"}),
		"unsigned token":    part(func(p []string) { p[0], p[2] = text(`{"alg":"none","typ":"JWT"}`), "" }),
		"signature removed": part(func(p []string) { p[2] = "SIGNATURE_REMOVED_BY_GOOGLE" }),
		"shared-key token":  part(func(p []string) { p[0] = text(`{"alg":"HS256","typ":"JWT"}`) }),
		"altered token":     part(func(p []string) { p[1] = text(`{"email":"` + asker + `"}`) }),
		"token of other key": func(w *world, m manifest.Function) string {
			made, err := foreign.Issue(best(w, m))
			must(w.t, err)
			return made
		},
	} {
		all = append(all, caller{label: label, kind: forged, show: func(w *world, m manifest.Function) http.Header {
			return bearing(w.signed(label+" "+m.Name, m, sign))
		}})
	}
	return all
}

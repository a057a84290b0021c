package local

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"mime"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/issuer"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// sessionCookie holds the id of a browser's session. There is nothing in it, and it ends with the process.
const sessionCookie = "ostiary_local"

// session is who a browser is signed in as, and where that person pretends to sit.
type session struct{ email, address string }

type sessions struct {
	mu   sync.Mutex
	byID map[string]session
}

func (s *sessions) add(made session) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := rand.Text()
	s.byID[id] = made
	return id
}

func (s *sessions) of(r *http.Request) *session {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.byID[cookie.Value]
	if !ok {
		return nil
	}
	return &found
}

// signing is the body of a sign-in.
type signing struct {
	Email    string         `json:"email"`
	Service  string         `json:"service"`
	Gateway  string         `json:"gateway"`
	Customer string         `json:"customer"`
	Tenant   string         `json:"tenant"`
	Claims   map[string]any `json:"claims"`
}

// signIn signs anybody in, approved or not: whether she may do anything is found out where it always is.
func (w *World) signIn(rw http.ResponseWriter, r *http.Request) error {
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == "application/x-www-form-urlencoded" {
		return w.signInForm(rw, r)
	}
	var body signing
	if err := decode(rw, r, &body); err != nil {
		return err
	}
	token, err := w.token(r, body)
	if err != nil {
		return err
	}
	return web.WriteJSON(rw, http.StatusOK, map[string]string{"token": token})
}

func (w *World) token(r *http.Request, body signing) (string, error) {
	switch {
	case body.Email != "":
		return w.staffToken(body.Email, body.Claims)
	case body.Service != "":
		return w.serviceToken(body.Service, body.Claims)
	case body.Gateway != "":
		if _, known := w.policy.ServiceByID(body.Gateway); known {
			return w.serviceToken(body.Gateway, body.Claims)
		}
		gateway, known := w.policy.Gateway(body.Gateway)
		if !known {
			return "", missing("gateway", body.Gateway)
		}
		key, err := w.secrets.Get(r.Context(), gateway.KeyRef)
		return string(key), err
	case body.Customer != "":
		return w.issuer.Issue(issuer.Claims{Kind: issuer.Customer, Email: body.Customer, Audience: w.policy.Company.Issuer.Audience, Tenant: body.Tenant, Override: body.Claims})
	}
	return "", fault.Refuse(fault.Invalid, "body_invalid", "Nobody is named.", "Give one of email, service, gateway, customer.")
}

func (w *World) staffToken(email string, claims map[string]any) (string, error) {
	return w.issuer.Issue(issuer.Claims{Kind: issuer.Staff, Email: email, Audience: staffAudience, Override: claims})
}

// serviceToken signs for any account of services.yaml: the services, and the sources of evidence.
func (w *World) serviceToken(id string, claims map[string]any) (string, error) {
	email := ""
	if service, known := w.policy.ServiceByID(id); known {
		email = service.Email
	}
	for _, source := range w.policy.Sources {
		if source.ID == id {
			email = source.Email
		}
	}
	if email == "" {
		return "", missing("service", id)
	}
	return w.issuer.Issue(issuer.Claims{Kind: issuer.Service, Email: email, Audience: serviceAudience, Override: claims})
}

func missing(what, id string) error {
	return fault.Refuse(fault.NotFound, what+"_unknown", "There is no "+what+" "+id+" in services.yaml.", "Take an id from there.")
}

// place is where a person may pretend to sit.
type place struct{ Name, Address string }

var places = []place{{"At home", "81.2.69.142"}, {"On the road, with a phone", "92.40.1.7"}, {"At home, by IPv6", "2a02:6b8:0:1::7"}, {"In the office", "81.2.69.200"}}

// asking is what the sign-in page shows.
type asking struct {
	People         []somebody
	Places         []place
	Email, Address string
	Other          string // an address that is not in the list
	Refused        bool   // Other is not an address
	Wanted         string // path of the page that needs somebody; "" for the morning page
}

// somebody is a person of the company as the list names her.
type somebody struct{ Email, Label string }

// describe tells people apart by what they may decide and where they live.
func describe(p policy.Person) somebody {
	var marks []string
	for _, role := range p.Roles {
		if role != policy.Employee {
			marks = append(marks, string(role))
		}
	}
	return somebody{p.Email, p.Name + " (" + strings.Join(append(marks, shell.Place(p.Zone)), ", ") + ")"}
}

func (w *World) signInPage(rw http.ResponseWriter, r *http.Request) error {
	return w.askWho(rw, r, http.StatusOK, asking{})
}

func (w *World) askWho(rw http.ResponseWriter, r *http.Request, status int, a asking) error {
	a.Places = places
	for _, p := range w.policy.People {
		a.People = append(a.People, describe(p))
	}
	if s := w.sessions.of(r); s != nil && a.Email == "" {
		a.Email, a.Address = s.email, s.address
	}
	if !slices.ContainsFunc(places, func(p place) bool { return p.Address == a.Address }) {
		a.Address = places[0].Address
	}
	return w.showAs(rw, status, "signin.html", a)
}

// orSignIn shows the sign-in page where a function finds nobody signed in, as the company's sign-in would stand in
// front of a deployed one. The status stays the function's.
func (w *World) orSignIn(page func(http.ResponseWriter, *http.Request, web.Problem)) func(http.ResponseWriter, *http.Request, web.Problem) {
	if page == nil {
		return nil
	}
	return func(rw http.ResponseWriter, r *http.Request, p web.Problem) {
		wanted := ""
		if r.Method == http.MethodGet {
			wanted = r.URL.Path
		}
		if p.Code != identity.CodeUnauthenticated || w.askWho(rw, r, p.Status, asking{Wanted: wanted}) != nil {
			page(rw, r, p)
		}
	}
}

func (w *World) signInForm(rw http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fault.Refuse(fault.Invalid, "body_invalid", "The form could not be read.", "Send it again.")
	}
	form := r.PostForm
	email, other, then := strings.ToLower(form.Get("email")), strings.TrimSpace(form.Get("other")), form.Get("then")
	address := cmp.Or(other, form.Get("address"))
	if _, err := netip.ParseAddr(address); err != nil {
		return w.askWho(rw, r, http.StatusBadRequest, asking{Email: email, Address: form.Get("address"), Other: address, Refused: true, Wanted: then})
	}
	id := w.sessions.add(session{email: email, address: address})
	http.SetCookie(rw, &http.Cookie{Name: sessionCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return web.SeeOther(rw, cmp.Or(then, "/registerip/"))
}

func (w *World) signOut(rw http.ResponseWriter, _ *http.Request) error {
	http.SetCookie(rw, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return web.SeeOther(rw, "/")
}

// wantsPage reports whether a browser asks, and not a program.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// pretty writes JSON for people who look with curl.
func pretty(rw http.ResponseWriter, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "application/json")
	_, err = rw.Write(append(data, '\n'))
	return err
}

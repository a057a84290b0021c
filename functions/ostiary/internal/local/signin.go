package local

import (
	"crypto/rand"
	"encoding/json"
	"mime"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity/issuer"
	"ostiary.internal/shared/platform/web"
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

func (w *World) serviceToken(id string, claims map[string]any) (string, error) {
	service, known := w.policy.ServiceByID(id)
	if !known {
		return "", missing("service", id)
	}
	return w.issuer.Issue(issuer.Claims{Kind: issuer.Service, Email: service.Email, Audience: serviceAudience, Override: claims})
}

func missing(what, id string) error {
	return fault.Refuse(fault.NotFound, what+"_unknown", "There is no "+what+" "+id+" in services.yaml.", "Take an id from there.")
}

func (w *World) signInForm(rw http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fault.Refuse(fault.Invalid, "body_invalid", "The form could not be read.", "Send it again.")
	}
	address := r.PostForm.Get("address")
	if _, err := netip.ParseAddr(address); err != nil {
		return fault.Refuse(fault.Invalid, "body_invalid", "This is not an address.", "Choose one of the list, or type an IPv4 or IPv6 address.")
	}
	id := w.sessions.add(session{email: strings.ToLower(r.PostForm.Get("email")), address: address})
	http.SetCookie(rw, &http.Cookie{Name: sessionCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return web.SeeOther(rw, "/registerip/")
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

package local

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"ostiary.internal/functions/access/admit"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// show writes one of the pages of local mode; they are in English, for whoever tries the product out.
func (w *World) show(rw http.ResponseWriter, name string, data any) error {
	return w.showAs(rw, http.StatusOK, name, data)
}

func (w *World) showAs(rw http.ResponseWriter, status int, name string, data any) error {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		return fmt.Errorf("showing %s: %w", name, err)
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'")
	rw.WriteHeader(status)
	_, err := out.WriteTo(rw)
	return err
}

func (w *World) style(rw http.ResponseWriter, _ *http.Request) error {
	rw.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, err := rw.Write(shell.StyleSheet())
	return err
}

func (w *World) icon(rw http.ResponseWriter, _ *http.Request) error {
	rw.Header().Set("Content-Type", "image/svg+xml")
	_, err := rw.Write(shell.Icon())
	return err
}

func (w *World) startPage(rw http.ResponseWriter, r *http.Request) error {
	type entry struct{ Name, Link, Summary, Callers string }
	var listed []entry
	for _, name := range w.order {
		f := w.functions[name]
		link := "/" + name + "/openapi.json" // what only programs call has no page
		if slices.ContainsFunc(f.served.Routes, func(r web.Route) bool { return r.Method == http.MethodGet && r.Path == "/" && r.Page }) {
			link = "/" + name + "/"
		}
		listed = append(listed, entry{name, link, f.manifest.Summary, string(f.manifest.Callers)})
	}
	signed := ""
	if s := w.sessions.of(r); s != nil {
		name := s.email
		if p, known := w.policy.Person(s.email); known {
			name = p.Name
		}
		signed = name + ", at " + s.address
	}
	var trust *progress
	if w.functions["trustpage"] != nil {
		p := w.life.progress()
		trust = &p
	}
	return w.show(rw, "start.html", map[string]any{"Trust": trust, "Erasure": w.erasureOff() == nil, "Company": w.policy.Company.Name, "Functions": listed, "Signed": signed, "Now": w.clock.Now().UTC().Format("Monday 2 January 2006, 15:04 MST"), "Manual": w.manual != nil})
}

func (w *World) mail(rw http.ResponseWriter, r *http.Request) error {
	messages, err := w.mailbox.List()
	if err != nil {
		return err
	}
	if !wantsPage(r) {
		return pretty(rw, map[string]any{"messages": messages})
	}
	slices.Reverse(messages)
	return w.show(rw, "mail.html", messages)
}

// entry is one admitted prefix as GET allowlist shows it.
type entry struct {
	Prefix  string    `json:"prefix"`
	Until   time.Time `json:"until"`
	Holders int       `json:"holders"`
}

// allowlist shows what should be let in, and what every target says it lets in.
func (w *World) allowlist(rw http.ResponseWriter, r *http.Request) error {
	if err := w.accessOff(); err != nil {
		return err
	}
	now := w.clock.Now()
	rules, _ := access.ReadRules(w.policy)
	leases, err := lease.New(lease.Config{Store: w.accessStore(), Box: w.boxes()["access"], Clock: w.clock, Rules: rules.Lease})
	if err != nil {
		return err
	}
	live, err := leases.Live(r.Context(), now)
	if err != nil {
		return err
	}
	shown := map[string]any{"entries": entries(allowlist.Desired(live, nil, now))}
	fixed := []map[string]any{}
	for _, f := range rules.Fixed {
		fixed = append(fixed, map[string]any{"name": f.Name, "prefix": f.Prefix.String(), "until": f.Until})
	}
	shown["fixed"] = fixed
	targets := []map[string]any{}
	for _, t := range rules.Targets {
		target, err := allowlist.Targets.Open(r.Context(), w.target(t.Name), allowlist.Options{Name: t.Name, Capacity: t.Capacity, Clock: w.clock})
		if err != nil {
			return err
		}
		held := []string{}
		state := "confirmed"
		observed, err := target.Read(r.Context())
		if err != nil {
			state = "unreadable"
		} else if observed.Torn != "" {
			state = observed.Torn
		}
		for _, p := range observed.Prefixes {
			held = append(held, p.String())
		}
		targets = append(targets, map[string]any{"name": t.Name, "state": state, "entries": held})
	}
	shown["targets"] = targets
	return pretty(rw, shown)
}

func entries(set allowlist.Set) []entry {
	listed := []entry{}
	for _, e := range set.Entries() {
		listed = append(listed, entry{e.Prefix.String(), e.Until, len(e.Holders)})
	}
	return listed
}

func (w *World) accessStore() store.Store { return w.functions["syncallowlist"].deps.Store }

// door is a page behind the allow-list: this process asks the function admit as a gateway would, with the address the
// signed-in person sits at.
func (w *World) door(rw http.ResponseWriter, r *http.Request) error {
	if err := w.accessOff(); err != nil {
		return err
	}
	if len(w.policy.Gateways) == 0 {
		return missing("gateway", "")
	}
	gateway := w.policy.Gateways[0]
	key, err := w.secrets.Get(r.Context(), gateway.KeyRef)
	if err != nil {
		return err
	}
	address := r.Header.Get(ClientHeader)
	if s := w.sessions.of(r); s != nil && address == "" {
		address = s.address
	}
	ask := httptest.NewRequestWithContext(r.Context(), http.MethodGet, "/admit/v1/check", http.NoBody)
	ask.Header.Set(admit.KeyHeader, string(key))
	ask.Header.Set(gateway.Header, address)
	told := httptest.NewRecorder()
	w.functions["admit"].handler.ServeHTTP(told, ask)
	admitted := told.Code == http.StatusNoContent
	switch {
	case wantsPage(r):
		status := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[admitted]
		return w.showAs(rw, status, "door.html", map[string]any{"Admitted": admitted, "Address": address})
	case admitted:
		return web.WriteJSON(rw, http.StatusOK, map[string]bool{"admitted": true})
	}
	shut := fault.Refuse(fault.Denied, "not_admitted", "The door is shut: this address is not registered now.", "Register it, then come again.")
	return web.Extend(shut, map[string]any{"admitted": false})
}

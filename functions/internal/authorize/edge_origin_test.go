package authorize

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/platform/web"
)

// foreign are what a browser says of a request that a page of another site made.
var foreign = map[string]http.Header{
	"cross-site":                    {"Sec-Fetch-Site": {"cross-site"}},
	"same-site, another host":       {"Sec-Fetch-Site": {"same-site"}},
	"another origin":                {"Origin": {"https://evil.example"}},
	"another origin, cross-site":    {"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}},
	"the host with another ending":  {"Origin": {"https://registerip.test.evil.example"}},
	"a file, or a frame in a cage":  {"Origin": {"null"}},
	"cross-site, typed as our own":  {"Origin": {site}, "Sec-Fetch-Site": {"cross-site"}},
	"cross-site, navigating a form": {"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}},
}

// unsafe reports whether a method may change something (RFC 9110, section 9.2.1).
func unsafe(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// TestForeignOrigins: whatever a signed-in person's browser can be made to send by a page of another site is refused before
// anything is read, and changes nothing.
func TestForeignOrigins(t *testing.T) {
	t.Parallel()
	w := newWorld(t).furnish(t)
	refused := 0
	before := w.State(t)
	w.each(t, func(m manifest.Function, r web.Route, c caller) {
		if m.Callers != manifest.Staff || !unsafe(r.Method) {
			return
		}
		for name, header := range foreign {
			q := w.asked(t, m, r, c)
			maps.Copy(q.Header, header)
			if got := w.Call(t, q); got.Status != http.StatusForbidden || got.Code != "cross_origin" && !shows(got) {
				t.Errorf("%s, %s: answered %d %q, want 403 cross_origin", key(m.Name, r), name, got.Status, got.Code)
			}
			refused++
		}
	})
	w.Unchanged(t, before)
	if refused < 500 {
		t.Errorf("%d requests were tried: the test shows little", refused)
	}
}

// TestForms: a form without the token of whoever sends it, or with one of somebody else, of another function or of an hour
// ago, does nothing.
func TestForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t).furnish(t)
	forms, err := web.NewForms([]byte(formKey))
	must(t, err)
	now := w.Clock.Now()
	before := w.State(t)
	w.each(t, func(m manifest.Function, r web.Route, c caller) {
		if m.Callers != manifest.Staff || !r.Page || r.Method != http.MethodPost {
			return
		}
		q := w.asked(t, m, r, c)
		sent, err := url.ParseQuery(q.Body.(string))
		if err != nil {
			return // with a file; the tests of package web try its token
		}
		own := subjectOf(q.Header)
		for name, token := range map[string]string{
			"none": "", "nonsense": "AAAA", "of somebody else": forms.Token("accounts.google.com:1", m.Name, now), "of another function": forms.Token(own, "another", now),
			"of an hour ago": forms.Token(own, m.Name, now.Add(-2*web.FormLife)),
		} {
			form := maps.Clone(sent)
			form.Set(web.TokenField, token)
			q.Body = form.Encode()
			if got := w.Call(t, q); got.Status == http.StatusSeeOther || got.Status == http.StatusCreated {
				t.Errorf("%s: a form with a token %s was done: %d", key(m.Name, r), name, got.Status)
			}
		}
	})
	w.Unchanged(t, before)
}

// TestSharing: no page of another site may read an answer, but those that are public; credentials are let through nowhere.
func TestSharing(t *testing.T) {
	t.Parallel()
	w := newWorld(t).furnish(t)
	w.each(t, func(m manifest.Function, r web.Route, c caller) {
		for _, origin := range []string{"https://evil.example", "null", "https://ostiary.test.evil.example"} {
			q := w.asked(t, m, r, c)
			q.Header.Set("Origin", origin)
			preflight := functiontest.Request{Method: http.MethodOptions, Path: q.Path, Header: http.Header{
				"Origin": {origin}, "Access-Control-Request-Method": {r.Method}, "Access-Control-Request-Headers": {"content-type"}}}
			for _, got := range []functiontest.Answer{w.Call(t, q), w.Call(t, preflight)} {
				for name, values := range got.Header {
					allowed := public(m, r) && name == "Access-Control-Allow-Origin" && values[0] == "*"
					if strings.HasPrefix(name, "Access-Control-") && !allowed {
						t.Errorf("%s from %s: answers %s: %s", key(m.Name, r), origin, name, values)
					}
				}
			}
		}
	})
}

package authorize

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/platform/web"
)

// each calls fn for every route, with somebody who gets in.
func (w *world) each(t testing.TB, fn func(m manifest.Function, r web.Route, c caller)) {
	t.Helper()
	table, all := readTable(t), callers(t)
	for _, f := range functions {
		m, err := manifest.Parse(f.Manifest)
		must(t, err)
		for _, r := range w.Routes(m.Name) {
			l := table[key(m.Name, r)]
			at := slices.IndexFunc(all, func(c caller) bool { return want(m, l, c) == "" || holder(l) })
			if at < 0 {
				t.Errorf("%s: nobody gets in", key(m.Name, r))
				continue
			}
			fn(m, r, all[at])
		}
	}
}

// asked is the request of a caller at a route, about what is there.
func (w *world) asked(t testing.TB, m manifest.Function, r web.Route, c caller) functiontest.Request {
	t.Helper()
	path, _ := w.aim(m.Name, r, true)
	show := c.show(w, m)
	return shown(w.request(t, m, r, path, subjectOf(show)), show)
}

// promised are the headers every answer has, of success and of refusal.
var promised = map[string]string{
	"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
}

// public are routes whose answers are meant for everybody, may be read by pages of others, and may be kept.
func public(m manifest.Function, r web.Route) bool {
	return m.Name == "trustpage" || strings.HasPrefix(r.Path, "/assets/") || strings.HasPrefix(r.Path, "/icons/")
}

// inline is script or style in a page, which the policy would not let run.
var inline = regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:|<iframe|<object|<embed|<base\s`)

// TestHeaders: whatever is answered, to whomever, a browser is told to run nothing but our own files, to frame us nowhere, to
// guess no type, to say nobody where it came from, to keep nothing personal, and, deployed, to come by HTTPS alone.
func TestHeaders(t *testing.T) {
	t.Parallel()
	pages := 0
	for _, w := range []*world{newWorld(t).furnish(t), newWorld(t, "K_SERVICE", "deployed", "OSTIARY_DATA", "")} {
		w.each(t, func(m manifest.Function, r web.Route, c caller) {
			path, _ := w.aim(m.Name, r, true)
			for what, q := range map[string]functiontest.Request{
				"as nobody": {Method: r.Method, Path: path, Header: http.Header{"Accept": {"text/html"}}}, "as " + c.label: w.asked(t, m, r, c),
				"in German": {Method: http.MethodGet, Path: path + "?lang=de", Header: c.show(w, m)},
			} {
				a := w.Call(t, q)
				w.guarded(t, key(m.Name, r)+" "+what, public(m, r), a)
				if shows(a) {
					pages++
				}
			}
		})
		for name, m := range w.manifests {
			for _, path := range []string{"/" + name, "/" + name + "/openapi.json", "/" + name + "/nothing", "/" + name + "/../x"} {
				w.guarded(t, path, public(m, web.Route{}), w.Call(t, functiontest.Request{Method: "GET", Path: path, Header: http.Header{"Accept": {"text/html"}}}))
			}
		}
	}
	if pages < 200 {
		t.Errorf("%d pages were looked at: the test shows little", pages)
	}
}

// guarded looks at the headers of an answer, and at a page.
func (w *world) guarded(t *testing.T, what string, public bool, a functiontest.Answer) {
	t.Helper()
	_, deployed := w.Deps("registerip").Env("K_SERVICE")
	h := a.Header
	for name, value := range promised {
		if got := h.Get(name); got != value && !(public && name == "Cross-Origin-Resource-Policy" && got == "cross-origin") {
			t.Errorf("%s: %s is %q, want %q", what, name, got, value)
		}
	}
	if got := h.Get("Strict-Transport-Security"); deployed && got != "max-age=63072000; includeSubDomains" {
		t.Errorf("%s: Strict-Transport-Security is %q", what, got)
	}
	csp := h.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "base-uri 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
		t.Errorf("%s: Content-Security-Policy is %q", what, csp)
	}
	if kept := h.Get("Cache-Control"); kept != "no-store" && (a.Status >= 400 || !public) {
		t.Errorf("%s: may be kept: %q", what, kept)
	}
	for _, c := range h.Values("Set-Cookie") {
		if !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=") || deployed && !strings.Contains(c, "Secure") {
			t.Errorf("%s: sets a cookie without a guard: %s", what, c)
		}
	}
	file := strings.HasPrefix(h.Get("Content-Disposition"), "attachment") // opened by itself, with a style of its own
	if found := inline.Find(a.Body); shows(a) && !file && found != nil {
		t.Errorf("%s: the page has %q", what, found)
	}
}

// methods are those a browser or a proxy may send, and two that none does. CONNECT, which names a host in place of a path, is
// answered 404.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"}

// TestMethods: an address answers the methods of its table, HEAD where it answers GET, and refuses all others by naming those.
func TestMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t).furnish(t)
	before := w.State(t)
	for name, m := range w.manifests {
		for _, r := range w.Routes(name) {
			path, _ := w.aim(name, r, true)
			listed := w.listed(m, path)
			for _, method := range methods {
				if slices.Contains(listed, method) {
					continue
				}
				got := w.Call(t, functiontest.Request{Method: method, Path: path})
				allow := strings.Split(got.Header.Get("Allow"), ", ")
				slices.Sort(allow)
				if got.Status != http.StatusMethodNotAllowed || got.Code != "method_not_allowed" || !slices.Equal(allow, listed) {
					t.Errorf("%s %s: answered %d %q, allowing %q; want 405 allowing %q", method, path, got.Status, got.Code, allow, listed)
				}
			}
		}
	}
	w.Unchanged(t, before)
}

// listed are the methods of all routes that a path reaches, in order.
func (w *world) listed(m manifest.Function, path string) []string {
	mux := http.NewServeMux()
	for _, r := range w.Routes(m.Name) {
		pattern := r.Method + " /" + m.Name + r.Path
		if strings.HasSuffix(pattern, "/") {
			pattern += "{$}"
		}
		mux.Handle(pattern, http.NotFoundHandler())
	}
	var all []string
	for _, method := range methods {
		if _, pattern := mux.Handler(httptest.NewRequest(method, path, nil)); pattern != "" {
			all = append(all, method)
		}
	}
	slices.Sort(all)
	return all
}

// TestHead: HEAD is answered as GET is, without a body.
func TestHead(t *testing.T) {
	t.Parallel()
	w := newWorld(t).furnish(t)
	w.each(t, func(m manifest.Function, r web.Route, c caller) {
		if r.Method != http.MethodGet {
			return
		}
		q := w.asked(t, m, r, c)
		whole := w.Call(t, q)
		q.Method = http.MethodHead
		got := w.Call(t, q)
		for _, name := range []string{"X-Request-Id", "Content-Length"} {
			got.Header.Del(name)
			whole.Header.Del(name)
		}
		if got.Status != whole.Status || got.Header.Get("Content-Type") != whole.Header.Get("Content-Type") {
			t.Errorf("%s: HEAD is answered %d %s, GET %d %s", key(m.Name, r), got.Status, got.Header.Get("Content-Type"), whole.Status, whole.Header.Get("Content-Type"))
		}
	})
}

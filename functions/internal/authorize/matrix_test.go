package authorize

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/web"
)

// status of the codes by which callers are refused.
var statuses = map[string]int{
	"unauthenticated": 401, "caller_unauthenticated": 401, "gateway_unknown": 401,
	"step_invalid": 400, "not_approved": 403, "suspended": 403, "two_step_missing": 403, "caller_denied": 403, "role_missing": 403, "not_allowed": 403,
}

// statusOf a code; what is not there for somebody is not there.
func statusOf(code string) int {
	switch {
	case statuses[code] != 0:
		return statuses[code]
	case strings.HasSuffix(code, "_unknown") || code == "receipt_missing":
		return http.StatusNotFound
	}
	return http.StatusForbidden
}

// want is the code a caller reads at a route; "" for one who gets in.
func want(m manifest.Function, l line, c caller) string {
	switch {
	case l.but[c.label] != "":
		return l.but[c.label]
	case l.gets(c.labels()...), m.Callers == manifest.Public && c.tokenless() && l.gets("nobody"):
		return ""
	case m.Callers == manifest.Staff:
		return wantOfPeople(l, c)
	case m.Callers == manifest.Public:
		return l.others
	case m.Name == "admit":
		return "gateway_unknown"
	case c.kind == program || c.kind == invoker:
		return "caller_denied"
	}
	return "caller_unauthenticated"
}

func wantOfPeople(l line, c caller) string {
	switch {
	case c.kind == denied && (c.label == "suspended"):
		return "suspended"
	case c.kind == denied && c.label == "without 2-step verification":
		return "two_step_missing"
	case c.kind == denied:
		return "not_approved"
	case c.kind != staff:
		return "unauthenticated"
	}
	return l.others
}

// tokenless reports whether a caller shows nothing that a function of the public looks at.
func (c caller) tokenless() bool {
	return c.kind == nobody || c.kind == gateway || c.label == "gateway with a wrong key" || c.label == "unsigned headers of the proxy"
}

// labels are the names under which the table may let a caller in.
func (c caller) labels() []string {
	switch {
	case c.kind != staff:
		return []string{c.label}
	case c.label == "asker":
		return []string{"everybody", "security", "oncall", "asker"}
	}
	return []string{"everybody", c.label}
}

// planted are words of things there are, and names of customers: nobody who is refused reads them.
var planted = []string{"canary", "Klinik am See", "Northwind"}

// varying is what differs between two answers that say the same.
var varying = regexp.MustCompile(`"request":"[^"]*"`)

// TestMatrix: whoever may not get in is refused with the code of the table, changes nothing, and learns nothing of what is
// there: a path to something, and one of the same form to nothing, are answered alike.
func TestMatrix(t *testing.T) {
	t.Parallel()
	table := readTable(t)
	w := newWorld(t).furnish(t)
	all := callers(t)
	for _, m := range w.manifests {
		for _, r := range w.Routes(m.Name) {
			l := table[key(m.Name, r)]
			before, records := w.kept(t), len(w.Records(t))
			for _, c := range all {
				if code := want(m, l, c); code != "" {
					w.refused(t, m, r, c, code, l.hides(c))
				}
			}
			if diff := cmp.Diff(before, w.kept(t)); diff != "" || len(w.Records(t)) != records {
				t.Errorf("%s: somebody who was refused changed what is stored:\n%s", key(m.Name, r), diff)
			}
		}
	}
}

// kept is what is stored, but for the vault: it may make a key for whoever asks before it is decided what she may, which tells
// nothing of anybody.
func (w *world) kept(t testing.TB) map[string]map[string]any {
	t.Helper()
	state := w.State(t)
	maps.DeleteFunc(state, func(id string, _ map[string]any) bool { return strings.HasPrefix(id, "vault/") })
	return state
}

// refused sends one caller's request, to what is there and, where that is hidden from her, to what is not.
func (w *world) refused(t *testing.T, m manifest.Function, r web.Route, c caller, code string, hidden bool) {
	t.Helper()
	path, real := w.aim(m.Name, r, true)
	got := w.call(t, m, r, c, path)
	if got.Status != statusOf(code) || got.Code != code && !shows(got) {
		t.Errorf("%s as %s: answered %d %q, want %d %q", key(m.Name, r), c.label, got.Status, got.Code, statusOf(code), code)
	}
	if !hidden {
		return
	}
	for _, text := range planted {
		if strings.Contains(string(got.Body), text) {
			t.Errorf("%s as %s: the refusal shows %q", key(m.Name, r), c.label, text)
		}
	}
	if !real || c.kind == forged && c.label != "unsigned token" { // one of those who show nothing valid stands for all
		return
	}
	nowhere, _ := w.aim(m.Name, r, false)
	other := w.call(t, m, r, c, nowhere)
	if other.Status != got.Status || said(other, nowhere) != said(got, path) {
		t.Errorf("%s as %s: tells what is there from what is not:\n%d %.500s\n%d %.500s", key(m.Name, r), c.label, got.Status, got.Body, other.Status, other.Body)
	}
}

// said is what an answer says, without the address it says it at.
func said(a functiontest.Answer, path string) string {
	return strings.ReplaceAll(varying.ReplaceAllString(string(a.Body), ""), path, "PATH")
}

func shows(a functiontest.Answer) bool {
	return strings.HasPrefix(a.Header.Get("Content-Type"), "text/html")
}

func (w *world) call(t testing.TB, m manifest.Function, r web.Route, c caller, path string) functiontest.Answer {
	t.Helper()
	show := c.show(w, m)
	if c.after != nil {
		defer c.after(w)
	}
	return w.Call(t, shown(w.request(t, m, r, path, subjectOf(show)), show))
}

// TestAdmitted: whoever may is let in: everybody of the table is answered by what the route is for, not by the gate.
func TestAdmitted(t *testing.T) {
	t.Parallel()
	table := readTable(t)
	w := newWorld(t).furnish(t)
	all := callers(t)
	for _, method := range []string{"GET", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"} { // what takes something away comes last
		for name, m := range w.manifests {
			for _, r := range w.Routes(name) {
				l := table[key(name, r)]
				if r.Method != method || holder(l) {
					continue
				}
				path, _ := w.aim(name, r, true)
				for _, c := range all {
					if want(m, l, c) != "" {
						continue
					}
					got := w.call(t, m, r, c, path)
					refused := got.Status == 401 || got.Code != "" && (got.Code == l.others || statuses[got.Code] != 0) || shows(got) && got.Status == 403 && l.others != ""
					if refused || got.Status == http.StatusInternalServerError {
						t.Errorf("%s as %s, who may: answered %d %q", key(name, r), c.label, got.Status, got.Code)
					}
				}
			}
		}
	}
}

// holder reports whether a route opens to whoever holds the code of a mail, which nobody here does: the tests of requesterasure
// show it.
func holder(l line) bool { return slices.Contains(l.may, "who holds the code of the mail") }

// TestFronted: where IAM has checked the tokens, and took their signatures off, whose token it was is looked at here all the
// same: another function's invoker, or a service the policy does not name, gets in nowhere.
func TestFronted(t *testing.T) {
	t.Parallel()
	table := readTable(t)
	w := newWorld(t, wiring.EnvIAM, "front").furnish(t)
	for name, m := range w.manifests {
		if m.Callers != manifest.Machine && m.Callers != manifest.Service || name == "admit" {
			continue
		}
		for _, r := range w.Routes(name) {
			path, _ := w.aim(name, r, true)
			l, before := table[key(name, r)], w.kept(t)
			for _, c := range callers(t) {
				if c.kind != program && c.kind != invoker || l.but[c.label] != "" {
					continue
				}
				show := c.show(w, m)
				parts := strings.Split(show.Get("Authorization"), ".")
				show.Set("Authorization", parts[0]+"."+parts[1]+".SIGNATURE_REMOVED_BY_GOOGLE")
				got := w.Call(t, shown(w.request(t, m, r, path, ""), show))
				if may := l.gets(c.label); may && (got.Code == "caller_denied" || got.Status == 401) || !may && (got.Status != 403 || got.Code != "caller_denied") {
					t.Errorf("%s as %s, behind IAM: answered %d %q; the table lets her in: %t", key(name, r), c.label, got.Status, got.Code, may)
				} else if may {
					before = w.kept(t)
				}
			}
			if diff := cmp.Diff(before, w.kept(t)); diff != "" {
				t.Errorf("%s: somebody who was refused changed what is stored:\n%s", key(name, r), diff)
			}
		}
	}
}

package vpcfirewall

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/platform/clock"
)

const (
	project = "acme-live"
	network = "https://www.googleapis.com/compute/v1/projects/acme-live/global/networks/core"
)

// vpc is the part of Compute Engine that firewall rules live in, as it answers at the wire. A write is accepted with an operation, and in
// force when that is done; each request to the service lets a little time pass.
type vpc struct {
	t       testing.TB
	server  *httptest.Server
	clock   *clock.Manual
	mu      sync.Mutex
	rules   map[string]*compute.Firewall
	ops     map[string]*operation
	slow    int             // requests until an operation is done
	rights  map[string]bool // nil allows everything
	perMin  int             // writes a minute; 0 for no quota
	written []time.Time
	patches []string                                          // names of the rules written
	calls   map[string]int                                    // by method
	stale   map[string]*compute.Firewall                      // what the next list answers once
	before  func(r *http.Request)                             // somebody else, just before a request is looked at
	answer  func(w http.ResponseWriter, r *http.Request) bool // answers itself, and says whether it did
}

type operation struct {
	name, rule string
	left       int
	then       func()
}

func newVPC(t testing.TB) *vpc {
	v := &vpc{t: t, clock: clock.NewManual(time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)), rules: map[string]*compute.Firewall{}, ops: map[string]*operation{}, slow: 3, calls: map[string]int{}}
	v.server = httptest.NewServer(http.HandlerFunc(v.serve))
	t.Cleanup(v.server.Close)
	return v
}

// shells makes the rules of door edge as Terraform does.
func (v *vpc) shells(perFamily int) *vpc {
	for i := range perFamily {
		for family, empty := range map[string]string{"v4": "192.0.2.1/32", "v6": "2001:db8::/128"} {
			v.add(&compute.Firewall{Name: fmt.Sprintf("edge-%s-%02d", family, i), Priority: 900, Disabled: true, SourceRanges: []string{empty},
				Allowed: []*compute.FirewallAllowed{{IPProtocol: "tcp", Ports: []string{"443"}}}, TargetTags: []string{"web"}})
		}
	}
	return v
}

// add makes a rule; what is left out is as the service has it.
func (v *vpc) add(r *compute.Firewall) {
	r.Direction, r.Network = cmp.Or(r.Direction, "INGRESS"), cmp.Or(r.Network, network)
	r.Id, r.Kind = uint64(len(v.rules)+1), "compute#firewall"
	if len(r.SourceRanges)+len(r.SourceTags)+len(r.SourceServiceAccounts) == 0 {
		r.SourceRanges = []string{"0.0.0.0/0"}
	}
	v.rules[r.Name] = r
}

// edit changes a rule behind everybody's back.
func (v *vpc) edit(name string, fn func(r *compute.Firewall)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	fn(v.rules[name])
}

// settle lets all that is under way be done.
func (v *vpc) settle() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for range v.slow { // no operation takes longer
		v.tick()
	}
}

func (v *vpc) tick() {
	for _, o := range v.ops {
		if o.left--; o.left == 0 {
			o.then()
		}
	}
}

func (v *vpc) serve(w http.ResponseWriter, r *http.Request) {
	if v.before != nil {
		v.before(r)
	}
	if v.answer != nil && v.answer(w, r) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tick()
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if len(path) < 4 || path[0] != "projects" || path[1] != project || path[2] != "global" {
		v.fail(w, 404, "notFound")
		return
	}
	switch route := r.Method + " " + path[3] + strconv.Itoa(len(path)); route {
	case "GET firewalls4":
		if v.may(w, "list", "compute.firewalls.list") {
			v.list(w, r)
		}
	case "GET firewalls5":
		if rule := v.rules[path[4]]; rule == nil {
			v.fail(w, 404, "notFound")
		} else if v.may(w, "get", "compute.firewalls.get") {
			v.send(w, rule)
		}
	case "PATCH firewalls5":
		if v.may(w, "patch", "compute.firewalls.get", "compute.firewalls.update", "compute.networks.updatePolicy") {
			v.patch(w, r, v.rules[path[4]])
		}
	case "POST operations6":
		if o := v.ops[path[4]]; o == nil || path[5] != "wait" {
			v.fail(w, 404, "notFound")
		} else if v.may(w, "wait", "compute.globalOperations.get") {
			v.send(w, o.wire())
		}
	default:
		v.t.Errorf("nobody should ask for %s %s", r.Method, r.URL.Path)
		v.fail(w, 405, "methodNotAllowed")
	}
}

func (v *vpc) may(w http.ResponseWriter, call string, needs ...string) bool {
	v.calls[call]++
	for _, p := range needs {
		if v.rights != nil && !v.rights[p] {
			v.fail(w, 403, "forbidden")
			return false
		}
	}
	return true
}

func (v *vpc) list(w http.ResponseWriter, r *http.Request) {
	rules := v.rules
	if v.stale != nil {
		rules = v.stale
	}
	names := slices.Sorted(maps.Keys(rules))
	most, _ := strconv.Atoi(r.URL.Query().Get("maxResults"))
	from, _ := strconv.Atoi(r.URL.Query().Get("pageToken"))
	to := min(from+most, len(names))
	page := &compute.FirewallList{Kind: "compute#firewallList"}
	for _, name := range names[from:to] {
		page.Items = append(page.Items, rules[name])
	}
	if page.NextPageToken = strconv.Itoa(to); to == len(names) {
		page.NextPageToken, v.stale = "", nil
	}
	v.send(w, page)
}

// patch merges what was sent over the rule, field by field.
func (v *vpc) patch(w http.ResponseWriter, r *http.Request, rule *compute.Firewall) {
	var sent map[string]json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		v.t.Errorf("a payload is not JSON: %v", err)
	}
	now := v.clock.Now()
	v.written = slices.DeleteFunc(v.written, func(at time.Time) bool { return now.Sub(at) >= time.Minute })
	switch {
	case rule == nil:
		v.fail(w, 404, "notFound")
		return
	case v.perMin > 0 && len(v.written) >= v.perMin:
		w.Header().Set("Retry-After", "30")
		v.fail(w, 429, "rateLimitExceeded")
		return
	case slices.ContainsFunc(slices.Collect(maps.Values(v.ops)), func(o *operation) bool { return o.rule == rule.Name && o.left > 0 }):
		v.fail(w, 409, "resourceNotReady")
		return
	}
	v.look(rule.Name, sent)
	next := *rule
	merge(&next, sent)
	o := &operation{name: fmt.Sprintf("operation-%d", len(v.ops)), rule: rule.Name, left: v.slow, then: func() { *rule = next }}
	v.ops[o.name] = o
	v.written, v.patches = append(v.written, now), append(v.patches, rule.Name)
	v.send(w, o.wire())
}

// merge is a JSON merge patch, and what the service then makes of a rule without sources.
func merge(r *compute.Firewall, sent map[string]json.RawMessage) {
	if raw, ok := sent["sourceRanges"]; ok {
		r.SourceRanges = nil
		_ = json.Unmarshal(raw, &r.SourceRanges)
		if len(r.SourceRanges) == 0 {
			r.SourceRanges = []string{"0.0.0.0/0"}
		}
	}
	if raw, ok := sent["disabled"]; ok {
		_ = json.Unmarshal(raw, &r.Disabled)
	}
}

// look holds every payload to what may be sent: the two fields that are ours, and a list that is never empty, of one family, in order,
// canonical, and no wider than a site.
func (v *vpc) look(rule string, sent map[string]json.RawMessage) {
	var ranges []string
	disabled := false
	if err := json.Unmarshal(sent["sourceRanges"], &ranges); err != nil || len(ranges) == 0 || len(sent) != 2 {
		v.t.Errorf("rule %s is sent %s", rule, sent)
	}
	if err := json.Unmarshal(sent["disabled"], &disabled); err != nil {
		v.t.Errorf("rule %s is not told whether it is disabled: %s", rule, sent)
	}
	if empty := ranges[0] == "192.0.2.1/32" || ranges[0] == "2001:db8::/128"; empty && (!disabled || len(ranges) > 1) {
		v.t.Errorf("rule %s lets nobody in and is not disabled: %s", rule, sent)
	}
	var last netip.Prefix
	for i, text := range ranges {
		p, err := netip.ParsePrefix(text)
		wide := p.Bits() < 48 && !p.Addr().Is4() || p.Bits() < 24
		if err != nil || p.String() != text || p != p.Masked() || wide || p.Addr().Is4() != strings.Contains(rule, "-v4-") || i > 0 && last.Compare(p) >= 0 {
			v.t.Errorf("rule %s is sent source %q after %s", rule, text, last)
		}
		last = p
	}
}

func (o *operation) wire() *compute.Operation {
	w := &compute.Operation{Name: o.name, Status: "RUNNING", Kind: "compute#operation"}
	if o.left <= 0 {
		w.Status = "DONE"
	}
	return w
}

func (v *vpc) send(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		v.t.Error(err)
	}
}

func (v *vpc) fail(w http.ResponseWriter, status int, reason string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"code":%d,"message":"source 81.2.69.142/32","errors":[{"reason":%q}]}}`, status, reason)
}

// admits decides about a connection from addr to port 443 of a machine with tag web, as the network does: of the rules that
// match, the one of lowest number, and of equal ones the one that denies; without one, no.
func (v *vpc) admits(addr netip.Addr) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	best, admitted := int64(65536), false
	for _, r := range v.rules {
		from := slices.ContainsFunc(r.SourceRanges, func(text string) bool { return netip.MustParsePrefix(text).Contains(addr) })
		at := len(r.TargetTags) == 0 || slices.Contains(r.TargetTags, "web")
		if r.Disabled || r.Direction != "INGRESS" || !from || !at || r.Priority > best {
			continue
		}
		admitted = len(r.Denied) == 0 && (r.Priority < best || admitted)
		best = r.Priority
	}
	return admitted
}

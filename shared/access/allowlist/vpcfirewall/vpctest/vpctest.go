// Package vpctest is the part of Compute Engine that firewall rules live in, for tests. It promises to answer at the wire as the
// service does, to keep a quota of writes, to fail the test at a payload that could open a door, and to decide about connections
// as the network does. It knows one project and one network, and no firewall policies.
package vpctest

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

// Project is the one it knows.
const Project = "acme-live"

const (
	network = "https://www.googleapis.com/compute/v1/projects/acme-live/global/networks/core"
)

// VPC is a network and its rules. A write is accepted with an operation, and in force when that is done; each request to the service
// lets a little time pass. What is exported is set before the first request, and looked at between two.
type VPC struct {
	t         testing.TB
	Server    *httptest.Server
	Clock     *clock.Manual // of the quota
	mu        sync.Mutex
	Rules     map[string]*compute.Firewall // by name
	ops       map[string]*operation
	Slow      int             // requests until an operation is done
	Rights    map[string]bool // nil allows everything
	PerMinute int             // writes a minute; 0 for no quota
	written   []time.Time
	Patches   []string                                          // names of the rules written
	Calls     map[string]int                                    // by method
	Stale     map[string]*compute.Firewall                      // what the next list answers once
	Before    func(r *http.Request)                             // somebody else, just before a request is looked at
	Answer    func(w http.ResponseWriter, r *http.Request) bool // answers itself, and says whether it did
}

type operation struct {
	name, rule string
	left       int
	then       func()
}

// New returns a network without rules, on a server that ends with the test.
func New(t testing.TB) *VPC {
	v := &VPC{t: t, Clock: clock.NewManual(time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)), Rules: map[string]*compute.Firewall{}, ops: map[string]*operation{}, Slow: 3, Calls: map[string]int{}}
	v.Server = httptest.NewServer(http.HandlerFunc(v.serve))
	t.Cleanup(v.Server.Close)
	return v
}

// Shells makes the rules of door edge as Terraform does.
func (v *VPC) Shells(perFamily int) *VPC {
	for i := range perFamily {
		for family, empty := range map[string]string{"v4": "192.0.2.1/32", "v6": "2001:db8::/128"} {
			v.Add(&compute.Firewall{Name: fmt.Sprintf("edge-%s-%02d", family, i), Priority: 900, Disabled: true, SourceRanges: []string{empty},
				Allowed: []*compute.FirewallAllowed{{IPProtocol: "tcp", Ports: []string{"443"}}}, TargetTags: []string{"web"}})
		}
	}
	return v
}

// Add makes a rule; what is left out is as the service has it.
func (v *VPC) Add(r *compute.Firewall) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r.Direction, r.Network = cmp.Or(r.Direction, "INGRESS"), cmp.Or(r.Network, network)
	r.Id, r.Kind = uint64(len(v.Rules)+1), "compute#firewall"
	if len(r.SourceRanges)+len(r.SourceTags)+len(r.SourceServiceAccounts) == 0 {
		r.SourceRanges = []string{"0.0.0.0/0"}
	}
	v.Rules[r.Name] = r
}

// Edit changes a rule behind everybody's back.
func (v *VPC) Edit(name string, fn func(r *compute.Firewall)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	fn(v.Rules[name])
}

// Settle lets all that is under way be done.
func (v *VPC) Settle() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for range v.Slow { // no operation takes longer
		v.tick()
	}
}

func (v *VPC) tick() {
	for _, o := range v.ops {
		if o.left--; o.left == 0 {
			o.then()
		}
	}
}

func (v *VPC) serve(w http.ResponseWriter, r *http.Request) {
	if v.Before != nil {
		v.Before(r)
	}
	if v.Answer != nil && v.Answer(w, r) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tick()
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if len(path) < 4 || path[0] != "projects" || path[1] != Project || path[2] != "global" {
		v.Fail(w, 404, "notFound")
		return
	}
	switch route := r.Method + " " + path[3] + strconv.Itoa(len(path)); route {
	case "GET firewalls4":
		if v.may(w, "list", "compute.firewalls.list") {
			v.list(w, r)
		}
	case "GET firewalls5":
		if rule := v.Rules[path[4]]; rule == nil {
			v.Fail(w, 404, "notFound")
		} else if v.may(w, "get", "compute.firewalls.get") {
			v.send(w, rule)
		}
	case "PATCH firewalls5":
		if v.may(w, "patch", "compute.firewalls.get", "compute.firewalls.update", "compute.networks.updatePolicy") {
			v.patch(w, r, v.Rules[path[4]])
		}
	case "POST operations6":
		if o := v.ops[path[4]]; o == nil || path[5] != "wait" {
			v.Fail(w, 404, "notFound")
		} else if v.may(w, "wait", "compute.globalOperations.get") {
			v.send(w, o.wire())
		}
	default:
		v.t.Errorf("nobody should ask for %s %s", r.Method, r.URL.Path)
		v.Fail(w, 405, "methodNotAllowed")
	}
}

func (v *VPC) may(w http.ResponseWriter, call string, needs ...string) bool {
	v.Calls[call]++
	for _, p := range needs {
		if v.Rights != nil && !v.Rights[p] {
			v.Fail(w, 403, "forbidden")
			return false
		}
	}
	return true
}

func (v *VPC) list(w http.ResponseWriter, r *http.Request) {
	rules := v.Rules
	if v.Stale != nil {
		rules = v.Stale
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
		page.NextPageToken, v.Stale = "", nil
	}
	v.send(w, page)
}

// patch merges what was sent over the rule, field by field.
func (v *VPC) patch(w http.ResponseWriter, r *http.Request, rule *compute.Firewall) {
	var sent map[string]json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		v.t.Errorf("a payload is not JSON: %v", err)
	}
	now := v.Clock.Now()
	v.written = slices.DeleteFunc(v.written, func(at time.Time) bool { return now.Sub(at) >= time.Minute })
	switch {
	case rule == nil:
		v.Fail(w, 404, "notFound")
		return
	case v.PerMinute > 0 && len(v.written) >= v.PerMinute:
		w.Header().Set("Retry-After", "30")
		v.Fail(w, 429, "rateLimitExceeded")
		return
	case slices.ContainsFunc(slices.Collect(maps.Values(v.ops)), func(o *operation) bool { return o.rule == rule.Name && o.left > 0 }):
		v.Fail(w, 409, "resourceNotReady")
		return
	}
	v.look(rule.Name, sent)
	next := *rule
	merge(&next, sent)
	o := &operation{name: fmt.Sprintf("operation-%d", len(v.ops)), rule: rule.Name, left: v.Slow, then: func() { *rule = next }}
	v.ops[o.name] = o
	v.written, v.Patches = append(v.written, now), append(v.Patches, rule.Name)
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
func (v *VPC) look(rule string, sent map[string]json.RawMessage) {
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

func (v *VPC) send(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		v.t.Error(err)
	}
}

// Fail answers with an error, whose message names an address as that of the service may.
func (v *VPC) Fail(w http.ResponseWriter, status int, reason string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"code":%d,"message":"source 81.2.69.142/32","errors":[{"reason":%q}]}}`, status, reason)
}

// Admits decides about a connection from addr to port 443 of a machine with tag web, as the network does: of the rules that
// match, the one of lowest number, and of equal ones the one that denies; without one, no.
func (v *VPC) Admits(addr netip.Addr) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	best, admitted := int64(65536), false
	for _, r := range v.Rules {
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

package cloudarmor

import (
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

	"google.golang.org/api/compute/v1"
)

// fake is the part of the Compute API that speaks of one security policy. As there, a rule is written by an operation that
// takes effect later, one at a time; a patch leaves alone what it does not send; and an empty list of addresses lets in
// everybody.
type fake struct {
	t      testing.TB
	prefix string // of the paths it knows: where the policy lies

	mu       sync.Mutex
	rules    map[int64]map[string]any
	version  int
	limit    int // of the quota of rules
	used     int // of it, by rules of other policies
	slow     int // requests an operation takes
	stale    bool
	old      []byte // what a stale answer says, once
	ops      int
	pending  *operation
	outcomes map[string]string // errors of operations, by name
	failing  func(r *http.Request) (status int, reason string)
	failOp   string // error of the next operation
	meddle   func() // run once, before the next answer about the policy
	writes   []string
	reads    int
}

type operation struct {
	name  string
	left  int
	apply func()
}

func newFake(t testing.TB, where string) (*fake, *httptest.Server) {
	f := &fake{t: t, prefix: "/projects/shop/" + where, rules: map[int64]map[string]any{}, limit: 1000, slow: 1, outcomes: map[string]string{}}
	f.put(lastPriority, "deny(403)", "*")
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, server
}

// put makes a rule that is enforced and goes by addresses.
func (f *fake) put(priority int64, action string, ranges ...string) {
	list, err := json.Marshal(ranges)
	if err != nil {
		f.t.Error(err)
	}
	f.set(priority, fmt.Sprintf(`{"action":%q,"match":{"versionedExpr":"SRC_IPS_V1","config":{"srcIpRanges":%s}}}`, action, list))
}

func (f *fake) set(priority int64, text string) {
	var r map[string]any
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		f.t.Error(err)
	}
	r["priority"], r["kind"] = priority, "compute#securityPolicyRule"
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules[priority] = r
	f.version++
}

// policy is the policy as the service would say it.
func (f *fake) policy() *compute.SecurityPolicy {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &compute.SecurityPolicy{}
	if err := json.Unmarshal(f.text(), p); err != nil {
		f.t.Error(err)
	}
	return p
}

func (f *fake) text() []byte {
	rules := []map[string]any{}
	for _, priority := range slices.Backward(slices.Sorted(maps.Keys(f.rules))) {
		rules = append(rules, f.rules[priority])
	}
	text, err := json.Marshal(map[string]any{"kind": "compute#securityPolicy", "name": "edge", "type": "CLOUD_ARMOR", "fingerprint": fmt.Sprint("fp", f.version), "rules": rules, "labels": map[string]any{"a": "b"}})
	if err != nil {
		f.t.Error(err)
	}
	return text
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failing != nil {
		if status, reason := f.failing(r); status != 0 {
			refuse(w, status, reason)
			return
		}
	}
	path, inside := strings.CutPrefix(r.URL.Path, f.prefix)
	project := r.Method == http.MethodGet && r.URL.Path == strings.TrimSuffix(f.prefix, "/global")
	priority, _ := strconv.ParseInt(r.URL.Query().Get("priority"), 10, 64)
	switch {
	case project:
		fmt.Fprintf(w, `{"quotas":[{"metric":"CPUS","limit":1,"usage":1},{"metric":"SECURITY_POLICY_RULES%s","limit":%d.0,"usage":%d.0}]}`,
			map[bool]string{true: "_PER_REGION"}[strings.Contains(f.prefix, "/regions/")], f.limit, f.used+len(f.rules))
	case !inside:
		refuse(w, http.StatusNotFound, "notFound")
	case r.Method == http.MethodGet && path == "/securityPolicies/edge":
		f.answer(w)
	case r.Method == http.MethodPost && strings.HasPrefix(path, "/operations/"):
		f.wait(w, strings.TrimSuffix(strings.TrimPrefix(path, "/operations/"), "/wait"))
	case r.Method != http.MethodPost || !strings.HasPrefix(path, "/securityPolicies/edge/"):
		refuse(w, http.StatusNotFound, "notFound")
	case f.pending != nil:
		refuse(w, http.StatusConflict, "resourceNotReady")
	default:
		f.change(w, r, strings.TrimPrefix(path, "/securityPolicies/edge/"), priority)
	}
	if f.pending != nil {
		if f.pending.left--; f.pending.left < 0 {
			f.finish()
		}
	}
}

// finish lets the operation under way take effect.
func (f *fake) finish() {
	if f.stale {
		f.old = f.text()
	}
	f.pending.apply()
	f.pending = nil
}

func (f *fake) answer(w http.ResponseWriter) {
	f.reads++
	if f.meddle != nil {
		f.meddle()
		f.meddle = nil
		f.version++
	}
	text := f.text()
	if f.old != nil {
		text, f.old = f.old, nil
	}
	_, _ = w.Write(text)
}

func (f *fake) wait(w http.ResponseWriter, name string) {
	failed, known := f.outcomes[name]
	switch {
	case f.pending != nil && f.pending.name == name && f.pending.left > 0:
		fmt.Fprintf(w, `{"name":%q,"status":"RUNNING"}`, name)
		return
	case f.pending != nil && f.pending.name == name:
		f.finish()
	case !known:
		refuse(w, http.StatusNotFound, "notFound")
		return
	}
	if failed != "" {
		fmt.Fprintf(w, `{"name":%q,"status":"DONE","httpErrorStatusCode":400,"httpErrorMessage":"BAD REQUEST","error":{"errors":[{"code":%q,"message":"81.2.69.142"}]}}`, name, failed)
		return
	}
	fmt.Fprintf(w, `{"name":%q,"status":"DONE"}`, name)
}

// change begins an operation.
func (f *fake) change(w http.ResponseWriter, r *http.Request, verb string, priority int64) {
	var body map[string]any
	if verb != "removeRule" {
		d := json.NewDecoder(r.Body)
		if err := d.Decode(&body); err != nil {
			refuse(w, http.StatusBadRequest, "parseError")
			return
		}
		sent, _ := body["priority"].(float64)
		f.inspect(body)
		if verb == "addRule" {
			priority = int64(sent)
		} else if int64(sent) != priority {
			f.t.Errorf("rule %d is patched as %v", priority, sent)
		}
		body["priority"] = priority
	}
	_, there := f.rules[priority]
	switch {
	case there == (verb == "addRule"), priority == lastPriority && verb == "removeRule":
		refuse(w, http.StatusBadRequest, "invalid")
		return
	case verb == "addRule" && f.used+len(f.rules) >= f.limit:
		refuse(w, http.StatusForbidden, "quotaExceeded")
		return
	}
	f.writes = append(f.writes, fmt.Sprintf("%s %d", verb, priority))
	f.ops++
	f.pending = &operation{name: fmt.Sprint("operation-", f.ops), left: f.slow, apply: func() {
		f.version++
		switch verb {
		case "removeRule":
			delete(f.rules, priority)
		case "addRule":
			body["kind"] = "compute#securityPolicyRule"
			f.rules[priority] = body
		default:
			merge(f.rules[priority], body)
		}
	}}
	f.outcomes[f.pending.name] = f.failOp
	if f.failOp != "" {
		f.pending.apply, f.failOp = func() {}, ""
	}
	fmt.Fprintf(w, `{"kind":"compute#operation","name":%q,"status":"PENDING"}`, f.pending.name)
}

// inspect fails the test for a payload that could open the door.
func (f *fake) inspect(body map[string]any) {
	text, err := json.Marshal(body)
	r := &compute.SecurityPolicyRule{}
	if err != nil || json.Unmarshal(text, r) != nil {
		f.t.Errorf("a payload that is none: %s", text)
		return
	}
	_, preview := body["preview"]
	if r.Action != "allow" || !preview || r.Preview || r.Match == nil || r.Match.VersionedExpr != byAddress || r.Match.Config == nil {
		f.t.Errorf("a payload that is no enforced allow rule by addresses: %s", text)
		return
	}
	var before netip.Prefix
	ranges := r.Match.Config.SrcIpRanges
	for i, text := range ranges {
		p, err := netip.ParsePrefix(text)
		if err != nil || p.String() != text || p != p.Masked() || p.Bits() < 20 || p.Addr().Is4In6() {
			f.t.Errorf("a payload with %q", text)
		}
		if i > 0 && (before.Compare(p) >= 0 || before.Addr().Is4() != p.Addr().Is4()) {
			f.t.Errorf("a payload that is unsorted or of two families: %v", ranges)
		}
		before = p
	}
	if len(ranges) == 0 || len(ranges) > 10 {
		f.t.Errorf("a payload with %d addresses", len(ranges))
	}
}

// merge changes what a patch sends and nothing else; lists are replaced.
func merge(into, from map[string]any) {
	for key, value := range from {
		inner, isMap := value.(map[string]any)
		if have, ok := into[key].(map[string]any); ok && isMap {
			merge(have, inner)
			continue
		}
		into[key] = value
	}
}

func refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Retry-After", "7")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"code":%d,"message":"about 81.2.69.142","errors":[{"reason":%q,"message":"81.2.69.142"}]}}`, status, reason)
}

// admits decides about a request as a load balancer does: the first rule that matches and is enforced. What we cannot
// evaluate matches.
func admits(p *compute.SecurityPolicy, addr netip.Addr) bool {
	rules := slices.Clone(p.Rules)
	slices.SortFunc(rules, func(a, b *compute.SecurityPolicyRule) int { return int(a.Priority - b.Priority) })
	for _, r := range rules {
		if r.Preview || !matches(r, addr) {
			continue
		}
		return !strings.HasPrefix(r.Action, "deny(")
	}
	return true
}

func matches(r *compute.SecurityPolicyRule, addr netip.Addr) bool {
	if r.Match == nil || r.Match.Expr != nil || r.Match.Config == nil || len(r.Match.Config.SrcIpRanges) == 0 {
		return true
	}
	return slices.ContainsFunc(r.Match.Config.SrcIpRanges, func(text string) bool {
		if single, err := netip.ParseAddr(text); err == nil {
			return single == addr
		}
		p, err := netip.ParsePrefix(text)
		return err != nil || p.Masked().Contains(addr)
	})
}

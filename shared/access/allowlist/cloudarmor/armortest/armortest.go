// Package armortest is the part of the Compute API that speaks of one Cloud Armor security policy, for tests. It promises to answer
// at the wire as the service does, to keep its quotas, to fail the test at a payload that could open a door, and to decide about
// requests as a load balancer does. It evaluates no expressions.
package armortest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/platform/clock"
)

// Armor is policy edge of project shop. As at the service, a rule is written by an operation that
// takes effect later, one at a time; a patch leaves alone what it does not send; and an empty list of addresses lets in
// everybody. What is exported is set before the first request, and looked at between two or with Mu held.
type Armor struct {
	t      testing.TB
	prefix string // of the paths it knows: where the policy lies

	Mu        sync.Mutex
	Rules     map[int64]map[string]any // by priority
	Version   int                      // of the fingerprint
	Clock     clock.Clock              // of the quota of writes
	PerMinute int                      // writes a minute; 0 for no quota
	written   []time.Time
	Limit     int                                               // of the quota of rules
	Used      int                                               // of it, by rules of other policies
	Slow      int                                               // requests an operation takes
	Stale     bool                                              // the first answer after a write is the one before it
	Old       []byte                                            // what a stale answer says, once
	Ops       int                                               // operations begun
	Pending   *Operation                                        // the one under way
	outcomes  map[string]string                                 // errors of operations, by name
	Failing   func(r *http.Request) (status int, reason string) // refuses a request where the status is not 0
	FailOp    string                                            // error of the next operation
	Meddle    func()                                            // run once, before the next answer about the policy
	Writes    []string                                          // verbs and priorities
	reads     int
}

// LastPriority is that of the default rule.
const LastPriority = 1<<31 - 1

// Operation is a write that takes effect later.
type Operation struct {
	name  string
	left  int
	apply func()
}

// New returns a policy that lets in nobody, on a server that ends with the test; where is "global" or "regions/REGION".
func New(t testing.TB, where string) (*Armor, *httptest.Server) {
	f := &Armor{t: t, prefix: "/projects/shop/" + where, Rules: map[int64]map[string]any{}, Limit: 1000, Slow: 1, outcomes: map[string]string{}}
	f.Put(LastPriority, "deny(403)", "*")
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, server
}

// Put makes a rule that is enforced and goes by addresses.
func (f *Armor) Put(priority int64, action string, ranges ...string) {
	list, err := json.Marshal(ranges)
	if err != nil {
		f.t.Error(err)
	}
	f.Set(priority, fmt.Sprintf(`{"action":%q,"match":{"versionedExpr":"SRC_IPS_V1","config":{"srcIpRanges":%s}}}`, action, list))
}

// Set makes a rule as its JSON says.
func (f *Armor) Set(priority int64, text string) {
	var r map[string]any
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		f.t.Error(err)
	}
	r["priority"], r["kind"] = priority, "compute#securityPolicyRule"
	f.Mu.Lock()
	defer f.Mu.Unlock()
	f.Rules[priority] = r
	f.Version++
}

// Policy is the policy as the service would say it.
func (f *Armor) Policy() *compute.SecurityPolicy {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	p := &compute.SecurityPolicy{}
	if err := json.Unmarshal(f.Text(), p); err != nil {
		f.t.Error(err)
	}
	return p
}

// Text is Policy as JSON. The caller holds Mu.
func (f *Armor) Text() []byte {
	rules := []map[string]any{}
	for _, priority := range slices.Backward(slices.Sorted(maps.Keys(f.Rules))) {
		rules = append(rules, f.Rules[priority])
	}
	text, err := json.Marshal(map[string]any{"kind": "compute#securityPolicy", "name": "edge", "type": "CLOUD_ARMOR", "fingerprint": fmt.Sprint("fp", f.Version), "rules": rules, "labels": map[string]any{"a": "b"}})
	if err != nil {
		f.t.Error(err)
	}
	return text
}

// ServeHTTP implements http.Handler.
func (f *Armor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	if f.Failing != nil {
		if status, reason := f.Failing(r); status != 0 {
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
			map[bool]string{true: "_PER_REGION"}[strings.Contains(f.prefix, "/regions/")], f.Limit, f.Used+len(f.Rules))
	case !inside:
		refuse(w, http.StatusNotFound, "notFound")
	case r.Method == http.MethodGet && path == "/securityPolicies/edge":
		f.answer(w)
	case r.Method == http.MethodPost && strings.HasPrefix(path, "/operations/"):
		f.wait(w, strings.TrimSuffix(strings.TrimPrefix(path, "/operations/"), "/wait"))
	case r.Method != http.MethodPost || !strings.HasPrefix(path, "/securityPolicies/edge/"):
		refuse(w, http.StatusNotFound, "notFound")
	case f.Pending != nil:
		refuse(w, http.StatusConflict, "resourceNotReady")
	default:
		f.change(w, r, strings.TrimPrefix(path, "/securityPolicies/edge/"), priority)
	}
	if f.Pending != nil {
		if f.Pending.left--; f.Pending.left < 0 {
			f.Finish()
		}
	}
}

// Finish lets the operation under way take effect. The caller holds Mu.
func (f *Armor) Finish() {
	if f.Stale {
		f.Old = f.Text()
	}
	f.Pending.apply()
	f.Pending = nil
}

func (f *Armor) answer(w http.ResponseWriter) {
	f.reads++
	if f.Meddle != nil {
		f.Meddle()
		f.Meddle = nil
		f.Version++
	}
	text := f.Text()
	if f.Old != nil {
		text, f.Old = f.Old, nil
	}
	_, _ = w.Write(text)
}

func (f *Armor) wait(w http.ResponseWriter, name string) {
	failed, known := f.outcomes[name]
	switch {
	case f.Pending != nil && f.Pending.name == name && f.Pending.left > 0:
		fmt.Fprintf(w, `{"name":%q,"status":"RUNNING"}`, name)
		return
	case f.Pending != nil && f.Pending.name == name:
		f.Finish()
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
func (f *Armor) change(w http.ResponseWriter, r *http.Request, verb string, priority int64) {
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
	_, there := f.Rules[priority]
	switch {
	case there == (verb == "addRule"), priority == LastPriority && verb == "removeRule":
		refuse(w, http.StatusBadRequest, "invalid")
		return
	case verb == "addRule" && f.Used+len(f.Rules) >= f.Limit:
		refuse(w, http.StatusForbidden, "quotaExceeded")
		return
	case !f.spend():
		refuse(w, http.StatusTooManyRequests, "rateLimitExceeded")
		return
	}
	f.Writes = append(f.Writes, fmt.Sprintf("%s %d", verb, priority))
	f.Ops++
	f.Pending = &Operation{name: fmt.Sprint("operation-", f.Ops), left: f.Slow, apply: func() {
		f.Version++
		switch verb {
		case "removeRule":
			delete(f.Rules, priority)
		case "addRule":
			body["kind"] = "compute#securityPolicyRule"
			f.Rules[priority] = body
		default:
			merge(f.Rules[priority], body)
		}
	}}
	f.outcomes[f.Pending.name] = f.FailOp
	if f.FailOp != "" {
		f.Pending.apply, f.FailOp = func() {}, ""
	}
	fmt.Fprintf(w, `{"kind":"compute#operation","name":%q,"status":"PENDING"}`, f.Pending.name)
}

// spend counts a write, and reports false where the quota of the last minute has none left.
func (f *Armor) spend() bool {
	if f.PerMinute == 0 {
		return true
	}
	now := f.Clock.Now()
	f.written = slices.DeleteFunc(f.written, func(at time.Time) bool { return now.Sub(at) >= time.Minute })
	if len(f.written) >= f.PerMinute {
		return false
	}
	f.written = append(f.written, now)
	return true
}

func refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Retry-After", "7")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"code":%d,"message":"about 81.2.69.142","errors":[{"reason":%q,"message":"81.2.69.142"}]}}`, status, reason)
}

package accesslevel

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/platform/clock"
)

const policy = "accessPolicies/4711"

// fake is Access Context Manager as far as levels go: it checks what the service checks, keeps its quotas, and answers writes
// with operations that take a while.
type fake struct {
	t      testing.TB
	server *httptest.Server
	clock  *clock.Manual

	mu      sync.Mutex
	levels  map[string]*acm.AccessLevel
	before  map[string]*acm.AccessLevel // as they were before the last write
	waiting map[string]int              // polls until an operation is done
	errors  map[string]*acm.Status
	writes  []time.Time
	reads   []time.Time
	sent    []sent
	used    map[string]bool // permissions
	spelled map[*acm.AccessLevel]json.RawMessage
	trouble func(r *http.Request, n int) func(w http.ResponseWriter)
	asked   int
	ending  func(r *http.Request) *acm.Status // how the operation of a write ends
	stale   int                               // lists that are answered as of before the last write
}

// sent is a write as it came.
type sent struct {
	method, name, mask string
	level              acm.AccessLevel
	raw                string
}

// newFake returns a policy with n shells as Terraform makes them.
func newFake(t testing.TB, n int) *fake {
	f := &fake{t: t, clock: clock.NewManual(morning), levels: map[string]*acm.AccessLevel{}, waiting: map[string]int{}, errors: map[string]*acm.Status{}, used: map[string]bool{}, spelled: map[*acm.AccessLevel]json.RawMessage{}}
	for i := range n {
		name := fmt.Sprintf("%s/accessLevels/edge_%02d", policy, i)
		f.levels[name] = &acm.AccessLevel{Name: name, Title: fmt.Sprintf("edge_%02d", i),
			Basic: &acm.BasicLevel{CombiningFunction: "AND", Conditions: []*acm.Condition{{IpSubnetworks: []string{"192.0.2.1/32"}}}}}
	}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.trouble != nil {
		if answer := f.trouble(r, f.asked); answer != nil {
			answer(w)
			return
		}
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	if strings.HasPrefix(path, "operations/") {
		f.operation(w, path)
		return
	}
	quota, calls := 50, &f.writes
	if r.Method == http.MethodGet {
		quota, calls = 500, &f.reads
	}
	now := f.clock.Now()
	*calls = slices.DeleteFunc(*calls, func(at time.Time) bool { return now.Sub(at) >= time.Minute })
	if len(*calls) >= quota {
		w.Header().Set("Retry-After", "30")
		refuse(w, 429, "quota for the organization")
		return
	}
	*calls = append(*calls, now)
	switch {
	case r.Method == http.MethodGet && path == policy+"/accessLevels":
		f.list(w, r)
	case r.Method == http.MethodGet:
		f.used["accesscontextmanager.accessLevels.get"] = true
		if level, there := f.levels[path]; there {
			answer(w, level)
			return
		}
		refuse(w, 404, "no such level")
	default:
		f.write(w, r, path)
	}
}

func (f *fake) list(w http.ResponseWriter, r *http.Request) {
	f.used["accesscontextmanager.accessLevels.list"] = true
	levels := f.levels
	if f.stale > 0 && f.before != nil {
		f.stale--
		levels = f.before
	}
	names := slices.Sorted(maps.Keys(levels))
	from, _ := strconv.Atoi(r.URL.Query().Get("pageToken"))
	size, _ := strconv.Atoi(r.URL.Query().Get("pageSize"))
	var out struct {
		AccessLevels  []json.RawMessage `json:"accessLevels"`
		NextPageToken string            `json:"nextPageToken,omitempty"`
	}
	for _, name := range names[from:min(from+size, len(names))] {
		out.AccessLevels = append(out.AccessLevels, f.spell(levels[name]))
	}
	if from+size < len(names) {
		out.NextPageToken = strconv.Itoa(from + size)
	}
	answer(w, out)
}

// spell is a level as JSON. Levels are replaced and never changed, so each is spelled once.
func (f *fake) spell(level *acm.AccessLevel) json.RawMessage {
	if data, done := f.spelled[level]; done {
		return data
	}
	data, err := json.Marshal(level)
	if err != nil {
		panic(err)
	}
	f.spelled[level] = data
	return data
}

func (f *fake) write(w http.ResponseWriter, r *http.Request, path string) {
	raw, err := io.ReadAll(r.Body)
	s := sent{method: r.Method, name: path, mask: r.URL.Query().Get("updateMask"), raw: string(raw)}
	if err != nil || len(raw) > 0 && json.Unmarshal(raw, &s.level) != nil {
		refuse(w, 400, "not a level")
		return
	}
	if r.Method == http.MethodPost {
		s.name = s.level.Name
	}
	f.sent = append(f.sent, s)
	next, why := f.changed(s)
	switch {
	case why == "exists":
		refuse(w, 409, why)
		return
	case why != "":
		refuse(w, 400, why)
		return
	}
	op := fmt.Sprintf("operations/%s/%s/%d", s.name, strings.ToLower(r.Method), len(f.sent))
	if f.ending != nil {
		f.errors[op] = f.ending(r)
	}
	if f.errors[op] == nil {
		f.before = maps.Clone(f.levels)
		if f.levels[s.name] = next; next == nil {
			delete(f.levels, s.name)
		}
	}
	f.waiting[op] = 2
	answer(w, acm.Operation{Name: op})
}

var levelForm = regexp.MustCompile(`^accessPolicies/4711/accessLevels/[A-Za-z][A-Za-z0-9_]{0,49}$`)

// changed is a level after a write, nil when it is deleted, or why the service refuses.
func (f *fake) changed(s sent) (*acm.AccessLevel, string) {
	old, there := f.levels[s.name]
	level := s.level
	switch s.method {
	case http.MethodPost:
		f.used["accesscontextmanager.accessLevels.create"] = true
		switch {
		case there:
			return nil, "exists"
		case len(f.levels) >= 500, !levelForm.MatchString(s.name), level.Title == "":
			return nil, "too many levels, or not a name and a title"
		}
	case http.MethodDelete:
		f.used["accesscontextmanager.accessLevels.delete"] = true
		if !there || f.required(s.name) {
			return nil, "no such level, or it is required by another"
		}
		return nil, ""
	case http.MethodPatch:
		f.used["accesscontextmanager.accessLevels.update"] = true
		if !there || s.mask == "" {
			return nil, "no such level, or no mask"
		}
		one := *old
		for field := range strings.SplitSeq(s.mask, ",") {
			switch field {
			case "basic":
				one.Basic, one.Custom = level.Basic, nil
			case "custom":
				one.Custom, one.Basic = level.Custom, nil
			case "description":
				one.Description = level.Description
			default:
				return nil, "no such field"
			}
		}
		level = one
	}
	return &level, f.wrong(level)
}

func (f *fake) required(name string) bool {
	for _, level := range f.levels {
		if level.Basic != nil && slices.ContainsFunc(level.Basic.Conditions, func(c *acm.Condition) bool { return slices.Contains(c.RequiredAccessLevels, name) }) {
			return true
		}
	}
	return false
}

// wrong is why the service would not take a level. An empty list of addresses it takes: it means all of them.
func (f *fake) wrong(level acm.AccessLevel) string {
	if level.Custom != nil {
		if level.Custom.Expr == nil || !compiles(level.Custom.Expr.Expression) {
			return "not an expression"
		}
		return ""
	}
	if level.Basic == nil || len(level.Basic.Conditions) == 0 || len(level.Basic.Conditions) > 40 {
		return "conditions are none or too many"
	}
	for _, c := range level.Basic.Conditions {
		if c == nil {
			return "a condition is null"
		}
		if max(len(c.IpSubnetworks), len(c.Members), len(c.RequiredAccessLevels)) > 200 {
			return "a list is too long"
		}
		for _, text := range c.IpSubnetworks {
			if p, err := netip.ParsePrefix(text); err != nil || p != p.Masked() {
				return "malformed address"
			}
		}
		for _, m := range c.Members {
			if !strings.HasPrefix(m, "user:") && !strings.HasPrefix(m, "serviceAccount:") {
				return "malformed member"
			}
		}
		for _, name := range c.RequiredAccessLevels {
			if f.levels[name] == nil {
				return "a level that does not exist is required"
			}
		}
	}
	return ""
}

func (f *fake) operation(w http.ResponseWriter, name string) {
	f.used["accesscontextmanager.accessLevels.get"] = true
	left, there := f.waiting[name]
	if !there {
		refuse(w, 404, "no such operation")
		return
	}
	if f.waiting[name]--; left > 1 {
		answer(w, acm.Operation{Name: name})
		return
	}
	answer(w, acm.Operation{Name: name, Done: true, Error: f.errors[name]})
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	data, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(data)
}

// refuse says no, and names a person as the service may.
func refuse(w http.ResponseWriter, status int, why string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"code":%d,"message":"%s: user:ana@x.example from 81.2.69.142","status":"X"}}`, status, why)
}

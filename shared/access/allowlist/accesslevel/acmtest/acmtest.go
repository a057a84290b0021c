// Package acmtest is Access Context Manager as far as levels go, for tests. It promises to check what the service checks, to keep
// the quotas that an organization has there, to answer writes with operations that take a while, and to decide about requests as
// the documentation of the API says. It knows one access policy, and nothing of a person but her address.
package acmtest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/platform/clock"
)

// Policy is the one it knows.
const Policy = "accessPolicies/4711"

// ACM is an access policy and its levels. What is exported is set before the first request, and looked at between two or with Mu
// held.
type ACM struct {
	t      testing.TB
	Server *httptest.Server
	Clock  *clock.Manual // of the quotas

	Mu      sync.Mutex
	Levels  map[string]*acm.AccessLevel // by name; replaced and never changed
	before  map[string]*acm.AccessLevel // as they were before the last write
	waiting map[string]int              // polls until an operation is done
	errors  map[string]*acm.Status
	Writes  []time.Time // of the last minute
	reads   []time.Time
	Slow    int             // polls until an operation is done; 0 is at once
	Sent    []Sent          // the writes that came
	Used    map[string]bool // permissions
	spelled map[*acm.AccessLevel]json.RawMessage
	Trouble func(r *http.Request, n int) func(w http.ResponseWriter) // answers the n-th request itself where it returns how
	Asked   int                                                      // requests that came
	Ending  func(r *http.Request) *acm.Status                        // how the operation of a write ends
	Stale   int                                                      // lists that are answered as of before the last write
}

// Sent is a write as it came.
type Sent struct {
	Method, Name, Mask string
	Level              acm.AccessLevel
	Raw                string
}

// New returns a policy with n levels as Terraform makes them, on a server that ends with the test; its clock stands at now.
func New(t testing.TB, n int, now time.Time) *ACM {
	f := &ACM{t: t, Slow: 2, Clock: clock.NewManual(now), Levels: map[string]*acm.AccessLevel{}, waiting: map[string]int{}, errors: map[string]*acm.Status{}, Used: map[string]bool{}, spelled: map[*acm.AccessLevel]json.RawMessage{}}
	for i := range n {
		name := fmt.Sprintf("%s/accessLevels/edge_%02d", Policy, i)
		f.Levels[name] = &acm.AccessLevel{Name: name, Title: fmt.Sprintf("edge_%02d", i),
			Basic: &acm.BasicLevel{CombiningFunction: "AND", Conditions: []*acm.Condition{{IpSubnetworks: []string{"192.0.2.1/32"}}}}}
	}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Server.Close)
	return f
}

// ServeHTTP implements http.Handler.
func (f *ACM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	f.Asked++
	if f.Trouble != nil {
		if answers := f.Trouble(r, f.Asked); answers != nil {
			answers(w)
			return
		}
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	if strings.HasPrefix(path, "operations/") {
		f.operation(w, path)
		return
	}
	quota, calls := 50, &f.Writes
	if r.Method == http.MethodGet {
		quota, calls = 500, &f.reads
	}
	now := f.Clock.Now()
	*calls = slices.DeleteFunc(*calls, func(at time.Time) bool { return now.Sub(at) >= time.Minute })
	if len(*calls) >= quota {
		w.Header().Set("Retry-After", "30")
		Refuse(w, 429, "quota for the organization")
		return
	}
	*calls = append(*calls, now)
	switch {
	case r.Method == http.MethodGet && path == Policy+"/accessLevels":
		f.list(w, r)
	case r.Method == http.MethodGet:
		f.Used["accesscontextmanager.accessLevels.get"] = true
		if level, there := f.Levels[path]; there {
			Answer(w, level)
			return
		}
		Refuse(w, 404, "no such level")
	default:
		f.write(w, r, path)
	}
}

func (f *ACM) list(w http.ResponseWriter, r *http.Request) {
	f.Used["accesscontextmanager.accessLevels.list"] = true
	levels := f.Levels
	if f.Stale > 0 && f.before != nil {
		f.Stale--
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
	Answer(w, out)
}

// spell is a level as JSON. Levels are replaced and never changed, so each is spelled once.
func (f *ACM) spell(level *acm.AccessLevel) json.RawMessage {
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

func (f *ACM) write(w http.ResponseWriter, r *http.Request, path string) {
	raw, err := io.ReadAll(r.Body)
	s := Sent{Method: r.Method, Name: path, Mask: r.URL.Query().Get("updateMask"), Raw: string(raw)}
	if err != nil || len(raw) > 0 && json.Unmarshal(raw, &s.Level) != nil {
		Refuse(w, 400, "not a level")
		return
	}
	if r.Method == http.MethodPost {
		s.Name = s.Level.Name
	}
	f.Sent = append(f.Sent, s)
	next, why := f.changed(s)
	switch {
	case why == "exists":
		Refuse(w, 409, why)
		return
	case why != "":
		Refuse(w, 400, why)
		return
	}
	op := fmt.Sprintf("operations/%s/%s/%d", s.Name, strings.ToLower(r.Method), len(f.Sent))
	if f.Ending != nil {
		f.errors[op] = f.Ending(r)
	}
	if f.errors[op] == nil {
		f.before = maps.Clone(f.Levels)
		if f.Levels[s.Name] = next; next == nil {
			delete(f.Levels, s.Name)
		}
	}
	if f.waiting[op] = f.Slow; f.Slow == 0 {
		Answer(w, acm.Operation{Name: op, Done: true, Error: f.errors[op]})
		return
	}
	Answer(w, acm.Operation{Name: op})
}

func (f *ACM) operation(w http.ResponseWriter, name string) {
	f.Used["accesscontextmanager.accessLevels.get"] = true
	left, there := f.waiting[name]
	if !there {
		Refuse(w, 404, "no such operation")
		return
	}
	if f.waiting[name]--; left > 1 {
		Answer(w, acm.Operation{Name: name})
		return
	}
	Answer(w, acm.Operation{Name: name, Done: true, Error: f.errors[name]})
}

// Answer sends JSON.
func Answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	data, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(data)
}

// Refuse says no, and names a person as the service may.
func Refuse(w http.ResponseWriter, status int, why string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"code":%d,"message":"%s: user:ana@x.example from 81.2.69.142","status":"X"}}`, status, why)
}

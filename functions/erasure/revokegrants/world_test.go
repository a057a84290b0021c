package revokegrants

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/decideerasure"
	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/erasure/planerasure"
	"ostiary.internal/functions/erasure/runerasure"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/store"
)

const (
	me    = "revokegrants"
	plans = "planerasure"
)

// world is the function among its neighbours, and everybody outside, who speak HTTP.
type world struct {
	*erasuretest.World
	t *testing.T

	mu    sync.Mutex
	hosts map[string]http.HandlerFunc // what a host answers, where it is not as usual
	calls []call
	live  map[string]bool // tokens that Google takes
}

// call is one request that somebody outside had.
type call struct{ host, method, path, body string }

func newWorld(t *testing.T, more ...wiring.Function) *world {
	t.Helper()
	w := &world{t: t, hosts: map[string]http.HandlerFunc{}, live: map[string]bool{}}
	server := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(server.Close)
	w.World = erasuretest.New(t, map[string]string{EnvOutside: server.URL}, append(more, Function, planerasure.Function, runerasure.Function, decideerasure.Function)...)
	for _, uid := range []string{"u1", "u2", "u10"} {
		w.live["sample-"+uid] = true
	}
	return w
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	w.calls = append(w.calls, call{r.Host, r.Method, r.URL.Path, string(body)})
	own := w.hosts[r.Host]
	w.mu.Unlock()
	switch {
	case own != nil:
		own(rw, r)
	case r.Host == "oauth2.googleapis.com":
		w.google(rw, string(body))
	case strings.HasSuffix(r.URL.Path, "/requests"):
		var asked created
		_ = json.Unmarshal(body, &asked)
		rw.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(rw, `{"subject_request_id":%q}`, asked.ID)
	}
}

type created struct {
	ID string `json:"subject_request_id"`
}

// google answers as its own documentation has it.
func (w *world) google(rw http.ResponseWriter, body string) {
	form, err := url.ParseQuery(body)
	w.mu.Lock()
	defer w.mu.Unlock()
	token := form.Get("token")
	if err != nil || !w.live[token] {
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(rw, `{"error":"invalid_token","error_description":"Token expired or revoked"}`)
		return
	}
	delete(w.live, token)
	_, _ = io.WriteString(rw, "{}")
}

// answers has a host answer otherwise; nil as usual.
func (w *world) answers(host string, with http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[host] = with
}

// asked are the requests a host had.
func (w *world) asked(host string) (all []call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.calls), func(c call) bool { return c.host != host })
}

// settled sweeps what waits, and brings all messages, until nothing happens any more.
func (w *world) settled() {
	w.t.Helper()
	for range 3 {
		w.Deliver(w.t)
		w.Advance(w.t, time.Minute)
		for _, function := range []string{plans, me} {
			w.Tick(w.t, function).Want(w.t, 204, "")
			w.Deliver(w.t)
		}
	}
}

// push brings a message to the function.
func (w *world) push(topic string, payload any) functiontest.Answer {
	w.t.Helper()
	data, err := json.Marshal(payload)
	if text, raw := payload.(string); raw {
		data, err = []byte(text), nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return w.Event(w.t, me, functiontest.Push(me, functiontest.Published{Topic: topic, At: w.Clock.Now(), Message: bus.Message{Data: data}}))
}

// ends are the states of a request's connections, or of all without one, counted.
func (w *world) ends(request string) string {
	w.t.Helper()
	found, err := store.Find[oauth.Grant](w.Raw("erasure").Query(w.t.Context(), store.Query{Collection: oauth.Grants, Limit: store.MaxQueryResults}))
	if err != nil {
		w.t.Fatal(err)
	}
	counts := map[string]int{}
	for _, g := range found {
		if request == "" || g.Request == request {
			counts[g.Provider+" "+string(g.State)]++
		}
	}
	var all []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprint(counts[what], " ", what))
	}
	return strings.Join(all, ", ")
}

func (w *world) told(request string) map[string]receipt.Told {
	w.t.Helper()
	rows, err := recipient.Rows(w.t.Context(), w.Raw("erasure"), request)
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[string]receipt.Told{}
	for _, r := range rows {
		all[r.Recipient] = r.Outcome
	}
	return all
}

// connected are the uids that the product has connections of in a tenant.
func (w *world) connected(tenant string) (uids []string) {
	w.t.Helper()
	for line := range strings.Lines(w.Export(tenant)) {
		if fields := strings.Fields(line); strings.HasSuffix(fields[1], "/grants") {
			uids = append(uids, fields[2])
		}
	}
	return uids
}

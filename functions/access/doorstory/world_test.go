package doorstory

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/access/admit"
	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/access/registerip"
	"ostiary.internal/functions/access/syncallowlist"
	"ostiary.internal/functions/access/watchallowlist"
	"ostiary.internal/functions/breach/deliver"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/message"
)

const (
	keeper    = "syncallowlist"
	watchdog  = "watchallowlist"
	leases    = "/registerip/v1/leases"
	rules     = "otp: {issuer: Shared Contacts}\ntargets:\n  - {name: edge, capacity: 5000}\n" // without a fixed site
	emma      = "emma.dubois@sharedcontacts.example"
	asha      = "asha.iyer@sharedcontacts.example"
	erik      = "erik.vogel@sharedcontacts.example"
	home      = "81.2.69.142"
	cafe      = "92.40.1.7"
	elsewhere = "81.2.69.150"
	edgeKey   = "an edge's key of 26 letters"
)

// backoff is the shortest time after which a subscription delivers again what was not acknowledged; it doubles each time.
const backoff = 10 * time.Second

// topics are who hears of what.
var topics = map[string]string{lease.Topic: keeper, syncallowlist.TopicChanged: keeper, message.TopicRequested: "deliver"}

// world is the functions around one door, and the deliveries that are under way.
type world struct {
	*functiontest.World
	t    *testing.T
	door *door

	taken  map[string]int // of what was published, by topic
	queue  []delivery
	phones map[string]functiontest.Phone
	n      int
}

type delivery struct {
	function, push string
	at             time.Time
	wait           time.Duration
}

// newWorld takes files of the policy, and names and values of the environment.
func newWorld(t *testing.T, d *door, policy map[string]string, env ...string) *world {
	t.Helper()
	if policy["access.yaml"] == "" {
		policy["access.yaml"] = rules
	}
	setup := functiontest.Setup{
		// The first to open a database declares all that is in it.
		Functions: []wiring.Function{syncallowlist.Function, registerip.Function, admit.Function, watchallowlist.Function, deliver.Function},
		Policy:    policy, Env: map[string]string{parts.EnvTargets: "edge=" + d.url(t), wiring.EnvWatchdog: "world:watchdog"},
	}
	for i := 0; i < len(env); i += 2 {
		setup.Env[env[i]] = env[i+1]
	}
	w := &world{World: functiontest.New(t, setup), t: t, door: d, phones: map[string]functiontest.Phone{}, taken: map[string]int{}}
	d.on(w.Clock)
	w.PutSecret("gateway-edge", []byte(edgeKey))
	return w
}

// enrol gives people a phone each.
func (w *world) enrol(people ...string) *world {
	w.t.Helper()
	for _, email := range people {
		w.phones[email] = w.Phone(w.t, email)
	}
	return w
}

// register registers an address for a person, by her one-time password, and returns the lease.
func (w *world) register(email, from string) registerip.Lease {
	w.t.Helper()
	w.n++
	var made registerip.Lease
	w.Call(w.t, functiontest.Request{Method: "POST", Path: leases, Token: w.Staff(email), From: from, Header: http.Header{"Idempotency-Key": {fmt.Sprint(w.n)}},
		Body: map[string]string{"code": w.phones[email].Code(w.Clock.Now())}}).Want(w.t, 201, "").Decode(w.t, &made)
	return made
}

// done ends a person's lease.
func (w *world) done(email, id string) {
	w.t.Helper()
	w.Call(w.t, functiontest.Request{Method: "DELETE", Path: leases + "/" + id, Token: w.Staff(email)}).Want(w.t, 200, "")
}

// state is what the person reads of her newest lease.
func (w *world) state(email string) string {
	w.t.Helper()
	var found registerip.Leases
	w.Call(w.t, functiontest.Request{Method: "GET", Path: leases, Token: w.Staff(email)}).Want(w.t, 200, "").Decode(w.t, &found)
	if len(found.Leases) == 0 {
		return ""
	}
	return found.Leases[0].State
}

// said reports whether the person's page says a text.
func (w *world) said(email, from, text string) bool {
	w.t.Helper()
	page := w.Call(w.t, functiontest.Request{Method: "GET", Path: "/registerip/", Token: w.Staff(email), From: from, Header: http.Header{"Accept-Language": {"en"}}}).Want(w.t, 200, "")
	return strings.Contains(string(page.Body), text)
}

// in reports whether the door lets somebody in now.
func (w *world) in(email, from string) bool {
	return w.door.admits(email, netip.MustParseAddr(from), w.Clock.Now())
}

// gate is what the admission check answers about an address.
func (w *world) gate(from string) int {
	w.t.Helper()
	return w.Call(w.t, functiontest.Request{Method: "GET", Path: "/admit/v1/check", Header: http.Header{admit.KeyHeader: {edgeKey}, "X-Real-Ip": {from}}}).Status
}

// second is one second of the platform's work: what is due is delivered, what is refused comes again, and at a full minute the
// schedules run.
func (w *world) second() {
	w.t.Helper()
	now := w.Clock.Now()
	if now.Second() == 0 {
		for _, name := range []string{keeper, watchdog} {
			w.Tick(w.t, name)
		}
	}
	w.take()
	for i := 0; i < len(w.queue); i++ {
		d := w.queue[i]
		if d.at.After(now) {
			continue
		}
		if got := w.Event(w.t, d.function, d.push); got.Status == http.StatusNoContent {
			w.queue = slices.Delete(w.queue, i, i+1)
			i--
		} else {
			w.queue[i].at, w.queue[i].wait = now.Add(d.wait), 2*d.wait
		}
		w.take()
	}
}

// take puts what was published since into the queue.
func (w *world) take() {
	for topic, function := range topics {
		all := w.Published(topic)
		for _, p := range all[w.taken[topic]:] {
			w.queue = append(w.queue, delivery{function, functiontest.Push(function, p), w.Clock.Now(), backoff})
		}
		w.taken[topic] = len(all)
	}
}

// pass lets time pass, second by second.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for end := w.Clock.Now().Add(d); w.Clock.Now().Before(end); {
		w.Advance(w.t, time.Second)
		w.second()
	}
}

// records is the evidence as one text, and how often each event of the door is in it.
func (w *world) records() (text string, events map[string]int) {
	w.t.Helper()
	events = map[string]int{}
	var b strings.Builder
	for _, r := range w.Records(w.t) {
		data, err := json.Marshal(r)
		must(w.t, err)
		b.Write(data)
		if r.Control == "ip-allowlist" {
			events[r.Facts["event"]]++
		}
	}
	return b.String(), events
}

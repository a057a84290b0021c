package parts_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/access/enrolotp"
	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/access/registerip"
	"ostiary.internal/functions/access/syncallowlist"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/policy"

	_ "ostiary.internal/shared/access/allowlist/file"
)

// The control's functions together: what one decides, another carries out.
var setup = functiontest.Setup{Functions: []wiring.Function{enrolotp.Function, registerip.Function, syncallowlist.Function}}

const (
	emma   = "emma.dubois@sharedcontacts.example"
	simone = "simone.bernard@sharedcontacts.example"
	stefan = "stefan.weber@sharedcontacts.example"
	sync   = "syncallowlist"
)

func call(w *functiontest.World, email, method, path string, body any, header ...string) functiontest.Request {
	r := functiontest.Request{Method: method, Path: path, Token: w.Staff(email), Body: body}
	if len(header) == 2 {
		r.Header = http.Header{header[0]: {header[1]}}
	}
	return r
}

// register registers the person's address and delivers the word of it.
func register(t *testing.T, w *functiontest.World, phone functiontest.Phone, key string) registerip.Lease {
	t.Helper()
	var made registerip.Lease
	w.Call(t, call(w, phone.Person.Email, "POST", "/registerip/v1/leases", map[string]string{"code": phone.Code(w.Clock.Now())}, "Idempotency-Key", key)).
		Want(t, 201, "").Decode(t, &made)
	return made
}

func state(t *testing.T, w *functiontest.World, id string) string {
	t.Helper()
	var found struct{ State, Why string }
	if err := w.Raw("access").Get(t.Context(), "leases", id, &found); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(found.State + " " + found.Why)
}

// ask has a reset asked for and returns its approval.
func ask(t *testing.T, w *functiontest.World) functiontest.Request {
	t.Helper()
	var asked struct{ ID string }
	w.Call(t, call(w, simone, "POST", "/enrolotp/v1/resets", map[string]string{"email": emma, "reason": "lost"})).Want(t, 201, "").Decode(t, &asked)
	return call(w, stefan, "POST", "/enrolotp/v1/resets/"+asked.ID+"/approve", nil)
}

// TestResetEndsLeases: whatever dies between the decision and the door, what the person registered ends.
func TestResetEndsLeases(t *testing.T) {
	t.Parallel()
	stride := max(9/require.Seeds(1), 1)
	for n := 0; ; n += stride {
		w := functiontest.New(t, setup)
		made := register(t, w, w.Phone(t, emma), "k")
		w.Deliver(t)
		if got := state(t, w, made.ID); got != "confirmed" {
			t.Fatalf("lease is %s", got)
		}
		approve := ask(t, w)
		w.Deliver(t)
		w.Store.DownAfter(n) // the approving instance dies after so many calls of the store
		w.Bus.Down()
		w.Call(t, approve)
		died := w.Store.Failed() > 0
		w.Store.Up()
		w.Bus.Up()
		w.Restart()
		w.Advance(t, time.Minute)
		if got := w.Call(t, approve); got.Status != 200 && got.Code != "reset_decided" {
			t.Fatalf("approving again: %d %q", got.Status, got.Code)
		}
		w.Tick(t, sync).Want(t, 204, "") // sends what was left
		w.Deliver(t)
		if got := state(t, w, made.ID); got != "ended reset" || w.Pending(t, sync) != 0 {
			t.Fatalf("killed after %d calls: lease is %s, %d entries wait", n, got, w.Pending(t, sync))
		}
		if !died {
			return
		}
	}
}

// TestLateWord: word of a reset that arrives when the person has long registered anew ends nothing new.
func TestLateWord(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	before := register(t, w, phone, "before")
	w.Bus.Down()
	w.Call(t, ask(t, w)).Want(t, 200, "")
	w.Advance(t, time.Minute)
	w.Phone(t, emma)
	w.Advance(t, time.Minute)
	r := call(w, emma, "POST", "/registerip/v1/leases", map[string]string{"code": phone.Code(w.Clock.Now())}, "Idempotency-Key", "after")
	r.From = "92.40.1.7"
	var after registerip.Lease
	w.Call(t, r).Want(t, 201, "").Decode(t, &after)
	w.Bus.Up()
	w.Advance(t, 2*time.Hour)
	w.Tick(t, sync).Want(t, 204, "")
	w.Deliver(t)
	if got := state(t, w, before.ID); got != "ended reset" {
		t.Errorf("what was registered before is %s", got)
	}
	if got := state(t, w, after.ID); got != "confirmed" {
		t.Errorf("what was registered after is %s", got)
	}
}

// TestLost: an authenticator that may be in other hands takes the addresses along, one that was put away does not.
func TestLost(t *testing.T) {
	t.Parallel()
	for why, want := range map[string]string{"?why=lost": "ended lost", "": "confirmed"} {
		w := functiontest.New(t, setup)
		phone := w.Phone(t, emma)
		made := register(t, w, phone, "k")
		w.Call(t, call(w, emma, "DELETE", "/enrolotp/v1/authenticators/"+phone.ID+why, nil)).Want(t, 204, "")
		w.Deliver(t)
		if got := state(t, w, made.ID); got != want {
			t.Errorf("after the end %q the lease is %s, want %s", why, got, want)
		}
	}
}

// TestTargets: the list of targets names each of the policy's, once, and no other.
func TestTargets(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, functiontest.Setup{Functions: []wiring.Function{syncallowlist.Function}})
	dir := t.TempDir()
	for value, fits := range map[string]bool{
		"edge=file:" + dir: true, "": false, "edge": false, "edge=": false, "other=file:" + dir: false, "edge=file:" + dir + ",other=file:" + dir: false,
		"edge=file:" + dir + ",edge=file:" + dir: false, "edge=ftp://somewhere": false, "edge=file:" + dir + ",": false,
	} {
		deps := *w.Deps(sync)
		deps.Env = func(string) (string, bool) { return value, true }
		p, err := parts.New(&deps)
		if err != nil {
			t.Fatal(err)
		}
		targets, err := p.Targets(t.Context())
		if fits && (err != nil || len(targets) != 1) || !fits && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%q: %d targets, %v", value, len(targets), err)
		}
	}
}

// TestRules: without access.yaml the control does not start, and neither does it with a wrong one.
func TestRules(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, functiontest.Setup{Functions: []wiring.Function{syncallowlist.Function}})
	deps := *w.Deps(sync)
	deps.Policy = &policy.Policy{}
	if _, err := parts.New(&deps); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("without access.yaml: %v", err)
	}
	// The payload of the word to the allow-list names the person by id and nothing else.
	if data, _ := json.Marshal(parts.Ended{Person: "emma", Why: "lost"}); string(data) != `{"person":"emma","why":"lost"}` {
		t.Errorf("%s", data)
	}
}

// TestPairHosts: pairing takes two sites, one of each family, and is off without any. Deployed, both have certificates.
func TestPairHosts(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, functiontest.Setup{Functions: []wiring.Function{syncallowlist.Function}})
	const good = "ipv4=https://v4.example,ipv6=https://v6.example"
	for value, fits := range map[string]bool{
		good: true, "ipv6=https://v6.example:8443,ipv4=https://v4.example": true, "ipv4=http://127.0.0.1:1,ipv6=http://localhost:1": true, "ipv4=http://127.0.0.1:1,ipv6=http://[::1]:1": false, "": true,
		"ipv4=https://v4.example": false, good + ",ipv4=https://v5.example": false, "ipv4=https://v4.example,ipv4=https://v6.example": false,
		"ipv4=https://same.example,ipv6=https://same.example": false, "ipv4=https://v4.example/,ipv6=https://v6.example": false,
		"ipv4=https://a@v4.example,ipv6=https://v6.example": false, "ipv4=https://v4.example?x,ipv6=https://v6.example": false,
		"ipv4=https://v4.example;,ipv6=https://v6.example": false, "ipv4=ftp://v4.example,ipv6=https://v6.example": false, "ipv4=,ipv6=": false, "on": false,
		"ipv5=https://v4.example,ipv6=https://v6.example": false,
	} {
		for _, deployed := range []bool{false, true} {
			deps := *w.Deps(sync)
			deps.Env = func(name string) (string, bool) {
				if name == "K_SERVICE" {
					return "registerip", deployed
				}
				return value, true
			}
			p, err := parts.New(&deps)
			if err != nil {
				t.Fatal(err)
			}
			hosts, err := p.PairHosts()
			want := fits && !(deployed && strings.Contains(value, "http:"))
			if want && (err != nil || len(hosts) != strings.Count(value, "=")) || !want && !fault.Is(err, fault.Misconfigured) {
				t.Errorf("%q, deployed %t: %v, %v", value, deployed, hosts, err)
			}
		}
	}
}

// TestOwnAddresses: nobody registers an address of our own entrance; a list that cannot be read lets nothing start.
func TestOwnAddresses(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	for value, fits := range map[string]bool{
		"34.8.0.1": true, "34.8.0.1,2600:1901:0:1::": true, "34.8.0.0/31,2600:1901:0:1::/64": true, "": true,
		"34.8.0.1,": false, "lb.example": false, "34.8.0.1, 34.8.0.2": false, "34.8.0.1/31": false, "0.0.0.0/0": false, "::ffff:34.8.0.1": false, "fe80::1%eth0": false,
	} {
		deps := *w.Deps("registerip")
		deps.Env = func(name string) (string, bool) { return value, name == parts.EnvOwn }
		if p, err := parts.New(&deps); fits != (err == nil) || err != nil && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%q: %v, %v", value, p, err)
		}
	}
	s := setup
	s.Env = map[string]string{parts.EnvOwn: "34.8.0.1,2600:1901:0:1::"}
	w = functiontest.New(t, s)
	phone := w.Phone(t, emma)
	for _, from := range []string{"34.8.0.1", "2600:1901:0:1::"} {
		r := call(w, emma, "POST", "/registerip/v1/leases", map[string]string{"code": phone.Code(w.Clock.Now())}, "Idempotency-Key", from)
		r.From = from
		w.Call(t, r).Want(t, 422, "address_refused")
	}
	register(t, w, phone, "home")
}

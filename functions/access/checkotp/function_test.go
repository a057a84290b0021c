package checkotp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/directory/people"
)

var setup = functiontest.Setup{Functions: []wiring.Function{Function}}

const (
	path    = "/checkotp/v1/check"
	bastion = "bastion@services.sharedcontacts.example"
	emma    = "emma.dubois@sharedcontacts.example"
	asha    = "asha.iyer@sharedcontacts.example"
)

func ask(w *functiontest.World, email, code string) functiontest.Request {
	return functiontest.Request{Method: "POST", Path: path, Token: w.Service(bastion), Body: map[string]string{"email": email, "code": code}}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	var passed Passed
	w.Call(t, ask(w, strings.ToUpper(emma), phone.Code(w.Clock.Now().Add(-30*time.Second)))).Want(t, 200, "").Decode(t, &passed)
	if passed != (Passed{Outcome: "ok", Authenticator: phone.ID, StepDelta: -1}) {
		t.Errorf("%+v", passed)
	}
	if records := w.Records(t); len(records) != 1 {
		t.Errorf("%d records of one check", len(records))
	}
	if n := w.Pending(t, "checkotp"); n != 0 {
		t.Errorf("%d entries wait in the outbox", n)
	}
}

// TestOutcomes: every outcome a service may be told, with its status, and what it leaves behind.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	w := functiontest.New(t, setup)
	phone, token := w.Phone(t, emma), w.Token(t, asha)
	now := w.Clock.Now
	change := func(email string, c people.Change) {
		if err := w.People.Change(t.Context(), email, c); err != nil {
			t.Fatal(err)
		}
	}
	change("erik.vogel@sharedcontacts.example", people.Suspend)
	w.Phone(t, "erik.vogel@sharedcontacts.example")
	w.Call(t, ask(w, emma, phone.Code(now()))).Want(t, 200, "")
	for _, test := range []struct {
		name, email, code string
		status            int
		problem, outcome  string
	}{
		{"spent", emma, phone.Code(now()), 403, "otp_replay", "replay"},
		{"spent in another spelling", emma, " " + phone.Code(now())[:3] + "-" + phone.Code(now())[3:], 403, "otp_replay", "replay"},
		{"wrong", emma, phone.Wrong(now()), 403, "otp_wrong", "wrong"},
		{"far ahead", asha, token.Count(50), 403, "otp_wrong", "resync-started"},
		{"too far off", emma, phone.Code(now().Add(60 * time.Second)), 403, "otp_wrong", "wrong"},
		{"malformed", asha, "12345", 422, "otp_malformed", "malformed"},
		{"another script's digits", asha, "１２３４５６", 422, "otp_malformed", "malformed"},
		{"nobody", "nobody@sharedcontacts.example", "123456", 403, "otp_wrong", "unknown"},
		{"no address", "", "123456", 403, "otp_wrong", "unknown"},
		{"no authenticator", "marc.petit@sharedcontacts.example", "123456", 403, "otp_wrong", "unknown"},
		{"suspended", "erik.vogel@sharedcontacts.example", phone.Code(now()), 403, "otp_wrong", "unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before, records := w.State(t, functiontest.Counters...), len(w.Records(t))
			got := seen.Saw(w.Call(t, ask(w, test.email, test.code))).Want(t, test.status, test.problem)
			if outcome := got.Member(t, "outcome"); outcome != test.outcome {
				t.Errorf("outcome %v, want %s", outcome, test.outcome)
			}
			if _, says := got.Member(t, "retry_after_s").(float64); !says {
				t.Error("the answer does not say when to come back")
			}
			w.Unchanged(t, before, functiontest.Counters...)
			if len(w.Records(t)) != records+1 {
				t.Error("the attempt left no record")
			}
		})
	}
	for w.Call(t, ask(w, emma, phone.Wrong(now()))).Status == http.StatusForbidden {
	}
	got := seen.Saw(w.Call(t, ask(w, emma, phone.Code(now().Add(30*time.Second))))).Want(t, 429, "otp_waiting")
	if wait, _ := got.Member(t, "retry_after_s").(float64); wait < 1 || got.Member(t, "outcome") != "waiting" || got.Header.Get("Retry-After") == "" {
		t.Errorf("waiting: %s", got.Body)
	}
	lock(t, w, emma)
	got = seen.Saw(w.Call(t, ask(w, emma, phone.Code(now().Add(30*time.Second))))).Want(t, 423, "otp_locked")
	if got.Member(t, "outcome") != "locked" {
		t.Errorf("locked: %s", got.Body)
	}
	if len(w.Published("message.requested")) == 0 {
		t.Error("nobody was told of the spent code and the lock")
	}
	w.Bodies(t, &seen, functiontest.Request{Method: "POST", Path: path, Token: w.Service(bastion), Body: `{"email":"` + emma + `","code":"123456"}`})
	t.Run("callers", func(t *testing.T) {
		functiontest.ServiceGate(t, setup, &seen, bastion, functiontest.Request{Method: "POST", Path: path, Body: map[string]string{"email": emma, "code": "123456"}})
	})
	w = functiontest.New(t, setup)
	right := ask(w, emma, w.Phone(t, emma).Code(w.Clock.Now()))
	w.Outages(t, &seen, right, 200, &w.Issuer, &w.MessageKey, &w.OTPKey, &w.Directory)
	w.Panics(t, right, &w.Store, &w.Directory)
	seen.Complete(t, "checkotp", w.Routes("checkotp"))
}

// lock brings an account to the hard stop.
func lock(t *testing.T, w *functiontest.World, email string) {
	t.Helper()
	for range 60 {
		w.Advance(t, time.Hour)
		if w.Call(t, ask(w, email, "000001")).Status == http.StatusLocked {
			return
		}
	}
	t.Fatal("60 wrong codes do not lock an account")
}

// TestServiceMayNotCall: a service of the policy calls nothing that its entry does not name.
func TestServiceMayNotCall(t *testing.T) {
	t.Parallel()
	s := setup
	s.Policy = map[string]string{"services.yaml": "services: [{id: edge, email: edge@services.sharedcontacts.example, may: [admit]}]"}
	w := functiontest.New(t, s)
	r := ask(w, emma, "123456")
	r.Token = w.Service("edge@services.sharedcontacts.example")
	before := w.State(t)
	w.Call(t, r).Want(t, 403, "caller_denied")
	w.Unchanged(t, before)
}

// TestSameWork: whether a person exists, is approved or has an authenticator does not show in how often the key service
// and the store are asked.
func TestSameWork(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	w.Phone(t, "erik.vogel@sharedcontacts.example")
	if err := w.People.Change(t.Context(), "erik.vogel@sharedcontacts.example", people.Suspend); err != nil {
		t.Fatal(err)
	}
	w.Call(t, ask(w, "warm@sharedcontacts.example", "123456")) // the key that seals notices is fetched once
	work := func(email, code string) [2]int {
		keys, begun := w.OTPKey.Calls()+w.MessageKey.Calls(), w.Applied.Calls()
		w.Call(t, ask(w, email, code))
		return [2]int{w.OTPKey.Calls() + w.MessageKey.Calls() - keys, w.Applied.Calls() - begun}
	}
	want := work(emma, phone.Wrong(w.Clock.Now()))
	for _, email := range []string{"nobody@sharedcontacts.example", "marc.petit@sharedcontacts.example", "erik.vogel@sharedcontacts.example", "x@elsewhere.example"} {
		if got := work(email, "123456"); got != want {
			t.Errorf("%s: %d calls of the key service and %d transactions, for a wrong code %v", email, got[0], got[1], want)
		}
	}
}

// TestBusDown: what could not be sent does not fail the check, and leaves later.
func TestBusDown(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	w.Bus.Down()
	w.Inbox.Down()
	w.Call(t, ask(w, emma, phone.Code(w.Clock.Now()))).Want(t, 200, "")
	w.Call(t, ask(w, emma, phone.Code(w.Clock.Now()))).Want(t, 403, "otp_replay")
	if n := w.Pending(t, "checkotp"); n != 3 { // two records, and the notice of the spent code
		t.Errorf("%d entries wait in the outbox", n)
	}
	w.Bus.Up()
	w.Inbox.Up()
	w.Advance(t, time.Minute)
	if _, err := w.Deps("checkotp").Box.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.Pending(t, "checkotp"); n != 0 || len(w.Records(t)) != 2 || len(w.Published("message.requested")) != 1 {
		t.Errorf("%d entries wait, %d records, %d messages", n, len(w.Records(t)), len(w.Published("message.requested")))
	}
}

// TestDeathBeforeTheAnswer: a code that was consumed is consumed, though its caller was told otherwise.
func TestDeathBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	w.Applied.Down()
	w.Call(t, ask(w, emma, phone.Code(w.Clock.Now()))).Want(t, 503, "unavailable")
	w.Applied.Up()
	w.Restart()
	w.Call(t, ask(w, emma, phone.Code(w.Clock.Now()))).Want(t, 403, "otp_replay")
}

// TestRace: of many requests with one code, one passes.
func TestRace(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	const n = 8
	requests, answers := make([]functiontest.Request, n), make(chan int, n)
	for i := range requests {
		requests[i] = ask(w, emma, phone.Code(w.Clock.Now()))
	}
	for _, r := range requests {
		go func() { answers <- w.Call(t, r).Status }()
	}
	passed := 0
	for range n {
		if <-answers == http.StatusOK {
			passed++
		}
	}
	if passed != 1 {
		t.Errorf("%d of %d passed with one code", passed, n)
	}
}

func TestFlood(t *testing.T) {
	t.Parallel()
	functiontest.Flood(t, setup, func(w *functiontest.World) functiontest.Request {
		return ask(w, emma, w.Phone(t, emma).Code(w.Clock.Now()))
	})
}

// TestBehindIAM: where IAM has checked the token, its signature is gone; what it says still decides.
func TestBehindIAM(t *testing.T) {
	t.Parallel()
	s := setup
	s.Env = map[string]string{wiring.EnvIAM: "front", wiring.EnvIdentity: ""}
	w := functiontest.New(t, s)
	phone := w.Phone(t, emma)
	stripped := func(token string) string {
		return token[:strings.LastIndexByte(token, '.')+1] + "SIGNATURE_REMOVED_BY_GOOGLE"
	}
	own, other := stripped(w.Service(bastion)), stripped(w.Service("stranger@services.sharedcontacts.example"))
	r := ask(w, emma, phone.Code(w.Clock.Now()))
	for name, test := range map[string]struct {
		token  string
		header http.Header
		status int
		code   string
	}{
		"nobody":             {"", nil, 401, "caller_unauthenticated"},
		"stranger":           {other, nil, 403, "caller_denied"},
		"unverified address": {stripped(w.Service(bastion, map[string]any{"email_verified": false})), nil, 401, "caller_unauthenticated"},
		"another issuer":     {stripped(w.Service(bastion, map[string]any{"iss": "https://elsewhere.example"})), nil, 401, "caller_unauthenticated"},
		"expired":            {stripped(w.Service(bastion, map[string]any{"exp": 1})), nil, 401, "caller_unauthenticated"},
		"no claims":          {"a.b.c", nil, 401, "caller_unauthenticated"},
		// IAM checks this header in place of the other: what stands in Authorization is the caller's own invention.
		"checked as somebody else": {own, http.Header{"X-Serverless-Authorization": {"Bearer " + other}}, 403, "caller_denied"},
		"checked twice":            {own, http.Header{"X-Serverless-Authorization": {"Bearer " + own, "Bearer " + other}}, 401, "caller_unauthenticated"},
	} {
		sent := r
		sent.Token, sent.Header = test.token, test.header
		before := w.State(t)
		if got := w.Call(t, sent); got.Status != test.status || got.Code != test.code {
			t.Errorf("%s: answered %d %q", name, got.Status, got.Code)
		}
		w.Unchanged(t, before)
	}
	r.Token, r.Header = other, http.Header{"X-Serverless-Authorization": {"Bearer " + own}}
	w.Call(t, r).Want(t, 200, "")
}

// TestEvidence: a record says what happened and nothing that names anybody.
func TestEvidence(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	code := phone.Code(w.Clock.Now())
	w.Call(t, ask(w, emma, code))
	w.Call(t, ask(w, "nobody@sharedcontacts.example", "123456"))
	outcomes := map[string]bool{}
	for _, r := range w.Records(t) {
		outcomes[r.Facts["outcome"]] = true
		data, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		for _, private := range []string{emma, "emma", "nobody", code, functiontest.Home} {
			if strings.Contains(string(data), private) {
				t.Errorf("a record holds %q: %s", private, data)
			}
		}
		if r.Kind != record.Access || r.Config == "" || len(r.Promises) == 0 {
			t.Errorf("a record without kind, policy or promises: %s", data)
		}
	}
	if fmt.Sprint(outcomes) != "map[ok:true unknown:true]" {
		t.Errorf("outcomes %v", outcomes)
	}
}

func FuzzCheck(f *testing.F) {
	text, _ := json.Marshal(Check{Email: emma, Code: "123456"})
	functiontest.FuzzBody(f, setup, func(w *functiontest.World) functiontest.Request {
		w.Phone(f, emma)
		return ask(w, emma, "")
	}, string(text), `{"email":"nobody@x.example","code":"1"}`, `{"email":null,"code":""}`)
}

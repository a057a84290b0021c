package lease_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/storetest"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	r.records = nil
	l, err := r.send(r.request("ana", "::ffff:"+home))
	must(t, err)
	if l.Prefix.String() != home+"/32" || l.State != lease.Received || l.Family != lease.IPv4 || l.Date != "2026-03-03" ||
		!l.Started.Equal(start) || !l.Ends.Equal(time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC)) || l.Zone != "Europe/Paris" || l.TZData == "" {
		t.Errorf("registered %+v", l)
	}
	if found := r.list("ana"); len(found) != 1 || found[0] != l {
		t.Errorf("listed %+v, want %+v", found, l)
	}
	if n := r.sent(); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	entries := 0
	for _, e := range r.records {
		text := string(e.Data)
		if strings.Contains(text, home) || strings.Contains(text, `"ana"`) || strings.Contains(text, l.ID) {
			t.Errorf("the record names somebody: %s", text)
		}
		evidence, err := record.Parse(e.Data)
		must(t, err)
		if evidence.Facts["event"] != "registered" {
			continue
		}
		entries++
		if len(evidence.Subjects) != 3 || evidence.Facts["factor"] != "ok" || evidence.Facts["authenticator"] == "" ||
			!evidence.Window.To.Equal(l.Ends) {
			t.Errorf("register entry %s", text)
		}
	}
	if entries != 1 {
		t.Errorf("%d register entries, want 1", entries)
	}
}

// TestRefusalsBurnNoCode tries every refusal that needs no code, and then the very same code where it is welcome.
func TestRefusalsBurnNoCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		change  func(*lease.Config)
		prepare func(r *rig)
		spoil   func(q *lease.Request)
		code    string
		status  int
		mend    func(r *rig)
	}{
		{name: "private address", spoil: func(q *lease.Request) { q.Address = netip.MustParseAddr("10.1.2.3") }, code: "address_refused", status: 422},
		{name: "no address", spoil: func(q *lease.Request) { q.Address = netip.Addr{} }, code: "address_unknown", status: 503},
		{name: "no key", spoil: func(q *lease.Request) { q.Key = "" }, code: "body_invalid", status: 400},
		{name: "long key", spoil: func(q *lease.Request) { q.Key = strings.Repeat("k", 129) }, code: "body_invalid", status: 400},
		{name: "too many changes", change: func(c *lease.Config) { c.Rules.ChangesPerDay = 2 },
			prepare: func(r *rig) { r.register("ana", "81.2.69.1"); r.register("ana", "81.2.69.2") },
			code:    "person_limit", status: 409, mend: func(r *rig) { r.leases.Rules.ChangesPerDay = 3 }},
		{name: "weekend", change: func(c *lease.Config) { c.Rules.Weekend = access.Refuse }, prepare: func(r *rig) { r.pass(4 * 24 * time.Hour) },
			code: "person_limit", status: 409, mend: func(r *rig) { r.leases.Rules.Weekend = access.Allow }},
		{name: "no room", change: func(c *lease.Config) { c.Capacity = 1 }, prepare: func(r *rig) { r.enrol("ben"); r.register("ben", cafe) },
			code: "capacity_full", status: 503, mend: func(r *rig) { r.leases.Capacity = 2 }},
		{name: "a target without room", change: func(c *lease.Config) {
			c.Full = func(context.Context, time.Time) (bool, error) { return true, nil }
		}, code: "capacity_full", status: 503, mend: func(r *rig) { r.leases.Full = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			change := c.change
			if change == nil {
				change = func(*lease.Config) {}
			}
			r := newRig(t, change)
			r.enrol("ana")
			if c.prepare != nil {
				c.prepare(r)
			}
			q := r.request("ana", home)
			good := q
			if c.spoil != nil {
				c.spoil(&q)
			}
			before := r.account("ana")
			_, err := r.send(q)
			r.wantCode(err, c.code, c.status)
			if after := r.account("ana"); after.Throttle != before.Throttle || after.Authenticators[0].Floor != before.Authenticators[0].Floor {
				t.Error("the refusal touched the account")
			}
			if c.mend != nil {
				c.mend(r)
			}
			if _, err := r.send(good); err != nil {
				t.Errorf("the same code where it is welcome: %v", err)
			}
		})
	}
}

func TestSameKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana", "ben")
	q := r.request("ana", home)
	first, err := r.send(q)
	must(t, err)
	r.sent()
	q.Address = netip.MustParseAddr(cafe) // the phone left the house before it tried again
	again, err := r.send(q)
	if err != nil || again != first {
		t.Errorf("same key, same body: %+v, %v; want the first lease", again, err)
	}
	if n := r.sent(); n != 0 {
		t.Errorf("the retry sent %d messages", n)
	}
	other := q
	other.BodyHash = "another body"
	_, err = r.send(other)
	r.wantCode(err, "idempotency_mismatch", 409)
	theirs := r.request("ben", home)
	theirs.Key = q.Key
	if _, err := r.send(theirs); err != nil {
		t.Errorf("the same key of another person: %v", err)
	}
	fresh := r.request("ana", home)
	_, err = r.send(fresh)
	r.wantCode(err, "otp_replay", 403)
	r.pass(27 * time.Hour)
	q.Code, q.BodyHash = r.code("ana"), "a body of the next day"
	if _, err := r.send(q); err != nil {
		t.Errorf("the key after it was forgotten: %v", err)
	}
}

func TestRefusedCodesAreRemembered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	q := r.request("ana", home)
	q.Code = fmt.Sprintf("%06d", (atoi(q.Code)+1)%1000000)
	for range 3 {
		_, err := r.send(q)
		r.wantCode(err, "otp_wrong", 403)
	}
	if n := r.account("ana").Throttle.Failures; n != 1 {
		t.Errorf("%d failures counted for one request sent three times", n)
	}
	for range 3 { // three are free; the fourth starts a wait
		q.Key += "x"
		_, err := r.send(q)
		r.wantCode(err, "otp_wrong", 403)
	}
	waiting := r.request("ana", home)
	_, err := r.send(waiting)
	r.wantCode(err, "otp_waiting", 429)
	r.pass(30 * time.Second)
	waiting.Code = r.code("ana")
	if _, err := r.send(waiting); err != nil {
		t.Errorf("after the wait, with the same key: %v", err)
	}
}

func atoi(code string) (n int) {
	for _, c := range code {
		n = n*10 + int(c-'0')
	}
	return n
}

func TestOtherOutcomes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	q := r.request("ana", home)
	q.Code = "12345"
	_, err := r.send(q)
	r.wantCode(err, "otp_malformed", 422)
	q.Code = r.code("ana")
	if _, err := r.send(q); err != nil {
		t.Errorf("a malformed code was remembered: %v", err)
	}
	q = r.request("ana", home)
	q.Person = "nobody"
	_, err = r.send(q)
	r.wantCode(err, "no_authenticator", 409)
}

func TestKeyServiceDown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	r.keys.down = true
	q := r.request("ana", home)
	before := r.account("ana")
	if _, err := r.send(q); !fault.Is(err, fault.Transient) {
		t.Fatalf("without the key service: %v, want transient", err)
	}
	if after := r.account("ana"); after.Throttle != before.Throttle {
		t.Error("something was counted")
	}
	refused := q
	refused.Address = netip.MustParseAddr("10.0.0.1")
	_, err := r.send(refused)
	r.wantCode(err, "address_refused", 422)
	r.keys.down = false
	if _, err := r.send(q); err != nil {
		t.Errorf("the same request later: %v", err)
	}
}

func TestSamePrefixSameDay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	first := r.register("ana", "2a02:8109:9340:1234::1")
	r.sent()
	floor := r.account("ana").Authenticators[0].Floor
	r.pass(6 * time.Hour)
	again := r.register("ana", "2a02:8109:9340:1234:ffff::2") // another address of the same subnet
	if again.ID != first.ID || !again.Ends.Equal(first.Ends) || r.sent() != 0 {
		t.Errorf("registered again as %+v, want %+v untouched", again, first)
	}
	if r.account("ana").Authenticators[0].Floor <= floor {
		t.Error("the code was not consumed")
	}
	_, err := r.leases.End(t.Context(), "ana", first.ID, lease.Done)
	must(t, err)
	third := r.register("ana", "2a02:8109:9340:1234::1")
	if third.ID != first.ID+"-2" || third.Generation != 2 {
		t.Errorf("after its end the prefix became %s, want a second generation of %s", third.ID, first.ID)
	}
	r.pass(24 * time.Hour)
	if next := r.register("ana", "2a02:8109:9340:1234::1"); next.ID == first.ID || next.Date != "2026-03-04" {
		t.Errorf("the next day's lease is %s of %s", next.ID, next.Date)
	}
}

// TestOneCodeOneLease sends one code from many places at once: one of them may come in.
func TestOneCodeOneLease(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	var wait sync.WaitGroup
	errs := make([]error, 12)
	for i := range errs {
		q := r.request("ana", fmt.Sprintf("81.2.69.%d", i+1))
		wait.Go(func() { _, errs[i] = r.send(q) })
	}
	wait.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if fault.CodeOf(err) != "otp_replay" && fault.CodeOf(err) != "otp_waiting" {
			t.Error(err)
		}
	}
	if found := r.list("ana"); won != 1 || len(found) != 1 {
		t.Errorf("%d requests won and %d leases exist, want one", won, len(found))
	}
}

// TestRetryAfterAnyFailure fails each store call in turn. Whatever happened, the same request again must come to the
// lease: a reply that was lost never costs a code.
func TestRetryAfterAnyFailure(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		r := newRig(t)
		r.enrol("ana")
		q := r.request("ana", home)
		base, failed := 0, false
		r.faults = func(p storetest.Point, at int) error {
			if base == 0 {
				base = at
			}
			if at-base+1 == n {
				failed = true
				return storetest.ErrInjected
			}
			return nil
		}
		_, first := r.send(q)
		r.faults = nil
		l, err := r.send(q)
		if err != nil || l.State != lease.Received {
			t.Fatalf("failure at call %d (%v), then: %+v, %v", n, first, l, err)
		}
		if found := r.list("ana"); len(found) != 1 || found[0].ID != l.ID {
			t.Fatalf("failure at call %d: %d leases", n, len(found))
		}
		if !failed {
			if n < 8 {
				t.Fatalf("only %d calls seen: the test looks at nothing", n)
			}
			return
		}
	}
}

func TestAnotherSignInAccount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	r.register("ana", home)
	// Somebody else behind the same address: the sign-in account was deleted and made again.
	q := r.request("ana", cafe)
	q.Subject = "subject-1"
	_, err := r.send(q)
	must(t, err)
	r.pass(30 * time.Second)
	q = r.request("ana", cafe)
	q.Subject = "subject-2"
	if _, err := r.send(q); !fault.Is(err, fault.Denied) {
		t.Errorf("another subject: %v", err)
	}
	n, err := r.leases.EndStarted(t.Context(), "ana", lease.Reset, r.clock.Now())
	must(t, err)
	if n != 2 {
		t.Errorf("a reset ended %d leases, want 2", n)
	}
	for _, found := range r.list("ana") {
		if found.State != lease.Ended || found.Why != lease.Reset {
			t.Errorf("after the reset: %+v", found)
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	potp "github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// access is people who register where they sit, a service that asks for their codes, and a gateway that asks for
// addresses.
type access struct {
	*run
	people []*person

	mu       sync.Mutex
	attempts []*attempt
	keys     int
}

// person is somebody with an authenticator.
type person struct {
	member
	secret string

	mu    sync.Mutex
	tried map[string]bool // leases she tried to end
	used  int64           // the step of the code she used last
	until time.Time       // when she was told to come again
}

func (p *person) waits(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Before(p.until)
}

// shown reports whether she has used the code of a step, and notes that she does.
func (p *person) shown(step int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	again := p.used == step
	p.used = step
	return again
}

// attempt is one use of a code.
type attempt struct {
	who     *person
	step    int64 // of the code; -1 for a wrong one
	key     string
	again   bool // answered at another try than the first: perhaps with what the first came to
	request string
	status  int // 0: never answered
	code    string
	lease   string
	ends    time.Time
	paired  bool   // the other address of the device may be registered too:
	pair    string // by this lease; "" where there was no answer
}

// digits are as many as an authenticator shows: with eight of them, two steps hardly ever have one code.
const digits = 8

func (a *access) name() string { return "access" }

func (a *access) workers() int { return max(4, len(a.people)/3) }

// prepare gives everybody an authenticator.
func (a *access) prepare(ctx context.Context) error {
	for i, m := range a.members {
		p := &person{member: m, tried: map[string]bool{}}
		random := a.random(uint64(i), 1<<30)
		for range 32 {
			p.secret += string("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[random.IntN(32)])
		}
		got, err := a.client.again(ctx, call{method: "POST", path: "/enrolotp/v1/imports", as: &caller{email: simone},
			body: map[string]any{"email": m.email, "kind": "totp", "secret": p.secret, "digits": digits}})
		if err != nil || got.status != http.StatusCreated {
			return fmt.Errorf("giving %s an authenticator: %s, %w", m.id, got, err)
		}
		a.people = append(a.people, p)
	}
	return nil
}

// shows is what her authenticator shows at a time.
func (p *person) shows(step int64) string {
	code, err := hotp.GenerateCodeCustom(p.secret, uint64(step), hotp.ValidateOpts{Digits: potp.Digits(digits), Algorithm: potp.AlgorithmSHA1})
	if err != nil {
		panic(err) // the secret is ours
	}
	return code
}

func (a *access) work(ctx context.Context, r *rand.Rand) error {
	p := a.people[r.IntN(len(a.people))]
	now, err := a.client.now(ctx)
	if err != nil {
		return err
	}
	step, n := now.Unix()/30, r.IntN(100)
	if n < 60 && (p.waits(now) || p.shown(step) && r.IntN(12) > 0) {
		n += 40 // she has used what her authenticator shows and waits for the next code, or was told to wait
	}
	switch {
	case n < 40:
		return a.registers(ctx, a.attempt(p, step, true), p.address(r.IntN(50)), "")
	case n < 44:
		return a.together(ctx, p, step, r)
	case n < 50:
		return a.device(ctx, p, step, r)
	case n < 51:
		return a.registers(ctx, a.attempt(p, -1, true), p.address(r.IntN(50)), "")
	case n < 60:
		return a.checks(ctx, a.attempt(p, step, false))
	case n < 80:
		return a.ends(ctx, p)
	}
	return a.knocks(ctx, p, r)
}

// attempt notes that a code is about to be used.
func (a *access) attempt(p *person, step int64, keyed bool) *attempt {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys++
	t := &attempt{who: p, step: step}
	if keyed {
		t.key = fmt.Sprintf("soak-%d-%d", a.seed, a.keys)
	}
	a.attempts = append(a.attempts, t)
	return t
}

// registers asks for a lease until there is an answer, with the same key, as a phone does.
func (a *access) registers(ctx context.Context, t *attempt, from, device string) error {
	code := fmt.Sprintf("%0*d", digits, 0)
	if t.step >= 0 {
		code = t.who.shows(t.step)
	}
	body := map[string]string{"code": code}
	if device != "" {
		body["device"] = device
	}
	k := call{kind: "registrations", method: "POST", path: "/registerip/v1/leases", as: &caller{email: t.who.email}, from: from,
		header: map[string]string{"Idempotency-Key": t.key}, body: body}
	for try := range 20 {
		got, err := a.client.do(ctx, k)
		if err != nil && !errors.Is(err, errUnanswered) {
			return err
		}
		if err == nil && got.status < 500 && got.status != http.StatusUnauthorized {
			var made struct {
				ID   string
				Ends time.Time
				Pair struct{ Token string }
			}
			if got.status == http.StatusCreated {
				if err := got.into(&made); err != nil {
					return err
				}
			}
			a.mu.Lock()
			t.again, t.request, t.status, t.code, t.lease, t.ends = try > 0, got.request, got.status, got.code, made.ID, made.Ends
			a.mu.Unlock()
			if err := a.paused(ctx, t); err != nil {
				return err
			}
			if made.Pair.Token != "" {
				return a.pairs(ctx, t, made.Pair.Token)
			}
			return nil
		}
		sleep(ctx, time.Duration(20<<min(try, 5))*time.Millisecond)
	}
	return nil
}

// paused has somebody wait a minute or two who was told to.
func (a *access) paused(ctx context.Context, t *attempt) error {
	if t.code != "otp_waiting" && t.code != "otp_locked" {
		return nil
	}
	now, err := a.client.now(ctx)
	t.who.mu.Lock()
	defer t.who.mu.Unlock()
	t.who.until = now.Add(90 * time.Second)
	return err
}

// pairs brings the other address of the device. It knows nobody: what it is shown is the token.
func (a *access) pairs(ctx context.Context, t *attempt, token string) error {
	got, err := a.client.do(ctx, call{kind: "second addresses", method: "POST", path: "/pairaddress/v1/addresses", from: t.who.address6(len(token)), body: map[string]string{"token": token}})
	if err == nil && !got.good() && got.status < 500 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t.paired, t.pair = true, got.text("id")
	return err
}

// together uses one code from two devices at the same moment.
func (a *access) together(ctx context.Context, p *person, step int64, r *rand.Rand) error {
	var both sync.WaitGroup
	failed := make([]error, 2)
	for i := range failed {
		t, from := a.attempt(p, step, true), p.address(r.IntN(50))
		both.Go(func() { failed[i] = a.registers(ctx, t, from, "") })
	}
	both.Wait()
	return errors.Join(failed...)
}

// device lets a second device in, by a code that it shows.
func (a *access) device(ctx context.Context, p *person, step int64, r *rand.Rand) error {
	got, err := a.client.do(ctx, call{kind: "registrations", method: "POST", path: "/registerip/v1/devices", as: &caller{email: p.email}, from: p.address(r.IntN(50))})
	if err != nil || got.status != http.StatusCreated {
		return err
	}
	return a.registers(ctx, a.attempt(p, step, true), p.address(r.IntN(50)), got.text("code"))
}

// checks lets a service ask whether a code is hers. There is no key: whoever gets no answer asks for the next code.
func (a *access) checks(ctx context.Context, t *attempt) error {
	got, err := a.client.do(ctx, call{kind: "code checks", method: "POST", path: "/checkotp/v1/check", as: &caller{service: "bastion"},
		body: map[string]string{"email": t.who.email, "code": t.who.shows(t.step)}})
	if err != nil || got.status >= 500 || got.status == http.StatusUnauthorized {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t.request, t.status, t.code = got.request, got.status, got.code
	return nil
}

// lease is one as the interface shows it.
type lease struct {
	ID, Prefix, State string
	Ends              time.Time
}

func (l lease) live(now time.Time) bool {
	return l.State != "ended" && l.State != "failed" && l.Ends.After(now)
}

// leases are hers.
func (a *access) leases(ctx context.Context, p *person) ([]lease, error) {
	var listed struct{ Leases []lease }
	got, err := a.client.again(ctx, call{kind: "lists", method: "GET", path: "/registerip/v1/leases", as: &caller{email: p.email}})
	if err != nil {
		return nil, err
	}
	if !got.good() {
		return nil, fmt.Errorf("listing the leases of %s: %s", p.id, got)
	}
	return listed.Leases, got.into(&listed)
}

// ends takes back one of her addresses.
func (a *access) ends(ctx context.Context, p *person) error {
	now, err := a.client.now(ctx)
	if err != nil {
		return err
	}
	all, err := a.leases(ctx, p)
	for _, l := range all {
		if !l.live(now) {
			continue
		}
		p.mu.Lock()
		p.tried[l.ID] = true
		p.mu.Unlock()
		_, err := a.client.do(ctx, call{kind: "ends", method: "DELETE", path: "/registerip/v1/leases/" + l.ID, as: &caller{email: p.email}})
		return err
	}
	return err
}

// knocks asks, as a gateway does, whether an address may come in: hers, or a stranger's, who never may.
func (a *access) knocks(ctx context.Context, p *person, r *rand.Rand) error {
	from, stranger := p.address(r.IntN(50)), r.IntN(3) == 0
	if stranger {
		from = fmt.Sprintf("62.%d.%d.%d", 1+r.IntN(200), r.IntN(250), 1+r.IntN(250))
	}
	got, err := a.client.do(ctx, call{kind: "gateway", method: "GET", path: "/admit/v1/check", as: &caller{gateway: "edge"}, header: map[string]string{"X-Real-Ip": from}})
	if err == nil && stranger {
		a.oracle.holds(addressByLease, got.status != http.StatusNoContent, "a stranger at %s was let in", from)
	}
	return err
}

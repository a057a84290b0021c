package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// The customers whose users ask to be forgotten: of one that has the same people in both, one alone asks.
const (
	north = "cabinet-nord"
	south = "cabinet-sud"
)

// erase is users of customers who ask to be forgotten, and the desk that decides where a person has to.
type erase struct {
	*run

	mu       sync.Mutex
	subjects []*subject
	desk     map[string]int // what the desk did
}

// subject is a user of a customer, with all that is known of her.
type subject struct {
	uid, email string
	twin       bool      // the other customer has the same person
	docs       int       // in each of the two
	born       time.Time // when her data was put there: by its age alone some is erased after 90 days
	planted    bool

	busy      bool     // somebody plays her
	requests  []string // their numbers: whoever got no answer asks again
	code      string   // from her mail
	sent      bool     // the code, once at least: it may have counted though nobody said so
	confirmed bool
	cancelled bool // she tried to
	state     string
	receipt   bool // hers was verified
}

func (e *erase) name() string { return "erasure" }

func (e *erase) workers() int { return 2 }

func (e *erase) prepare(context.Context) error {
	e.desk = map[string]int{}
	return nil
}

// over are the states in which everything of hers is gone.
var over = []string{"completed", "completed_with_retention"}

func (e *erase) work(ctx context.Context, r *rand.Rand) error {
	sleep(ctx, time.Duration(r.IntN(500))*time.Millisecond)
	switch r.IntN(5) {
	case 0:
		return e.begins(ctx, r)
	case 1:
		return e.decides(ctx, r)
	}
	s := e.pick(r)
	if s == nil {
		return nil
	}
	defer e.free(s)
	return e.goesOn(ctx, s, r)
}

// begins has somebody new ask.
func (e *erase) begins(ctx context.Context, r *rand.Rand) error {
	e.mu.Lock()
	n := len(e.subjects)
	s := &subject{uid: fmt.Sprintf("uq%04dzk", n), email: fmt.Sprintf("canary%04dzk@mail.example", n), twin: r.IntN(2) == 0, busy: true}
	e.subjects = append(e.subjects, s)
	e.mu.Unlock()
	defer e.free(s)
	sessions := 1 + r.IntN(12)
	if n%12 == 5 {
		sessions = 520 // more than anything erases without somebody of the desk
	}
	if err := e.plant(ctx, s, sessions); err != nil {
		return err
	}
	return e.asks(ctx, s)
}

func (e *erase) free(s *subject) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.busy = false
}

// pick returns somebody who has asked and has no answer yet.
func (e *erase) pick(r *rand.Rand) *subject {
	e.mu.Lock()
	defer e.mu.Unlock()
	for range 20 {
		if len(e.subjects) == 0 {
			return nil
		}
		s := e.subjects[r.IntN(len(e.subjects))]
		if !s.busy && s.planted && !slices.Contains(over, s.state) && s.state != "cancelled" {
			s.busy = true
			return s
		}
	}
	return nil
}

// plant puts her data there: all of it, or, where nobody answers, the same again.
func (e *erase) plant(ctx context.Context, s *subject, sessions int) error {
	now, err := e.client.now(ctx)
	if err != nil {
		return err
	}
	s.docs, s.born = 2+sessions, now
	tenants := []string{north}
	if s.twin {
		tenants = append(tenants, south)
	}
	var docs []map[string]any
	for _, tenant := range tenants {
		put := func(entry, name string, fields map[string]any) {
			docs = append(docs, map[string]any{"entry": entry, "tenant": tenant, "name": name, "created": now, "fields": fields})
		}
		put("users", s.uid, map[string]any{"uid": s.uid, "email": s.email, "name": "Canary " + s.uid, "created_at": now})
		put("pictures", "tenants/"+tenant+"/users/"+s.uid+"/portrait.jpg", map[string]any{"bytes": 2048})
		for i := range sessions {
			put("sessions", fmt.Sprintf("%s-s%d", s.uid, i), map[string]any{"uid": s.uid, "started_at": now})
		}
	}
	for piece := range slices.Chunk(docs, 250) {
		a, err := e.client.again(ctx, call{kind: "data", method: "POST", path: "/_local/data", body: map[string]any{"documents": piece}})
		if err == nil && !a.good() {
			err = fmt.Errorf("planting data: %s", a)
		}
		if err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s.planted = true
	return nil
}

// asks asks to be forgotten, until there is an answer. Each try that was not answered may be a request too.
func (e *erase) asks(ctx context.Context, s *subject) error {
	for range 10 {
		a, err := e.client.do(ctx, call{kind: "deletion requests", method: "POST", path: "/requesterasure/v1/requests", from: e.network(s),
			body: map[string]any{"email": s.email, "tenant": north, "kind": "erasure", "language": "en"}})
		if err != nil && !errors.Is(err, errUnanswered) {
			return err
		}
		if err == nil && a.status == http.StatusAccepted {
			e.mu.Lock()
			s.requests = append(s.requests, a.text("number"))
			e.mu.Unlock()
			return nil
		}
		sleep(ctx, 30*time.Millisecond)
	}
	return nil
}

// network is where she sits: nobody's letter waits because many ask from there.
func (e *erase) network(s *subject) string {
	var n int
	_, _ = fmt.Sscanf(s.uid, "uq%d", &n)
	return fmt.Sprintf("90.%d.%d.9", n/250%250, n%250)
}

// goesOn has her do what she does next: read the mail, confirm, take it back, or look how far it is.
func (e *erase) goesOn(ctx context.Context, s *subject, r *rand.Rand) error {
	if len(s.requests) == 0 {
		return e.asks(ctx, s)
	}
	if s.code == "" {
		all, err := e.post.look(ctx)
		if err != nil {
			return err
		}
		for _, m := range to(all, s.email) {
			if len(m.Codes) > 0 {
				s.code = m.Codes[0]
			}
		}
		return nil
	}
	number := s.requests[len(s.requests)-1]
	path := "/requesterasure/v1/requests/" + number
	switch {
	case !s.confirmed:
		return e.confirms(ctx, s, r)
	case !s.cancelled && r.IntN(25) == 0:
		s.cancelled = true
		_, err := e.client.do(ctx, call{kind: "deletion requests", method: "POST", path: path + "/cancel", from: e.network(s), body: map[string]any{"code": s.code}})
		return err
	}
	return e.looks(ctx, s)
}

// confirms sends the code of the mail to the request it belongs to; whose that is, she finds out.
func (e *erase) confirms(ctx context.Context, s *subject, r *rand.Rand) error {
	if r.IntN(5) == 0 { // mistyped
		_, err := e.client.do(ctx, call{kind: "deletion requests", method: "POST", path: "/requesterasure/v1/requests/" + s.requests[0] + "/confirm", from: e.network(s), body: map[string]any{"code": "wrong-code"}})
		return err
	}
	s.sent = true
	for _, q := range s.requests {
		a, err := e.client.do(ctx, call{kind: "deletion requests", method: "POST", path: "/requesterasure/v1/requests/" + q + "/confirm", from: e.network(s), body: map[string]any{"code": s.code}})
		if err != nil {
			return err
		}
		if a.good() {
			s.confirmed = true
		}
	}
	if !s.confirmed { // another letter has come meanwhile, with another code
		s.code = ""
	}
	return nil
}

// looks asks how far it is.
func (e *erase) looks(ctx context.Context, s *subject) error {
	for _, q := range s.requests {
		a, err := e.client.do(ctx, call{kind: "deletion requests", method: "GET", path: "/requesterasure/v1/requests/" + q, from: e.network(s), header: map[string]string{"Request-Secret": s.code}})
		if err != nil {
			return err
		}
		if state := a.text("state"); a.good() && state != "cancelled" || state != "" && len(s.requests) == 1 {
			e.mu.Lock()
			s.state = state
			e.mu.Unlock()
		}
	}
	return nil
}

// decides has the desk approve the plans that wait for it: one person, or by the rules a second one.
func (e *erase) decides(ctx context.Context, r *rand.Rand) error {
	who := &caller{email: []string{dorothea, simone}[r.IntN(2)]}
	a, err := e.client.do(ctx, call{kind: "desk", method: "GET", path: "/decideerasure/v1/requests?show=desk", as: who})
	if err != nil || !a.good() {
		return err
	}
	var listed struct {
		Requests []struct {
			ID    string
			Waits []string
		}
	}
	if err := a.into(&listed); err != nil {
		return err
	}
	for _, q := range listed.Requests {
		if !slices.Contains(q.Waits, "approve") && !slices.Contains(q.Waits, "second") {
			continue
		}
		a, err := e.client.do(ctx, call{kind: "desk", method: "GET", path: "/decideerasure/v1/requests/" + q.ID, as: who})
		if err != nil || !a.good() {
			return err
		}
		a, err = e.client.do(ctx, call{kind: "desk", method: "POST", path: "/decideerasure/v1/requests/" + q.ID + "/approve", as: who, body: map[string]any{"plan_digest": a.text("plan_digest")}})
		if err != nil {
			return err
		}
		if a.good() {
			e.mu.Lock()
			e.desk["plans approved"]++
			e.mu.Unlock()
		}
	}
	return nil
}

func (e *erase) counts() map[string]int {
	all := map[string]int{"plans approved": e.desk["plans approved"], "people who asked to be forgotten": len(e.subjects)}
	for _, s := range e.subjects {
		if slices.Contains(over, s.state) {
			all["people forgotten"]++
		}
		if s.state == "cancelled" {
			all["requests taken back"]++
		}
	}
	return all
}

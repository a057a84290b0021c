package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Rules that the planted entries break, and those that late entries of a session may.
const (
	ticketRule = "impersonation-with-ticket"
	burstRule  = "impersonation-burst"
)

// watch is employees who act as customers' users: what they do is known in advance, and so are the alarms it leads to.
type watch struct {
	*run

	mu       sync.Mutex
	plans    []*plan
	last     map[string]time.Time // of each person: her last entry
	lines    int
	covered  int // entries that a ticket covers
	repeated int // entries sent again
	answers  map[string]int
	reviewed map[string]bool      // questions that were answered as reviewed
	known    map[string]episode   // by id, as they were listed last
	returned map[string]time.Time // when somebody acted again as a user of an earlier customer, by both
}

// plan is one episode that is to come of what somebody did.
type plan struct {
	who    member
	rule   string
	tenant string
	hits   []time.Time // of the entries that break the rule, in order
	sent   bool        // all of them were taken
	judged bool
	exact  bool // all of them came in time, so that there is one alarm and no more
}

func (w *watch) name() string { return "watch" }

func (w *watch) workers() int { return 3 }

func (w *watch) prepare(context.Context) error {
	w.last, w.answers, w.reviewed, w.known = map[string]time.Time{}, map[string]int{}, map[string]bool{}, map[string]episode{}
	w.returned = map[string]time.Time{}
	return nil
}

func (w *watch) work(ctx context.Context, r *rand.Rand) error {
	sleep(ctx, time.Duration(r.IntN(400))*time.Millisecond)
	if r.IntN(2) == 0 {
		return w.justify(ctx, r)
	}
	return w.acts(ctx, r)
}

// session is one time somebody acts as a customer's user: a line at its beginning and one at its end.
type session struct {
	user, tenant, ticket, reason string
	at                           time.Time
}

// acts has somebody act as users of customers: with a ticket, or without one; of one customer or several; of so many
// users that it is a burst.
func (w *watch) acts(ctx context.Context, r *rand.Rand) error {
	now, err := w.client.now(ctx)
	if err != nil {
		return err
	}
	who := w.members[r.IntN(len(w.members))]
	at, enough := w.reserve(who, now, r)
	if !enough {
		return nil
	}
	w.mu.Lock()
	w.lines++
	n := w.lines
	w.mu.Unlock()
	customer := func(i int) string { return fmt.Sprintf("customer-%d-%d.example", n, i) }
	if again := w.earlier(who, now, r); again != "" {
		customer = func(int) string { return again }
	}
	var sessions []session
	var plans []*plan
	switch kind := r.IntN(10); {
	case kind < 3: // a ticket covers it
		for i := range 1 + r.IntN(3) {
			sessions = append(sessions, session{fmt.Sprint("u-", i), customer(0), fmt.Sprint("T-", n), "labels are missing", at(i)})
		}
	case kind < 6: // one customer
		for i := range 1 + r.IntN(2) {
			sessions = append(sessions, session{"u-0", customer(0), "", "labels are missing", at(i)})
		}
		plans = append(plans, expected(who, ticketRule, sessions))
	case kind < 8 && customer(0) != customer(1): // several customers by one person
		for i := range 2 + r.IntN(2) {
			one := session{"u-0", customer(i), "", "labels are missing", at(i)}
			sessions, plans = append(sessions, one), append(plans, expected(who, ticketRule, []session{one}))
		}
	default: // several users of one customer at once
		for i := range 3 + r.IntN(2) {
			sessions = append(sessions, session{fmt.Sprint("u-", i), customer(0), "", "labels are missing", at(i)})
		}
		plans = append(plans, expected(who, ticketRule, sessions), expected(who, burstRule, sessions))
	}
	w.mu.Lock()
	w.plans = append(w.plans, plans...)
	if len(plans) == 0 {
		w.covered += len(sessions)
	}
	w.mu.Unlock()
	return w.sends(ctx, who, n, sessions, plans, r)
}

func expected(who member, rule string, sessions []session) *plan {
	p := &plan{who: who, rule: rule, tenant: sessions[0].tenant}
	for _, s := range sessions {
		p.hits = append(p.hits, s.at)
	}
	return p
}

// reserve returns the times of entries of somebody, none of which she has already: by them her episodes are told apart.
func (w *watch) reserve(who member, now time.Time, r *rand.Rand) (at func(int) time.Time, enough bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := now.Add(-time.Duration(20+r.IntN(40)) * time.Second).Truncate(time.Second)
	switch r.IntN(12) {
	case 0, 1: // late, but in time
		first = first.Add(-time.Duration(r.IntN(120)) * time.Second)
	case 2: // too late for one alarm only
		first = first.Add(-time.Duration(15+r.IntN(300)) * time.Minute)
	}
	if last := w.last[who.id]; !first.After(last) {
		first = last.Add(time.Second)
	}
	if first.Add(6 * time.Second).After(now) {
		return nil, false
	}
	w.last[who.id] = first.Add(6 * time.Second)
	return func(i int) time.Time {
		return first.Add(time.Duration(i)*1200*time.Millisecond + time.Duration(1+r.IntN(999))*time.Microsecond)
	}, true
}

// earlier is a customer as whose user she acted so long ago that this is another episode; "" where there is none.
func (w *watch) earlier(who member, now time.Time, r *rand.Rand) string {
	if r.IntN(3) > 0 {
		return ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.plans {
		if p.who.id == who.id && p.judged && p.exact && now.Sub(p.hits[len(p.hits)-1]) > longAgo && !slices.ContainsFunc(w.plans, func(q *plan) bool {
			return q.who.id == who.id && q.tenant == p.tenant && now.Sub(q.hits[len(q.hits)-1]) <= longAgo
		}) && now.Sub(w.returned[who.id+" "+p.tenant]) > longAgo { // nobody else plans the same at this moment
			w.returned[who.id+" "+p.tenant] = now
			return p.tenant
		}
	}
	return ""
}

// longAgo is more than any rule's quiet period and the delay of an entry together.
const longAgo = 4 * time.Hour

// sends brings the entries to the log: out of order, in pieces, and some of them twice.
func (w *watch) sends(ctx context.Context, who member, n int, sessions []session, plans []*plan, r *rand.Rand) error {
	var entries []any
	for i, s := range sessions {
		entries = append(entries, entry(who, fmt.Sprintf("%d-%d-a", n, i), "impersonation.started", s, s.at), entry(who, fmt.Sprintf("%d-%d-b", n, i), "impersonation.stopped", s, s.at.Add(time.Second)))
	}
	r.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	for len(entries) > 0 {
		size := 1 + r.IntN(len(entries))
		for try := 0; ; try++ {
			got, err := w.client.do(ctx, call{kind: "log entries", method: "POST", path: "/_local/events", body: entries[:size]})
			if err != nil && !errors.Is(err, errUnanswered) {
				return err
			}
			if taken := err == nil && got.good(); taken && (try > 0 || r.IntN(6) > 0) {
				break
			}
			w.mu.Lock()
			w.repeated += size
			w.mu.Unlock()
			sleep(ctx, 20*time.Millisecond)
		}
		entries = entries[size:]
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range plans {
		p.sent = true
	}
	return nil
}

// entry is a line of the product's own log.
func entry(who member, id, event string, s session, at time.Time) map[string]any {
	when := at.Format(time.RFC3339Nano)
	told := map[string]any{"event": event, "employee": who.email, "user": s.user, "domain": s.tenant, "reason": s.reason, "at": when, "result": "ok", "address": "81.2.69.193"}
	if s.ticket != "" {
		told["ticket"] = s.ticket
	}
	return map[string]any{"insertId": "soak-" + id, "logName": "projects/" + live + "/logs/act-as", "timestamp": when, "jsonPayload": told}
}

// justify has somebody explain what she is asked about, or somebody of security look at an explanation.
func (w *watch) justify(ctx context.Context, r *rand.Rand) error {
	who := w.members[r.IntN(len(w.members))].email
	if r.IntN(2) == 0 {
		who = []string{simone, stefan}[r.IntN(2)]
	}
	all, err := w.episodes(ctx, who)
	if err != nil || len(all) == 0 {
		return err
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, e := range all[:min(len(all), 40)] {
		var what string
		var body map[string]any
		switch {
		case e.MayAnswer && who != simone && who != stefan:
			what, body = "answer", map[string]any{"reason": "support-request", "ticket": "T-7"}
			if r.IntN(12) == 0 {
				body = map[string]any{"not_me": true}
			}
		case e.MayReview:
			what, body = "review", map[string]any{"verdict": []string{"accepted", "accepted", "refused"}[r.IntN(3)]}
		default:
			continue
		}
		got, err := w.client.do(ctx, call{kind: "justifications", method: "POST", path: "/justify/v1/episodes/" + e.ID + "/" + what, as: &caller{email: who}, body: body})
		w.mu.Lock()
		defer w.mu.Unlock()
		if err == nil && got.good() {
			w.answers[what]++
			if what == "review" {
				w.reviewed[fmt.Sprint(e.ID, " ", e.Question)] = true
			}
		} else if err != nil || got.status >= 500 {
			w.answers[what+" unknown"]++
		}
		return err
	}
	return nil
}

// episode is one as the interface shows it.
type episode struct {
	ID, Kind, State, Rule, Person string
	First, Alarmed                time.Time
	Question                      int  // counts from 1
	MayAnswer                     bool `json:"may_answer"`
	MayReview                     bool `json:"may_review"`
}

// episodes are those somebody may look at.
func (w *watch) episodes(ctx context.Context, who string) ([]episode, error) {
	got, err := w.client.do(ctx, call{kind: "lists", method: "GET", path: "/justify/v1/episodes", as: &caller{email: who}})
	if err != nil || !got.good() {
		return nil, err
	}
	var listed struct{ Episodes []episode }
	return listed.Episodes, got.into(&listed)
}

// rested notes which entries came in time: what was sent when the clock had moved by minutes only.
func (w *watch) rested(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.plans {
		if !p.judged {
			p.judged, p.exact = true, p.sent && now.Sub(p.hits[0]) < inTime
		}
	}
}

// inTime is how late an entry may come and still change nothing of what goes out, less a minute to be sure.
const inTime = 9 * time.Minute

func (w *watch) counts() map[string]int {
	exact := 0
	for _, p := range w.plans {
		if p.exact {
			exact++
		}
	}
	return map[string]int{"episodes planted": len(w.plans), "episodes planted whose entries all came in time": exact, "log entries that a ticket covers": w.covered, "log entries sent again": w.repeated,
		"episodes answered": w.answers["answer"], "episodes reviewed": w.answers["review"]}
}

package request

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

// play is one telling of a story: what people do at their hours, and an engine that acts on the messages it gets.
type play struct {
	w     *world
	chaos *rand.Rand // nil: every message comes at once, once, in order, and nobody dies
	todo  []occasion
	taken int            // messages that are on their way
	who   map[string]int // request: person
	items map[string]int // what each request finds that came late: two of one person must not race for it
	plans []Plan
}

type occasion struct {
	at     time.Duration
	do     func() error
	person bool // who tries again at once; a message comes again later
}

// act is what a person or the desk does.
type act struct {
	at   time.Duration
	who  int
	what string
}

// script draws what happens in some days. People act hours apart: so much later than any message may be late.
func script(r *rand.Rand) (acts []act, plans []Plan) {
	for who := range 4 + r.IntN(3) {
		at := time.Duration(r.IntN(5)) * 24 * time.Hour
		add := func(hours int, what string) { acts = append(acts, act{at + time.Duration(hours)*time.Hour, who, what}) }
		p := Plan{Digest: fmt.Sprint("sha256:", who), Map: "m", Own: true, Items: 10}
		switch r.IntN(8) {
		case 0:
			p.Items = 900
		case 1:
			p.Theirs, p.Own = true, false
		case 2:
			p.Theirs = true
		case 3:
			p.Last = true
			add(20, "settle")
		}
		plans = append(plans, p)
		add(0, []string{"ask", "enter", "signed in", "instruct"}[r.IntN(4)])
		if r.IntN(3) == 0 {
			add(1, "ask")
		}
		if r.IntN(6) > 0 {
			add(6, "confirm")
		}
		switch r.IntN(8) {
		case 0:
			add(5, "cancel")
		case 1:
			add(12, "cancel")
		case 2:
			add(13, "reject dan")
			add(14, "reject dora")
		case 3, 4:
			add(13, "hold dan")
			add(14, "hold dora")
		}
		add(24, "approve")
		add(36, "approve")
		if r.IntN(2) == 0 {
			add(24*3+5, "late data")
		}
	}
	return acts, plans
}

const untilDay = 42 // everything is over by then, with the last search of what began last

func address(who int) string { return fmt.Sprintf("p%d@customer.example", who) }

// ids are a person's requests, oldest first.
func (p *play) ids(who int) (all []string) {
	for id, w := range p.who {
		if w == who {
			all = append(all, id)
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		ra, rb := p.w.read(a), p.w.read(b)
		return cmp.Or(ra.Entered.Compare(rb.Entered), strings.Compare(a, b))
	})
	return all
}

// act lets a person act on all she has asked for. What the state does not have is no error: she is told.
func (p *play) act(a act) error {
	w, ctx := p.w, context.Background()
	verb, by, _ := strings.Cut(a.what, " ")
	switch a.what {
	case "ask", "enter", "signed in", "instruct":
		return p.begin(a)
	case "late data":
		for _, id := range p.ids(a.who) {
			p.items[id]++
		}
		return nil
	}
	for _, id := range p.ids(a.who) {
		r, err := w.read(id), error(nil)
		switch verb {
		case "confirm":
			if r.State != IdentityPending {
				continue
			}
			_, err = w.Confirm(ctx, r.Number, w.code(id), w.now())
		case "cancel":
			_, err = w.change(ctx, id, w.now(), "", func(*turn) (Event, error) { return Event{What: Withdraw}, nil })
		case "settle":
			_, err = w.Settle(ctx, id, w.person("sam"), w.now())
		case "approve":
			_, err = w.Approve(ctx, id, w.person("dora"), p.plans[a.who].Digest, w.now())
		case "reject":
			_, err = w.Reject(ctx, id, w.person(by), NotOwed, "", w.now())
		case "hold":
			_, err = w.Hold(ctx, id, w.person(by), Hold{Entry: "invoices", Ground: LegalClaims, Until: calendar.Day{Year: 2026, Month: 3, Day: 20}}, w.now())
		}
		if fault.Is(err, fault.Transient) {
			return err
		}
	}
	return nil
}

// begin asks. A request whose answer was lost is another request, so nobody dies here.
func (p *play) begin(a act) error {
	w, ctx := p.w, context.Background()
	left := w.left
	w.left = -1
	defer func() { w.left = left }()
	w.known("acme", address(a.who))
	var id string
	switch a.what {
	case "enter":
		r, err := w.Enter(ctx, w.person("dan"), Entry{Channel: Paper, Received: w.now().Add(-50 * time.Hour), Tenant: "acme", Email: address(a.who)}, w.now())
		w.must(err)
		id = r.ID
	case "instruct":
		r, err := w.Instruct(ctx, Instruction{Tenant: "acme", ID: fmt.Sprint("i", a.who), Digest: "d", Submitted: w.now(), Identifiers: []Identifier{{Kind: "email", Value: address(a.who)}}}, w.now())
		w.must(err)
		id = r.ID
	default:
		ask := Ask{Tenant: "acme", Email: address(a.who), Source: fmt.Sprint("s", a.who)}
		if a.what == "signed in" {
			ask.Session = &Session{UID: fmt.Sprint("u", a.who), Email: address(a.who), Tenant: "acme", Role: Subject, At: w.now()}
		}
		r, err := w.Ask(ctx, ask, w.now())
		w.must(err)
		id = r.ID
	}
	p.who[id] = a.who
	return nil
}

// engine does what a message asks for, as the request has it now.
func (p *play) engine(id string) error {
	w, ctx := p.w, context.Background()
	who, known := p.who[id]
	if !known {
		return nil // half of a request that was split is over from its beginning
	}
	work, err := w.Work(ctx, id, w.now())
	if err != nil {
		return err
	}
	switch {
	case work.State == Received:
		return w.Identify(ctx, id, w.now())
	case work.State == Planning:
		_, err = w.Planned(ctx, id, work.Round, p.plans[who], w.now())
	case work.State == Approved || work.State == Executing:
		if _, err = w.Started(ctx, id, work.Round, work.Plan, w.now()); err == nil {
			p.items[id] = 0
			_, err = w.Executed(ctx, id, work.Round, Totals{Erased: 10}, w.now())
		}
	case work.Search > 0:
		o := Outcome{Left: int64(p.items[id])}
		for _, h := range work.Holds {
			o.Kept = append(o.Kept, Kept{Entry: h.Entry, Items: 1, Ground: h.Ground, Until: h.Until})
		}
		_, err = w.Verified(ctx, id, work.Round, work.Search, o, w.now())
	}
	if fault.Is(err, fault.Conflict) {
		return nil // somebody else was first
	}
	return err
}

func (p *play) plan(at time.Duration, do func() error) {
	p.todo = append(p.todo, occasion{at: at, do: do})
}

// deliver sends what was published on its way: late, twice or more, in any order, or never.
func (p *play) deliver(at time.Duration) {
	for ; p.taken < len(p.w.asked); p.taken++ {
		e := p.w.asked[p.taken]
		if e.Target != TopicPlan && e.Target != TopicRun {
			continue
		}
		id := strings.Split(e.Key, "/")[1]
		do := func() error { return p.engine(id) }
		if p.chaos == nil {
			p.plan(at, do)
			continue
		}
		if p.chaos.IntN(8) == 0 {
			continue
		}
		for delay := time.Duration(p.chaos.IntN(25)) * time.Minute; ; delay += time.Duration(p.chaos.IntN(240)) * time.Minute {
			p.plan(at+delay, do)
			if p.chaos.IntN(3) > 0 {
				break
			}
		}
	}
}

// run tells the story to its end.
func (p *play) run(acts []act) {
	w := p.w
	for _, a := range acts {
		p.todo = append(p.todo, occasion{a.at, func() error { return p.act(a) }, true})
	}
	for at := time.Duration(0); at < untilDay*24*time.Hour; {
		p.plan(at, func() error {
			_, err := w.Box.Sweep(context.Background())
			return errorsJoin(err, w.Tick(context.Background(), w.now()))
		})
		step := 20 * time.Minute
		if at > 8*24*time.Hour {
			step = 4 * time.Hour
		}
		at += step
	}
	for len(p.todo) > 0 {
		slices.SortStableFunc(p.todo, func(a, b occasion) int { return cmp.Compare(a.at, b.at) })
		next := p.todo[0]
		p.todo = p.todo[1:]
		w.to(next.at)
		err := p.survive(next.do)
		for err != nil && next.person {
			err = p.survive(next.do)
		}
		if err != nil {
			p.plan(next.at+time.Duration(1+p.chaos.IntN(5))*time.Minute, next.do)
		}
		p.deliver(next.at)
	}
}

// survive does something, and may die at any call of the store, the keys, the vault, the directory and the sinks.
func (p *play) survive(do func() error) error {
	if p.w.left = -1; p.chaos != nil && p.chaos.IntN(4) == 0 {
		p.w.left = p.chaos.IntN(40)
	}
	err := do()
	p.w.left = -1
	if err != nil && (p.chaos == nil || !fault.Is(err, fault.Transient)) {
		p.w.t.Fatal(err)
	}
	return err
}

func errorsJoin(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// ending is how a story ended: each person's requests, the letters, the evidence.
func (p *play) ending() []string {
	counts := map[string]int{}
	for id, who := range p.who {
		r := p.w.read(id)
		counts[fmt.Sprintf("person %d: %s %s %s, answered %s, due %s, closed %v, linked %d, split %v, holds %d, searched %d, amended %d, erased %d, overdue %v", who, r.Requester, r.State, r.Why,
			r.Answered, r.Deadline.Due, !r.Closed.IsZero(), len(r.Linked), r.Split, len(r.Holds), r.Passed, r.Amended, r.Totals.Erased, r.Overdue)]++
	}
	for key, m := range p.w.mail {
		if parts := strings.Split(key, "/"); parts[0] == "dsr" {
			counts["letter "+parts[2]+" to "+m.To]++
		} else {
			subject, _, _ := strings.Cut(m.Subject, ": ")
			counts["staff "+m.Person+" "+subject]++
		}
	}
	for _, r := range p.w.order {
		counts["record "+string(r.Kind)+" "+r.Facts["event"]]++
	}
	var all []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s: %d", what, counts[what]))
	}
	return all
}

func ended(t *testing.T, seed int, chaos bool) []string {
	t.Helper()
	acts, plans := script(rand.New(rand.NewPCG(uint64(seed), 1)))
	p := &play{w: newWorld(t), who: map[string]int{}, items: map[string]int{}, plans: plans}
	if chaos {
		p.chaos = rand.New(rand.NewPCG(uint64(seed), 2))
	}
	p.run(acts)
	return p.ending()
}

// TestStories: lost, doubled, delayed and shuffled messages and deaths at any call end a story as it ends when everything
// happens once, in order.
func TestStories(t *testing.T) {
	t.Parallel()
	states := map[string]bool{}
	for seed := range require.Seeds(25) {
		want, got := ended(t, seed, false), ended(t, seed, true)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d:\nmissing:\n%s\ntoo much:\n%s", seed, strings.Join(minus(want, got), "\n"), strings.Join(minus(got, want), "\n"))
		}
		for _, line := range want {
			for _, s := range States() {
				if strings.Contains(line, " "+string(s)+" ") {
					states[string(s)] = true
				}
			}
		}
	}
	for _, s := range []State{NotEstablished, Completed, Cancelled, Rejected, Forwarded} {
		if !states[string(s)] {
			t.Errorf("no story ends %s", s)
		}
	}
}

func minus(a, b []string) (rest []string) {
	for _, one := range a {
		if !slices.Contains(b, one) {
			rest = append(rest, one)
		}
	}
	return rest
}

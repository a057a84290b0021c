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

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
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

	arrived map[string]int // letters to controllers, by how often they were said to have
	watch   func()         // after each thing that happened; nil for nobody
}

type occasion struct {
	at     time.Duration
	do     func() error
	person bool // who tries again at once; a message comes again later
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
	case work.Forget:
		return w.Forgotten(ctx, id, w.now())
	case work.Owed > 0:
		return w.Receipted(ctx, id, work.Owed, w.now())
	case work.Identify:
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
		for _, l := range p.plans[who].Look {
			o.Open = append(o.Open, Open{Entry: l.Entry, Why: review, Items: l.Items})
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
			return errorsJoin(err, p.arrive(), w.Tick(context.Background(), w.now()))
		})
		step := 20 * time.Minute
		switch days := at / (24 * time.Hour); {
		case days >= 20:
			step = 12 * time.Hour
		case days >= 8:
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
		if p.watch != nil {
			p.watch()
		}
	}
}

// arrive says of each instruction that it arrived, twice.
func (p *play) arrive() (err error) {
	for _, key := range p.w.instructions() {
		_, rest, _ := strings.Cut(key, "/")
		id, _, _ := strings.Cut(rest, "/")
		if p.arrived[key] == 2 {
			continue
		}
		if _, kept := p.w.kept(id); !kept {
			continue
		}
		answered := p.w.Answered(context.Background(), message.Answer{Key: key, State: message.StateAccepted}, p.w.now())
		if err = errorsJoin(err, answered); answered == nil {
			p.arrived[key]++
		}
	}
	return err
}

// instructions returns the keys of all letters to controllers.
func (w *world) instructions() (all []string) {
	w.Lock()
	defer w.Unlock()
	for _, key := range slices.Sorted(maps.Keys(w.Mail)) {
		if strings.Contains(key, "/"+string(letter.Instruct)+"/") {
			all = append(all, key)
		}
	}
	return all
}

// survive does something, and may die at any call of the store, the keys, the vault, the directory and the sinks.
func (p *play) survive(do func() error) error {
	if p.w.Left = -1; p.chaos != nil && p.chaos.IntN(4) == 0 {
		p.w.Left = p.chaos.IntN(40)
	}
	err := do()
	p.w.Left = -1
	if err != nil && (p.chaos == nil || !fault.Is(err, fault.Transient)) {
		p.w.T.Fatal(err)
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
		r, kept := p.w.kept(id)
		if !kept {
			counts[fmt.Sprintf("person %d: gone", who)]++
			continue
		}
		if r.State == Planning && r.Frozen {
			r.State, r.Why = Blocked, LastOwner // it is looked at again each day
		}
		counts[fmt.Sprintf("person %d: %s %s %s, answered %s, due %s, closed %v, linked %d, split %v, holds %d, searched %d, receipts %d, erased %d, overdue %v", who, r.Requester, r.State, r.Why,
			r.Answered, r.Deadline.Due, !r.Closed.IsZero(), len(r.Linked), r.Split, len(r.Holds), r.Passed, r.Receipts, r.Totals.Erased, r.Overdue)]++
	}
	for key, m := range p.w.Mail {
		switch parts := strings.Split(key, "/"); {
		case parts[0] == "dsr" && parts[2] == "link":
			counts["letter link to "+m.To] = 1 // how many go out depends on how far apart they are asked for
		case parts[0] == "dsr":
			counts["letter "+parts[2]+" to "+m.To]++
		default:
			subject, _, _ := strings.Cut(m.Subject, ": ")
			counts["staff "+m.Person+" "+subject]++
		}
	}
	for _, r := range p.w.Order {
		counts["record "+string(r.Kind)+" "+r.Facts["event"]]++
	}
	if counts["record dsr verified"] > 0 {
		counts["record dsr verified"] = 1 // how many later searches come before a hold ends depends on how late they are; each request says how many counted
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
	p := &play{w: newWorld(t), who: map[string]int{}, items: map[string]int{}, arrived: map[string]int{}, plans: plans}
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
	states, told := map[string]bool{}, map[string]bool{}
	for seed := range require.Seeds(25) {
		want, got := ended(t, seed, false), ended(t, seed, true)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d:\nmissing:\n%s\ntoo much:\n%s", seed, strings.Join(minus(want, got), "\n"), strings.Join(minus(got, want), "\n"))
		}
		for _, line := range want {
			what, _, _ := strings.Cut(line, ":")
			told[what] = true
			for _, s := range States() {
				if strings.Contains(line, " "+string(s)+" ") {
					states[string(s)] = true
				}
			}
		}
	}
	for _, event := range []string{"joined", "reviewed", "widened", "settled", "swept", "held", "hold_ended", "receipted"} {
		if !told["record dsr "+event] {
			t.Errorf("no story has anything %s", event)
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

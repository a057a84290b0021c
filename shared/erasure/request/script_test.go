package request

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

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
		switch r.IntN(10) {
		case 0:
			p.Items = 900
		case 1:
			p.Theirs, p.Own = true, false
		case 2:
			p.Theirs = true
		case 3:
			p.Last, p.Owner = true, true
			add(20, []string{"settle", "close"}[r.IntN(2)])
		case 4, 5:
			p.Review, p.Look = 2, []Look{{Entry: "notes", Items: 2}}
			add([]int{16, 24 * 13}[r.IntN(2)], "reviewed")
		}
		plans = append(plans, p)
		add(0, []string{"ask", "enter", "signed in", "instruct"}[r.IntN(4)])
		if r.IntN(3) == 0 {
			add(1, "ask")
		}
		if r.IntN(3) == 0 {
			add(2, "strangers")
		}
		if r.IntN(6) > 0 {
			add(6, "confirm")
		}
		if r.IntN(3) == 0 {
			add(10, "signed in")
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

const untilDay = 56 // everything is over by then, with the last search of what began last

func address(who int) string { return fmt.Sprintf("p%d@customer.example", who) }

// ids are a person's requests, oldest first.
func (p *play) ids(who int) (all []string) {
	for id, w := range p.who {
		if _, kept := p.w.kept(id); kept && w == who {
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
	case "ask", "enter", "signed in", "instruct", "strangers":
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
		case "close":
			if used := w.usedCode(r); used != "" {
				_, err = w.CloseAccount(ctx, r.Number, used, w.now())
			} else {
				err = w.settle(id)
			}
		case "reviewed":
			_, err = w.Reviewed(ctx, id, w.person("sam"), "notes", 2, w.now())
		case "settle":
			err = w.settle(id)
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
	left := w.Left
	w.Left = -1
	defer func() { w.Left = left }()
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
	case "strangers":
		for i := range 3 {
			r, err := w.Ask(ctx, Ask{Tenant: "acme", Email: address(a.who), Source: fmt.Sprint("net-", i)}, w.now())
			w.must(err)
			p.who[r.ID] = a.who
		}
		return nil
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

// usedCode returns the code with which a request was confirmed; "" for none.
func (w *world) usedCode(r Request) string {
	w.Lock()
	defer w.Unlock()
	for _, m := range w.Mail {
		if found := codeForm.FindStringSubmatch(m.Text); found != nil && holds(r.Used, found[2]) {
			return found[2]
		}
	}
	return ""
}

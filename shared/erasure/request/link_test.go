package request

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/require"
)

// flood lets a stranger ask for an address from many networks, and do with what she got whatever is in her power.
func (w *world) flood(n int, address string, every time.Duration) (all []Receipt) {
	w.T.Helper()
	ctx := w.T.Context()
	for i := range n {
		r, err := w.Ask(ctx, Ask{Tenant: "acme", Email: address, Source: fmt.Sprint("net-", i)}, w.now())
		w.must(err)
		w.must(w.Identify(ctx, r.ID, w.now()))
		switch i % 4 {
		case 0:
			for range MaxTries {
				if _, err := w.Confirm(ctx, r.Number, strings.Repeat("b", 52), w.now()); code(err) != "token_invalid" {
					w.T.Fatal(err)
				}
			}
		case 1:
			if _, err := w.Cancel(ctx, r.Number, r.Secret, w.now()); code(err) != "request_unknown" {
				w.T.Fatal(err)
			}
		case 2:
			w.renewed(r)
		}
		all = append(all, r)
		w.must(w.Clock.Set(w.now().Add(every)))
	}
	return all
}

// A stranger who sends hundreds of requests for somebody's address costs her a few letters, and cannot keep her from proving
// her own: any letter does, whatever became of the request it went out for.
func TestFlood(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	w.flood(30, "mia@customer.example", time.Minute)
	own := w.ask("mia@customer.example")
	w.must(w.Identify(ctx, own.ID, w.now()))
	w.wantState(own.ID, IdentityPending, "")
	strangers := w.flood(110, "mia@customer.example", 10*time.Minute)
	if n := len(w.Mail); n < 1 || n > MaxLinks+int(24*time.Hour/LinkRarely) {
		t.Fatalf("%d letters in a day", n)
	}
	newest := w.link(own.ID)
	before := len(w.Mail)
	v, err := w.Confirm(ctx, newest[1], newest[2], w.now()) // as the letter has it
	w.must(err)
	got, err := w.Status(ctx, own.Number, newest[2], w.now())
	w.must(err)
	if got.State != Planning || v.State != Planning || got.Counts != v.Counts || v.Counts == "" {
		t.Errorf("hers %+v, confirmed %+v", got, v)
	}
	counts, waiting := w.read(v.Counts), 0
	for _, r := range strangers {
		switch one := w.read(r.ID); {
		case one.State == IdentityPending:
			waiting++
		case one.ID != counts.ID && one.State == Cancelled && one.Why == Duplicate && (one.Of != counts.ID || one.Private != nil):
			t.Errorf("%+v", one)
		}
	}
	if waiting > 0 || counts.Gather != "" || len(counts.Linked) != maxLinked || w.of("joined") < 104 {
		t.Errorf("%d wait, %d are linked", waiting, len(counts.Linked))
	}
	if n := len(w.Mail) - before; n != 1 || len(w.letters(counts.ID, letter.Received)) != 1 {
		t.Errorf("%d letters about one proof", n)
	}
	// With the letter from before she can look, and not prove again.
	if _, err := w.Confirm(ctx, newest[1], newest[2], w.now()); code(err) != "token_used" {
		t.Errorf("%v", err)
	}
	// Whoever only typed her address takes nothing back.
	for _, r := range strangers[:8] {
		if _, err := w.Cancel(ctx, r.Number, r.Secret, w.now()); code(err) != "request_unknown" {
			t.Errorf("%v", err)
		}
	}
	w.wantState(counts.ID, Planning, "")
}

// A letter outlives the request it went out for: that ends, and hers is proved all the same.
func TestLetterOutlives(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	strangers := w.ask("mia@customer.example")
	w.must(w.Identify(ctx, strangers.ID, w.now()))
	letter := w.link(strangers.ID)
	if v, err := w.Status(ctx, letter[1], letter[2], w.now()); err != nil || v.Number != strangers.Number {
		t.Errorf("%+v, %v", v, err)
	}
	own := w.ask("MIA@customer.example") // as she writes it
	w.must(w.Identify(ctx, own.ID, w.now()))
	_, err := w.engine(ctx, strangers.ID, Event{What: Withdraw}, w.now())
	w.must(err)
	if len(w.Mail) != 1 {
		t.Fatalf("%d letters", len(w.Mail))
	}
	for _, wrong := range [][2]string{{own.ID, letter[2]}, {letter[1], own.Secret}, {"abcdefghjkmn", letter[2]}, {strangers.Number, letter[2]}} {
		if _, err := w.Confirm(ctx, wrong[0], wrong[1], w.now()); code(err) != "token_invalid" {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	v, err := w.Confirm(ctx, letter[1], letter[2], w.now())
	if err != nil || v.Number != own.Number || v.State != Planning {
		t.Errorf("%+v, %v", v, err)
	}
	w.wantState(strangers.ID, Cancelled, Withdrawn)
	w.wantState(own.ID, Planning, "")
	// The letter is no good for what comes after it.
	w.to(time.Hour)
	later := w.ask("mia@customer.example")
	w.must(w.Identify(ctx, later.ID, w.now()))
	for _, number := range []string{later.Number, letter[1]} {
		if _, err := w.Confirm(ctx, number, letter[2], w.now()); err == nil {
			t.Errorf("used again for %s", number)
		}
	}
	w.wantState(later.ID, IdentityPending, "")
}

// What strangers began and nobody proved ends with one letter a day, not with one each.
func TestFloodEnds(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	w.flood(40, "mia@customer.example", time.Minute)
	w.to(Pending + 24*time.Hour)
	w.must(w.Tick(ctx, w.now()))
	told := 0
	for _, m := range w.Mail {
		if strings.Contains(m.Key, "/identity/") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	if all, err := w.waiting(ctx, w.mark("address", string(Person), "acme", "mia@customer.example"), nil, 10); err != nil || len(all) > 0 {
		t.Errorf("%d wait, %v", len(all), err)
	}
}

// The letters of a day are few, and never so few that there is none to prove with.
func TestLetterPace(t *testing.T) {
	t.Parallel()
	start := posted{V: 1}
	if !start.mayLink(noon) {
		t.Error("not even the first")
	}
	p, n := start, 0
	for at := noon; at.Before(noon.Add(24 * time.Hour)); at = at.Add(time.Minute) {
		if p.mayLink(at) {
			p.Links, p.Last = p.Links+1, at
			n++
		}
		if at.Sub(p.Last) >= LinkLife {
			t.Fatalf("at %s no letter is good any more", at)
		}
	}
	if n > 11 {
		t.Errorf("%d letters", n)
	}
}

// The letter about an account says so, and proves no other kind of request.
func TestCloseLetter(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	person := w.ask("mia@customer.example")
	account, err := w.Ask(ctx, Ask{Tenant: "acme", Email: "mia@customer.example", Kind: Account, Language: "en"}, w.now())
	w.must(err)
	for _, r := range []Receipt{person, account} {
		w.must(w.Identify(ctx, r.ID, w.now()))
	}
	told := w.letters(account.ID, letter.Close)
	if len(told) != 1 || !strings.Contains(told[0].Text, "close the account of Acme") || len(w.letters(person.ID, letter.Link)) != 1 || told[0].To != "mia@customer.example" {
		t.Fatalf("%+v", told)
	}
	token := codeForm.FindStringSubmatch(w.letters(person.ID, letter.Link)[0].Text)[2]
	if _, err := w.Confirm(ctx, account.Number, token, w.now()); code(err) != "token_invalid" {
		t.Errorf("an account closed with the letter about a person: %v", err)
	}
	_, err = w.Confirm(ctx, person.Number, token, w.now())
	w.must(err)
	w.wantState(account.ID, IdentityPending, "")
}

// A death while the others are linked loses none of them: the clock ends what it left.
func TestGatherDeath(t *testing.T) {
	t.Parallel()
	stride := max(7/require.Seeds(1), 1)
	for n := 0; ; n += stride {
		w, ctx := newWorld(t), t.Context()
		w.known("acme", "mia@customer.example")
		all := []Receipt{w.ask("mia@customer.example"), w.ask("mia@customer.example"), w.ask("mia@customer.example")}
		for _, r := range all {
			w.must(w.Identify(ctx, r.ID, w.now()))
		}
		token := w.code(all[0].ID)
		w.Left = n
		_, err := w.Confirm(ctx, all[0].Number, token, w.now())
		died := w.Left <= 0 && err != nil
		w.Left = -1
		w.sweep()
		w.to(2 * Idle)
		w.must(w.Tick(ctx, w.now()))
		var states []State
		for _, r := range all {
			states = append(states, w.read(r.ID).State)
		}
		proved, none := []State{Planning, Cancelled, Cancelled}, []State{IdentityPending, IdentityPending, IdentityPending}
		if !slices.Equal(states, proved) && !(died && slices.Equal(states, none)) {
			t.Fatalf("killed after %d calls: %v", n, states)
		}
		if first := w.read(all[0].ID); slices.Equal(states, proved) && (first.Gather != "" || len(first.Linked) != 2 || w.of("joined") != 2) {
			t.Fatalf("killed after %d calls: %+v", n, first)
		}
		if !died {
			return
		}
	}
}

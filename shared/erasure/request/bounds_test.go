package request

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/request/letter"
)

// A search that could not look everywhere is no ground to go on without a person; nor is any where a person looks at each.
func TestLooksAtEach(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limit int64
		plan  Plan
		want  []Doubt
	}{
		"blind":                  {500, Plan{Digest: "d", Own: true, Blind: 1}, []Doubt{Blind}},
		"blind, and more":        {500, Plan{Digest: "d", Own: true, Items: 501, Blind: 2}, []Doubt{ManyItems, Blind}},
		"each":                   {0, Plan{Digest: "d", Own: true, Items: 1}, []Doubt{ManyItems}},
		"each that finds none":   {0, Plan{Digest: "d", Own: true}, []Doubt{ManyItems}},
		"one that finds nothing": {500, Plan{Digest: "d", Own: true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Rules.AutoApprove = c.limit
			r := w.proved("mia@customer.example")
			want := AwaitingApproval
			if len(c.want) == 0 {
				want = Approved
			}
			w.planned(r.ID, c.plan)
			if got := w.wantState(r.ID, want, ""); !slices.Equal(got.Doubts, c.want) {
				t.Errorf("%v", got.Doubts)
			}
		})
	}
}

// What a search finds beyond what was planned and may go without anybody is planned for, and a person looks.
func TestSweepsNoMore(t *testing.T) {
	t.Parallel()
	for left, want := range map[int64]State{507: Approved, 508: Planning} {
		w, ctx := newWorld(t), t.Context()
		r := w.proved("mia@customer.example")
		w.planned(r.ID, plan())
		round := w.erased(r.ID, Outcome{Left: left}).Round
		w.wantState(r.ID, want, "")
		if want == Approved {
			continue
		}
		if _, err := w.Started(ctx, r.ID, round, plan().Digest, w.now()); code(err) != "state_conflict" {
			t.Errorf("carried out by the plan from before: %v", err)
		}
		w.planned(r.ID, plan())
		if got := w.wantState(r.ID, AwaitingApproval, ""); !slices.Equal(got.Doubts, []Doubt{Moved}) {
			t.Errorf("%v", got.Doubts)
		}
	}
}

// What was begun is not passed on as a whole, also when it was stopped before it was through.
func TestNotForwardedHalfErased(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, plan())
	_, err := w.Started(ctx, r.ID, 1, plan().Digest, w.now())
	w.must(err)
	_, err = w.Drifted(ctx, r.ID, 1, true, w.now())
	w.must(err)
	w.planned(r.ID, Plan{Digest: "d", Theirs: true})
	if got := w.wantState(r.ID, AwaitingApproval, ""); len(got.Linked) != 1 || got.Private == nil || len(w.letters(got.Linked[0], letter.Instruct)) != 1 {
		t.Errorf("%+v", got)
	}
}

// What cannot be gone on with is partial, for that reason, until somebody has it searched again.
func TestHinderedOnTheWay(t *testing.T) {
	t.Parallel()
	for _, executed := range []bool{false, true} {
		w, ctx := newWorld(t), t.Context()
		r := w.proved("mia@customer.example")
		p := plan()
		p.Review, p.Look = 2, []Look{{Entry: "notes", Items: 2}}
		w.planned(r.ID, p)
		_, err := w.Approve(ctx, r.ID, w.person("dan"), p.Digest, w.now())
		w.must(err)
		_, err = w.Started(ctx, r.ID, 1, p.Digest, w.now())
		w.must(err)
		if executed {
			_, err = w.Executed(ctx, r.ID, 1, Totals{Erased: 3}, w.now())
			w.must(err)
		}
		for range 2 { // delivered twice
			_, err = w.Hindered(ctx, r.ID, 1, Unusable, w.now())
			w.must(err)
		}
		if w.wantState(r.ID, Partial, Unusable); w.staffed("kommt nicht weiter") != 1 {
			t.Errorf("the desk was told %d times", w.staffed("kommt nicht weiter"))
		}
		// Looked at by a person, it is searched again only where it was carried out.
		_, err = w.Reviewed(ctx, r.ID, w.person("dan"), "notes", 2, w.now())
		w.must(err)
		if work, err := w.Work(ctx, r.ID, w.now()); err != nil || (work.Search > 0) != executed {
			t.Errorf("%+v, %v", work, err)
		}
		if _, err := w.Reject(ctx, r.ID, w.person("dan"), NotOwed, "", w.now()); code(err) != "too_late" {
			t.Errorf("%v", err)
		}
		_, err = w.Resume(ctx, r.ID, w.person("dan"), w.now())
		w.must(err)
		w.wantState(r.ID, Planning, "")
	}
}

// However many come from one network, each request is taken, with the same answer; of very many the letters go out one
// after the other, to people who are known and looked up in vain alike, and nobody else's wait.
func TestSource(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	from := func(source, address string) Receipt {
		t.Helper()
		r, err := w.Ask(ctx, Ask{Tenant: "acme", Email: address, Source: source}, w.now())
		w.must(err)
		if r.State != Received || r.Secret == "" || r.Due.String() != "2026-04-02" {
			t.Fatalf("the answer is %+v", r)
		}
		return r
	}
	const over = 6
	var all []Receipt
	for i := range Prompt + over {
		if address := fmt.Sprintf("p%d@customer.example", i); i%2 == 0 {
			w.known("acme", address)
		}
		all = append(all, from("net-1", fmt.Sprintf("p%d@customer.example", i)))
	}
	for i, r := range all {
		want := 1
		if i >= Prompt {
			want = 0
		}
		if n := w.published(TopicPlan, r.ID); n != want {
			t.Errorf("request %d: called %d times at once", i+1, n)
		}
	}
	if n := w.published(TopicPlan, from("net-2", "p99@customer.example").ID); n != 1 {
		t.Error("another network's waits too")
	}
	for range Prompt + 1 { // an owner has her people forgotten
		_, err := w.Ask(ctx, Ask{Session: session(TenantOwner), Source: "session u1", Tenant: "acme", UID: fmt.Sprint("p", len(w.asked))}, w.now())
		w.must(err)
	}
	for i := range over {
		r := all[Prompt+i]
		w.to(time.Duration(i+1)*LinkPace - time.Second)
		w.must(w.Tick(ctx, w.now()))
		w.must(w.Identify(ctx, r.ID, w.now())) // whoever calls early is too early
		if work, err := w.Work(ctx, r.ID, w.now()); err != nil || work.Identify || w.read(r.ID).State != Received || w.published(TopicPlan, r.ID) != 0 {
			t.Errorf("request %d is looked up out of turn: %+v %v", i+1, work, err)
		}
		w.to(time.Duration(i+1) * LinkPace)
		w.must(w.Tick(ctx, w.now()))
		if w.published(TopicPlan, r.ID) != 1 {
			t.Errorf("request %d is not looked up in its turn", i+1)
		}
		w.must(w.Identify(ctx, r.ID, w.now()))
		w.wantState(r.ID, IdentityPending, "")
		want := 1 - i%2
		if n := len(w.letters(r.ID, letter.Link)); n != want {
			t.Errorf("request %d: %d letters", i+1, n)
		}
	}
	w.to(2 * time.Hour)
	if r := from("net-1", "p40@customer.example"); w.published(TopicPlan, r.ID) != 1 {
		t.Error("hours later it waits still")
	}
}

// However long a flood is, the turns of a line stay a pace apart, so that what goes out is bounded, and nobody is turned away.
func TestQueue(t *testing.T) {
	t.Parallel()
	l := line{"m", Prompt, LinkPace}
	var q queue
	last, at := noon, time.Time{}
	for i := range 20_000 {
		now := noon.Add(time.Duration(i) * 200 * time.Millisecond)
		q, at = q.next(l, now)
		switch {
		case i < Prompt:
			if !at.IsZero() {
				t.Fatalf("request %d waits", i+1)
			}
			continue
		case i > Prompt && !at.Equal(last.Add(LinkPace)), at.Before(now), q.Expires.Before(at):
			t.Fatalf("request %d: its turn is at %s, after %s", i+1, at, last)
		}
		last = at
	}
	if last.Before(noon.Add(2 * 24 * time.Hour)) {
		t.Errorf("the last turn is at %s: they are not slowed", last)
	}
}

// Whoever comes from ever other networks of a wider one, or of all the world, stands in its line too; and one whose turn is weeks
// away has two days for her letter then.
func TestWiderQueues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		around func(i int) []string
		free   int
	}{
		"one /48": {func(int) []string { return []string{"2a02:6b8:1::/48"} }, PromptAround},
		"all":     {func(i int) []string { return []string{fmt.Sprint("wide-", i)} }, PromptAll},
	} {
		w, ctx := newWorld(t), t.Context()
		paced := 0
		for i := range c.free + c.free/2 {
			r, err := w.Ask(ctx, Ask{Tenant: "acme", Email: fmt.Sprintf("p%d@customer.example", i), Source: fmt.Sprint("net-", i), Around: c.around(i)}, w.now())
			w.must(err)
			if !w.read(r.ID).Paced.IsZero() {
				paced++
			}
		}
		if least := c.free / 4; paced < least || paced > c.free {
			t.Errorf("%s: %d of %d wait", name, paced, c.free+c.free/2)
		}
	}
	d := &deciding{Request: Request{State: Received, Entered: noon, Paced: noon.Add(40 * 24 * time.Hour)}, rules: rulesOf(t)}
	d.Deadline.Conservative = calendar.Day{Year: 2026, Month: 4, Day: 2}
	if until := d.pendingUntil(); !until.Equal(d.Paced.Add(2 * LinkLife)) {
		t.Errorf("it ends at %s", until)
	}
}

// Letters to one address are few whatever they are about; yet the first about each goes out, for no other proves it.
func TestLettersTogether(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	for _, tenant := range []string{"acme", "zeta"} {
		w.known(tenant, "mia@customer.example")
	}
	for i := range 24 * 4 {
		w.to(time.Duration(i) * 15 * time.Minute)
		for _, kind := range []Kind{Person, Account} {
			for _, tenant := range []string{"acme", "zeta"} {
				r, err := w.Ask(ctx, Ask{Tenant: tenant, Email: "Mia@customer.example", Kind: kind, Source: fmt.Sprint("net-", i)}, w.now())
				w.must(err)
				w.must(w.Identify(ctx, r.ID, w.now()))
			}
		}
		if i == 0 && len(w.Mail) != 4 {
			t.Errorf("%d first letters", len(w.Mail))
		}
	}
	if n, most := len(w.Mail), 4+MaxLinks+int(24*time.Hour/LinkRarely); n > most {
		t.Errorf("%d letters in a day, more than %d", n, most)
	}
}

// Of what a stranger typed into the page nothing is left a month after it ended; what was proved, or lay on the desk, is kept.
func TestUnprovedForgotten(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	ended, taken := w.ask("nobody@customer.example"), w.ask("other@customer.example")
	entered, err := w.Enter(ctx, w.person("dora"), Entry{Channel: Paper, Received: noon, Tenant: "acme", Email: "third@customer.example"}, w.now())
	w.must(err)
	_, err = w.engine(ctx, taken.ID, Event{What: Withdraw}, w.now())
	w.must(err)
	w.to(Pending)
	w.must(w.Tick(ctx, w.now()))
	proved := w.proved("mia@customer.example")
	_, err = w.Cancel(ctx, proved.Number, w.code(proved.ID), w.now())
	w.must(err)
	if got := w.read(ended.ID); got.State != NotEstablished || !got.Expires.Equal(w.now().Add(Pending)) {
		t.Errorf("%+v", got)
	}
	if _, kept := w.kept(taken.ID); kept {
		t.Error("what was taken back a month ago is still there")
	}
	for _, id := range []string{entered.ID, proved.ID} {
		if got := w.read(id); !got.Expires.Equal(w.now().Add(w.Rules.Keep)) {
			t.Errorf("%+v", got)
		}
	}
}

// Each of a controller's instructions stands for itself: one taken back takes no other with it.
func TestInstructionsApart(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	for i := range 3 {
		r, err := w.Instruct(ctx, Instruction{Tenant: "acme", ID: fmt.Sprint("i", i), Digest: "d", Submitted: noon, Identifiers: []Identifier{{Kind: "email", Value: "mia@customer.example"}, {Kind: "uid", Value: fmt.Sprint("u", i)}}}, w.now())
		w.must(err)
		if w.wantState(r.ID, Planning, ""); !slices.Equal(w.values(r.ID), []string{"mia@customer.example", fmt.Sprint("u", i)}) {
			t.Errorf("%v", w.values(r.ID))
		}
	}
	_, err := w.Countermand(ctx, "acme", "i0", w.now())
	w.must(err)
	for id, want := range map[string]State{"i0": Cancelled, "i1": Planning, "i2": Planning} {
		r, err := w.Instructed(ctx, "acme", id)
		w.must(err)
		if r, err = w.Counting(ctx, r); err != nil || r.State != want {
			t.Errorf("%s: %s, %v", id, r.State, err)
		}
	}
}

// A controller's instruction holds as many identifiers as its interface takes, and one more is refused.
func TestInstructionWhole(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	in := Instruction{Tenant: "acme", ID: "i1", Digest: "d", Submitted: noon}
	for i := range opendsr.MaxIdentities {
		in.Identifiers = append(in.Identifiers, Identifier{Kind: "uid", Value: fmt.Sprint("u", i)})
	}
	r, err := w.Instruct(ctx, in, w.now())
	w.must(err)
	if got := w.wantState(r.ID, Planning, ""); len(w.values(got.ID)) != MaxIdentifiers {
		t.Errorf("%d are searched for", len(w.values(got.ID)))
	}
	in.ID, in.Identifiers = "i2", append(in.Identifiers, Identifier{Kind: "uid", Value: "more"})
	if _, err := w.Instruct(ctx, in, w.now()); code(err) != "body_invalid" {
		t.Errorf("one more: %v", err)
	}
}

// Where a request knows as much as it may, the next one counts for itself: nothing that was proved is left out.
func TestUnionFull(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	ask := func(uid string) Receipt {
		s := session(Subject)
		s.UID = uid
		r, err := w.Ask(ctx, Ask{Session: s, Tenant: "acme"}, w.now())
		w.must(err)
		return r
	}
	first := ask("u0")
	for i := range maxUnited - 2 {
		w.wantState(ask(fmt.Sprint("u", i+1)).ID, Cancelled, Duplicate)
	}
	if n := len(w.values(first.ID)); n != maxUnited {
		t.Fatalf("%d known", n)
	}
	w.wantState(ask("u0").ID, Cancelled, Duplicate) // adds nothing
	next := ask("beyond")
	if w.wantState(next.ID, Planning, ""); !slices.Equal(w.values(next.ID), []string{"beyond", "mia@customer.example"}) {
		t.Errorf("%v", w.values(next.ID))
	}
	w.wantState(first.ID, Planning, "")
	if got := w.wantState(ask("beyond").ID, Cancelled, Duplicate); got.Of != next.ID {
		t.Errorf("%+v", got)
	}
}

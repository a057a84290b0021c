package request

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
)

// An address that is not on file: who wrote is told where she wrote from, before the month is over, and nothing is owed
// sooner than she could answer.
func TestNotOnFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		arrived time.Duration // before noon
		ends    string        // local time
	}{
		{0, "2026-04-01T14:00"},                    // thirty days, in summer time
		{20 * 24 * time.Hour, "2026-03-10T00:00"},  // the answer is due on the tenth
		{300 * 24 * time.Hour, "2026-03-04T13:00"}, // long overdue: two days to answer
	} {
		w, ctx := newWorld(t), t.Context()
		r, err := w.Enter(ctx, w.person("dan"), Entry{Channel: Mail, Received: noon.Add(-c.arrived), Tenant: "acme", Email: "mia@customer.example", Reply: "mia@elsewhere.example"}, w.now())
		w.must(err)
		w.must(w.Identify(ctx, r.ID, w.now()))
		ends, err := time.ParseInLocation("2006-01-02T15:04", c.ends, w.Rules.Zone)
		w.must(err)
		w.must(w.Clock.Set(ends.Add(-time.Second)))
		w.must(w.Tick(ctx, w.now()))
		w.wantState(r.ID, IdentityPending, "")
		w.must(w.Clock.Set(ends))
		w.must(w.Tick(ctx, w.now()))
		w.wantState(r.ID, NotEstablished, "")
		told := w.letters(r.ID, letter.Identity)
		if len(told) != 1 || told[0].To != "mia@elsewhere.example" || len(w.letters(r.ID, letter.Link)) != 0 {
			t.Errorf("arrived %s ago: %+v", c.arrived, told)
		}
	}
}

// Waiting for the proof moves the deadline where the company counts so, and never the alarms.
func TestPause(t *testing.T) {
	t.Parallel()
	for mode, want := range map[calendar.Mode]string{"": "2026-04-02", calendar.ModeNone: "2026-04-02", calendar.ModePause: "2026-04-10", calendar.ModeRestart: "2026-04-10"} {
		w, ctx := newWorld(t), t.Context()
		w.build(func(c *Config) { c.Rules.Mode = mode })
		w.known("acme", "mia@customer.example")
		w.known("acme", "leo@customer.example")
		r := w.ask("mia@customer.example")
		w.must(w.Identify(ctx, r.ID, w.now()))
		w.to(8 * 24 * time.Hour)
		w.renewed(r)
		_, err := w.Confirm(ctx, r.Number, w.code(r.ID), w.now())
		w.must(err)
		// Asked when the time was over, nothing moves, and nothing fails.
		old, err := w.Enter(ctx, w.person("dan"), Entry{Channel: Paper, Received: noon.Add(-60 * 24 * time.Hour), Tenant: "acme", Email: "leo@customer.example"}, w.now())
		w.must(err)
		w.must(w.Identify(ctx, old.ID, w.now()))
		_, err = w.Confirm(ctx, old.Number, w.code(old.ID), w.now())
		w.must(err)
		if d := w.read(old.ID).Deadline; d.Due.String() != "2026-02-02" {
			t.Errorf("%s: %+v", mode, d)
		}
		_, err = w.Cancel(ctx, old.Number, w.code(old.ID), w.now())
		w.must(err)
		if d := w.read(r.ID).Deadline; d.Due.String() != want || d.Conservative.String() != "2026-04-02" || d.Alarms[0].String() != "2026-03-23" {
			t.Errorf("%s: %+v", mode, d)
		}
	}
}

// Whatever has happened to a request, a tick leaves nothing due behind, and doing it again does nothing.
func TestTickSettles(t *testing.T) {
	t.Parallel()
	rules, err := rulesOf(t).complete()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range require.Seeds(25) {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		q := standing(t, States()[r.IntN(len(States()))])
		now := noon
		for range 60 {
			now = now.Add(time.Duration(r.Int64N(int64(40 * time.Hour))))
			e := Event{What: Ticked}
			if r.IntN(2) == 0 {
				e = happening(Events()[r.IntN(len(Events()))])
				e.Round, e.Pass = q.Round, q.Passed+1
				if q.Plan != nil && e.What == Started {
					e.Digest = q.Plan.Digest
				}
			}
			after, _, err := Decide(proposes(q, e), e, now, rules)
			if err != nil {
				continue
			}
			q = after
			if e.What != Ticked {
				soundly(t, e.What, q.State, q)
				continue
			}
			if q.Next != 0 && q.Next <= now.UnixMicro() {
				t.Fatalf("seed %d: due at once: %+v", seed, q)
			}
			if _, effects, err := Decide(q, e, now, rules); err != nil || len(effects) > 0 {
				t.Fatalf("seed %d: %v, %v", seed, effects, err)
			}
		}
	}
}

// One request that cannot be handled does not stop the others, however many there are.
func TestTickGoesOn(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	var all []Receipt
	for i := range duePage + 5 {
		r, err := w.Ask(ctx, Ask{Tenant: "acme", Email: fmt.Sprintf("p%d@customer.example", i)}, w.now())
		w.must(err)
		all = append(all, r)
	}
	broken := w.read(all[3].ID)
	broken.Private.Sealed = []byte("what does not open any more")
	w.must(w.Raw.Tx(ctx, func(tx store.Tx) error { return tx.Put(Requests, broken.ID, broken) }))
	w.to(Idle)
	if err := w.Tick(ctx, w.now()); err == nil || strings.Contains(err.Error(), "customer.example") || strings.Contains(err.Error(), broken.ID) {
		t.Errorf("%v", err)
	}
	called := 0
	for _, r := range all {
		called += w.published(TopicPlan, r.ID)
	}
	if want := 2*len(all) - 1; called != want {
		t.Errorf("called %d times; want %d", called, want)
	}
}

// Two at once: one counts.
func TestRace(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.build(func(*Config) {})
	w.known("acme", "mia@customer.example")
	first, second := w.ask("mia@customer.example"), w.ask("mia@customer.example")
	both := func(do func(i int, r Receipt) error) (errs []error) {
		done := make(chan error, 4)
		for i := range cap(done) {
			go func() { done <- do(i, []Receipt{first, second}[i%2]) }()
		}
		for range cap(done) {
			errs = append(errs, <-done)
		}
		return errs
	}
	if err := errors.Join(both(func(_ int, r Receipt) error { return w.Identify(ctx, r.ID, w.now()) })...); err != nil {
		t.Fatal(err)
	}
	codes := map[string]string{first.ID: w.code(first.ID), second.ID: w.code(second.ID)}
	for _, err := range both(func(_ int, r Receipt) error { _, err := w.Confirm(ctx, r.Number, codes[r.ID], w.now()); return err }) {
		if err != nil && code(err) != "token_used" {
			t.Error(err)
		}
	}
	states := map[State]int{w.read(first.ID).State: 1}
	states[w.read(second.ID).State]++
	if states[Planning] != 1 || states[Cancelled] != 1 || w.of("proved") != 1 || len(w.letters(first.ID, letter.Link))+len(w.letters(second.ID, letter.Link)) != 1 {
		t.Errorf("%v", states)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, change := range map[string]func(*Config){
		"no store": func(c *Config) { c.Store = nil }, "a short key": func(c *Config) { c.Mark = c.Mark[1:] }, "no letters": func(c *Config) { c.Letters = nil },
		"no zone": func(c *Config) { c.Rules.Zone = nil }, "no country": func(c *Config) { c.Rules.Country = "" }, "31 days of grace": func(c *Config) { c.Rules.GraceDays = 31 },
		"no such mode": func(c *Config) { c.Rules.Mode = "wait" }, "forgotten after a week": func(c *Config) { c.Rules.Keep = 7 * 24 * time.Hour },
		"a target past the month": func(c *Config) { c.Rules.TargetDays = 29 }, "more than everything": func(c *Config) { c.Rules.TenantPercent = 101 },
	} {
		c := w.Config
		change(&c)
		if _, err := New(c); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := w.Config
	c.Directory, c.Commit = nil, nil
	s, err := New(c)
	w.must(err)
	r := w.ask("mia@customer.example")
	if err := s.Identify(t.Context(), r.ID, w.now()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("without a directory: %v", err)
	}
	if _, err := s.GiveUp(t.Context(), r.ID, w.person("dan"), w.now()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("without commitments: %v", err)
	}
}

// What the desk may not enter.
func TestEnterRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := Entry{Channel: Paper, Received: noon.Add(-time.Hour), Tenant: "acme", Email: "mia@customer.example"}
	for name, change := range map[string]func(*Entry){
		"no channel": func(e *Entry) { e.Channel = "phone" }, "ahead": func(e *Entry) { e.Received = noon.Add(time.Hour) }, "no arrival": func(e *Entry) { e.Received = time.Time{} },
		"long ago": func(e *Entry) { e.Received = noon.AddDate(-2, 0, 0) }, "no tenant": func(e *Entry) { e.Tenant = "" }, "a path": func(e *Entry) { e.Tenant = "../x" },
		"a kind": func(e *Entry) { e.Kind = "everything" }, "too long": func(e *Entry) { e.Text = strings.Repeat("x", MaxText+1) }, "no text": func(e *Entry) { e.Text = "\xff" },
		"an address": func(e *Entry) { e.Email = "mia" }, "a reply": func(e *Entry) { e.Reply = "a b@c.example" },
	} {
		e := good
		change(&e)
		if _, err := w.Enter(t.Context(), w.person("dan"), e, w.now()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(w.Order) != 0 {
		t.Error("something was recorded")
	}
	good.Email = "" // a letter with a name and nothing else is a request too
	r, err := w.Enter(t.Context(), w.person("dan"), good, w.now())
	w.must(err)
	w.must(w.Identify(t.Context(), r.ID, w.now()))
	w.wantState(r.ID, IdentityPending, "")
}

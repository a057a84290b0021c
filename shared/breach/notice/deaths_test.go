package notice_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
)

// story is what happens, in order; each may be called again until it passes.
func (f *firm) story(c *cases.Case) []func() error {
	ctx := context.Background()
	var hash string
	do := func(who string, e cases.Event) func() error {
		return func() error {
			_, err := f.cases.Do(ctx, c.ID, f.person(who), e, cases.Words{}, f.clock.Now())
			return err
		}
	}
	tick := func() error {
		for range 2 {
			if err := f.settle(); err != nil {
				return err
			}
			if err := f.notices.Tick(ctx, f.clock.Now()); err != nil {
				return err
			}
		}
		return f.settle()
	}
	later := func(by time.Duration) func() error {
		return func() error { return f.clock.Set(f.clock.Now().Add(by)) }
	}
	settle := func(n int, arrived bool) func() error {
		return func() error {
			told, err := f.notices.Settle(ctx, f.person("otto"), c.ID, 1, fmt.Sprintf("%s.1.%05d", c.ID, n), notice.Found{Arrived: arrived}, f.clock.Now())
			if err != nil || len(told) == 0 {
				return err
			}
			return f.tell(ctx, c.ID, told, f.clock.Now())
		}
	}
	return []func() error{
		func() (err error) {
			d := cases.Declaration{Client: "form", Breach: true, Summary: "files were read"}
			for _, id := range []string{"nord", "sud", "ost"} {
				d.Tracks = append(d.Tracks, cases.Track{ID: id, Role: cases.Processor, People: cases.Count{How: cases.Unknown}, Records: cases.Count{How: cases.Unknown}})
			}
			*c, _, err = f.cases.Declare(ctx, f.person("emma"), d, f.clock.Now())
			return err
		},
		do("vera", cases.Event{What: cases.Answer, Subject: cases.Tenants, Yes: true}),
		func() error {
			n, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Initial), nil, f.clock.Now())
			hash = n.Hash
			return err
		},
		later(time.Minute),
		func() error {
			_, err := f.notices.Break(ctx, f.person("otto"), c.ID, 1, hash, "night", f.clock.Now())
			return err
		},
		later(5 * time.Minute), tick, later(time.Minute), tick,
		settle(2, true), settle(3, false), tick, settle(2, false), tick, later(25 * time.Hour), tick,
		func() error {
			_, err := f.notices.Review(ctx, f.person("dana"), c.ID, 1, f.clock.Now())
			return err
		},
	}
}

// answers of the peers in the story: one channel fails, two leave in doubt.
func doubtful(m message.Message) message.Outcome {
	switch {
	case m.Channel == notice.Webhook, m.To == "sicherheit@sued.example":
		return message.Unknown
	case m.To == "privacy@nord.example":
		return message.Failed
	}
	return message.Accepted
}

// left is everything that left in a story, whatever ids it had.
func (f *firm) ended(c cases.Case) string {
	return strings.Join([]string{f.events("breach", "finding", "remediation"), f.subjects(c.Number), f.taken(c.Number), f.progress(notice.Notice{Case: c.ID, N: 1})}, "\n")
}

// TestDeaths kills the process at any call of any step and begins again: what left is the same as without, nothing twice and
// nothing lost.
func TestDeaths(t *testing.T) {
	t.Parallel()
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seeds := map[string]int{"memory": require.Seeds(25), "bolt": require.Seeds(2), "firestore": 1}[name]
			dieOn(t, open, seeds)
		})
	}
}

func dieOn(t *testing.T, open func(testing.TB, store.Options) store.Store, seeds int) {
	t.Helper()
	calm := firmOn(t, open)
	calm.reply = doubtful
	var c cases.Case
	for i, step := range calm.story(&c) {
		if err := step(); err != nil {
			t.Fatal(i, err)
		}
	}
	want := calm.ended(c)
	for _, must := range []string{"breach notice_write", "breach notice_break", "breach notice_handed", "breach delivery_doubtful", "breach delivery_going", "finding tenant_not_told", "finding notice_review", "remediation notice_review 1",
		"sms +33123456789", "nord mail arrived, nord mail lost, sud mail lost, ost mail arrived", "notice 1 was approved by one person alone", "somebody could not be told"} {
		if !strings.Contains(want, must) {
			t.Errorf("nothing says %q:\n%s", must, want)
		}
	}
	for seed := range seeds {
		random := rand.New(rand.NewPCG(uint64(seed), 7))
		f := firmOn(t, open)
		f.reply = doubtful
		for i, step := range f.story(&c) {
			for attempt := 0; ; attempt++ {
				if f.left = random.IntN(40); attempt > 5 {
					f.left = -1
				}
				if err := step(); err == nil {
					break
				} else if !fault.Is(err, fault.Transient) {
					t.Fatalf("seed %d, step %d: %v", seed, i, err)
				}
			}
			f.left = -1
			if err := f.swept(); err != nil {
				t.Fatal(err)
			}
		}
		if got := f.ended(c); got != want {
			t.Fatalf("seed %d:\n%s\nwithout deaths:\n%s", seed, got, want)
		}
	}
}

// swept lets what a death left be relayed: the schedules run, a minute later than whoever died.
func (f *firm) swept() error {
	now := f.clock.Now()
	if err := f.clock.Set(now.Add(31 * time.Second)); err != nil {
		return err
	}
	if _, err := f.config.Box.Sweep(context.Background()); err != nil {
		return err
	}
	return f.settle()
}

// TestAgainAndAgain: everything on the bus comes ten times and in any order, to four workers: one message for each recipient
// and channel, and the same end.
func TestAgainAndAgain(t *testing.T) {
	t.Parallel()
	for seed := range require.Seeds(5) {
		random := rand.New(rand.NewPCG(uint64(seed), 9))
		f := newFirm(t)
		f.reply = func(m message.Message) message.Outcome {
			if m.Channel == notice.Webhook {
				return message.Failed
			}
			return message.Accepted
		}
		c := f.decided(false, "nord", "sud", "ost")
		n := f.approve(f.write(c.ID, "vera"), "dana")
		times := map[string]int{}
		for range 2000 {
			f.mu.Lock()
			all := slices.Clone(f.bus)
			f.mu.Unlock()
			all = slices.DeleteFunc(all, func(e outbox.Entry) bool { return times[e.Target+e.Key] >= 10 })
			if len(all) == 0 {
				break
			}
			var group sync.WaitGroup
			for range 4 {
				e := all[random.IntN(len(all))]
				times[e.Target+e.Key]++
				group.Go(func() {
					if err := f.deliver(e); err != nil && !fault.Is(err, fault.Conflict) {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if random.IntN(5) == 0 {
				if err := f.notices.Tick(context.Background(), f.clock.Now()); err != nil {
					t.Error(err)
				}
			}
		}
		f.bus = nil
		f.pass(time.Minute)
		stored, err := f.notices.Get(context.Background(), c.ID, 1)
		if got := f.progress(n); got != "nord mail arrived, nord mail arrived, sud mail arrived, ost mail arrived" || len(f.sent) != 5 || err != nil || stored.Accepted != 4 {
			t.Fatalf("seed %d: %s, %d sent, %+v, %v", seed, got, len(f.sent), stored.Notice, err)
		}
	}
}

// TestPages: hundreds are handed over a page at a time, whoever does it and whoever dies; each once, and the case is told of
// all together.
func TestPages(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, f.many(430)...)
	n := f.approve(f.write(c.ID, "vera"), "dana")
	if n.Next != 100 || n.State != notice.Approved {
		t.Errorf("%+v", n)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if err := f.notices.Tick(ctx, f.clock.Now()); err != nil && !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	told := 0
	f.config.Tell = func(ctx context.Context, id string, all []notice.Told, now time.Time) error {
		told++
		return f.tell(ctx, id, all, now)
	}
	var err error
	if f.notices, err = notice.New(f.config); err != nil {
		t.Fatal(err)
	}
	f.pass(5 * time.Minute)
	stored, err := f.notices.Get(ctx, c.ID, 1)
	if err != nil || stored.State != notice.Sent || stored.Accepted != 430 || len(f.sent) != 430 || told != 5 {
		t.Errorf("%+v, %d sent, told %d times, %v", stored.Notice, len(f.sent), told, err)
	}
	to := map[string]bool{}
	for _, m := range f.sent {
		to[m.To] = true
		own, _, _ := strings.Cut(strings.TrimPrefix(m.To, "dpo@t"), ".")
		if names := notice.NamesOf(f.policy().Tenants).In(m.Subject + "\n" + m.Text); len(names) != 1 || names[0] != "t"+own {
			t.Fatalf("%s reads of %v", m.To, names)
		}
	}
	if read, err := f.cases.Get(ctx, c.ID); err != nil || len(to) != 430 || read.Tracks[429].Told.IsZero() {
		t.Errorf("%d recipients, %v", len(to), err)
	}
	first, err := f.notices.Deliveries(ctx, c.ID, 1, nil, 300)
	if err != nil || len(first) != 300 {
		t.Fatal(len(first), err)
	}
	if rest, err := f.notices.Deliveries(ctx, c.ID, 1, first[299].Cursor(), 300); err != nil || len(rest) != 130 || rest[129].Tenant != "t0429" {
		t.Errorf("%d, %v", len(rest), err)
	}
}

// TestStopped: once a notice was stopped, those it was handed over for already hear nothing more of it by other channels.
func TestStopped(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	ids := f.many(110)
	f.restart("tenants.yaml", "language: en}]", "language: en, channels: [webhook, mail], webhook: 'https://hooks.example.com/x'}]")
	c := f.decided(false, ids...)
	f.reply = func(message.Message) message.Outcome { return message.Deferred }
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.restart("tenants.yaml", "dpo@t0105.example", "other@t0105.example")
	f.tick()
	f.reply = func(m message.Message) message.Outcome {
		if m.Channel == notice.Webhook {
			return message.Failed
		}
		return message.Accepted
	}
	f.pass(time.Hour)
	f.pass(time.Hour)
	stored, err := f.notices.Get(context.Background(), c.ID, n.N)
	if got := f.progress(n); err != nil || stored.State != notice.Voided || stored.Next != 100 || stored.Failed != 100 || len(f.sent) != 0 || strings.Count(got, "webhook lost") != 100 {
		t.Errorf("%+v, %d sent, %v: %s", stored.Notice, len(f.sent), err, got)
	}
}

// TestLongTexts: a page holds what one transaction takes, however long the texts are.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, f.many(16)...)
	d := draft(notice.Initial)
	for language := range d.Texts {
		for _, name := range notice.Written(notice.Initial) {
			if name != "contact" {
				d.Texts[language][name] = strings.Repeat("words and \u0001"[:9], 880)
			}
		}
	}
	n, err := f.notices.Write(context.Background(), f.person("vera"), c.ID, 0, d, nil, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if n = f.approve(n, "dana"); n.Next < 5 || n.Next > 30 {
		t.Errorf("%d in one page", n.Next)
	}
	f.pass(5 * time.Minute)
	if len(f.sent) != 16 {
		t.Errorf("%d sent", len(f.sent))
	}
}

// TestStrangers: an answer about somebody else's message, or none of ours, does nothing.
func TestStrangers(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "sud")
	n := f.approve(f.write(c.ID, "vera"), "dana")
	for _, key := range []string{"", "breach-page/abc", "breach-notice/", "breach-notice/" + c.ID + ".1.00000", "breach-notice/" + c.ID + ".1.00000/", "breach-notice/" + c.ID + ".1.00000/x-mail", "breach-notice/" + c.ID + ".1.00000/1-mail",
		"breach-notice/" + c.ID + ".1.00000/-1-mail", "breach-notice/" + c.ID + ".1.00001/0-mail", "breach-notice/" + strings.Repeat("x", 2000) + "/0-mail"} {
		data, err := json.Marshal(message.Answer{V: 1, Key: key, Kind: message.Customer, State: message.StateAccepted, At: f.clock.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.deliver(outbox.Entry{Target: message.TopicAccepted, Data: data}); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	if got := f.progress(n); got != "sud mail going" {
		t.Errorf("%s", got)
	}
}

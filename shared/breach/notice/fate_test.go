package notice_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/require"
)

// recipient is one recipient of the first notice of a case.
func (f *firm) recipient(id string, at int) notice.Delivery {
	f.t.Helper()
	all, err := f.notices.Outcomes(context.Background(), id, 1, nil, 100)
	if err != nil || at >= len(all) {
		f.t.Fatal(all, err)
	}
	return all[at]
}

// hears is what deliver answers of a way of a recipient.
func (f *firm) hears(id string, at, way int, state message.State, taken, said time.Time) error {
	f.t.Helper()
	d := f.recipient(id, at)
	a := message.Answer{V: 1, Key: fmt.Sprintf("breach-notice/%s/%d-%s", d.ID, way, d.Ways[way]), Kind: message.Customer, State: state, Attempts: 1, At: said, Taken: taken, TLS: message.TLS13, Reference: "queue-4711"}
	told, err := f.notices.Answered(context.Background(), a, f.clock.Now())
	if err == nil && len(told) > 0 {
		err = f.tell(context.Background(), id, told, f.clock.Now())
	}
	return err
}

// outcomes are what records say of deliveries, sorted by their order of events: event, outcome, and whether it is contrary.
func (f *firm) outcomes() string {
	var all []string
	for _, r := range f.records {
		if strings.HasPrefix(r.Facts["event"], "delivery_") && (r.Facts["outcome"] == "delivered" || r.Facts["outcome"] == "bounced") {
			all = append(all, strings.TrimSpace(strings.Join([]string{r.Facts["event"], r.Facts["channel"], r.Facts["outcome"], r.Facts["at"], r.Facts["contrary"]}, " ")))
		}
	}
	return strings.Join(all, "\n")
}

// TestDelivered: that a peer says so is kept with its time and put on record, once; nothing else changes.
func TestDelivered(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "sud")
	f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	before := f.recipient(c.ID, 0)
	f.pass(time.Minute)
	said := f.clock.Now()
	for range 2 {
		if err := f.hears(c.ID, 0, 0, message.StateDelivered, before.Told, said); err != nil {
			t.Fatal(err)
		}
		f.pass(time.Hour)
	}
	after := f.recipient(c.ID, 0)
	if !after.Delivered().Equal(said) || after.Contrary() || !after.Told.Equal(before.Told) || after.Progress != notice.Arrived || after.News != 0 || !before.Delivered().IsZero() {
		t.Errorf("%+v", after)
	}
	if got := f.outcomes(); got != "delivery_arrived mail delivered "+said.Format(time.RFC3339) {
		t.Error(got)
	}
	if n, _ := f.notices.Get(context.Background(), c.ID, 1); n.Accepted != 1 {
		t.Errorf("%+v", n.Notice)
	}
	if got := f.events("finding", "remediation"); got != "" || strings.Contains(f.clear.String(), "queue-4711") {
		t.Error(got)
	}
}

// TestCameBack: what a peer says came back is what a person says of one that did not arrive: the tenant has not been told, and the
// next way is tried.
func TestCameBack(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "ost", "sud")
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	f.reply = func(message.Message) message.Outcome { return message.Deferred }
	taken := f.recipient(c.ID, 0).Told
	f.pass(time.Hour)
	for range 2 {
		if err := f.hears(c.ID, 0, 0, message.StateBounced, taken, f.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	f.tick()
	if got := f.progress(n); got != "ost mail going, sud mail arrived" || !f.track(c.ID, "ost").Told.IsZero() || f.track(c.ID, "sud").Told.IsZero() {
		t.Fatalf("%s, ost told %s", got, f.track(c.ID, "ost").Told)
	}
	if got := f.events("finding", "remediation"); got != "finding tenant_not_told 0" {
		t.Error(got)
	}
	f.reply = func(message.Message) message.Outcome { return message.Accepted }
	f.pass(2 * time.Hour)
	d := f.recipient(c.ID, 0)
	if got := f.progress(n); got != "ost mail arrived, sud mail arrived" || !f.track(c.ID, "ost").Told.Equal(f.clock.Now()) || d.Contrary() || !d.Delivered().IsZero() {
		t.Errorf("%s, %+v", got, d)
	}
	if err := f.hears(c.ID, 0, 1, message.StateDelivered, d.Told, f.clock.Now()); err != nil || !f.recipient(c.ID, 0).Delivered().Equal(f.clock.Now()) {
		t.Errorf("%+v, %v", f.recipient(c.ID, 0), err)
	}
	// With no way left somebody has to call.
	if err := f.hears(c.ID, 1, 0, message.StateBounced, taken, f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	f.tick()
	if got := f.progress(n); got != "ost mail arrived, sud mail lost" || !f.track(c.ID, "sud").Told.IsZero() || f.told("somebody could not be told") != 1 {
		t.Errorf("%s\n%s", got, f.subjects(c.Number))
	}
	if got := f.events("finding", "remediation"); got != "finding tenant_not_told 0\nfinding tenant_not_told 0\nremediation tenant_not_told 1" {
		t.Error(got)
	}
}

// TestFirstWord: a bounce counts whenever it comes, and a person's word before any peer's; whatever is said against it is kept beside it and
// put on record, and sends nothing.
func TestFirstWord(t *testing.T) {
	t.Parallel()
	say := func(way int, state message.State) func(*firm, string, time.Time) error {
		return func(f *firm, id string, taken time.Time) error {
			return f.hears(id, 0, way, state, taken, f.clock.Now())
		}
	}
	person := func(arrived bool) func(*firm, string, time.Time) error {
		return func(f *firm, id string, _ time.Time) error { return f.says(id, 0, notice.Found{Arrived: arrived}) }
	}
	delivered, bounced := say(0, message.StateDelivered), say(0, message.StateBounced)
	for name, test := range map[string]struct {
		first, second func(*firm, string, time.Time) error
		outcome       message.Outcome // of the first way
		tenant, want  string
		contrary      bool
	}{
		"delivered, then back":        {delivered, bounced, message.Accepted, "sud", "sud mail lost", true},
		"back, then delivered":        {bounced, delivered, message.Accepted, "sud", "sud mail lost", true},
		"back, and another way":       {bounced, delivered, message.Accepted, "ost", "ost mail going", true},
		"a person says no":            {person(false), delivered, message.Accepted, "sud", "sud mail lost", true},
		"a person says no, then back": {person(false), bounced, message.Accepted, "sud", "sud mail lost", false},
		"a person says no, another":   {person(false), delivered, message.Accepted, "ost", "ost mail going", true},
		"a person knows of one lost":  {bounced, person(true), message.Accepted, "sud", "sud mail arrived", true},
		"a person, over a delivery":   {delivered, person(false), message.Accepted, "sud", "sud mail lost", true},
		"delivered, a person agrees":  {delivered, person(true), message.Accepted, "sud", "sud mail arrived", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFirm(t)
			c := f.decided(false, test.tenant)
			f.reply = func(message.Message) message.Outcome { return test.outcome }
			n := f.approve(f.write(c.ID, "vera"), "dana")
			f.tick()
			taken := f.recipient(c.ID, 0).Told
			f.reply = func(message.Message) message.Outcome { return message.Deferred }
			f.pass(time.Minute)
			if err := test.first(f, c.ID, taken); err != nil {
				t.Fatal(err)
			}
			f.tick()
			patience, sent := f.recipient(c.ID, 0).News, len(f.sent)
			f.pass(time.Minute)
			if err := test.second(f, c.ID, taken); err != nil {
				t.Fatal(err)
			}
			if d := f.recipient(c.ID, 0); f.progress(n) != test.want || d.Contrary() != test.contrary || d.Progress == notice.Going && d.News != patience {
				t.Errorf("%s, %+v", f.progress(n), d)
			}
			f.tick()
			if len(f.sent) != sent {
				t.Error("something was sent")
			}
			if said := strings.Contains(f.outcomes(), " yes"); said != (test.contrary && !strings.Contains(name, "a person knows") && !strings.Contains(name, "a person, over")) {
				t.Errorf("on record:\n%s", f.outcomes())
			}
		})
	}
}

// TestBackAfterDelivered: what was called delivered and comes back after all goes the next way.
func TestBackAfterDelivered(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "ost")
	f.reply = func(message.Message) message.Outcome { return message.Accepted }
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	taken := f.recipient(c.ID, 0).Told
	for _, said := range []message.State{message.StateDelivered, message.StateBounced} {
		f.pass(time.Hour)
		if err := f.hears(c.ID, 0, 0, said, taken, f.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	sent := len(f.sent)
	f.tick()
	d := f.recipient(c.ID, 0)
	if f.progress(n) != "ost mail arrived" || len(f.sent) != sent+1 || !d.Told.After(taken) {
		t.Errorf("%s, %d sent, told %s", f.progress(n), len(f.sent)-sent, d.Told)
	}
}

// TestVouched: what a person found out that it arrived no peer takes back, not even one of which nobody had heard before; it is
// kept beside it.
func TestVouched(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "sud")
	n := f.approve(f.write(c.ID, "vera"), "dana")
	taken := f.clock.Now()
	f.bus = nil // nobody ever answers
	f.pass(26 * time.Hour)
	if got := f.progress(n); got != "sud mail doubtful" {
		t.Fatal(got)
	}
	if err := f.says(c.ID, 0, notice.Found{Arrived: true}); err != nil {
		t.Fatal(err)
	}
	f.tick()
	told, findings := f.track(c.ID, "sud").Told, f.events("finding")
	f.pass(time.Hour)
	if err := f.hears(c.ID, 0, 0, message.StateBounced, taken, f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	f.tick()
	if d := f.recipient(c.ID, 0); d.Progress != notice.Arrived || d.Settler != "vera" || !d.Contrary() || !f.track(c.ID, "sud").Told.Equal(told) || f.events("finding") != findings || !strings.HasSuffix(f.outcomes(), "yes") {
		t.Errorf("%+v\n%s\n%s", d, f.events("finding"), f.outcomes())
	}
}

// TestAnyOrder: what became of a message is the same in whatever order and however often it is said, and wherever whoever hears it
// dies.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	for _, fate := range []message.State{message.StateDelivered, message.StateBounced} {
		told := func(shuffle *rand.Rand) string {
			f := newFirm(t)
			c := f.decided(false, "ost")
			n := f.approve(f.write(c.ID, "vera"), "dana")
			taken, said := f.clock.Now().Add(time.Minute), f.clock.Now().Add(time.Hour)
			if err := f.clock.Set(said); err != nil {
				t.Fatal(err)
			}
			f.reply = func(message.Message) message.Outcome { return message.Deferred }
			answers := []message.State{message.StateAccepted, fate}
			if shuffle != nil {
				answers = []message.State{fate, message.StateAccepted, fate, message.StateAccepted}
				shuffle.Shuffle(len(answers), func(i, j int) { answers[i], answers[j] = answers[j], answers[i] })
			}
			for _, state := range answers {
				for attempt := 0; ; attempt++ {
					f.left = -1
					if shuffle != nil && attempt < 5 {
						f.left = shuffle.IntN(25)
					}
					at := said
					if state == message.StateAccepted {
						at = taken
					}
					left := f.left
					f.left = -1
					d := f.recipient(c.ID, 0)
					f.left = left
					a := message.Answer{V: 1, Key: fmt.Sprintf("breach-notice/%s/0-webhook", d.ID), Kind: message.Customer, State: state, Attempts: 1, At: at, Taken: taken, Reference: "x"}
					if _, err := f.notices.Answered(context.Background(), a, f.clock.Now()); err == nil {
						break
					}
				}
				f.left = -1
			}
			f.bus = f.bus[1:] // what asked for the first way: its answers came
			f.pass(10 * time.Minute)
			d := f.recipient(c.ID, 0)
			return fmt.Sprint(f.progress(n), d.Tries, d.Told, d.Recalled, f.track(c.ID, "ost").Told, "\n", f.events(record.Breach, record.Finding, record.Remediation), "\n", f.outcomes(), "\n", len(f.sent))
		}
		want := told(nil)
		if !strings.Contains(want, map[message.State]string{message.StateDelivered: "ost webhook arrived", message.StateBounced: "ost mail going"}[fate]) {
			t.Fatal(want)
		}
		for seed := range require.Seeds(25) {
			if got := told(rand.New(rand.NewPCG(uint64(seed), 3))); got != want {
				t.Errorf("seed %d: %s\nwant %s", seed, got, want)
			}
		}
	}
}

// TestBackAfterTheEnd: of a case that is over nothing goes by a next way: somebody has to call.
func TestBackAfterTheEnd(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "ost")
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	taken := f.recipient(c.ID, 0).Told
	for _, who := range []string{"vera", "dana"} {
		f.do(c.ID, who, cases.Event{What: cases.Answer, Subject: cases.Breach}, "a test file")
	}
	f.pass(time.Hour)
	sent := len(f.sent)
	if err := f.hears(c.ID, 0, 0, message.StateBounced, taken, f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	f.tick()
	if got := f.progress(n); got != "ost webhook lost" || len(f.sent) != sent {
		t.Errorf("%s, %d sent", got, len(f.sent)-sent)
	}
}

// TestOtherWays: what came back of a way that is over changes nothing about the one that counts; and after a person took her word
// back a peer of the next way is believed again.
func TestOtherWays(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "nord")
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	taken := f.recipient(c.ID, 0).Told
	want := f.progress(n)
	if err := f.hears(c.ID, 0, 0, message.StateBounced, taken, f.clock.Now()); err != nil || f.recipient(c.ID, 0).Ways[0] != notice.SMS {
		t.Fatal(f.recipient(c.ID, 0).Ways, err)
	}
	f.tick()
	if got := f.progress(n); got != want || f.track(c.ID, "nord").Told.IsZero() {
		t.Errorf("%s, want %s", got, want)
	}

	f = newFirm(t)
	c = f.decided(false, "ost")
	n = f.approve(f.write(c.ID, "vera"), "dana")
	f.bus = nil // nobody ever answers
	f.pass(50 * time.Hour)
	for _, arrived := range []bool{true, false} {
		if err := f.says(c.ID, 0, notice.Found{Arrived: arrived}); err != nil {
			t.Fatal(err)
		}
		f.tick()
	}
	if got := f.progress(n); got != "ost mail arrived" {
		t.Fatal(got)
	}
	if err := f.hears(c.ID, 0, 1, message.StateBounced, taken, f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	f.tick()
	if got := f.progress(n); got != "ost mail lost" {
		t.Error(got)
	}
}

package smtp

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
)

// TestConversations: what becomes of a letter in whole conversations, over hours. data is how often a content was begun:
// for a customer never again once one may have been taken.
func TestConversations(t *testing.T) {
	t.Parallel()
	customer, staff := message.Customer, message.Staff
	for name, test := range map[string]struct {
		kind     message.Kind
		turns    []turn
		state    message.State
		attempts int
		data     int
		taken    int
		why      string
	}{
		"451 twice, then 250":                    {customer, []turn{{"RCPT": "451 4.7.1 later"}, {"RCPT": "451 4.7.1 later"}, {}}, message.StateAccepted, 3, 1, 1, ""},
		"451 to the content twice, then 250":     {customer, []turn{{".": "451 4.3.0 no"}, {".": "451 4.3.0 no"}, {}}, message.StateAccepted, 3, 3, 1, ""},
		"550 to the recipient":                   {customer, []turn{{"RCPT": "550 5.1.1 about her"}}, message.StateFailed, 1, 0, 0, "sending the recipient: refused with 550 5.1.1"},
		"550 to the content":                     {customer, []turn{{".": "550 5.7.1 no"}}, message.StateFailed, 1, 1, 0, "sending the content: refused with 550 5.7.1"},
		"421 to the greeting, then 250":          {customer, []turn{{"greeting": "421 4.3.2 busy"}, {}}, message.StateAccepted, 2, 1, 1, ""},
		"cut after the content":                  {customer, []turn{{".": cut}, {}}, message.StateUnknown, 1, 1, 1, ""},
		"cut after the content, to staff":        {staff, []turn{{".": cut}, {}}, message.StateAccepted, 2, 2, 2, ""},
		"cut at DATA":                            {customer, []turn{{"DATA": cut}, {}}, message.StateAccepted, 2, 2, 1, ""},
		"cut before the content's end":           {customer, []turn{{"content": cut}, {"content": cut}, {}}, message.StateAccepted, 3, 3, 1, ""},
		"accepted, and cut before the farewell":  {customer, []turn{{"QUIT": cut}}, message.StateAccepted, 1, 1, 1, ""},
		"cut at each step before, then accepted": {customer, []turn{{"greeting": cut}, {"EHLO": cut, "HELO": cut}, {"MAIL": cut}, {"RCPT": cut}, {}}, message.StateAccepted, 5, 1, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, taken := converse(t, test.turns...)
			d := newDesk(t, channel(t, s.address, Plain, nil, nil))
			if test.turns[0]["content"] == cut {
				d.text = strings.Repeat("é", 60_000) // it does not fit into the wire
			}
			d.deliver(d.request("ana", test.kind, time.Time{}))
			d.pass(5 * 60)
			got := d.one()
			if got.State != test.state || got.Attempts != test.attempts || s.count("DATA") != test.data || taken() != test.taken {
				t.Errorf("%s after %d attempts (%s), %d times DATA, %d letters taken", got.State, got.Attempts, got.Why, s.count("DATA"), taken())
			}
			if test.why != "" && got.Why != test.why {
				t.Errorf("why: %s", got.Why)
			}
			if len(d.answers) != 1 || d.answers[0].State != test.state {
				t.Errorf("answered %+v", d.answers)
			}
		})
	}
}

// TestUntilTheClockNears: no server until shortly before the letter has to be there. The tries come closer together, so that
// one still gets through; where none does, whoever asked hears so in time for another way.
func TestUntilTheClockNears(t *testing.T) {
	t.Parallel()
	until := began.Add(2 * time.Hour)
	for name, up := range map[string]int{"back seven minutes before": 113, "never": 1000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gone := listen(t)
			_ = gone.Close()
			d := newDesk(t, channel(t, gone.Addr().String(), Plain, nil, nil))
			d.deliver(d.request("ana", message.Customer, until))
			d.pass(min(up, 119))
			last := d.one()
			if tries := last.Attempts; last.State != message.StatePlanned || tries < 9 || last.Due >= until.UnixMicro() {
				t.Errorf("%s after %d tries, next at %s", last.State, tries, time.UnixMicro(last.Due).UTC())
			}
			s, taken := converse(t, turn{})
			want := message.StateDead
			if up < 119 {
				want = message.StateAccepted
				d.channel = channel(t, s.address, Plain, nil, nil)
			}
			d.pass(120 - min(up, 119))
			if got := d.one(); got.State != want || len(d.answers) != 1 || d.answers[0].At.After(until) {
				t.Errorf("%s, answered %+v; want %s", got.State, d.answers, want)
			}
			d.pass(60)
			if (taken() == 1) != (want == message.StateAccepted) || len(d.answers) != 1 {
				t.Errorf("%d letters taken, %d answers", taken(), len(d.answers))
			}
		})
	}
}

// TestNothingInTheClear: a server that takes the wish for TLS back never gets a letter, and the asker hears of it.
func TestNothingInTheClear(t *testing.T) {
	t.Parallel()
	for name, plays := range map[string]turn{"not offered": {}, "refused": {"EHLO": "250-mail.example\r\n250 STARTTLS", "STARTTLS": "454 4.7.0 not now"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, taken := converse(t, plays)
			d := newDesk(t, channel(t, s.address, StartTLS, nil, nil))
			d.deliver(d.request("ana", message.Customer, began.Add(time.Hour)))
			d.pass(61)
			if got := d.one(); got.State != message.StateDead || s.count("MAIL") != 0 || s.count("DATA") != 0 || taken() != 0 {
				t.Errorf("%s (%s), %d times MAIL", got.State, got.Why, s.count("MAIL"))
			}
		})
	}
}

// TestTenOfEach: each request comes ten times, to four workers on one store, while they sweep: over verified TLS, one letter
// for each recipient.
func TestTenOfEach(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(d *desk) store.Store{
		"memory": func(d *desk) store.Store { return d.store },
		"bolt": func(d *desk) store.Store {
			s, err := bolt.Open(filepath.Join(d.t.TempDir(), "ostiary.db"), "breach", store.Options{Schema: schema, Clock: d.clock})
			if err != nil {
				d.t.Fatal(err)
			}
			d.t.Cleanup(func() { _ = s.Close() })
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, &server{}, StartTLS)
			d := newDesk(t, channel(t, s.address, StartTLS, s.roots, nil))
			d.store = open(d)
			var requests []message.Request
			for i := range 5 {
				requests = append(requests, d.request(fmt.Sprint("ana", i), message.Customer, time.Time{}))
			}
			queue := make(chan message.Request)
			var workers sync.WaitGroup
			for range 4 {
				workers.Go(func() {
					c := d.courier()
					for r := range queue {
						if err := c.Deliver(t.Context(), r); err != nil && !fault.Is(err, fault.Conflict) {
							t.Error(err)
						}
						if _, err := c.Sweep(t.Context()); err != nil && !fault.Is(err, fault.Conflict) {
							t.Error(err)
						}
					}
				})
			}
			for range 10 {
				for _, r := range requests {
					queue <- r
				}
			}
			close(queue)
			workers.Wait()
			d.pass(30)
			got := map[string]int{}
			for _, m := range s.received(t) {
				got[m.To]++
			}
			for _, r := range requests {
				if n := got[r.Key+"@customer.example"]; n != 1 {
					t.Errorf("%s got %d letters", r.Key, n)
				}
			}
			if len(got) != len(requests) || len(d.answers) != len(requests) {
				t.Errorf("%d recipients and %d answers of %d requests", len(got), len(d.answers), len(requests))
			}
		})
	}
}

package message

import (
	"testing"
	"time"

	"ostiary.internal/shared/platform/seal"
)

var at = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func request(kind Kind) Request {
	return Request{V: RequestVersion, Key: "key", Kind: kind, Person: "p1", Channel: Mail, Body: seal.Envelope{V: 1, Sealed: []byte("x")}}
}

func TestNext(t *testing.T) {
	t.Parallel()
	leased := func(kind Kind, since time.Time) Delivery { return plan(request(kind), at).lease(since) }
	for name, test := range map[string]struct {
		d    Delivery
		now  time.Time
		want move
	}{
		"planned now":                         {plan(request(Staff), at), at, try},
		"planned, before its time":            {plan(request(Staff), at), at.Add(-time.Microsecond), rest},
		"planned, just in time":               {plan(request(Customer), at), at.Add(GiveUpAfter - time.Microsecond), try},
		"planned, a day late":                 {plan(request(Staff), at), at.Add(GiveUpAfter), bury},
		"leased":                              {leased(Staff, at), at.Add(LeaseTime - time.Microsecond), rest},
		"staff, the worker died":              {leased(Staff, at), at.Add(LeaseTime), try},
		"customer leased":                     {leased(Customer, at), at.Add(LeaseTime - time.Microsecond), rest},
		"customer, the worker died":           {leased(Customer, at), at.Add(LeaseTime), giveUp},
		"staff, the worker died long ago":     {leased(Staff, at), at.Add(GiveUpAfter), bury},
		"customer, the worker died long ago":  {leased(Customer, at), at.Add(GiveUpAfter), giveUp},
		"accepted":                            {plan(request(Staff), at).settle(Accepted, "", at), at.Add(time.Hour), rest},
		"failed":                              {plan(request(Staff), at).settle(Failed, "", at), at.Add(time.Hour), rest},
		"unknown":                             {plan(request(Customer), at).settle(Unknown, "", at), at.Add(48 * time.Hour), rest},
		"dead":                                {plan(request(Staff), at).close(StateDead, at), at.Add(48 * time.Hour), rest},
		"a state of a later version":          {Delivery{State: "paused", Request: request(Staff)}, at, rest},
		"deferred once, before its time":      {plan(request(Staff), at).lease(at).settle(Deferred, "", at), at.Add(firstWait - time.Microsecond), rest},
		"deferred once, after its time":       {plan(request(Staff), at).lease(at).settle(Deferred, "", at), at.Add(firstWait * 5 / 4), try},
		"customer deferred once, in its time": {plan(request(Customer), at).lease(at).settle(Deferred, "", at), at.Add(firstWait * 5 / 4), try},
	} {
		if got := test.d.next(test.now); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	late := at.Add(GiveUpAfter - firstWait)
	for name, test := range map[string]struct {
		kind    Kind
		outcome Outcome
		now     time.Time
		state   State
		topic   string
	}{
		"staff accepted":               {Staff, Accepted, at, StateAccepted, TopicAccepted},
		"customer accepted":            {Customer, Accepted, at, StateAccepted, TopicAccepted},
		"staff failed":                 {Staff, Failed, at, StateFailed, TopicFailed},
		"customer failed":              {Customer, Failed, at, StateFailed, TopicFailed},
		"staff deferred":               {Staff, Deferred, at, StatePlanned, ""},
		"customer deferred":            {Customer, Deferred, at, StatePlanned, ""},
		"staff unknown":                {Staff, Unknown, at, StatePlanned, ""},
		"customer unknown":             {Customer, Unknown, at, StateUnknown, TopicUnknown},
		"staff, meaningless":           {Staff, "maybe", at, StatePlanned, ""},
		"customer, meaningless":        {Customer, "maybe", at, StateUnknown, TopicUnknown},
		"staff deferred, time is up":   {Staff, Deferred, late, StateDead, TopicFailed},
		"staff unknown, time is up":    {Staff, Unknown, late, StateDead, TopicFailed},
		"customer unknown, time is up": {Customer, Unknown, late, StateUnknown, TopicUnknown},
		"accepted though time is up":   {Customer, Accepted, at.Add(GiveUpAfter), StateAccepted, TopicAccepted},
	} {
		d := plan(request(test.kind), at).lease(test.now).settle(test.outcome, "why", test.now)
		if d.State != test.state || d.topic() != test.topic || d.Why != "why" {
			t.Errorf("%s: %s told on %q, want %s on %q", name, d.State, d.topic(), test.state, test.topic)
		}
		settled := test.topic != ""
		if kept := d.Request.Body.V != 0; kept == settled {
			t.Errorf("%s: the body is kept: %v", name, kept)
		}
		if settled != (d.Due == 0) || settled != d.Expires.Equal(test.now.Add(KeptFor)) {
			t.Errorf("%s: due %d, expires %s", name, d.Due, d.Expires)
		}
		if d.Fence != 1 || d.Attempts != 1 {
			t.Errorf("%s: fence %d, attempts %d", name, d.Fence, d.Attempts)
		}
	}
}

// A time by which a message has to be there is approached with more tries, and passed with none but the first.
func TestUntil(t *testing.T) {
	t.Parallel()
	begun := func(until time.Time) Delivery {
		r := request(Customer)
		r.Until = until
		return plan(r, at)
	}
	for name, test := range map[string]struct {
		d    Delivery
		now  time.Time
		want move
	}{
		"the first try, long past":        {begun(at.Add(-time.Hour)), at, try},
		"before it":                       {begun(at.Add(time.Hour)).lease(at).settle(Deferred, "", at), at.Add(40 * time.Minute), try},
		"past it":                         {begun(at.Add(time.Hour)).lease(at).settle(Deferred, "", at), at.Add(time.Hour), bury},
		"nothing was tried yet, past it":  {begun(at.Add(time.Minute)).settle(Deferred, "", at), at.Add(time.Hour), try},
		"the worker died, past it":        {begun(at.Add(time.Minute)).lease(at), at.Add(LeaseTime), giveUp},
		"more than a day away, a day on":  {begun(at.Add(100*time.Hour)).lease(at).settle(Deferred, "", at), at.Add(GiveUpAfter), bury},
		"nothing was tried yet, a day on": {begun(at.Add(time.Minute)).settle(Deferred, "", at), at.Add(GiveUpAfter), bury},
	} {
		if got := test.d.next(test.now); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	if d := begun(at.Add(-time.Hour)).lease(at).settle(Deferred, "", at); d.State != StateDead {
		t.Errorf("refused when its time was over: %s, want dead", d.State)
	}
	for _, left := range []time.Duration{3 * time.Hour, 20 * time.Minute, 5 * time.Minute, time.Minute} {
		for attempts := 1; attempts < 40; attempts++ {
			d := begun(at.Add(left)).lease(at)
			d.Attempts = attempts
			now, tries := at, 0
			for d = d.settle(Deferred, "", now); d.State == StatePlanned; d = d.lease(now).settle(Deferred, "", now) {
				now = time.UnixMicro(d.Due).UTC()
				if !now.Before(at.Add(left)) {
					t.Fatalf("%s left after %d attempts: due at %s", left, attempts, now)
				}
				if tries++; tries > 100 {
					t.Fatalf("%s left after %d attempts: tried without an end", left, attempts)
				}
			}
			if d.State != StateDead || tries < 4 {
				t.Errorf("%s left after %d attempts: %d more tries, then %s", left, attempts, tries, d.State)
			}
		}
	}
}

// TestNotBefore: a peer that asks to wait is left alone for so long, but not beyond what a message with an end can spare.
func TestNotBefore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		left, asked, least, most time.Duration
	}{
		"it asks for nothing":    {0, 0, firstWait, firstWait * 5 / 4},
		"it asks for less":       {0, time.Second, firstWait, firstWait * 5 / 4},
		"it asks for more":       {0, 20 * time.Minute, 20 * time.Minute, 20 * time.Minute},
		"the end is far":         {3 * time.Hour, 20 * time.Minute, 20 * time.Minute, 20 * time.Minute},
		"the end is near":        {10 * time.Minute, 20 * time.Minute, 2 * time.Minute, 2 * time.Minute},
		"it asks for a long day": {0, 100 * time.Hour, 2 * maxWait, 2 * maxWait},
	} {
		r := request(Customer)
		if test.left > 0 {
			r.Until = at.Add(test.left)
		}
		d := plan(r, at).lease(at).settle(Deferred, "", at).notBefore(at, test.asked)
		if due := time.UnixMicro(d.Due).Sub(at); d.State != StatePlanned || due < test.least || due > test.most {
			t.Errorf("%s: %s, again after %s", name, d.State, due)
		}
	}
	if d := plan(request(Customer), at).lease(at).settle(Failed, "", at).notBefore(at, time.Hour); d.Due != 0 || d.State != StateFailed {
		t.Errorf("a message that is settled is due at %d", d.Due)
	}
}

func TestWaitsGrow(t *testing.T) {
	t.Parallel()
	spread := map[time.Duration]bool{}
	for _, id := range []string{"a", "b", "c", "d"} {
		spread[wait(id, 1, 2*maxWait)] = true
		for attempts, base := range map[int]time.Duration{
			0: firstWait, 1: firstWait, 2: time.Minute, 3: 2 * time.Minute, 7: 32 * time.Minute, 8: time.Hour, 9: time.Hour, 100: time.Hour, 1 << 30: time.Hour,
		} {
			got := wait(id, attempts, 2*maxWait)
			if got < base || got >= base*5/4 {
				t.Errorf("after %d attempts: %s, want %s and up to a quarter more", attempts, got, base)
			}
			if got != wait(id, attempts, 2*maxWait) {
				t.Error("the same history gave another schedule")
			}
		}
	}
	if len(spread) < 2 {
		t.Error("messages refused together come back together")
	}
}

func TestASendEndsBeforeItsLease(t *testing.T) {
	t.Parallel()
	if SendTimeout+settleTime >= LeaseTime {
		t.Errorf("a send may take %s and its settling %s: longer than the lease of %s", SendTimeout, settleTime, LeaseTime)
	}
	if run := 3 * time.Minute; SweepTime+SendTimeout+settleTime >= run {
		t.Errorf("the last send of a sweep ends after a run of %s", run)
	}
}

package doorstory

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/testdata/policies"
)

const crowd = 200

// company is people.yaml of the sample company with a crowd added to it, and their addresses.
func company(t *testing.T) (people string, emails []string) {
	t.Helper()
	sample, err := policies.FS.ReadFile("sharedcontacts/people.yaml")
	must(t, err)
	var b strings.Builder
	b.WriteString(strings.TrimSpace(string(sample)) + "\n")
	for i := range crowd {
		emails = append(emails, fmt.Sprintf("p%03d@sharedcontacts.example", i))
		fmt.Fprintf(&b, "  - {id: p%03d, email: %s, name: Person %d, roles: [employee], zone: Europe/Paris, language: en}\n", i, emails[i], i)
	}
	return b.String(), emails
}

// everybody is a directory in which everybody's account is in order. The one of the World looks through all of the company at each
// question, and the keeper asks about each of the crowd in each run.
type everybody struct{ clock clock.Clock }

// Lookup implements directory.Directory.
func (e everybody) Lookup(_ context.Context, email string, _ time.Duration) (directory.Account, error) {
	return directory.Account{Email: email, TwoStep: true, Read: e.clock.Now()}, nil
}

// Close implements directory.Directory.
func (everybody) Close() error { return nil }

func init() {
	directory.Drivers.Register("everybody", func(_ context.Context, _ *url.URL, o directory.Options) (directory.Directory, error) {
		return everybody{o.Clock}, nil
	})
}

// arrival is when the i-th of the crowd registers: three in five within the first three minutes of ten.
func arrival(i int) time.Duration {
	if i < 120 {
		return time.Duration(i) * 1500 * time.Millisecond
	}
	return 3*time.Minute + time.Duration(i-120)*5250*time.Millisecond
}

// TestMorningRush: two hundred people register within ten minutes, each from an address of her own. Everybody is let in within the
// time that the door asks between two writes and one redelivery, and the quota of writes is never overrun.
func TestMorningRush(t *testing.T) {
	t.Parallel()
	people, emails := company(t)
	each(t, func(t *testing.T, make func(t testing.TB) *door) {
		d := make(t)
		w := newWorld(t, d, map[string]string{"people.yaml": people}, wiring.EnvDirectory, "everybody:").enrol(emails...)
		begun := w.Clock.Now()
		from := func(i int) string { return fmt.Sprintf("81.2.%d.%d", 70+i/100, 1+i%100) }
		for i := 0; i < crowd; {
			for ; i < crowd && arrival(i) <= w.Clock.Now().Sub(begun); i++ {
				w.register(emails[i], from(i))
			}
			w.pass(time.Second)
		}
		w.pass(6 * time.Minute) // the last message that was put off needs as long
		found, err := lease.Reader(w.Raw("access"))(t.Context())
		must(t, err)
		longest := time.Duration(0)
		for _, l := range found {
			if l.State != lease.Confirmed {
				t.Errorf("a lease begun at %s is %s", l.Started, l.State)
			}
			longest = max(longest, l.ConfirmedAt.Sub(l.Started))
		}
		for i, email := range emails {
			if !w.in(email, from(i)) || w.in(email, elsewhere) || d.person && w.in(emails[(i+1)%crowd], from(i)) {
				t.Errorf("person %d is not let in, or others are", i)
			}
		}
		_, events := w.records()
		if most := d.every + backoff; len(found) != crowd || longest > most || events["failed"] != 0 || len(w.queue) != 0 {
			t.Errorf("%d leases, the longest wait %s of %s, %d writes failed, %d messages wait", len(found), longest, most, events["failed"], len(w.queue))
		}
		if d.writes == nil {
			return
		}
		t.Logf("%d writes for %d people, the longest wait %s", d.writes(), crowd, longest)
		if n := d.writes(); n < crowd/perRule || n > crowd {
			t.Errorf("%d writes for %d people", n, crowd)
		}
	})
}

// perRule is the most addresses that one write of any door takes.
const perRule = 256

// TestLastOut: when the last lease ends the door is shut to everybody, the person herself too, however the lease ends.
func TestLastOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, make func(t testing.TB) *door) {
		w := newWorld(t, make(t), map[string]string{}).enrol(emma, asha)
		shut := func(when string) {
			t.Helper()
			for _, from := range []string{home, cafe, elsewhere, "2a02:8109:9340:1234::1", "192.0.2.1"} {
				for _, who := range []string{emma, asha, "stranger@elsewhere.example", ""} {
					if w.in(who, from) {
						t.Errorf("%s %q is let in from %s", when, who, from)
					}
				}
				if got := w.gate(from); got != 403 {
					t.Errorf("%s the gateway is told %d about %s", when, got, from)
				}
			}
		}
		w.pass(time.Minute)
		shut("before anybody came")
		one := w.register(emma, home)
		w.pass(time.Minute)
		if !w.in(emma, home) || w.gate(home) != 204 || w.state(emma) != "working" {
			t.Fatalf("she is not let in; her lease is %s", w.state(emma))
		}
		w.done(emma, one.ID)
		w.pass(time.Minute)
		shut("after she was done")
		w.register(asha, cafe)
		w.pass(time.Minute)
		if !w.in(asha, cafe) || w.in(emma, home) {
			t.Error("who came next is not let in, or who went is")
		}
		// Nobody does anything at the end of the day but the schedule.
		w.Advance(t, 24*time.Hour-w.Clock.Now().Sub(w.Clock.Now().Truncate(24*time.Hour)))
		w.pass(time.Minute)
		shut("after the day")
	})
}

// TestTwoHolders: two people at one address are one entry, or one for each; who goes first leaves the other in.
func TestTwoHolders(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, make func(t testing.TB) *door) {
		d := make(t)
		w := newWorld(t, d, map[string]string{}).enrol(emma, asha)
		first, second := w.register(emma, home), w.register(asha, home)
		w.pass(time.Minute)
		if !w.in(emma, home) || !w.in(asha, home) || w.state(emma) != "confirmed" || w.state(asha) != "confirmed" {
			t.Fatalf("not both are let in: %s, %s", w.state(emma), w.state(asha))
		}
		w.done(emma, first.ID)
		w.pass(time.Minute)
		if !w.in(asha, home) || d.person && w.in(emma, home) || w.state(asha) != "confirmed" || w.state(emma) != "ended" {
			t.Errorf("after one went: %s, %s", w.state(emma), w.state(asha))
		}
		w.done(asha, second.ID)
		w.pass(time.Minute)
		if w.in(emma, home) || w.in(asha, home) {
			t.Error("after both went somebody is let in")
		}
		if open, err := lease.Reader(w.Raw("access"))(t.Context()); err != nil || len(open) != 0 {
			t.Errorf("%d leases are counted by a door, %v", len(open), err)
		}
	})
}

package cases_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/fault"
)

// said are the messages since the last look, sorted, as the way and where to; texts are what they say.
func (d *desk) said() (ways []string, texts string) {
	for _, text := range d.ways {
		way, what, _ := strings.Cut(text, ": ")
		ways = append(ways, way)
		texts += what
	}
	clear(d.ways)
	slices.Sort(ways)
	return ways, texts
}

// TestCalls: a step calls by all its channels at once, and again by all of them when nobody did anything; a text message
// says the number, the deadline and what to do.
func TestCalls(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	d.Rules.Ladder[0].Channels = []string{"mail", "sms", "chat"}
	c, _, err := d.Declare(ctx, d.person("emma"), declaration(), d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	calls := func() (n int) {
		ways, _ := d.said()
		for _, one := range []string{"sms otto", "chat otto"} {
			if slices.Contains(ways, one) {
				n++
			}
		}
		return n
	}
	for _, text := range d.ways {
		if what, is := strings.CutPrefix(text, "sms otto: "); is {
			if !strings.Contains(what, c.Number) || !strings.Contains(what, "Deadline: 2026-03-28 10:30 +01:00") || strings.Contains(what, "breach") || strings.Contains(what, "Security") || len(what) > 160 {
				t.Errorf("%d bytes: %q", len(what), what)
			}
		}
	}
	if calls() != 2 {
		t.Error("not called by all channels")
	}
	if _, err := d.Do(ctx, c.ID, d.person("otto"), cases.Event{What: cases.Ack, Step: "oncall"}, cases.Words{}, d.clock.Now()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{0, 2} {
		if err := d.clock.Set(d.clock.Now().Add(31 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		if err := d.Tick(ctx, d.clock.Now()); err != nil || calls() != want {
			t.Errorf("want %d calls, %v", want, err)
		}
	}
}

// TestCompromised: when a channel may be read by somebody else, everything about the case goes by the ways beside it; who
// has none hears by another that she is needed, and no more; when there is no way to anybody, that is a finding.
func TestCompromised(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	d.Crier.OutOfBand = func(person, channel string) (to string, ok bool) {
		to = map[string]string{"vera sms": "+33000000000", "vera mail": "vera@elsewhere.example", "dana sms": "+33123456789"}[person+" "+channel]
		return to, to != ""
	}
	c, _, err := d.Declare(ctx, d.person("emma"), declaration(), d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	d.said()
	mark := func(who, text string, channels ...string) error {
		_, err := d.Do(ctx, c.ID, d.person(who), cases.Event{What: cases.Channel, Channels: channels}, cases.Words{Text: text}, d.clock.Now())
		return err
	}
	if err := mark("emma", "", "mail"); code(err) != "not_allowed" {
		t.Error(err)
	}
	if err := mark("vera", "", "pigeon"); code(err) != "channels_invalid" {
		t.Error(err)
	}
	for range 2 {
		if err := mark("vera", "", "chat", "chat"); err != nil {
			t.Fatal(err)
		}
	}
	ways, _ := d.said()
	if want := []string{"mail otto", "mail vera@elsewhere.example", "sms +33123456789"}; !slices.Equal(ways, want) {
		t.Errorf("%v, want %v", ways, want)
	}
	if err := mark("vera", "", "mail"); code(err) != "reason_missing" { // the chat may be used again
		t.Error(err)
	}
	if err := mark("vera", "", "mail", "chat"); err != nil {
		t.Fatal(err)
	}
	ways, texts := d.said()
	if want := []string{"mail vera@elsewhere.example", "sms +33123456789"}; !slices.Equal(ways, want) || strings.Contains(texts, "salaries") {
		t.Errorf("%v, want %v", ways, want)
	}
	// Otto alone is on call, and there is no way to him.
	if err := d.clock.Set(d.clock.Now().Add(2 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := d.Tick(ctx, d.clock.Now()); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		if err := d.clock.Set(d.clock.Now().Add(2 * time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := d.Tick(ctx, d.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.told(); strings.Count(got, "finding nobody_reachable") != 1 {
		t.Errorf("%s", got)
	}
	if _, err := d.Do(ctx, c.ID, d.person("dana"), cases.Event{What: cases.Ack, Step: "dpo"}, cases.Words{}, d.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if got := d.told(); strings.Count(got, "remediation nobody_reachable 1") != 1 {
		t.Errorf("%s", got)
	}
	if err := mark("vera", "restored", []string{}...); err != nil {
		t.Fatal(err)
	}
	if read, err := d.Get(ctx, c.ID); err != nil || len(read.Compromised) != 0 || read.Found["nobody_reachable"] != "" {
		t.Errorf("%v %v, %v", read.Compromised, read.Found, err)
	}
}

func code(err error) string { return fault.CodeOf(err) }

package cases_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
)

// TestSecondWay: when every step was called in vain, whoever carries the usual messages may be what does not work: everybody is
// called by every way there is, those beside the company's own included. Who answers is called by the usual ones again.
func TestSecondWay(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	others := map[string]string{"otto sms": "+33639980001", "dana mail": "dana@elsewhere.example"}
	d.OutOfBand = func(person, channel string) (string, bool) {
		to, known := others[person+" "+channel]
		return to, known
	}
	d.Crier.OutOfBand = d.OutOfBand
	c, _, err := d.Declare(ctx, d.person("emma"), cases.Declaration{Client: "1", Summary: "x"}, d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	var ways []string
	after := func(pass time.Duration) []string {
		t.Helper()
		if err := d.clock.Set(d.clock.Now().Add(pass)); err != nil {
			t.Fatal(err)
		}
		if err := d.Tick(ctx, d.clock.Now()); err != nil {
			t.Fatal(err)
		}
		all, _ := d.said()
		return all
	}
	ways, _ = d.said()
	for _, wait := range []time.Duration{10 * time.Minute, 15 * time.Minute, 30 * time.Minute} {
		ways = append(ways, after(wait)...)
	}
	if slices.Sort(ways); !slices.Equal(ways, []string{"mail dana", "mail otto", "mail otto", "mail vera"}) {
		t.Errorf("up the ladder: %v", ways)
	}
	ways = slices.Compact(after(time.Hour))
	if want := []string{"chat dana", "chat otto", "chat vera", "mail dana", "mail dana@elsewhere.example", "mail otto", "mail vera", "sms otto"}; !slices.Equal(ways, want) {
		t.Errorf("in vain: %v", ways)
	}
	if _, err := d.Do(ctx, c.ID, d.person("otto"), cases.Event{What: cases.Ack, Step: "oncall"}, cases.Words{}, d.clock.Now()); err != nil {
		t.Fatal(err)
	}
	d.said()
	if ways = after(time.Hour + time.Minute); !slices.Equal(ways, []string{"mail otto"}) {
		t.Errorf("nobody did anything: %v", ways)
	}
}

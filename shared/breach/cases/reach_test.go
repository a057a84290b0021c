package cases_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
)

// TestNobodyNamed: a tenant at which nobody is named to be told calls people at once, and once; when somebody was, and is not
// any more, again.
func TestNobodyNamed(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	nobody := []string{"nord"}
	d.Reaches = func(tenant string, compromised []string, _ time.Time) bool {
		return !slices.Contains(nobody, tenant) && len(compromised) == 0
	}
	calls := func() (n int) {
		for key := range d.mail {
			if strings.HasPrefix(key, "breach-reach/") {
				n++
			}
		}
		return n
	}
	c, _, err := d.Declare(ctx, d.person("emma"), cases.Declaration{Client: "1", Breach: true, Summary: "x", Tracks: []cases.Track{track("nord"), track("sud")}}, d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if calls() != 3 { // who decides, of whom one is on call
		t.Fatalf("%d were told: %v", calls(), d.mail)
	}
	do := func(e cases.Event, want int) {
		t.Helper()
		if err := d.clock.Set(d.clock.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Do(ctx, c.ID, d.person("vera"), e, cases.Words{Text: "x"}, d.clock.Now()); err != nil || calls() != want {
			t.Errorf("%s: %d were told, want %d: %v", e.What, calls(), want, err)
		}
	}
	do(cases.Event{What: cases.Answer, Subject: "sud", Yes: true}, 3)
	nobody = nil
	do(cases.Event{What: cases.Answer, Subject: "nord", Yes: true}, 3)
	do(cases.Event{What: cases.Channel, Channels: []string{"mail"}}, 4) // now nobody is, at either of them: the room that is left says so
}

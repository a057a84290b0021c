package message_test

import (
	"errors"
	"testing"
	"time"

	"ostiary.internal/shared/platform/message"
)

// TestCameBackLater: what arrived by the channel's word is asked about every six hours until time is up; one that came back all the
// same is told, and asked about no more.
func TestCameBackLater(t *testing.T) {
	t.Parallel()
	for _, back := range []bool{false, true} {
		a := newAsking(t, func(_ string, ask int) (message.Fate, error) {
			switch {
			case ask == 3:
				return message.FateUndetermined, errors.New("no answer")
			case back && ask > 3:
				return message.FateBounced, nil
			}
			return message.FateDelivered, nil
		})
		a.take("key", message.Customer)
		a.minutes(20 * time.Hour)
		asked := a.provider.asked
		if len(asked) != 4 || !asked[0].Equal(start.Add(time.Minute)) || asked[3].Sub(asked[0]) != 18*time.Hour || asked[2].Sub(asked[1]) != 6*time.Hour {
			t.Fatalf("back %v: asked %v", back, asked)
		}
		a.minutes(60 * time.Hour)
		asked, d := a.provider.asked, a.only()
		if d.Ask != 0 || a.records["delivered"] != 1 || a.answers["key "+message.TopicDelivered].State != message.StateDelivered || len(a.sent) != 1 {
			t.Errorf("back %v: %+v, recorded %v, answered %v", back, d, a.records, a.answers)
		}
		if !back {
			if n := len(asked); n != 13 || !asked[n-1].Equal(start.Add(message.AskFor)) || d.State != message.StateDelivered || !d.Heard.Equal(asked[0]) || len(a.answers) != 2 || len(a.records) != 2 {
				t.Errorf("%s after %d asks, %v; recorded %v", d.State, n, asked, a.records)
			}
			continue
		}
		answer := a.answers["key "+message.TopicBounced]
		if len(asked) != 4 || d.State != message.StateBounced || !answer.At.Equal(asked[3]) || !answer.Taken.Equal(start) || a.records["bounced"] != 1 || len(a.answers) != 3 {
			t.Errorf("%s after %d asks; recorded %v, answered %+v", d.State, len(asked), a.records, answer)
		}
	}
}

// TestAskedAsItIsDue: no wait is longer than a quarter of what is left until somebody has to have it, nor shorter than a minute;
// afterwards they are what they would have been.
func TestAskedAsItIsDue(t *testing.T) {
	t.Parallel()
	a := newAsking(t, always(message.FateAccepted))
	due := start.Add(12 * time.Hour)
	r := a.request("key", message.Customer)
	r.Due = due
	if err := a.courier(a.store).Deliver(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	a.minutes(80 * time.Hour)
	asked, before := a.provider.asked, 0
	for i := 1; i < len(asked); i++ {
		wait, left := asked[i].Sub(asked[i-1]), due.Sub(asked[i-1])
		if left <= 0 {
			if wait != 6*time.Hour && i < len(asked)-1 {
				t.Errorf("waited %s after it was due", wait)
			}
			continue
		}
		before++
		if longest := max(time.Minute, left/4) + time.Minute; wait < time.Minute || wait > longest { // a run in each minute
			t.Errorf("waited %s while %s were left", wait, left)
		}
	}
	if before < 20 || before > 40 || len(asked)-before < 8 || len(asked)-before > 14 {
		t.Errorf("asked %d times before it was due, and %d times after", before, len(asked)-before)
	}
	if d := a.only(); d.State != message.StateUndetermined || d.Ask != 0 {
		t.Errorf("%+v", d)
	}
}

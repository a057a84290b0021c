package cases_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/message"
)

// TestUnheard: when every message of a call failed for good the next step is called at once, and once; of an earlier call,
// after an answer or once all were called in vain nothing moves before its time.
func TestUnheard(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	d.Rules.Ladder[0].Channels = []string{"mail", "chat"}
	c, _, err := d.Declare(ctx, d.person("emma"), declaration(), d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	calls := func(known []string) (fresh []string) {
		for key := range d.mail {
			if strings.HasPrefix(key, "breach-page/"+c.ID+".") && !slices.Contains(known, key) {
				fresh = append(fresh, key)
			}
		}
		slices.Sort(fresh)
		return fresh
	}
	fails := func(state message.State, keys ...string) cases.Read {
		t.Helper()
		for _, key := range keys {
			for range 2 { // it may come twice
				if err := d.Answered(ctx, message.Answer{V: 1, Key: key, State: state, At: d.clock.Now()}, d.clock.Now()); err != nil {
					t.Fatal(err)
				}
			}
		}
		read, err := d.Get(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return read
	}
	first := calls(nil)
	if len(first) != 2 {
		t.Fatalf("called by %v", first)
	}
	if got := fails(message.StateAccepted, first...); got.Ladder.Step != 0 || got.Rev != 1 {
		t.Errorf("heard: %+v", got.Ladder)
	}
	if got := fails(message.StateFailed, first[0]); got.Ladder.Step != 0 || got.Ladder.Calls != 1 {
		t.Errorf("one way is left: %+v", got.Ladder)
	}
	if got := fails(message.StateDead, first[1]); got.Ladder.Step != 1 || got.Ladder.Calls != 2 || !got.Ladder.Called.Equal(d.clock.Now()) {
		t.Errorf("no way is left: %+v", got.Ladder)
	}
	second := calls(first)
	if got := fails(message.StateFailed, first...); len(second) == 0 || got.Ladder.Step != 1 || len(calls(first)) != len(second) {
		t.Errorf("said late, of an earlier call: %+v, %v", got.Ladder, second)
	}
	known := first
	for range 3 { // security, dpo, owner: then all at once, and no sooner again
		fresh := calls(known)
		known = append(known, fresh...)
		fails(message.StateFailed, fresh...)
	}
	all := fails(message.StateFailed, calls(known)...)
	if !all.Ladder.Nobody || all.Found["nobody_reachable"] == "" || len(calls(known)) == 0 {
		t.Errorf("nobody is reached: %+v", all.Ladder)
	}
	if again := fails(message.StateFailed, calls(nil)...); again.Rev != all.Rev {
		t.Errorf("called again before its time: %+v", again.Ladder)
	}
}

// TestUnheardAfterAnswer: whoever answered is here, whatever becomes of messages.
func TestUnheardAfterAnswer(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	c, _, err := d.Declare(ctx, d.person("emma"), declaration(), d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	after, err := d.Do(ctx, c.ID, d.person("otto"), cases.Event{What: cases.Ack, Step: "oncall"}, cases.Words{}, d.clock.Now().Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{"breach-page/" + c.ID + ".99/x", "breach-page/gone.1/x", "breach-page/", "breach-page/x", "drill/x", ""}
	for key := range d.mail {
		keys = append(keys, key)
	}
	for _, key := range keys {
		if err := d.Answered(ctx, message.Answer{V: 1, Key: key, State: message.StateFailed}, d.clock.Now().Add(time.Minute)); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	if got, err := d.Get(ctx, c.ID); err != nil || got.Rev != after.Rev || got.Ladder.Acked.IsZero() {
		t.Errorf("%+v, %v", got.Ladder, err)
	}
	if _, err := d.Do(ctx, c.ID, d.person("vera"), cases.Event{What: cases.Unheard}, cases.Words{}, d.clock.Now()); err == nil {
		t.Error("a person said it")
	}
}

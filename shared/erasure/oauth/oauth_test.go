package oauth_test

import (
	"reflect"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/platform/seal"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func disabled() oauth.Grant {
	return oauth.Grant{State: oauth.Disabled, Cause: oauth.Erased, Since: now, Private: &seal.Envelope{V: 1}}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer oauth.Answer
		state  oauth.State
		why    string
	}{
		"confirmed":   {oauth.Answer{Result: oauth.Confirmed}, oauth.Revoked, ""},
		"unknown":     {oauth.Answer{Result: oauth.Unknown}, oauth.Gone, ""},
		"no endpoint": {oauth.Answer{Result: oauth.NoWay}, oauth.Manual, "no_endpoint"},
		"refused":     {oauth.Answer{Result: oauth.Refused, Why: "client_refused"}, oauth.Manual, "client_refused"},
		"later":       {oauth.Answer{Result: oauth.Later}, oauth.Disabled, ""},
		"not known":   {oauth.Answer{}, oauth.Disabled, ""},
	} {
		got := oauth.Decide(disabled(), c.answer, now)
		if got.State != c.state || got.Why != c.why {
			t.Errorf("%s: %s %q, want %s %q", name, got.State, got.Why, c.state, c.why)
		}
		if kept := got.Private != nil; kept != (got.State == oauth.Disabled) {
			t.Errorf("%s: the token is kept: %v", name, kept)
		}
		if got.State == oauth.Manual && !got.Due.Equal(now.Add(oauth.TaskTime)) {
			t.Errorf("%s: due %s", name, got.Due)
		}
		again := oauth.Decide(got, oauth.Answer{Result: oauth.Confirmed}, now)
		if got.State != oauth.Disabled && !reflect.DeepEqual(again, got) {
			t.Errorf("%s: what is a person's, or at its end, was decided again", name)
		}
		if back := oauth.Disable(got, "", now); got.State != oauth.Disabled && !reflect.DeepEqual(back, got) {
			t.Errorf("%s: back to %s", name, back.State)
		}
	}
}

// Attempts grow rarer, wait as long as the provider asks, and end within the week a token may be kept.
func TestAttempts(t *testing.T) {
	t.Parallel()
	g, at := disabled(), now
	var last time.Duration
	for n := 0; g.State == oauth.Disabled; n++ {
		if n > 100 {
			t.Fatal("never gives up")
		}
		g = oauth.Decide(g, oauth.Answer{Result: oauth.Later}, at)
		if g.State != oauth.Disabled {
			break
		}
		next := time.UnixMicro(g.Next).UTC()
		if wait := next.Sub(at); wait < last {
			t.Errorf("attempt %d comes after %s, the one before after %s", n, wait, last)
		} else {
			last = wait
		}
		if next.After(now.Add(oauth.KeepToken)) {
			t.Errorf("an attempt at %s, when the token must be gone", next)
		}
		at = next
	}
	if g.State != oauth.Manual || g.Why != "gave_up" || g.Private != nil || at.Before(now.Add(6*24*time.Hour)) {
		t.Errorf("gave up as %s %q at %s, token kept %v", g.State, g.Why, at, g.Private != nil)
	}
	patient := oauth.Decide(disabled(), oauth.Answer{Result: oauth.Later, After: 2 * time.Hour}, now)
	if patient.Next != now.Add(2*time.Hour).UnixMicro() {
		t.Error("the provider's Retry-After was not kept to")
	}
}

// A connection that somebody else lives by is not cut with ours, and one in the product is neither spared nor settled.
func TestSpareAndSettle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		alive  int
		spared bool
	}{{1, true}, {0, false}} {
		got, spared := oauth.Spare(disabled(), c.alive, now)
		if spared != c.spared || spared != (got.State == oauth.Shared) || spared == (got.Private != nil) {
			t.Errorf("%+v: spared %v, %s", c, spared, got.State)
		}
	}
	pending := disabled()
	pending.State = oauth.Pending
	if _, spared := oauth.Spare(pending, 1, now); spared {
		t.Error("spared while the product still has it")
	}
	task := oauth.Decide(disabled(), oauth.Answer{Result: oauth.NoWay}, now)
	for _, outcome := range []oauth.State{oauth.Revoked, oauth.Gone, oauth.Shared, oauth.Failed, oauth.Pending, oauth.Disabled, oauth.Manual, "", "other"} {
		got, may := oauth.Settle(task, outcome, "dan", now)
		if may != outcome.Final() || may && (got.State != outcome || got.By != "dan") {
			t.Errorf("settled as %s: %v, %s", outcome, may, got.State)
		}
		if _, may := oauth.Settle(disabled(), outcome, "dan", now); may {
			t.Errorf("settled as %s what is a machine's", outcome)
		}
	}
}

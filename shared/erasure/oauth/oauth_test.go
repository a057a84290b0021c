package oauth_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/platform/seal"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func waiting() oauth.Grant {
	return oauth.Grant{State: oauth.Waiting, Cause: oauth.Erased, Since: now, Token: &seal.Envelope{V: 1}}
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
		"later":       {oauth.Answer{Result: oauth.Later}, oauth.Waiting, ""},
		"not known":   {oauth.Answer{}, oauth.Waiting, ""},
	} {
		got := oauth.Decide(waiting(), c.answer, now)
		if got.State != c.state || got.Why != c.why {
			t.Errorf("%s: %s %q, want %s %q", name, got.State, got.Why, c.state, c.why)
		}
		if kept := got.Token != nil; kept != (got.State == oauth.Waiting) {
			t.Errorf("%s: the token is kept: %v", name, kept)
		}
		if again := oauth.Decide(got, oauth.Answer{Result: oauth.Confirmed}, now); got.State.Final() && again != got {
			t.Errorf("%s: an end is not the end", name)
		}
	}
}

// Attempts grow rarer, wait as long as the provider asks, and end within the week a token may be kept.
func TestAttempts(t *testing.T) {
	t.Parallel()
	g, at := waiting(), now
	var last time.Duration
	for n := 0; !g.State.Final(); n++ {
		if n > 100 {
			t.Fatal("never gives up")
		}
		g = oauth.Decide(g, oauth.Answer{Result: oauth.Later}, at)
		if g.State.Final() {
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
	if g.State != oauth.Manual || g.Why != "gave_up" || g.Token != nil || at.Before(now.Add(6*24*time.Hour)) {
		t.Errorf("gave up as %s %q at %s, token kept %v", g.State, g.Why, at, g.Token != nil)
	}
	patient := oauth.Decide(waiting(), oauth.Answer{Result: oauth.Later, After: 2 * time.Hour}, now)
	if patient.Next != now.Add(2*time.Hour).UnixMicro() {
		t.Error("the provider's Retry-After was not kept to")
	}
}

// Where the provider ends a grant as a whole, a connection somebody else lives by is not cut with it.
func TestSpare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		whole  bool
		alive  int
		spared bool
	}{{true, 1, true}, {true, 0, false}, {false, 1, false}} {
		got, spared := oauth.Spare(waiting(), c.whole, c.alive, now)
		if spared != c.spared || spared != (got.State == oauth.Shared) || spared == (got.Token != nil) {
			t.Errorf("%+v: spared %v, %s", c, spared, got.State)
		}
	}
}

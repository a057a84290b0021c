// Package oauth decides how the grants that let a product into other providers' accounts come to an end: when an account
// is cancelled, downgraded or erased, its grants are revoked at the provider, and only then forgotten here.
//
// It promises that a grant other people still use is not revoked from under them (where a provider ends the grant as a
// whole, as Google does), that a token is kept, sealed, while the provider has not confirmed, and no longer than
// KeepToken, and that where a provider offers no way a person is asked. It does no I/O; package upstream speaks to
// the providers.
package oauth

import (
	"time"

	"ostiary.internal/shared/platform/seal"
)

// KeepToken is how long a token is kept for further attempts. After it a person has to end the grant by hand.
const KeepToken = 7 * 24 * time.Hour

// Cause says why a grant ends. It is stored, and stands in records.
type Cause string

// The causes.
const (
	Cancelled    Cause = "cancelled"    // the account ended
	Downgraded   Cause = "downgraded"   // to a plan without connections
	Erased       Cause = "erased"       // GDPR article 17
	Disconnected Cause = "disconnected" // by the person, here or at the provider
)

// State says where the end of a grant stands. It is stored.
type State string

// The states. In Waiting alone the token is still kept.
const (
	Waiting State = "waiting" // to be revoked, again at Next
	Revoked State = "revoked" // the provider confirmed
	Gone    State = "gone"    // the provider says that it ended before
	Shared  State = "shared"  // others use the same grant: ours was forgotten, the provider's left
	Manual  State = "manual"  // a person has to end it at the provider, or ask the account's holder to
)

// Final reports whether nothing is left to do by machine.
func (s State) Final() bool { return s != Waiting }

// Grant is one connection of an account here with an account at a provider, as it is stored. What tells the latter
// is a keyed hash: it has to be compared and nothing else.
type Grant struct {
	V        int            `json:"v"`
	ID       string         `json:"id"`
	Provider string         `json:"provider"` // id of the policy
	Tenant   string         `json:"tenant"`
	Request  string         `json:"request,omitempty"` // of erasure
	Account  string         `json:"account,omitempty"` // keyed hash of the account at the provider
	Instance string         `json:"instance,omitempty"`
	Token    *seal.Envelope `json:"token,omitempty"`
	Cause    Cause          `json:"cause"`
	State    State          `json:"state"`
	Why      string         `json:"why,omitempty"` // of Manual: a word
	Since    time.Time      `json:"since"`
	Tries    int            `json:"tries"`
	Next     int64          `json:"next,omitempty"` // microseconds since 1970
	Ended    time.Time      `json:"ended,omitzero"`
	Expires  time.Time      `json:"expires,omitzero"`
}

// Result is what a provider answered.
type Result string

// The results.
const (
	Confirmed Result = "confirmed"
	Unknown   Result = "unknown" // the token was unknown or had ended
	Later     Result = "later"   // the token is valid still: try again (RFC 7009, section 2.2.1)
	Refused   Result = "refused" // trying again will not help
	NoWay     Result = "no_way"  // the provider has no endpoint for it
)

// Answer is a Result with what the provider said of time, and for Refused why, as a word.
type Answer struct {
	Result Result
	After  time.Duration // of Later: at least so long; 0 where the provider does not say
	Why    string
}

// waits between attempts; the last is repeated.
var waits = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour}

// Decide says what an answer makes of a grant. A grant that reached its end is left as it is.
func Decide(g Grant, a Answer, now time.Time) Grant {
	if g.State.Final() {
		return g
	}
	g.Tries++
	switch a.Result {
	case Confirmed:
		return g.end(Revoked, "", now)
	case Unknown:
		return g.end(Gone, "", now)
	case NoWay:
		return g.end(Manual, "no_endpoint", now)
	case Refused:
		return g.end(Manual, a.Why, now)
	}
	wait := max(waits[min(g.Tries, len(waits))-1], a.After)
	next := now.Add(wait)
	if next.After(g.Since.Add(KeepToken)) {
		return g.end(Manual, "gave_up", now)
	}
	g.Next = next.UnixMicro()
	return g
}

// Spare ends a grant that others use too, without a word to the provider: with others it would end theirs. alive counts
// the connections of any tenant, other than those that end for the same cause, that use the same account at the provider.
func Spare(g Grant, wholeGrant bool, alive int, now time.Time) (Grant, bool) {
	if g.State.Final() || !wholeGrant || alive == 0 {
		return g, false
	}
	return g.end(Shared, "", now), true
}

// end forgets the token: nothing of it is needed any more, whatever the end was.
func (g Grant) end(s State, why string, now time.Time) Grant {
	g.State, g.Why, g.Token, g.Next, g.Ended = s, why, nil, 0, now
	return g
}

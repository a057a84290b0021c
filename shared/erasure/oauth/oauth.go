// Package oauth brings the connections to an end by which the product acts at other providers' accounts (OAuth 2.0): when an
// account is cancelled, downgraded or erased.
//
// # What it promises
//
// A connection is first kept here, sealed, and only then taken out of the product, so that neither a death nor a provider
// that is down loses the only thing that can end it; it is taken out of the product before the provider is asked, so that
// nothing acts by it in the meantime. A token is kept until the provider has confirmed, and no longer than KeepToken. Where
// a provider ends all connections of an account at once, as Google does, one that somebody else lives by is left to him.
// Where a provider offers no way, or refuses, a person is asked to end it, with a day by which, until she says that it is done.
// Secrets of Secret Manager that hold a token are destroyed with all their versions.
//
// # What it does not do
//
// It speaks to no provider: package upstream does. It takes a provider's word for what it confirms (RFC 7009, section 2.2,
// has it say the same of a token it never knew).
package oauth

import (
	"time"

	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Control is the check under whose name the evidence speaks.
const Control = "token-revoke"

// Times of a connection's end.
const (
	KeepToken = 7 * 24 * time.Hour // for further attempts; after it a person has to end the connection
	Target    = time.Hour          // by which nothing should be left to do
	TaskTime  = 7 * 24 * time.Hour // for a person; then she is reminded as often
	keep      = 400 * 24 * time.Hour
)

// Grants is the collection, in the database "erasure".
const Grants = "grants"

// Collection declares what the control's schema holds for this package.
func Collection() store.Collection {
	return store.Collection{Name: Grants, Indexes: []store.Index{{"state", "next"}, {"request"}}, Expires: true}
}

const version = 1

// Cause says why a connection ends. It is stored, and stands in records.
type Cause string

// The causes.
const (
	Cancelled  Cause = "cancelled"  // the account ended
	Downgraded Cause = "downgraded" // to a plan without connections
	Erased     Cause = "erased"     // GDPR article 17
)

// State says where the end of a connection stands. It is stored.
type State string

// The states. In Pending and Disabled alone the token is still kept.
const (
	Pending  State = "pending"  // the product still has it
	Disabled State = "disabled" // out of the product; to be revoked
	Revoked  State = "revoked"  // the provider confirmed, or a person has ended it
	Gone     State = "gone"     // the provider says that it ended before
	Shared   State = "shared"   // others live by it: ours was forgotten, the provider's left
	Manual   State = "manual"   // a person has to end it, or to ask the account's holder to
	Failed   State = "failed"   // a person could not
)

// Final reports whether nothing is left to do for anybody.
func (s State) Final() bool { return s == Revoked || s == Gone || s == Shared || s == Failed }

// machine reports whether something is left to do by machine.
func (s State) machine() bool { return s == Pending || s == Disabled }

// Unlisted stands for a provider that the map does not have.
const Unlisted = "unlisted"

// Grant is one connection, as it is stored. Its id is a keyed hash of what it was found as.
type Grant struct {
	V        int    `json:"v"`
	ID       string `json:"id"`
	Rev      int64  `json:"rev"`
	Salt     []byte `json:"salt"`     // of its commitment in records
	Provider string `json:"provider"` // id in the data map, or Unlisted
	Entry    string `json:"entry"`
	Tenant   string `json:"tenant"`
	Request  string `json:"request,omitempty"`
	Cause    Cause  `json:"cause"`
	State    State  `json:"state"`
	Why      string `json:"why,omitempty"` // a word; of Manual why by hand, of Disabled what the product's store said
	// Said is what the provider answered when something else was left to do; it is not asked again.
	Said    Result         `json:"said,omitempty"`
	Private *seal.Envelope `json:"private,omitempty"`
	Since   time.Time      `json:"since"`
	Tries   int            `json:"tries,omitempty"`
	Next    int64          `json:"next,omitempty"`    // microseconds since 1970: when to look again
	Due     time.Time      `json:"due,omitzero"`      // of Manual
	By      string         `json:"by,omitempty"`      // who settled it
	Finding string         `json:"finding,omitempty"` // open record of a task that is overdue
	Ended   time.Time      `json:"ended,omitzero"`
	Expires time.Time      `json:"expires,omitzero"`
}

// Result is what a provider answered. It is stored.
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

// Disable notes that the product no longer has a connection: now the provider may be asked.
func Disable(g Grant, why string, now time.Time) Grant {
	if g.State == Pending {
		g.State, g.Why, g.Tries, g.Next = Disabled, why, 0, now.UnixMicro()
	}
	return g
}

// Decide says what an answer makes of a connection. Of one that is still in the product only Later and Refused are
// answers, by its store. What is in a person's hands, or at its end, is left as it is.
func Decide(g Grant, a Answer, now time.Time) Grant {
	if !g.State.machine() {
		return g
	}
	g.Tries++
	switch a.Result {
	case Confirmed:
		return g.end(Revoked, "", now)
	case Unknown:
		return g.end(Gone, "", now)
	case NoWay:
		return g.byHand("no_endpoint", now)
	case Refused:
		return g.byHand(a.Why, now)
	}
	wait := max(waits[min(g.Tries, len(waits))-1], a.After)
	next := now.Add(wait)
	if next.After(g.Since.Add(KeepToken)) {
		return g.byHand("gave_up", now)
	}
	g.Next = next.UnixMicro()
	return g
}

// Spare ends a connection whose provider would end others with it: alive counts those, of any tenant.
func Spare(g Grant, alive int, now time.Time) (Grant, bool) {
	if g.State != Disabled || alive == 0 {
		return g, false
	}
	return g.end(Shared, "", now), true
}

// Settle notes what a person made of her task: Revoked, Gone, Shared or Failed.
func Settle(g Grant, outcome State, by string, now time.Time) (Grant, bool) {
	if g.State != Manual || !outcome.Final() {
		return g, false
	}
	g.By = by
	return g.end(outcome, g.Why, now), true
}

// end forgets the token: nothing of it is needed any more, whatever the end was.
func (g Grant) end(s State, why string, now time.Time) Grant {
	g.State, g.Why, g.Said, g.Private, g.Next, g.Ended, g.Expires = s, why, "", nil, 0, now, now.Add(keep)
	return g
}

// byHand hands a connection to a person, who needs no token.
func (g Grant) byHand(why string, now time.Time) Grant {
	g.State, g.Why, g.Said, g.Private = Manual, why, "", nil
	g.Due = now.Add(TaskTime)
	g.Next = g.Due.UnixMicro()
	return g
}

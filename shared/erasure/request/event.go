package request

import (
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/seal"
)

// What says what happened to a request. It stands in records.
type What string

// The events. Those of the engine carry the Round they belong to.
const (
	Looked     What = "looked"      // the engine asked the directory for the address, or sends another link
	Renewed    What = "renewed"     // another link was asked for
	Mistried   What = "mistried"    // a wrong proof
	Proved     What = "proved"      // the identity is established
	Duplicated What = "duplicate"   // it is, and another request counts for the person
	Joined     What = "joined"      // another request was linked to this one
	Gathered   What = "gathered"    // all that waited for the same address are
	PassOn     What = "pass_on"     // a person passes on what nobody proved, to the tenant it concerns
	Delivered  What = "delivered"   // what was passed on has arrived
	GivenUp    What = "given_up"    // a person found that the identity cannot be established
	Planned    What = "planned"     // engine: what there is
	Approve    What = "approve"     // a person agrees to the plan
	Reject     What = "reject"      // two people refuse
	HoldIt     What = "hold"        // two people keep something
	Release    What = "release"     // a hold ends
	Extend     What = "extend"      // two further months
	Exported   What = "exported"    // the person has her copy
	Withdraw   What = "withdraw"    // the person, or the controller, takes it back
	Settle     What = "settle"      // there is another owner now
	Widen      What = "widened"     // the last owner has the account closed
	Resume     What = "resume"      // what stood in the way is gone: search again
	Review     What = "reviewed"    // a person has looked at what only people can judge
	Started    What = "started"     // engine: it begins to erase
	Drifted    What = "drifted"     // engine: what there is is not what was approved
	Executed   What = "executed"    // engine: it has been through the plan
	Verified   What = "verified"    // engine: what a search found afterwards
	Hindered   What = "hindered"    // engine: it cannot plan, or go on
	Alive      What = "alive"       // engine: still at it
	Receipted  What = "receipted"   // the receipt that was owed is made
	Forgotten  What = "forgotten"   // the engine keeps nothing of a request that is closed
	Parties    What = "parties"     // what third parties have answered was compared with the receipt
	LetterLost What = "letter_lost" // a letter was not, or may not have been, delivered
	Hinted     What = "hinted"      // something of hers may have been written since
	Ticked     What = "ticked"      // time has passed
)

// Events returns all events.
func Events() []What {
	return []What{Looked, Renewed, Mistried, Proved, Duplicated, Joined, Gathered, PassOn, Delivered, GivenUp, Planned, Approve, Reject, HoldIt, Release, Extend, Exported,
		Withdraw, Settle, Widen, Resume, Review, Started, Drifted, Executed, Verified, Hindered, Alive, Receipted, Forgotten, Parties, LetterLost, Hinted, Ticked}
}

// Event is one event with what belongs to it.
type Event struct {
	What  What
	By    string   // who decided, of people.yaml; "" for the person, the engine and the clock
	Twins []string // ids under which the same human may be known as well: see policy.Policy.Twins
	Round int      // of the engine's events

	Known      bool           // of Looked: the address is on file
	Elsewhere  bool           // of Looked: in what is held for the tenant, and not with us
	Unsearched bool           // of Looked: an address that was named beside an id is not searched for
	Unsure     bool           // of Looked: some of what is held for the tenant could not be asked
	Address    string         // of Looked
	Send       bool           // of Looked: a letter with a link may go out
	Private    *seal.Envelope // of Looked: with the address on file in it; of Joined: with what the other one proved, nil for nothing new
	Proof      Proof          // of Proved and Duplicated
	Touched    bool           // of Drifted: something may be gone
	Used       string         // of Proved and Duplicated by a link: its hash
	Quiet      bool           // of Duplicated: she knows from the letter about the other one
	Marks      []string       // of Proved, Joined and Widen
	Doubts     []Doubt        // of Proved and Joined
	Of         string         // of Duplicated and Joined: the other request
	Received   time.Time      // of Joined: when the other one came
	Export     bool           // of Joined: the other one asks for a copy
	Holds      []Hold         // of Joined: what two people decided there; of Proved: in requests of hers that are through
	Plan       *Plan          // of Planned
	Digest     string         // of Approve and Started: of the plan
	Hold       *Hold          // of HoldIt
	ID         string         // of Release: of the hold
	Refusal    *Refusal       // of Reject
	Reason     ExtensionReason
	Why        Why          // of Withdraw; "" for Withdrawn
	Totals     Totals       // of Executed: over all runs
	Outcome    Outcome      // of Executed (Open alone) and Verified
	Pass       int          // of Verified: which search, of Receipted: which receipt; from 1
	Look       Look         // of Review
	Reference  string       // of Review
	Pending    bool         // of Parties: one has still to answer
	Differs    bool         // of Parties: the newest receipt says otherwise
	Letter     string       // of LetterLost: its kind
	Tenant     string       // of PassOn
	Alike      bool         // of HoldIt and Release: in another request of the same person
	Freed      bool         // of Ticked: what others held and was left alone is not what they hold now
	Day        calendar.Day // of Exported: on which the copy was handed over; zero for today
}

// do says what an effect is.
type do string

const (
	doRecord  do = "record"  // evidence that a step was taken
	doFinding do = "finding" // evidence that something is out of order
	doLetter  do = "letter"  // to the person, or whoever asked
	doForward do = "forward" // to the tenant
	doStaff   do = "staff"   // to the people who look after requests
	doPublish do = "publish" // a topic
	doSplit   do = "split"   // a second request for what is the tenant's
)

// Effect is what follows from an event beside the new state.
type Effect struct {
	do     do
	step   string      // of records, letters to staff, and the keys of messages
	letter letter.Kind // of letters and staff
	topic  string
}

// Name says what an effect is, for people who read a table of them.
func (e Effect) Name() string {
	switch e.do {
	case doLetter, doStaff, doForward:
		return string(e.do) + " " + string(e.letter)
	case doPublish:
		return string(e.do) + " " + e.topic
	case doSplit:
		return string(e.do)
	}
	return string(e.do) + " " + e.step
}

// today is the local day of the company.
func (d *deciding) today() calendar.Day { return calendar.Date(d.now, d.rules.Zone) }

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
	Looked     What = "looked"      // somebody asked the directory for the address
	Renewed    What = "renewed"     // another link was asked for
	Mistried   What = "mistried"    // a wrong proof
	Proved     What = "proved"      // the identity is established
	Duplicated What = "duplicate"   // it is, and another request counts for the person
	Joined     What = "joined"      // another request was linked to this one
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
	Resume     What = "resume"      // what stood in the way is gone: search again
	Started    What = "started"     // engine: it begins to erase
	Drifted    What = "drifted"     // engine: what there is is not what was approved
	Executed   What = "executed"    // engine: it has been through the plan
	Verified   What = "verified"    // engine: what a search found afterwards
	Alive      What = "alive"       // engine: still at it
	LetterLost What = "letter_lost" // a letter was not, or may not have been, delivered
	Ticked     What = "ticked"      // time has passed
)

// Events returns all events.
func Events() []What {
	return []What{Looked, Renewed, Mistried, Proved, Duplicated, Joined, GivenUp, Planned, Approve, Reject, HoldIt, Release, Extend, Exported,
		Withdraw, Settle, Resume, Started, Drifted, Executed, Verified, Alive, LetterLost, Ticked}
}

// Event is one event with what belongs to it.
type Event struct {
	What  What
	By    string // who decided, of people.yaml; "" for the person, the engine and the clock
	Round int    // of the engine's events

	Known    bool           // of Looked: the address is on file
	Link     *Link          // of Looked and Renewed, where one is sent
	Private  *seal.Envelope // of Looked: with the address on file in it
	Proof    Proof          // of Proved
	Marks    []string       // of Proved
	Doubts   []Doubt        // of Proved and Drifted
	Of       string         // of Duplicated and Joined: the other request
	Received time.Time      // of Joined: when the other one came
	Plan     *Plan          // of Planned
	Digest   string         // of Approve and Started: of the plan
	Hold     *Hold          // of HoldIt
	ID       string         // of Release: of the hold
	Refusal  *Refusal       // of Reject
	Reason   ExtensionReason
	Why      Why     // of Withdraw; "" for Withdrawn
	Totals   Totals  // of Executed: over all runs
	Outcome  Outcome // of Executed (Open alone) and Verified
	Pass     int     // of Verified: which search, from 1
	Letter   string  // of LetterLost: its kind
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

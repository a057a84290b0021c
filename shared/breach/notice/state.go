package notice

import (
	"slices"
	"time"

	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// State is where a notice stands. It is stored.
type State string

// The states.
const (
	Drafted  State = "drafted"  // waits for a second person
	Approved State = "approved" // and is being sent
	Sent     State = "sent"     // handed over for every recipient
	Expired  State = "expired"  // nobody agreed in time
	Voided   State = "voided"   // what would be sent is not what was agreed to; what went out before stays out
)

// States returns all states.
func States() []State { return []State{Drafted, Approved, Sent, Expired, Voided} }

// Notice is one notice of a case, as it is stored. Times are UTC.
type Notice struct {
	V       int       `json:"v"`
	ID      string    `json:"id"` // of the case, a dot, and its number there
	Case    string    `json:"case"`
	N       int       `json:"n"` // from 1
	Rev     int64     `json:"rev"`
	Kind    Kind      `json:"kind"`
	State   State     `json:"state"`
	Version int       `json:"version"` // of the draft, from 1
	Author  string    `json:"author"`
	Authors []string  `json:"authors"` // everybody who wrote any version: none of them agrees to it
	Written time.Time `json:"written"`
	Hash    string    `json:"hash"` // of all that will be sent
	To      int       `json:"to"`   // recipients

	Private *seal.Envelope `json:"private,omitempty"` // the draft

	Approver string    `json:"approver,omitempty"`
	Agreed   time.Time `json:"agreed,omitzero"`
	// Glass: one person approved it alone, in need; Reason is a text of the notice. A second looks at it within GlassReview.
	Glass    bool   `json:"glass,omitempty"`
	Reason   int    `json:"reason,omitempty"`
	Reviewer string `json:"reviewer,omitempty"`
	Late     bool   `json:"late,omitempty"` // nobody did in time
	Stalled  bool   `json:"stalled,omitempty"`

	// Of Persons: who says that they were told, when, and in which text of the notice by what means.
	Noter string    `json:"noter,omitempty"`
	Noted time.Time `json:"noted,omitzero"`
	Means int       `json:"means,omitempty"`

	// How many recipients it was handed over for, and what became of them as far as the last tick knows.
	Next     int       `json:"next,omitempty"`
	Handed   time.Time `json:"handed,omitzero"` // the last time
	Accepted int       `json:"accepted,omitempty"`
	Failed   int       `json:"failed,omitempty"`
	Unknown  int       `json:"unknown,omitempty"` // may have been sent: somebody has to ask the tenant

	Finding string    `json:"finding,omitempty"` // record that nobody looked in time
	Prior   time.Time `json:"prior,omitzero"`    // when people agreed to the last notice to tenants before the draft
	Due     int64     `json:"due,omitempty"`     // microseconds since 1970: when a tick has to look
}

// Lives of a notice.
const (
	DraftLife   = 24 * time.Hour // afterwards what was written may be true no longer
	GlassReview = 24 * time.Hour
	// ApprovalLife is how long nobody may have handed over anything of what was agreed to: what stopped that long is looked at first.
	ApprovalLife = 24 * time.Hour
)

// What says what happened to a notice. It stands in records.
type What string

// The events.
const (
	Write   What = "write"   // a first, or another, version
	Approve What = "approve" // a second person agrees to the digest
	Break   What = "break"   // one person alone, in need
	Review  What = "review"  // a second looks at that
	Note    What = "note"    // persons were told
	Handed  What = "handed"  // so many recipients more were handed over
	Heard   What = "heard"   // what became of some of them
	Changed What = "changed" // what would be sent is not what was agreed to
	Ticked  What = "tick"
)

// Events returns all events.
func Events() []What {
	return []What{Write, Approve, Break, Review, Note, Handed, Heard, Changed, Ticked}
}

// Actor is a person, with what she is in the policy.
type Actor struct {
	ID    string
	Roles []policy.Role
	Twins []string // ids under which the same human may be known as well: see policy.Policy.Twins
}

// is reports whether an id is the actor's own, or that of the same human under a second address.
func (a Actor) is(id string) bool { return a.ID == id || slices.Contains(a.Twins, id) }

func (a Actor) decides() bool {
	return slices.ContainsFunc([]policy.Role{policy.Security, policy.DPO, policy.Owner}, func(r policy.Role) bool { return slices.Contains(a.Roles, r) })
}

// Event is one event with what belongs to it.
type Event struct {
	What  What
	By    Actor
	Hash  string    // of Write and Approve
	Kind  Kind      // of Write
	To    int       // of Write: recipients. Of Handed: those handed over now
	Text  int       // of Break and Note: text of the notice
	At    time.Time // of Note
	Stall time.Time // when three quarters of the shortest clock it is written for are over; zero for none

	Accepted, Failed, Unknown int // of Heard: by how many more, or fewer
}

// Effects of an event beside the new notice.
type Effect string

// The effects.
const (
	Record   Effect = "record"   // evidence of the step
	Ask      Effect = "ask"      // who may approve, but the authors
	Send     Effect = "send"     // begin, or go on, to hand over
	Alarm    Effect = "alarm"    // everybody who decides: somebody approved alone, or it was voided
	Escalate Effect = "escalate" // an approval stalls: the deputies
	Finding  Effect = "finding"  // nobody looked at what one person approved alone
	Heal     Effect = "heal"
	Doubt    Effect = "doubt" // somebody has to ask whether it arrived
	Call     Effect = "call"  // somebody has to call who could not be told
)

// Package finding is the life of one difference between what was promised and what there is: seen, settled or open,
// accepted for a while, healed, or of something nobody promises any more.
//
// # What it promises
//
// Something that changes while it is worked on is no finding until it has stood for the time to settle; what opens a door,
// or stops a log, is one at once. Somebody accepts a value, not a field: when the value changes, nothing is accepted any
// more. An acceptance has a reason and an end, and for what is high two people, neither of whom made the change. What cannot
// be read is neither healed nor worse: the finding says since when nobody knows. What is promised no more is not healed either.
//
// Decide is pure: it takes a finding, an event and the time, and returns the finding as it is then with what follows. A
// Service keeps findings: each event is one transaction with the evidence and the messages that follow, and an event that
// changes nothing writes nothing. Evidence names things and people by commitments only; what staff writes stays in the store.
//
// # What it does not do
//
// It reads nothing of the world and repairs nothing, and it finds nobody: who made a change is told to it.
package finding

import (
	"reflect"
	"slices"
	"time"

	"ostiary.internal/shared/policy"
)

// State is where a finding stands. It is stored.
type State string

// The states.
const (
	Settling State = "settling" // seen; it may be half of a change that is under way
	Open     State = "open"
	Accepted State = "accepted" // as it is, until a day
	Healed   State = "healed"
	Dropped  State = "dropped" // nobody promises, or wants, it otherwise any more; it may be as it was
)

// States returns all states.
func States() []State { return []State{Settling, Open, Accepted, Healed, Dropped} }

// Over reports whether nothing is out of order any more, for whatever reason.
func (s State) Over() bool { return s == Healed || s == Dropped }

// Times of a finding.
const (
	Settle      = 2 * time.Minute  // a change has to stand for so long
	MostSettle  = 15 * time.Minute // while something is being applied, for no longer than this
	MostHigh    = 30 * 24 * time.Hour
	MostOther   = 180 * 24 * time.Hour
	RemindAhead = 3 * 24 * time.Hour // of the end of an acceptance; of a short one, half of it
	Unread      = 24 * time.Hour     // until somebody is told that nobody can tell
	SeenEvery   = time.Hour          // how often it is noted that it is so still
)

// Finding is one, as it is stored. Times are UTC.
type Finding struct {
	V        int             `json:"v"`
	ID       string          `json:"id"` // of what is about: the same difference has the same
	Rev      int64           `json:"rev"`
	Round    int             `json:"round"` // how often it opened
	State    State           `json:"state"`
	Asset    string          `json:"asset"`
	What     string          `json:"what"`            // see About; or Terraform's address and field
	Class    string          `json:"class,omitempty"` // Forbidden, or what package diff calls it
	Promises []string        `json:"promises,omitempty"`
	Severity policy.Severity `json:"severity"`
	Loosened bool            `json:"loosened,omitempty"`
	Data     string          `json:"data,omitempty"` // what the asset holds, personal or secret: it weighs one step more
	Want     string          `json:"want,omitempty"`
	Got      string          `json:"got,omitempty"` // as it was seen last

	First   time.Time `json:"first"`           // of this round
	Seen    time.Time `json:"seen"`            // out of order, last; to SeenEvery
	Since   time.Time `json:"since,omitzero"`  // with the value it has, first
	Opened  time.Time `json:"opened,omitzero"` // of this round
	Ended   time.Time `json:"ended,omitzero"`
	Unknown time.Time `json:"unknown,omitzero"` // since when nobody can tell
	Said    bool      `json:"said,omitempty"`   // that nobody can

	Actors   []Actor     `json:"actors,omitempty"` // who may have done it, likeliest first; of people everybody who was named in this round
	Proposed *Acceptance `json:"proposed,omitempty"`
	Accepted *Acceptance `json:"accepted,omitempty"`
	Due      int64       `json:"due,omitempty"` // microseconds since 1970: when a tick has to look

	// What the Service keeps of it.
	Nonce   string    `json:"nonce"`
	Rank    int64     `json:"rank"`              // gravest first, then newest
	Records []string  `json:"records,omitempty"` // ids of the evidence that is open
	Named   []string  `json:"named,omitempty"`   // promises it names
	Waivers []string  `json:"waivers,omitempty"` // ids of the evidence that excepts it
	Expires time.Time `json:"expires,omitzero"`
}

// Forbidden is the class of what an assertion found.
const Forbidden = "forbidden"

// Actor is who may have made a change.
type Actor struct {
	Person     string    `json:"person,omitempty"` // id in people.yaml, of who began
	Chain      []string  `json:"chain,omitempty"`  // who acted for whom, who began first: ids, service:ID, or kinds; never an address
	Kind       string    `json:"kind"`             // human, service, agent (of Google's), unknown
	Method     string    `json:"method,omitempty"`
	UserAgent  string    `json:"user_agent,omitempty"` // its first word
	Ticket     string    `json:"ticket,omitempty"`
	At         time.Time `json:"at,omitzero"`
	Entry      string    `json:"entry,omitempty"`      // of the log
	Planned    bool      `json:"planned,omitempty"`    // the deployer, and Terraform wants it so
	Suspicious bool      `json:"suspicious,omitempty"` // the deployer, and Terraform does not
	Why        string    `json:"why,omitempty"`        // of unknown: stream_off, before_retention, no_entry
	Asked      []Change  `json:"asked,omitempty"`      // what the call asked for that was not so before
	Unasked    string    `json:"unasked,omitempty"`    // why there is nothing, or not all, of it: not_logged, too_long, same, left_out
}

// Change is one field of what a call asked for, beside what it was before. A value that may be a secret is a mark.
type Change struct {
	Field  string `json:"field"`
	Was    string `json:"was,omitempty"` // "" for nothing
	Now    string `json:"now,omitempty"`
	Unsure bool   `json:"unsure,omitempty"` // what it was, or whether it was another, is not known
}

// Equal reports whether both say the same.
func (a Actor) Equal(b Actor) bool {
	at := a.At.Equal(b.At) && slices.Equal(a.Chain, b.Chain)
	a.At, b.At, a.Chain, b.Chain = time.Time{}, time.Time{}, nil, nil
	return at && reflect.DeepEqual(a, b)
}

// Acceptance lets a value be as it is for a while.
type Acceptance struct {
	Got      string    `json:"got"`
	By       string    `json:"by"`
	Second   string    `json:"second,omitempty"`
	Reason   int       `json:"reason"` // text
	Ticket   string    `json:"ticket,omitempty"`
	At       time.Time `json:"at"`
	Until    time.Time `json:"until"`
	Reminded bool      `json:"reminded,omitempty"`
}

// remind is when people are told that it ends.
func (a Acceptance) remind() time.Time { return a.Until.Add(-min(RemindAhead, a.Until.Sub(a.At)/2)) }

// What says what happened. It stands in records.
type What string

// The events.
const (
	Out     What = "out_of_order" // it was seen so
	In      What = "in_order"
	Drop    What = "promised_no_more" // nobody wants it otherwise any more: the policy, or Terraform, says something else
	Lost    What = "undetermined"     // nobody can tell
	Blame   What = "attributed"       // who may have done it is known now
	Accept  What = "accept"
	Revoke  What = "revoke" // an acceptance, by hand
	Ticking What = "tick"
)

// Events returns all events.
func Events() []What { return []What{Out, In, Drop, Lost, Blame, Accept, Revoke, Ticking} }

// Event is one event with what belongs to it.
type Event struct {
	What     What
	Read     time.Time              // of Out, In, Drop and Lost: when what it rests on was true; older news change nothing
	Subject  Finding                // of Out: Asset, What, Promises, Severity, Loosened, Data, Want, Got
	Urgent   bool                   // of Out: it opens a door, or stops a log: no time to settle
	Applying bool                   // of Out and Ticking: something is being applied there
	Again    bool                   // of Out: all was looked at anew; that it is so still is noted once in SeenEvery
	Actors   []Actor                // of Blame
	Same     func(a, b string) bool // of Blame: two ids may be one human's; nil: only the same are
	By       Person                 // of Accept and Revoke
	Reason   int                    // text
	Ticket   string
	Until    time.Time
	Got      string // of Accept: the value as it was shown to whoever accepts
}

// Person is somebody signed in, with what she is in the policy.
type Person struct {
	ID    string
	Roles []policy.Role
	Twins []string // ids under which the same human may be known as well: see policy.Policy.Twins
}

func (p Person) decides() bool {
	return slices.ContainsFunc([]policy.Role{policy.Security, policy.DPO, policy.Owner}, func(r policy.Role) bool { return slices.Contains(p.Roles, r) })
}

// Effect is what follows from an event beside the new finding.
type Effect string

// The effects.
const (
	RecordOpen Effect = "opened"    // evidence: a promise is broken
	RecordHeal Effect = "healed"    // evidence that closes it
	RecordDrop Effect = "dropped"   // evidence that closes it, and says nothing of how it is
	RecordStep Effect = "step"      // evidence of an acceptance, its end, a change
	Tell       Effect = "tell"      // who decides
	Ask        Effect = "ask"       // a second person
	Remind     Effect = "remind"    // that an acceptance ends
	Look       Effect = "look"      // read it again now
	TellLost   Effect = "tell_lost" // that nobody can tell
)

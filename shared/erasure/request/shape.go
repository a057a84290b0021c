package request

import (
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/seal"
)

// State is where a request stands. It is stored.
type State string

// The states.
const (
	Received         State = "received"                 // on record; nobody has looked for the person yet
	IdentityPending  State = "identity_pending"         // waits for the proof of who asks
	NotEstablished   State = "identity_not_established" // nobody proved it in time (articles 11(2) and 12(6))
	Planning         State = "planning"                 // the engine searches
	AwaitingApproval State = "awaiting_approval"        // a person has to look at the plan
	Approved         State = "approved"                 // to be carried out, from After on
	Executing        State = "executing"
	Verifying        State = "verifying" // carried out; the search for what is left is under way
	Completed        State = "completed" // nothing is left
	Retained         State = "completed_with_retention"
	Partial          State = "partial"    // something could not be erased; Outcome lists it
	Blocked          State = "blocked"    // Why says by what
	Cancelled        State = "cancelled"  // Why says by whom
	Rejected         State = "rejected"   // with a ground and a letter
	Forwarding       State = "forwarding" // on its way to somebody else, for whom the data is held
	Forwarded        State = "forwarded"  // whose mail server has taken it
)

// States returns all states.
func States() []State {
	return []State{Received, IdentityPending, NotEstablished, Planning, AwaitingApproval, Approved, Executing, Verifying,
		Completed, Retained, Partial, Blocked, Cancelled, Rejected, Forwarding, Forwarded}
}

// Answered reports whether the person has got her answer (article 12(3)).
func (s State) Answered() bool {
	return slices.Contains([]State{NotEstablished, Completed, Retained, Cancelled, Rejected, Forwarded}, s)
}

// working reports whether the engine has something to do.
func (s State) working() bool {
	return slices.Contains([]State{Received, Planning, Approved, Executing, Verifying}, s)
}

// Why says what stands in the way, or ended a request. It is stored, and stands in records.
type Why string

// The reasons.
const (
	LastOwner   Why = "last_owner"  // of blocked: without her the account has no owner
	NotOwner    Why = "not_owner"   // of blocked: only an owner closes an account, or has another owner erased
	Unusable    Why = "unusable"    // of blocked: what she is known by, or the data map, cannot be searched with
	NoContact   Why = "no_contact"  // of blocked: whom it concerns has no contact it could be passed on to
	Undelivered Why = "undelivered" // of blocked: it was passed on, and did not arrive for certain
	Left        Why = "left"        // of partial: something is left, or could not be reached
	Unmapped    Why = "unmapped"    // of partial: there are places nobody has mapped
	Withdrawn   Why = "withdrawn"   // of cancelled: by the person
	Duplicate   Why = "duplicate"   // of cancelled: another request counts for the person
	Instructed  Why = "instruction" // of cancelled: by the controller
)

// Kind says what is to be erased. It is stored.
type Kind string

// The kinds.
const (
	Person  Kind = "erasure" // the data of one person
	Account Kind = "account" // everything of a tenant: the account closes
)

// Channel says how a request came. It is stored.
type Channel string

// The channels. Any wording on any of them counts (EDPB guidelines 01/2022).
const (
	Product Channel = "product" // signed in
	Page    Channel = "page"    // the public page
	Mail    Channel = "mail"    // entered at the desk, as the next
	Paper   Channel = "letter"
	OpenDSR Channel = "opendsr"
)

// Requester says in what capacity somebody asks. It is stored.
type Requester string

// The requesters. May says who may ask for what.
const (
	Subject     Requester = "subject"
	TenantOwner Requester = "tenant_owner"
	TenantAdmin Requester = "tenant_admin"
	Agent       Requester = "agent" // with a mandate; the subject confirms
	Controller  Requester = "controller"
)

// Proof says how an identity was established. It is stored.
type Proof string

// The proofs.
const (
	ByLink        Proof = "link"        // sent to the address on file
	BySession     Proof = "session"     // signed in a moment ago
	ByTenant      Proof = "tenant"      // an owner or administrator speaks for a member of her own tenant
	ByInstruction Proof = "instruction" // the controller vouches for it
)

// Request is one request, as it is stored. Times are UTC.
type Request struct {
	V         int       `json:"v"`
	ID        string    `json:"id"`     // the tenant's, and random; what messages say
	Number    string    `json:"number"` // random; what people say
	Nonce     string    `json:"nonce"`  // random; what the ids of records and letters are made of
	Rev       int64     `json:"rev"`    // counts the changes
	State     State     `json:"state"`
	Why       Why       `json:"why,omitempty"`
	Kind      Kind      `json:"kind"`
	Widened   bool      `json:"widened,omitempty"` // it was asked for a person: her account closes with it
	Channel   Channel   `json:"channel"`
	Requester Requester `json:"requester"`
	Tenant    string    `json:"tenant"`
	To        string    `json:"to,omitempty"` // tenant it is passed on to where that is another
	Language  string    `json:"language"`
	Received  time.Time `json:"received"` // when it arrived, by whatever channel: starts the clock
	Entered   time.Time `json:"entered"`  // when it was put on record here
	EnteredBy string    `json:"entered_by,omitempty"`
	External  string    `json:"external,omitempty"` // the controller's id of it

	Secret  string         `json:"secret,omitempty"`  // hash of what the requester shows to see the state
	Address string         `json:"address,omitempty"` // of whoever is to prove it, while that is waited for: a mark
	Renew   bool           `json:"renew,omitempty"`   // another letter with a link is asked for
	Tell    bool           `json:"tell,omitempty"`    // somebody else asked: her address is to be looked up, and she is to be told
	Role    Requester      `json:"role,omitempty"`    // of who was signed in, as the product says
	Paced   time.Time      `json:"paced,omitzero"`    // nobody looks before that who asked: very many did
	Tries   int            `json:"tries,omitempty"`   // wrong codes
	Used    string         `json:"used,omitempty"`    // hash of the link that was used
	Gather  string         `json:"gather,omitempty"`  // Address whose other requests are still to be linked to this one
	Private *seal.Envelope `json:"private,omitempty"`
	Known   bool           `json:"known,omitempty"` // the address is on file; never shown before the proof
	// Unsearched: an address that was named beside an id is not searched for, as nobody checked that both are of one person.
	Unsearched bool         `json:"unsearched,omitempty"`
	Elsewhere  bool         `json:"elsewhere,omitempty"` // but only in what is held for the tenant; never shown either
	Proof      Proof        `json:"proof,omitempty"`
	Proved     time.Time    `json:"proved,omitzero"`
	Marks      []string     `json:"marks,omitempty"` // of claims
	Of         string       `json:"of,omitempty"`    // the request that counts
	Linked     []string     `json:"linked,omitempty"`
	Asked      calendar.Day `json:"asked,omitzero"` // local day on which the proof was asked for

	Deadline Deadline   `json:"deadline"`
	Extended *Extension `json:"extended,omitempty"`
	Alarms   int        `json:"alarms,omitempty"`  // of Deadline.Alarms, given
	Reopened time.Time  `json:"reopened,omitzero"` // what had to stay no longer has to
	Overdue  bool       `json:"overdue,omitempty"`
	Informed time.Time  `json:"informed,omitzero"` // when the person was told what is still open
	// LookBy is the last day for what only a person can judge, zero while nothing waits for her; LookTold when she was reminded
	// of it last.
	LookBy   calendar.Day `json:"look_by,omitzero"`
	LookTold time.Time    `json:"look_told,omitzero"`
	Late     bool         `json:"late,omitempty"`     // the company's own target has passed
	Unpassed bool         `json:"unpassed,omitempty"` // what is the tenant's was not passed on in time
	Finding  string       `json:"finding,omitempty"`  // open record of the overdue answer

	Round    int          `json:"round,omitempty"` // of planning and execution: what belongs to another is refused
	Sought   time.Time    `json:"sought,omitzero"` // when the search for it began: what it says of owners is not older
	Plan     *Plan        `json:"plan,omitempty"`
	Doubts   []Doubt      `json:"doubts,omitempty"` // why a person has to look
	By       string       `json:"by,omitempty"`     // who approved; "" by the limits
	Decided  time.Time    `json:"decided,omitzero"`
	After    time.Time    `json:"after,omitzero"`    // not executed before
	Export   bool         `json:"export,omitempty"`  // a copy goes to the person first (articles 15 and 20)
	Exported time.Time    `json:"exported,omitzero"` // when somebody said so
	Handed   calendar.Day `json:"handed,omitzero"`   // on which she got it, as who said so has it
	HandedBy string       `json:"handed_by,omitempty"`
	Frozen   bool         `json:"frozen,omitempty"`
	Settled  bool         `json:"settled,omitempty"` // there is another owner
	Split    bool         `json:"split,omitempty"`   // what is the tenant's went its own way
	Lost     []string     `json:"lost,omitempty"`    // letters that did not arrive for certain
	Holds    []Hold       `json:"holds,omitempty"`
	Proposed *Proposed    `json:"proposed,omitempty"`
	Refusal  *Refusal     `json:"refusal,omitempty"`

	Begun    bool             `json:"begun,omitempty"`    // something may have been erased: nobody takes it back any more
	Executed time.Time        `json:"executed,omitzero"`  // of the first run ever: what was made later may be somebody else's
	Ran      time.Time        `json:"ran,omitzero"`       // of the last run that erased something, or was the first after a plan
	Totals   Totals           `json:"totals,omitzero"`    // over all runs
	Outcome  Outcome          `json:"outcome,omitzero"`   // of the last search
	Reviewed map[string]int64 `json:"reviewed,omitempty"` // what a person has settled, for Open.Settled
	// Answers are those behind Reviewed, by the same keys.
	Answers  map[string]Answer `json:"answers,omitempty"`
	Others   []string          `json:"others,omitempty"`   // entries of which other items than before were found for people to look at
	Beside   time.Time         `json:"beside,omitzero"`    // when it was looked at last whether others still hold what was left alone
	Passed   int               `json:"passed,omitempty"`   // searches since Ran
	Pass     time.Time         `json:"pass,omitzero"`      // of the next one
	HintedAt time.Time         `json:"hinted_at,omitzero"` // of the last search that was made because something may have been written
	Extra    bool              `json:"extra,omitempty"`    // the next one is not of those that Passes counts
	Sweeps   int               `json:"sweeps,omitempty"`
	Restarts int               `json:"restarts,omitempty"` // of the searches since the plan, because something more was erased
	Changed  bool              `json:"changed,omitempty"`  // something was erased that no receipt names
	Receipts int               `json:"receipts,omitempty"` // that were to be made
	Made     int               `json:"made,omitempty"`     // that are
	Amends   int               `json:"amends,omitempty"`   // number of the receipt that is owed for what third parties answered: the person is told of it
	Waits    time.Time         `json:"waits,omitzero"`     // third parties have still to answer: when to look again
	Forget   bool              `json:"forget,omitempty"`   // it is closed, and the engine may keep something of it
	Answered State             `json:"answered,omitempty"` // what the person was told last

	Active   time.Time `json:"active"`
	Called   time.Time `json:"called,omitzero"` // when the engine was last asked for what is owed
	Nudges   int       `json:"nudges,omitempty"`
	Reminded time.Time `json:"reminded,omitzero"` // when people were told again that it waits for them
	Open     bool      `json:"open"`
	Desk     bool      `json:"desk,omitempty"`  // it waits for the desk
	Shown    Show      `json:"shown,omitempty"` // ShowUnknown or ShowWork
	DueAt    int64     `json:"due_at"`
	Next     int64     `json:"next,omitempty"` // microseconds since 1970: when Tick has to look
	Closed   time.Time `json:"closed,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
}

// Deadline is what package calendar says of the request's clock. Days are local to the company.
type Deadline struct {
	Due          calendar.Day   `json:"due"` // last day, until 24:00
	Conservative calendar.Day   `json:"conservative"`
	NoticeBy     calendar.Day   `json:"notice_by"` // of an extension
	Alarms       []calendar.Day `json:"alarms,omitempty"`
	Warning      string         `json:"warning,omitempty"`
}

// Extension is two further months, for a reason the person is told within the first (article 12(3)).
type Extension struct {
	Reason ExtensionReason `json:"reason"`
	By     string          `json:"by"`
	At     time.Time       `json:"at"`
}

// Doubt says why a person has to look at a plan. It is stored, and stands in records.
type Doubt string

// The doubts.
const (
	SharedMailbox Doubt = "shared_mailbox"
	LookAlike     Doubt = "look_alike"
	ManyItems     Doubt = "many_items"
	LargeShare    Doubt = "large_share"
	ReviewNeeded  Doubt = "review"
	Closure       Doubt = "closure"
	ByHand        Doubt = "by_hand" // entered at the desk
	Moved         Doubt = "moved"   // what was approved is not what there is
	OnHold        Doubt = "hold"
	Untold        Doubt = "untold" // somebody else asked, and there is no address to tell the person at
	Blind         Doubt = "blind"  // the search could not look everywhere
)

// owed is the number of the receipt that has to be made now; 0 for none.
func (r Request) owed() int {
	if (r.State == Completed || r.State == Retained || r.State == Partial) && r.Made < r.Receipts {
		return r.Made + 1
	}
	return 0
}

// Package cases is the life of a breach: from the first suspicion to the review after it.
//
// # What it promises
//
// One path, whoever begins it: a page, a command, a suspicion of the log watch. A suspicion is investigated and never
// silently a breach; a breach has an instant of awareness that anybody may move earlier, and two people later, with a
// reason. Whether the authority, the persons and each tenant are told is a decision of its own by two people, and "no" is
// one as well: with a reason, and a day on which it is looked at again. A score advises (package severity), clocks run from
// stored instants (package clock), and people are called up a ladder until one of them answers.
//
// Decide is pure: it takes a case, an event and the time, and returns the case as it is then with what follows. What
// people wrote never stands in a record, a message of the bus or a log.
//
// # What it does not do
//
// It sends nothing itself and files nothing with an authority: it says that something is due, and keeps what was done.
package cases

import (
	"slices"
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// State is where a case stands. It is stored.
type State string

// The states.
const (
	Suspected State = "suspected" // investigated: nobody is aware of a breach yet
	Open      State = "open"      // a breach
	Closed    State = "closed"    // Ending says how
)

// States returns all states.
func States() []State { return []State{Suspected, Open, Closed} }

// Ending says how a case ended. It is stored.
type Ending string

// The endings.
const (
	Handled    Ending = "handled"      // everybody who had to be told was
	NotABreach Ending = "not_a_breach" // no personal data was compromised
	TimeUp     Ending = "time_up"      // of an exercise alone
)

// Role is what the company is for the data of a track. It is stored.
type Role string

// The roles. Where it is both, a breach has two tracks.
const (
	Controller Role = "controller"
	Processor  Role = "processor"
)

// Own is the track of data the company itself decides about.
const Own = "own"

// Exactness says how far a number is known: unknown is a value. It is stored.
type Exactness string

// How far a number is known.
const (
	Exact         Exactness = "exact"
	Estimate      Exactness = "estimate"
	Unknown       Exactness = "unknown"
	NotApplicable Exactness = "not_applicable"
)

// Count is a number of people or records.
type Count struct {
	N   int64     `json:"n,omitempty"`   // of Exact and Estimate
	How Exactness `json:"how"`           // "" of an event: nobody said, and what was known stays
	Why int       `json:"why,omitempty"` // text, of NotApplicable: the reason, which it has to have
}

// Track is whose data is concerned: Own, or a tenant of the policy.
type Track struct {
	ID      string    `json:"id"`
	Role    Role      `json:"role"`
	People  Count     `json:"people"`
	Records Count     `json:"records"`
	Told    time.Time `json:"told,omitzero"` // the first notice reached the tenant
	// Unreached: people were told that nobody is named to be told at the tenant.
	Unreached bool `json:"unreached,omitempty"`
	// Hours are those of the contract when the track was added; 0: it named none.
	Hours int `json:"hours,omitempty"`
	// Business are those its hours count in alone; nil: they count through.
	Business *clock.Business `json:"business,omitempty"`
	// Earlier is what was said of the counts before, oldest first.
	Earlier []Counted `json:"earlier,omitempty"`
}

// Counted is what was said of a track's counts until somebody corrected it.
type Counted struct {
	People  Count     `json:"people"`
	Records Count     `json:"records"`
	By      string    `json:"by"` // who corrected it
	At      time.Time `json:"at"` // when
}

// Bound is what bound the company when it became aware: a policy that changes later moves no clock that runs.
type Bound struct {
	Regimes []string      `json:"regimes,omitempty"`
	Zone    string        `json:"zone"`
	Country string        `json:"country,omitempty"`
	Exempt  bool          `json:"exempt,omitempty"`
	Aim     time.Duration `json:"aim"`

	Contracts []Contract `json:"contracts,omitempty"`
}

// Times are the instants of a breach, kept apart. Zero is not known.
type Times struct {
	OccurredFrom  time.Time `json:"occurred_from,omitzero"`
	OccurredTo    time.Time `json:"occurred_to,omitzero"`
	Detected      time.Time `json:"detected,omitzero"`
	Investigating time.Time `json:"investigating,omitzero"`
	Aware         time.Time `json:"aware,omitzero"` // of the company
	// ProcessorAware is when the company knew, as a processor, that its customers' data is concerned; zero: with Aware.
	ProcessorAware time.Time `json:"processor_aware,omitzero"`
	Classified     time.Time `json:"classified,omitzero"` // as a major incident, where a regime asks for it
	Contained      time.Time `json:"contained,omitzero"`  // it goes on no longer
}

// AwareAs is when the company was aware in a role.
func (t Times) AwareAs(r Role) time.Time {
	if r == Processor && !t.ProcessorAware.IsZero() {
		return t.ProcessorAware
	}
	return t.Aware
}

// Case is one case, as it is stored. Times are UTC. Texts are numbers, from 1, of those in Private: 0 is none.
type Case struct {
	V        int       `json:"v"`
	ID       string    `json:"id"`              // random; what messages say
	Number   string    `json:"number"`          // random; what people say. Of an exercise it begins with EX
	Nonce    string    `json:"nonce"`           // random; what the ids of records are made of
	Rev      int64     `json:"rev"`             // counts the changes
	Moved    bool      `json:"moved,omitempty"` // somebody did something since it was declared
	State    State     `json:"state"`
	Ending   Ending    `json:"ending,omitempty"`
	Exercise bool      `json:"exercise,omitempty"` // set when it is declared, never changed
	Declared time.Time `json:"declared"`
	Since    int64     `json:"since"`            // the same in microseconds since 1970: cases are listed by it
	By       string    `json:"by,omitempty"`     // who declared it; "" for a detection
	Source   string    `json:"source,omitempty"` // of a detection: its reference
	// About are the people of the policy a detection names: the case may be their own matter.
	About   []string `json:"about,omitempty"`
	Signals []Signal `json:"signals,omitempty"` // what the detection said since, oldest first

	Private *seal.Envelope `json:"private,omitempty"`
	Summary int            `json:"summary,omitempty"` // text
	Times   Times          `json:"times"`
	Details Details        `json:"details,omitzero"`
	Triage  *Triaged       `json:"triage,omitempty"` // the last
	Bound   *Bound         `json:"bound,omitempty"`  // since it is a breach
	Moves   []Move         `json:"moves,omitempty"`  // of awareness, oldest first
	Moving  *Move          `json:"moving,omitempty"`
	Tracks  []Track        `json:"tracks,omitempty"`
	Hinted  bool           `json:"hinted,omitempty"` // a detection named some of Tracks, and nobody has said since that it is all
	// Unmapped counts domains and accounts that are affected and belong to no tenant we know: somebody may have to be told
	// whom nobody has found yet. Their names are in Private.
	Unmapped int      `json:"unmapped,omitempty"`
	Mapped   []Mapped `json:"mapped,omitempty"` // those that were found out, oldest first
	// Compromised are channels that may be read or forged by somebody else: nothing about the case leaves by the usual ways.
	Compromised []string `json:"compromised,omitempty"`

	Score     *Scored              `json:"score,omitempty"` // the last
	Scores    int                  `json:"scores,omitempty"`
	Rated     []Scored             `json:"rated,omitempty"`     // those before it, oldest first; at most maxRated
	Decisions []Decision           `json:"decisions,omitempty"` // one that counts, or waits, for each subject, and those they replaced
	Filed     map[string]Filing    `json:"filed,omitempty"`     // by clock
	Promises  map[string]time.Time `json:"promises,omitempty"`  // what was promised, by when
	Pledged   map[string]time.Time `json:"pledged,omitempty"`   // when it was promised last
	Kept      map[string]time.Time `json:"kept,omitempty"`      // when it was done

	Ladder Ladder                `json:"ladder"`
	Said   map[string]clock.Said `json:"said,omitempty"`   // by clock
	Warned int                   `json:"warned,omitempty"` // of Investigation

	Closed   time.Time         `json:"closed,omitzero"`
	Incident bool              `json:"incident,omitempty"` // of NotABreach: something happened, and to no personal data
	Recalled calendar.Day      `json:"recalled,omitzero"`  // last day on which people were told that a report is to be taken back
	ClosedBy string            `json:"closed_by,omitempty"`
	Review   calendar.Day      `json:"review,omitzero"`   // by when the case is looked back at
	Reviewed time.Time         `json:"reviewed,omitzero"` // that was done
	Reminded calendar.Day      `json:"reminded,omitzero"` // last day on which people were told that it is overdue
	Lessons  int               `json:"lessons,omitempty"` // text: what was learned
	Reviews  []Reviewed        `json:"reviews,omitempty"` // those before the case was opened again, oldest first
	Actions  []Action          `json:"actions,omitempty"` // of its reviews
	Holds    []Hold            `json:"holds,omitempty"`   // oldest first: the last keeps it from being deleted
	Overdue  string            `json:"overdue,omitempty"` // what is out of order: clock, review or withdrawal
	Found    map[string]string `json:"found,omitempty"`   // records of what is out of order, by what it is
	Next     int64             `json:"next,omitempty"`    // microseconds since 1970: when a tick has to look
}

// Reviewed is a review that was finished.
type Reviewed struct {
	At      time.Time `json:"at"`
	Lessons int       `json:"lessons"` // text
}

// Move is a change of the instant of awareness.
type Move struct {
	As     Role      `json:"as,omitempty"` // Processor: of ProcessorAware alone
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to"`
	By     string    `json:"by"`
	Second string    `json:"second,omitempty"`
	At     time.Time `json:"at"`
	Reason int       `json:"reason,omitempty"` // text
}

// Scored is a score with what it was made of.
type Scored struct {
	Input severity.Input `json:"input"` // without its reasons: they are texts
	Score severity.Score `json:"score"`
	By    string         `json:"by"`
	At    time.Time      `json:"at"`
	Why   int            `json:"why,omitempty"` // text: the reasons
}

// Filing is a report to an authority, made by a person on its portal.
type Filing struct {
	At        time.Time `json:"at"`
	By        string    `json:"by"`
	Reference int       `json:"reference,omitempty"` // text
	Reasons   int       `json:"reasons,omitempty"`   // text: of the delay
	// Earlier are what stood here before, oldest first: reports before this one, and those noted wrongly.
	Earlier []Filing `json:"earlier,omitempty"`
	Wrong   int      `json:"wrong,omitempty"` // text, of one of Earlier: why it was not so
	// Withdrawn is what became of it after the case turned out to be no breach.
	Withdrawn *Withdrawal `json:"withdrawn,omitempty"`
}

// Actor is a person, with what she is in the policy.
type Actor struct {
	ID    string
	Roles []policy.Role
	Twins []string // ids under which the same human may be known as well: see policy.Policy.Twins
}

// Has reports whether the actor has one of the roles.
func (a Actor) Has(roles ...policy.Role) bool {
	return slices.ContainsFunc(roles, func(r policy.Role) bool { return slices.Contains(a.Roles, r) })
}

// is reports whether an id is the actor's own, or that of the same human under a second address.
func (a Actor) is(id string) bool { return a.ID == id || slices.Contains(a.Twins, id) }

// decides reports whether the actor may decide about a breach: two of these decide together.
func (a Actor) decides() bool { return a.Has(policy.Security, policy.DPO, policy.Owner) }

// track returns a track by its id.
func (c *Case) track(id string) *Track {
	at := slices.IndexFunc(c.Tracks, func(t Track) bool { return t.ID == id })
	if at < 0 {
		return nil
	}
	return &c.Tracks[at]
}

// controls reports whether the company is a controller of some of the data.
func (c *Case) controls() bool {
	return slices.ContainsFunc(c.Tracks, func(t Track) bool { return t.Role == Controller })
}

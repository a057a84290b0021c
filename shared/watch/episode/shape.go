package episode

import (
	"time"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/rule"
)

// Kind says what an episode is an alarm of. It is stored.
type Kind string

const (
	Violation    Kind = "violation"    // a rule found something
	Undetermined Kind = "undetermined" // a rule could not tell
	Unreadable   Kind = "unreadable"   // an entry could not be read
	Silence      Kind = "silence"      // nothing comes through the real path any more
)

// State is where an episode is. It is stored.
type State string

const (
	Held      State = "held"      // no alarm yet: it may belong to the episode before
	Asked     State = "asked"     // somebody has to justify it
	Told      State = "told"      // nobody is asked; security has to settle it, two people where it is grave
	Answered  State = "answered"  // a second person has to review the answer
	Accepted  State = "accepted"  // explained
	Escalated State = "escalated" // a suspicion
	Noted     State = "noted"     // of a rule in shadow: recorded, nobody was told
	Joined    State = "joined"    // part of the episode Into
)

// Cause says why an episode became a suspicion. It is stored.
type Cause string

const (
	BySilence Cause = "silence"    // no answer within the deadline, or nobody settled it
	ByRefusal Cause = "refused"    // the reviewer did not accept
	ByDenial  Cause = "not_me"     // somebody else acted in the person's name
	ByNeglect Cause = "unreviewed" // nobody reviewed the answer within the deadline
)

// Reason is what an answer says. It is stored, and stands in records.
type Reason string

// Reasons are all reasons, in the order a page shows them. The last one says that the rule was wrong.
func Reasons() []Reason {
	return []Reason{"support-request", "maintenance", "deployment", "incident", "security-test", "request-of-law", "mistake", Other, FalseAlarm}
}

// FalseAlarm says that nothing out of order was to be seen; accepted, it counts against the rule's precision.
const FalseAlarm Reason = "false-alarm"

// Other says that the person's own words tell it.
const Other Reason = "other"

// Verdict is what the second person says. It is stored.
type Verdict string

const (
	Accept Verdict = "accepted"
	Refuse Verdict = "refused"
)

// Episode is one episode, as it is stored.
type Episode struct {
	V        int             `json:"v"`
	ID       string          `json:"id"`
	Rev      int64           `json:"rev"` // counts the changes
	Nonce    string          `json:"nonce"`
	Kind     Kind            `json:"kind"`
	State    State           `json:"state"`
	Rule     string          `json:"rule"`
	Key      string          `json:"key"`   // of the group
	Group    string          `json:"group"` // stands for kind, rule and key
	Severity policy.Severity `json:"severity"`
	Promises []string        `json:"promises,omitempty"`
	Asks     bool            `json:"asks,omitempty"`   // somebody has to justify it
	Shadow   bool            `json:"shadow,omitempty"` // nobody is told

	// Who acted: its key and kind as package auditlog has them, the person of the policy who is asked ("" for a program,
	// a stranger, nobody known), and everybody of the policy the call went through.
	Actor     string   `json:"actor,omitempty"`
	ActorKind string   `json:"actor_kind,omitempty"`
	Person    string   `json:"person,omitempty"`
	Involved  []string `json:"involved,omitempty"`

	// Tenants are the ids of the customers whose data it names, by id or domain; of more than MaxTenants the first.
	Tenants []string `json:"tenants,omitempty"`

	First   time.Time     `json:"first"` // event time of the hit that began it
	Gap     time.Duration `json:"gap"`
	Reach   time.Duration `json:"reach"` // how long after its event time a hit may come
	Within  time.Duration `json:"within"`
	Alarmed int64         `json:"alarmed,omitempty"` // microseconds since 1970: when its alarm went out
	Crowded bool          `json:"crowded,omitempty"`
	Closed  time.Time     `json:"closed,omitzero"`
	Into    string        `json:"into,omitempty"`
	Parts   []string      `json:"parts,omitempty"` // episodes that joined it

	Round      int       `json:"round"` // of the question, from 1
	Due        time.Time `json:"due,omitzero"`
	Reminded   bool      `json:"reminded,omitempty"`
	More       bool      `json:"more,omitempty"` // members came after the answer
	AnsweredBy string    `json:"answered_by,omitempty"`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	Reason     Reason    `json:"reason,omitempty"`
	Words      string    `json:"words,omitempty"` // of whoever answered; never in evidence
	Ticket     string    `json:"ticket,omitempty"`
	ReviewedBy string    `json:"reviewed_by,omitempty"`
	ReviewedAt time.Time `json:"reviewed_at,omitzero"`
	Verdict    Verdict   `json:"verdict,omitempty"`
	AcceptedBy string    `json:"accepted_by,omitempty"` // who accepted the answer before this question: the same again has to be known
	Note       string    `json:"note,omitempty"`        // in the reviewer's words; never in evidence
	Escalated  time.Time `json:"escalated,omitzero"`
	Cause      Cause     `json:"cause,omitempty"`
	Finding    string    `json:"finding,omitempty"` // id of the open finding

	Open    bool      `json:"open"`           // alarmed and not explained
	Quiet   time.Time `json:"quiet,omitzero"` // when to look whether it closes
	Next    int64     `json:"next,omitempty"` // microseconds since 1970: when Tick has to look again
	Expires time.Time `json:"expires,omitzero"`
}

// member is one hit of an episode, as it is stored, without anything personal. Its id is the hit's.
type member struct {
	V       int       `json:"v"`
	Group   string    `json:"group"`
	Episode string    `json:"episode"`
	At      int64     `json:"at"` // event time, microseconds since 1970
	Ordinal int       `json:"ordinal"`
	Round   int       `json:"round"`
	Crowded bool      `json:"crowded,omitempty"`
	Expires time.Time `json:"expires"`
}

// Detail is what a message and a page tell of one hit. It is stored for keptPersonal.
type Detail struct {
	V       int          `json:"v"`
	Subject rule.Subject `json:"subject"`
	Origin  Origin       `json:"origin"`
	Why     string       `json:"why,omitempty"`    // of Undetermined
	Values  []string     `json:"values,omitempty"` // what was told apart, such as the users acted as
	Count   int          `json:"count"`
	Expires time.Time    `json:"expires"`
}

// Origin is what an entry tells beside its Subject.
type Origin struct {
	IP    string   `json:"ip,omitempty"`
	Agent string   `json:"agent,omitempty"`
	Email string   `json:"email,omitempty"` // of the actor
	Chain []string `json:"chain,omitempty"` // everybody the call went through, first caller first, the actor last
	Delta []string `json:"delta,omitempty"` // change of access: "+ role member", "- role member"
	Log   string   `json:"log,omitempty"`   // name of the log, project included
}

// Listed is one member of an episode as a page shows it. Detail is empty when its time is over.
type Listed struct {
	ID     string
	At     time.Time
	Round  int
	Detail Detail
}

// View is an episode with its members, oldest first.
type View struct {
	Episode
	Revision string // what she looked at, for By
	Members  []Listed
}

// Suspicion is the payload of TopicSuspicion.
type Suspicion struct {
	V        int             `json:"v"`
	Episode  string          `json:"episode"`
	Round    int             `json:"round"`
	Rule     string          `json:"rule"`
	Why      Cause           `json:"why"`
	Severity policy.Severity `json:"severity"`
	Person   string          `json:"person,omitempty"`   // id in people.yaml of who is asked
	Involved []string        `json:"involved,omitempty"` // ids of everybody the call went through: it may be their own matter
	Actor    string          `json:"actor_kind,omitempty"`
	Promises []string        `json:"promises,omitempty"`
	Tenants  []string        `json:"tenants,omitempty"` // of Episode
	First    time.Time       `json:"first"`
	At       time.Time       `json:"at"`
	Revoke   bool            `json:"revoke,omitempty"` // sessions of the person should be ended
}

// Suspended is the payload of TopicSuspended.
type Suspended struct {
	V      int       `json:"v"`
	Person string    `json:"person"` // id in people.yaml
	At     time.Time `json:"at"`
	Entry  string    `json:"entry"`
}

// Package notice writes the messages the drift control sends to staff about findings: what is out of order, the question
// to a second person, the end of an acceptance, what nobody can tell, what is in order again. It promises a text for every
// kind in EN, FR and DE, by the reader's language and zone, and that what stands in a configuration can add neither a line
// nor a link to it, nor show anybody's whole address. The only link leads to the page of the finding and carries no
// authority. It does not send: a message leaves with the transaction that caused it, sealed, and the function deliver
// sends it.
package notice

import "time"

// Kind says what a notice is about.
type Kind string

const (
	Opened  Kind = "opened"  // something is out of order
	Changed Kind = "changed" // it is otherwise by now: the value, who did it, or that it was accepted
	Asked   Kind = "asked"   // an acceptance waits for a second person
	Ending  Kind = "ending"  // an acceptance ends soon
	Lost    Kind = "lost"    // nobody can tell
	Healed  Kind = "healed"  // it is in order again
	Dropped Kind = "dropped" // nobody wants it otherwise any more
	Many    Kind = "many"    // so much happened at once that it is told together
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{Opened, Changed, Asked, Ending, Lost, Healed, Dropped, Many} }

// Why says what is otherwise, of Changed.
type Why string

const (
	Value      Why = "value"      // another one
	Void       Why = "void"       // another value, so that it is not accepted any more
	Attributed Why = "attributed" // who did it is known
	Own        Why = "own"        // who accepted it did it herself
	Ended      Why = "ended"      // the acceptance
	Revoked    Why = "revoked"    // the acceptance
	Graver     Why = "graver"     // one person is not enough any more
)

// Whys returns all of them.
func Whys() []Why { return []Why{Value, Void, Attributed, Own, Ended, Revoked, Graver} }

// Notice is what the control wants people told. Data that does not apply is zero.
type Notice struct {
	Kind     Kind
	Key      string                         // the same whenever it is about the same; no personal data
	To       []string                       // ids in people.yaml
	Link     string                         // of the finding's page
	What     func(language string) string   // what is wrong, in the reader's language
	Promises func(language string) []string // the sentences concerned
	Lines    []Line                         // details, in order
	Due      time.Time
	Why      Why
}

// Line is one detail.
type Line struct {
	Label Label
	Text  string
	At    time.Time // instead of Text: written in UTC and in the reader's zone
}

// Label says what a line is.
type Label string

const (
	Severity Label = "severity"
	On       Label = "on"
	What     Label = "what" // the name of the assertion, or Terraform's address and field
	Wanted   Label = "wanted"
	Found    Label = "found"
	Who      Label = "who" // may have done it
	Did      Label = "did" // the method
	When     Label = "when"
	Ticket   Label = "ticket"
	Since    Label = "since" // nobody can tell
	Number   Label = "number"
)

// Labels returns all labels.
func Labels() []Label {
	return []Label{Severity, On, What, Wanted, Found, Who, Did, When, Ticket, Since, Number}
}

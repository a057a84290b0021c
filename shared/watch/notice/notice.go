// Package notice writes the messages the watch control sends to staff about alarms: what was seen, the question to whoever
// acted, the review, the suspicion. It promises a text for every kind in EN, FR and DE, by the reader's language and zone,
// and that what an entry says can add neither a line nor a link to it. The only link leads to the page of the episode and
// carries no authority. It does not send: a message leaves with the transaction that caused it, sealed, and the function
// deliver sends it.
package notice

import "time"

// Kind says what a notice is about.
type Kind string

const (
	Asked          Kind = "asked"           // to who acted: please explain
	Alarm          Kind = "alarm"           // to security
	Worse          Kind = "worse"           // to security: an episode became graver
	Reminder       Kind = "reminder"        // to who is asked: half of the time is over
	Review         Kind = "review"          // to reviewers: an answer waits
	ReviewOverdue  Kind = "review-overdue"  // to reviewers
	Suspicion      Kind = "suspicion"       // to security and on-call
	ExceptionAsked Kind = "exception-asked" // a suppression or a change window waits for a second person
	Report         Kind = "report"          // the month
)

// Notice is what the control wants people told. Data that does not apply is zero.
type Notice struct {
	Kind     Kind
	Key      string                         // the same whenever it is about the same; no personal data
	To       []string                       // ids in people.yaml
	Link     string                         // of the episode's page
	What     func(language string) string   // what was seen, in the reader's language
	Promises func(language string) []string // the sentences concerned
	Lines    []Line                         // details, in order
	Due      time.Time
	Why      string // of a suspicion: silence, refused, not_me
}

// Line is one detail. What is of a person or a customer is Sensitive, and masked in the message: the page shows it.
type Line struct {
	Label     Label
	Text      string
	At        time.Time // instead of Text: written in UTC and in the reader's zone
	Sensitive bool
}

// Label says what a line is.
type Label string

const (
	Severity  Label = "severity"
	Who       Label = "who"
	Through   Label = "through" // the delegation chain
	DidWhat   Label = "did"
	On        Label = "on"
	When      Label = "when"
	From      Label = "from"
	Change    Label = "change" // before and after
	Values    Label = "values"
	Number    Label = "number"
	Unsure    Label = "unsure"
	Answer    Label = "answer"
	Ticket    Label = "ticket"
	Entry     Label = "entry"
	RuleOf    Label = "rule"
	Precision Label = "precision"
	Reviewer  Label = "reviewer" // what one person decided: accepted / refused
	Unused    Label = "unused"
	Expired   Label = "expired"
)

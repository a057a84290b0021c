// Package message sends texts to people. Only the function deliver holds the channels' secrets; every other
// function puts a Request into its outbox and hears back what became of the message.
//
// A Courier delivers each key once and answers once: to staff at least once, to customers at most once. Whether one to a
// customer was taken of which the outcome is unknown it looks up where the channel is a Finder, three times in ten minutes: one
// that was is accepted, one of which the channel is certain that it was not is tried again. Otherwise it stays unknown until a
// person has found out. What became of a customer's message that was taken it asks a channel that knows more, for three days; of the
// others nobody here hears. It keeps no texts beyond delivery and it decides neither who is told nor what: that is the
// asking control's.
package message

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/secret"
)

// Topics of the exchange with the function deliver.
const (
	TopicRequested = "message.requested" // a Request
	TopicAccepted  = "message.accepted"  // an Answer, as are the next two
	TopicFailed    = "message.failed"
	TopicUnknown   = "message.unknown"
	TopicDelivered = "message.delivered" // an Answer about a message that was accepted, as is the next: for certain
	TopicBounced   = "message.bounced"
)

// Kind decides what happens when the outcome of an attempt is not known.
type Kind string

const (
	Staff    Kind = "staff"    // at least once: sent again
	Customer Kind = "customer" // at most once: never sent again; a person is asked
)

// Outcome of one attempt.
type Outcome string

const (
	Accepted Outcome = "accepted" // the peer took responsibility
	Failed   Outcome = "failed"   // the peer refused for good
	Deferred Outcome = "deferred" // the peer refused for now; nothing was sent
	Unknown  Outcome = "unknown"  // cut off after the content: it may have been sent
)

// Options are what every driver receives.
type Options struct {
	Clock   clock.Clock
	Secrets secret.Store // where a channel reads the secret its URL refers to; nil where none needs one
}

// Drivers opens channels by URL: mailbox:FILE (kept for reading at /_local/mail), smtp://USER@HOST:PORT?...,
// mailapi:https://HOST/PATH?secret=NAME&from=ADDRESS, webhook:?secret=NAME, sms:https://HOST/PATH?secret=NAME, chat:?secret=NAME.
var Drivers = driver.NewRegistry[Options, Channel]("message")

// Limits of one message, in bytes of UTF-8.
const (
	MaxSubjectBytes = 500
	MaxTextBytes    = 256 << 10
)

// Mail is the name of the one channel every person has.
const Mail = "mail"

// Message is one text to one person. ID is deterministic (it becomes the Message-ID): the same message sent
// twice carries the same one, and the same At.
type Message struct {
	ID      string // 1 to 128 letters, digits or . _ -
	Channel string // such as Mail
	To      string // as the channel has it: a mail address, a URL, a telephone number, the name of a room
	Subject string // one line
	Text    string
	At      time.Time // when it was first to be sent
}

// Channel sends messages. It is safe for concurrent use.
type Channel interface {
	// Send tries once. The outcome is always valid; err carries the peer's reply for Failed, Deferred and
	// Unknown, without the recipient's address or the text. A message that Check refuses is Failed, unsent.
	Send(ctx context.Context, m Message) (Outcome, error)
	Close() error
}

// Fate is what became of a message after its channel took it.
type Fate string

const (
	FateAccepted     Fate = "accepted"     // still on its way
	FateDelivered    Fate = "delivered"    // the recipient's own server has it
	FateBounced      Fate = "bounced"      // it will not arrive
	FateUndetermined Fate = "undetermined" // the peer cannot tell
)

// Asker is a Channel that can be asked afterwards. To ask changes nothing.
type Asker interface {
	// Ask says what became of a message by what the peer calls it, as Wire.Reference. An error comes with FateUndetermined, and
	// holds neither the recipient's address nor the reference; it says nothing about the message.
	Ask(ctx context.Context, reference string) (Fate, error)
}

var validID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// Check refuses, as Invalid, a message outside the limits and one that would be read as more than a text: a control
// character in the address or subject could end a header line and begin another (RFC 5322 section 2.2).
func (m Message) Check() error {
	refuse := func(what string) error { return fault.New(fault.Invalid, "checking a message: %s", what) }
	switch {
	case !validID.MatchString(m.ID):
		return refuse("the id is malformed")
	case m.To == "" || !oneLine(m.To):
		return refuse("the address is empty or not one line")
	case len(m.Subject) > MaxSubjectBytes || !oneLine(m.Subject):
		return refuse("the subject is too long or not one line of UTF-8")
	case len(m.Text) > MaxTextBytes || !utf8.ValidString(m.Text) || strings.ContainsRune(m.Text, 0):
		return refuse("the text is too long or not UTF-8")
	case m.At.IsZero():
		return refuse("the time is missing")
	}
	return nil
}

func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	})
}

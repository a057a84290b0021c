// Package notice writes the messages the trust control sends to staff about what they owe: duties, reviews, statements,
// waivers. It promises a text for every kind in EN, FR and DE, without a link. It does not send: a message leaves with the
// transaction that caused it, sealed, and the function deliver sends it.
package notice

import (
	"io"
	"strings"
	"time"

	"ostiary.internal/shared/platform/message/staff"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// Kind says what a notice is about.
type Kind string

const (
	DutyReminder     Kind = "duty-reminder"     // a duty ends soon
	DutyOverdue      Kind = "duty-overdue"      // its time is over
	DutyAsked        Kind = "duty-asked"        // somebody asked for something
	DutyReview       Kind = "duty-review"       // something done waits for a second person
	DutyFailed       Kind = "duty-failed"       // machine evidence speaks against it
	DutyRefused      Kind = "duty-refused"      // what somebody asked for was refused
	StatementExpires Kind = "statement-expires" // a signed statement ends soon
	WaiverAsked      Kind = "waiver-asked"      // an exception waits for a second person
)

// Notice is what a control wants people told. Data that does not apply is zero.
type Notice struct {
	Kind   Kind
	Key    string                       // the same whenever it is about the same; no personal data
	To     []string                     // ids in people.yaml
	What   func(language string) string // what it is about, in the reader's language
	Due    time.Time
	Person string // id of whom it is about
	About  string // what somebody asked for, in her words
}

// Sender puts notices into a transaction's batch. It is safe for concurrent use.
type Sender struct {
	*staff.Sender
	policy *policy.Policy
}

// New returns a Sender that seals with keys.
func New(p *policy.Policy, keys *seal.Cache, random io.Reader) *Sender {
	return &Sender{staff.New(keys, random), p}
}

// Notify puts a message to each person into the batch. It does no I/O. Transient: Ready has not succeeded yet.
func (s *Sender) Notify(b *outbox.Batch, n Notice) error {
	about, _ := s.policy.PersonByID(n.Person)
	return staff.Each(s.Sender, b, string(n.Kind), n.Key, n.To, s.policy.PersonByID, func(to policy.Person) (string, message.Content, error) {
		content, err := Write(n, to.Language, about.Name, to.Location())
		return to.Language, content, err
	})
}

// Write returns the text of a notice in a language; times are written in the reader's zone. A kind without a text is
// Misconfigured.
func Write(n Notice, language, person string, zone *time.Location) (message.Content, error) {
	t, ok := texts[n.Kind][language]
	if !ok {
		return message.Content{}, fault.New(fault.Misconfigured, "writing a notice: no text for %s in %q", n.Kind, language)
	}
	body := t.body
	if person != "" {
		body += "\n" + concerning[language]
	}
	if n.About != "" {
		body += "\n" + asked[language]
	}
	fill := strings.NewReplacer("{what}", n.What(language), "{due}", n.Due.In(zone).Format("2006-01-02 15:04 MST"), "{person}", person, "{about}", harmless(n.About))
	return message.Content{
		Subject: "Ostiary: " + t.subject,
		Text:    fill.Replace(body) + "\n\n" + t.next + "\n\n--\n" + signature[language] + "\n",
	}, nil
}

// harmless keeps what somebody typed from adding lines to a message, or a link.
func harmless(text string) string {
	return message.Harmless(text, " -_'’()+#&,@")
}

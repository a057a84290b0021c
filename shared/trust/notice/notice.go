// Package notice writes the messages the trust control sends to staff about what they owe: duties, reviews, statements,
// waivers. It promises a text for every kind in EN, FR and DE, without a link. It does not send: a message leaves with the
// transaction that caused it, sealed, and the function deliver sends it.
package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

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
	policy *policy.Policy
	keys   *seal.Cache
	random io.Reader
	key    atomic.Pointer[seal.DataKey]
}

// New returns a Sender that seals with keys.
func New(p *policy.Policy, keys *seal.Cache, random io.Reader) *Sender {
	return &Sender{policy: p, keys: keys, random: random}
}

// Ready fetches the key that seals messages, before any transaction: the key service is slow, and inside a
// transaction nothing may wait for it. Errors: those of the key service.
func (s *Sender) Ready(ctx context.Context) error {
	key, err := s.keys.Key(ctx, message.Bound())
	if err != nil {
		return err
	}
	s.key.Store(key)
	return nil
}

// Notify puts a message to each person into the batch. It does no I/O. Transient: Ready has not succeeded yet.
func (s *Sender) Notify(b *outbox.Batch, n Notice) error {
	key := s.key.Load()
	if key == nil {
		return fault.New(fault.Transient, "giving notice: the key that seals messages was not fetched")
	}
	for _, id := range n.To {
		to, known := s.policy.PersonByID(id)
		if !known {
			continue // the person has left the policy
		}
		about, _ := s.policy.PersonByID(n.Person)
		content, err := Write(n, to.Language, about.Name, to.Location())
		if err != nil {
			return err
		}
		sum := sha256.Sum256([]byte(n.Key + "\x00" + id))
		request := message.Request{Key: string(n.Kind) + "/" + hex.EncodeToString(sum[:]), Kind: message.Staff, Person: id, Channel: message.Mail, Language: to.Language}
		sealed, err := request.Seal(key, s.random, content)
		if err != nil {
			return err
		}
		if err := b.Message(message.TopicRequested, request.Key, sealed); err != nil {
			return err
		}
	}
	return nil
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
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune(" -_'’()+#&,@", r) {
			return r
		}
		return ' '
	}, text)
}

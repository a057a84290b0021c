// Package notice writes the messages the access control owes a person about her own sign-in, in her language
// (NIST SP 800-63B-4 section 4.1.2). It promises a text for every kind of notice in EN, FR and DE, without a link, a
// code or a secret. It does not send: a message leaves with the transaction that caused it, sealed, and the
// function deliver sends it.
package notice

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

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

// Notify puts a notice into the batch. It does no I/O. Transient: Ready has not succeeded yet.
func (s *Sender) Notify(b *outbox.Batch, n otp.Notice) error {
	key := s.key.Load()
	if key == nil {
		return fault.New(fault.Transient, "giving notice: the key that seals messages was not fetched")
	}
	person, known := s.policy.PersonByID(n.Person)
	if !known {
		return nil // nobody to tell: the person has left the policy
	}
	content, err := Write(n, person.Language, person.Location())
	if err != nil {
		return err
	}
	if err := s.send(b, key, person, n.Key, content); err != nil || !n.Second {
		return err
	}
	// Whoever reads a person's mail can also delete it. Her manager's is another one.
	manager, known := s.policy.PersonByID(person.Manager)
	if !known {
		return nil
	}
	if content, err = Write(n, manager.Language, manager.Location()); err != nil {
		return err
	}
	content.Text = strings.ReplaceAll(forManager[manager.Language], "{person}", person.Name) + "\n\n" + content.Text
	return s.send(b, key, manager, n.Key+"/manager", content)
}

func (s *Sender) send(b *outbox.Batch, key *seal.DataKey, to policy.Person, messageKey string, c message.Content) error {
	request := message.Request{Key: messageKey, Kind: message.Staff, Person: to.ID, Channel: message.Mail, Language: to.Language}
	sealed, err := request.Seal(key, s.random, c)
	if err != nil {
		return err
	}
	return b.Message(message.TopicRequested, messageKey, sealed)
}

// Write returns the text of a notice in a language; times are written in the reader's zone. A kind without a text is
// Misconfigured.
func Write(n otp.Notice, language string, zone *time.Location) (message.Content, error) {
	t, ok := texts[n.Kind][language]
	if !ok {
		return message.Content{}, fault.New(fault.Misconfigured, "writing a notice: no text for %s in %q", n.Kind, language)
	}
	next := t.next
	if next == "" {
		next = notYou[language]
	}
	fill := strings.NewReplacer("{name}", harmless(n.Data["name"]), "{at}", local(n.Data["at"], zone), "{by}", local(n.Data["by"], zone),
		"{count}", n.Data["failures"], "{reason}", harmless(n.Data["reason"]), "{left}", n.Data["remaining"])
	return message.Content{
		Subject: "Ostiary: " + t.subject,
		Text:    fill.Replace(t.body) + "\n\n" + next + "\n\n--\n" + signature[language] + "\n",
	}, nil
}

// local writes a time of RFC 3339 as people of the zone read it: 2026-03-03 08:55 CET.
func local(at string, zone *time.Location) string {
	t, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return at
	}
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

// harmless keeps a name from adding lines to a message, or a link: whoever added an authenticator in another person's
// name chose it, and would like to choose what she reads.
func harmless(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune(" -_'’()+#&,", r) {
			return r
		}
		return ' '
	}, name)
}

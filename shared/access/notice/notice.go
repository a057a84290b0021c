// Package notice writes the messages the access control owes a person about her own sign-in, in her language
// (NIST SP 800-63B-4 section 4.1.2). It promises a text for every kind of notice in EN, FR and DE, without a link, a
// code or a secret. It does not send: a message leaves with the transaction that caused it, sealed, and the
// function deliver sends it.
package notice

import (
	"io"
	"strings"
	"time"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/staff"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// Sender puts notices into a transaction's batch. It is safe for concurrent use.
type Sender struct {
	*staff.Sender
	policy *policy.Policy
}

// New returns a Sender that seals with keys.
func New(p *policy.Policy, keys *seal.Cache, random io.Reader) *Sender {
	return &Sender{staff.New(keys, random), p}
}

// Notify puts a notice into the batch. It does no I/O. Transient: Ready has not succeeded yet.
func (s *Sender) Notify(b *outbox.Batch, n otp.Notice) error {
	if err := s.Prepared(); err != nil {
		return err
	}
	person, known := s.policy.PersonByID(n.Person)
	if !known {
		return nil // nobody to tell: the person has left the policy
	}
	content, err := Write(n, person.Language, person.Location())
	if err != nil {
		return err
	}
	if err := s.Put(b, n.Key, person.ID, person.Language, content); err != nil || !n.Second {
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
	return s.Put(b, n.Key+"/manager", manager.ID, manager.Language, content)
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
	return message.Harmless(name, " -_'’()+#&,")
}

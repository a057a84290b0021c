// Package staff puts messages to people who work here into a transaction's batch, sealed. It promises that nothing waits for
// the key service inside a transaction. It writes no text and sends nothing: the function deliver does.
package staff

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync/atomic"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
)

// Sender seals messages to staff. It is safe for concurrent use.
type Sender struct {
	keys   *seal.Cache
	random io.Reader
	key    atomic.Pointer[seal.DataKey]
}

// New returns a Sender that seals with keys.
func New(keys *seal.Cache, random io.Reader) *Sender { return &Sender{keys: keys, random: random} }

// Ready fetches the key that seals messages, before any transaction: the key service is slow, and inside a transaction nothing
// may wait for it. Errors: those of the key service.
func (s *Sender) Ready(ctx context.Context) error {
	key, err := s.keys.Key(ctx, message.Bound())
	if err != nil {
		return err
	}
	s.key.Store(key)
	return nil
}

// Prepared is Transient until Ready has succeeded.
func (s *Sender) Prepared() error {
	if s.key.Load() == nil {
		return fault.New(fault.Transient, "giving notice: the key that seals messages was not fetched")
	}
	return nil
}

// Send puts a mail to a person (id in people.yaml) into the batch. kind begins its key; about is the same whenever it is about
// the same, and stands in it as a digest with the person. It does no I/O. Errors: those of Prepared.
func (s *Sender) Send(b *outbox.Batch, kind, about, person, language string, content message.Content) error {
	sum := sha256.Sum256([]byte(about + "\x00" + person))
	return s.Put(b, kind+"/"+hex.EncodeToString(sum[:]), person, language, content)
}

// Each puts a mail to each of some people into the batch, as Send does, which write writes for one of them in her language. Whom
// find does not know gets none: she has left the policy.
func Each[P any](s *Sender, b *outbox.Batch, kind, about string, to []string, find func(id string) (P, bool), write func(P) (language string, content message.Content, err error)) error {
	if err := s.Prepared(); err != nil {
		return err
	}
	for _, id := range to {
		person, known := find(id)
		if !known {
			continue
		}
		language, content, err := write(person)
		if err != nil {
			return err
		}
		if err := s.Send(b, kind, about, id, language, content); err != nil {
			return err
		}
	}
	return nil
}

// Put is Send under a key of the caller's own, which says nothing of the person.
func (s *Sender) Put(b *outbox.Batch, key, person, language string, content message.Content) error {
	if err := s.Prepared(); err != nil {
		return err
	}
	request := message.Request{Key: key, Kind: message.Staff, Person: person, Channel: message.Mail, Language: language}
	return request.Put(b, s.key.Load(), s.random, content)
}

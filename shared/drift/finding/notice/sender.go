package notice

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
		content, err := Write(n, to.Language, to.Location())
		if err != nil {
			return err
		}
		sum := sha256.Sum256([]byte(n.Key + "\x00" + id))
		request := message.Request{Key: "drift-" + string(n.Kind) + "/" + hex.EncodeToString(sum[:]), Kind: message.Staff, Person: id, Channel: message.Mail, Language: to.Language}
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

package notice

import (
	"io"

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

// Notify puts a message to each person into the batch. It does no I/O. Transient: Ready has not succeeded yet.
func (s *Sender) Notify(b *outbox.Batch, n Notice) error {
	if err := s.Prepared(); err != nil {
		return err
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
		if err := s.Send(b, "drift-"+string(n.Kind), n.Key, id, to.Language, content); err != nil {
			return err
		}
	}
	return nil
}

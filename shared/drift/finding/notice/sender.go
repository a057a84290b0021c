package notice

import (
	"io"

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

// Notify puts a message to each person into the batch. It does no I/O. Transient: Ready has not succeeded yet.
func (s *Sender) Notify(b *outbox.Batch, n Notice) error {
	return staff.Each(s.Sender, b, "drift-"+string(n.Kind), n.Key, n.To, s.policy.PersonByID, func(to policy.Person) (string, message.Content, error) {
		content, err := Write(n, to.Language, to.Location())
		return to.Language, content, err
	})
}

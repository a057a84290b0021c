// Package desk is who looks after requests to erase, and the mails that go to her, and to recipients and controllers, with the
// transaction that is their reason. It writes no text and sends nothing: the function deliver does.
package desk

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// People are those who look after requests at a time, in the policy's order: the data protection officer, or who stands in for
// her, without those whose ids are named.
func People(p *policy.Policy, now time.Time, but ...string) (people []policy.Person) {
	for _, role := range []policy.Role{policy.DPO, policy.Security, policy.Owner} {
		for _, one := range p.People {
			if one.Has(role) && one.Active(now) && !slices.Contains(but, one.ID) {
				people = append(people, one)
			}
		}
		if len(people) > 0 {
			return people
		}
	}
	return nil
}

// Mails leave with a transaction. The zero Mails are none.
type Mails struct {
	key    *seal.DataKey
	random io.Reader
	all    []mail
}

type mail struct {
	request message.Request
	content message.Content
}

// New returns Mails that are sealed by a key of keys, fetched before the transaction: the key service is slow. Errors: those of
// the key service.
func New(ctx context.Context, keys *seal.Cache, random io.Reader) (Mails, error) {
	key, err := keys.Key(ctx, message.Bound())
	return Mails{key: key, random: random}, err
}

// Add adds a mail.
func (m *Mails) Add(r message.Request, c message.Content) {
	r.Channel = message.Mail
	m.all = append(m.all, mail{r, c})
}

// Put puts them into a batch.
func (m Mails) Put(batch *outbox.Batch) error {
	for _, one := range m.all {
		if err := one.request.Put(batch, m.key, m.random, one.content); err != nil {
			return err
		}
	}
	return nil
}

// Harmless keeps what somebody wrote from adding a line or a link to a mail.
func Harmless(text string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return strings.ReplaceAll(clean, "://", " ")
}

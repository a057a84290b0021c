package request

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// Alarm tells the people who look after requests that something of another tenant turned up where it has no place.
type Alarm struct {
	Policy   *policy.Policy
	Letters  *letter.Set
	Messages *seal.Cache
	Random   io.Reader
	Desk     string // address of the desk
}

// Ring puts the letters of one alarm into a batch: what is a key of letter.Phrase, with what stands for NUMBER and ENTRY in
// it. Two with one key are one.
type Ring func(batch *outbox.Batch, key, what, number, entry string, now time.Time) error

// Ready fetches what seals letters, for nothing may wait for the key service in a transaction.
func (a Alarm) Ready(ctx context.Context) (Ring, error) {
	sealing, err := a.Messages.Key(ctx, message.Bound())
	if err != nil {
		return nil, err
	}
	return func(batch *outbox.Batch, key, what, number, entry string, now time.Time) error {
		for _, p := range lookAfter(a.Policy, now) {
			said := strings.NewReplacer("NUMBER", number, "ENTRY", letter.Harmless(entry)).Replace(letter.Phrase(what, p.Language))
			content, err := a.Letters.Write(letter.Foreign, p.Language, letter.Vars{"company": a.Policy.Company.Name, "what": said, "desk": a.Desk})
			if err != nil {
				return err
			}
			sum := sha256.Sum256([]byte("ostiary foreign\x00" + key + "\x00" + p.ID))
			m := message.Request{Key: "dsr-staff/" + hex.EncodeToString(sum[:]), Kind: message.Staff, Person: p.ID, Channel: message.Mail, Language: p.Language}
			sealed, err := m.Seal(sealing, a.Random, content)
			if err != nil {
				return err
			}
			if err := batch.Message(message.TopicRequested, m.Key, sealed); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

package request

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"ostiary.internal/shared/erasure/desk"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// Alarm tells the people who look after requests that something of another tenant turned up where it has no place, or that a
// controller cannot be told how its request stands.
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
	write, err := a.writer(ctx, letter.Foreign)
	return func(batch *outbox.Batch, key, what, number, entry string, now time.Time) error {
		return write(batch, key, now, func(language string) letter.Vars {
			said := strings.NewReplacer("NUMBER", number, "ENTRY", letter.Harmless(entry)).Replace(letter.Phrase(what, language))
			return letter.Vars{"what": said}
		})
	}, err
}

// Untaken is Ready of another alarm: the program of a controller, which the ring is given with its id of a request, took no word of
// that request for a day.
func (a Alarm) Untaken(ctx context.Context) (func(batch *outbox.Batch, key, tenant, id string, now time.Time) error, error) {
	write, err := a.writer(ctx, letter.Untaken)
	return func(batch *outbox.Batch, key, tenant, id string, now time.Time) error {
		if known, is := a.Policy.Tenant(tenant); is {
			tenant = known.Name
		}
		return write(batch, key, now, func(string) letter.Vars { return letter.Vars{"controller": tenant, "number": id} })
	}, err
}

// writer puts letters of a kind to everybody who looks after requests into a batch.
func (a Alarm) writer(ctx context.Context, kind letter.Kind) (func(*outbox.Batch, string, time.Time, func(string) letter.Vars) error, error) {
	sealing, err := a.Messages.Key(ctx, message.Bound())
	if err != nil {
		return nil, err
	}
	return func(batch *outbox.Batch, key string, now time.Time, vars func(language string) letter.Vars) error {
		for _, p := range desk.People(a.Policy, now) {
			v := vars(p.Language)
			v["company"], v["desk"] = a.Policy.Company.Name, a.Desk
			content, err := a.Letters.Write(kind, p.Language, v)
			if err != nil {
				return err
			}
			sum := sha256.Sum256([]byte("ostiary foreign\x00" + key + "\x00" + p.ID))
			m := message.Request{Key: "dsr-staff/" + hex.EncodeToString(sum[:]), Kind: message.Staff, Person: p.ID, Channel: message.Mail, Language: p.Language}
			if err := m.Put(batch, sealing, a.Random, content); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

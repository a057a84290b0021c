package oauth

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/sealed"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Token is what ends a connection. It is never logged.
type Token struct {
	Value    string
	Hint     string // token_type_hint of RFC 7009; may be empty
	Instance string // of Salesforce: its host
}

// secrets is Secret Manager. Destroy of a secret that is not there is no error.
type secrets interface {
	Read(ctx context.Context, name string) ([]byte, error)
	Destroy(ctx context.Context, name string) error
}

// Config is what a Service needs. Store and Box are of the control's database.
type Config struct {
	Store  store.Store
	Box    *outbox.Box
	Policy *policy.Policy
	Digest string // of the policy, named in records
	Map    *datamap.Map
	Keys   seal.Keys // seals tokens
	Mark   []byte    // secret, at least 32 bytes: makes the ids
	// Eraser opens a store: all is done by the account that erases, which may be denied what another sees. Who only settles
	// tasks needs neither it nor what follows; who only takes connections nothing that follows.
	Eraser func(ctx context.Context, url string) (erasure.Store, error)
	// Revoke asks a provider. Its error is for what is misconfigured here: the connection waits.
	Revoke   func(ctx context.Context, p datamap.Provider, t Token) (Answer, error)
	Messages *seal.Cache // seals mails to staff
	Secrets  secrets     // nil where no entry of the map has a vault
	// Wanted reports whether a request still wants connections of an entry ended: not one that was taken back or refused
	// meanwhile, nor what is held since. It is asked before a connection is taken out of the product; nil: always.
	Wanted func(ctx context.Context, request, entry string) (bool, error)
	// Commit makes the commitment that stands for a member of staff; needed by Settle alone.
	Commit func(ctx context.Context, s vault.Subject, now time.Time) (record.Subject, error)
	Desk   string    // address of the page where a task is settled
	Random io.Reader // nil means crypto/rand
}

// Service ends connections. It is safe for concurrent use. Whatever it returns an error of may be called again.
type Service struct {
	Config
	promises []string
}

// leastMark is how long Config.Mark is at least, in bytes.
const leastMark = 32

// New returns a Service, or Misconfigured when a part is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Policy == nil || c.Map == nil || c.Keys == nil || len(c.Mark) < leastMark {
		return nil, fault.New(fault.Misconfigured, "ending connections: store, outbox, policy, data map, keys and a key of %d bytes for ids are all needed", leastMark)
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	s := &Service{Config: c}
	for _, p := range c.Policy.Promises {
		if p.Check == Control {
			s.promises = append(s.promises, p.ID)
		}
	}
	return s, nil
}

// private is what is kept sealed of a connection while a machine has something to do.
type private struct {
	Token   Token         `json:"token"`
	Account string        `json:"account,omitempty"`
	Secret  string        `json:"secret,omitempty"` // name in Secret Manager
	Store   string        `json:"store"`            // URL, for erasing
	Query   erasure.Query `json:"query"`
	Item    erasure.Item  `json:"item"`
}

// box seals and names what this package stores.
func (s *Service) box() sealed.Box {
	return sealed.Box{Kind: "grant", Keys: s.Keys, Random: s.Random, Mark: s.Mark}
}

// change writes what becomes of a connection with its evidence, as long as nobody else was faster; then it does nothing.
func (s *Service) change(ctx context.Context, before, after Grant, now time.Time, and ...func(batch *outbox.Batch) error) error {
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var there Grant
		if err := tx.Get(Grants, before.ID, &there); err != nil {
			return err
		}
		if there.Rev != before.Rev {
			return nil
		}
		written := after
		written.Rev++
		if err := s.record(batch, before, &written, now); err != nil {
			return err
		}
		for _, do := range and {
			if err := do(batch); err != nil {
				return err
			}
		}
		return tx.Put(Grants, before.ID, written)
	})
}

package request

import (
	"context"
	"crypto/rand"
	"io"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// directory says which address the company has of a person, by the address that was given. It is the engine's: only the
// account that searches may read it.
type directory interface {
	OnFile(ctx context.Context, tenant, email string) (found bool, address string, err error)
	// AddressOf is OnFile by another identifier, for whoever speaks for somebody.
	AddressOf(ctx context.Context, tenant string, id Identifier) (found bool, address string, err error)
	// HeldFor is OnFile in what is held for the tenant as its processor, of somebody the directory does not have.
	HeldFor(ctx context.Context, tenant, email string) (found bool, address string, err error)
}

// Config is what a Service needs. Store and Box must be of the same database.
type Config struct {
	Store     store.Store
	Box       *outbox.Box
	Policy    *policy.Policy
	Digest    string // of the policy, named in records
	Rules     Rules
	Keys      seal.Keys   // seals what a person gave
	Messages  *seal.Cache // seals letters
	Mark      []byte      // secret, at least LeastKey bytes: makes what recognises a person without naming her
	Former    [][]byte    // secrets that made it before: what they made is recognised still
	Letters   *letter.Set
	Directory directory // needed by Identify alone
	// Commit makes the commitment that stands for a member of staff in records of this month. It is called outside
	// transactions, and needed by the desk alone.
	Commit func(ctx context.Context, s vault.Subject, now time.Time) (record.Subject, error)
	// Changed is told of a controller's request within the transaction that changes it, before anything is written there, and returns
	// what it writes itself. Nil: nobody has to know.
	Changed func(tx store.Tx, r Request, now time.Time) (write func() error, err error)
	// Guard refuses an identifier that no search may use: fault.Invalid for good; any other error lets a person look first.
	// Nil: none is refused beyond the form of an address.
	Guard func(value string) error
	// Shared reports whether more than one person reads an address, so that its link proves little. Nil: nobody tells.
	Shared func(address string) bool
	Page   string    // address of the public page, for links; the number and the code follow in its fragment
	Desk   string    // address of the desk, for staff
	Random io.Reader // nil means crypto/rand
}

// Service keeps requests. It is safe for concurrent use. Refusals meant for the caller are *fault.Error with a code; on any
// error nothing was changed, but that after Transient it may have been: everything here may be called again.
type Service struct {
	Config
	promises []string
}

// New returns a Service, or Misconfigured when a part is missing or a rule out of its range.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Policy == nil || c.Keys == nil || c.Messages == nil || c.Letters == nil || len(c.Mark) < LeastKey {
		return nil, fault.New(fault.Misconfigured, "requests: store, outbox, policy, keys, letters and a key of %d bytes for marks are all needed", LeastKey)
	}
	if slices.ContainsFunc(c.Former, func(key []byte) bool { return len(key) < LeastKey }) {
		return nil, fault.New(fault.Misconfigured, "requests: a former key for marks has less than %d bytes", LeastKey)
	}
	var err error
	if c.Rules, err = c.Rules.complete(); err != nil {
		return nil, err
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	s := &Service{Config: c}
	s.Rules.reach = func(tenant string) bool {
		_, known := s.contact(tenant)
		return known
	}
	for _, p := range c.Policy.Promises {
		if p.Check == Control {
			s.promises = append(s.promises, p.ID)
		}
	}
	return s, nil
}

// decides reports whether a person may decide about requests.
func decides(p policy.Person, now time.Time) bool {
	return p.ID != "" && p.Active(now) && (p.Has(policy.DPO) || p.Has(policy.Security) || p.Has(policy.Owner))
}

// language returns one there are letters in: the one asked for, or the company's own.
func (s *Service) language(wanted string) string {
	for _, l := range append([]string{wanted}, s.Policy.Company.Languages...) {
		if slices.Contains(letter.Languages(), l) {
			return l
		}
	}
	return "en"
}

// doubts are what makes a person look at a request whatever its plan says.
func (s *Service) doubts(r Request, all []Identifier) (doubts []Doubt) {
	if r.EnteredBy != "" {
		doubts = append(doubts, ByHand)
	}
	for _, one := range all {
		if one.Kind == email && s.Shared != nil && s.Shared(one.Value) {
			doubts = append(doubts, SharedMailbox)
		}
		if !plain(one.Value) || s.Guard != nil && s.Guard(one.Value) != nil {
			doubts = append(doubts, LookAlike)
		}
	}
	return doubts
}

// plain reports whether a value is ASCII: any other may be a look-alike of another person's.
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7e || r < ' ' })
}

// request reads one request. NotFound, code request_unknown, when there is none; Misconfigured, when there is one and no key tells
// whose it is.
func (s *Service) request(ctx context.Context, id string) (r Request, err error) {
	if !isID(id) {
		return r, unknown()
	}
	if err = s.Store.Get(ctx, Requests, id, &r); fault.Is(err, fault.NotFound) {
		return Request{}, unknown()
	} else if err == nil && !s.within(r) {
		return Request{}, errKey
	}
	return r, err
}

func isID(id string) bool {
	return len(id) >= 8 && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '2' || r > '9') })
}

func unknown() error {
	return fault.Refuse(fault.NotFound, "request_unknown", "There is no such request, or it is not yours.", "Check the number and the secret.")
}

// seals fetches the key of letters before a transaction: nothing may wait for the key service inside.
func (s *Service) seals(ctx context.Context) (*seal.DataKey, error) {
	return s.Messages.Key(ctx, message.Bound())
}

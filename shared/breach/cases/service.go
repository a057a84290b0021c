package cases

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Control is the check that keeps what is promised about breaches; it stands in records.
const Control = "breach-clock"

// Names of the collections of the database "breach".
const (
	Cases    = "cases"
	declared = "declared" // what was declared, by the declarer's own id of it
)

// Collection declares what the control's schema holds for this package.
func Collection() []store.Collection {
	return []store.Collection{
		{Name: Cases, Indexes: []store.Index{{"next"}, {"number"}, {"since"}}},
		{Name: declared, Expires: true},
	}
}

// Config is what a Service needs. Store and Box must be of the same database.
type Config struct {
	Store    store.Store
	Box      *outbox.Box
	Policy   *policy.Policy
	Digest   string // of the policy, named in records
	Rules    Rules
	Keys     seal.Keys   // seals what people write
	Messages *seal.Cache // seals messages
	Letters  *letters.Set
	// Commit makes the commitment that stands for somebody in records of this month. It is called outside transactions.
	Commit func(ctx context.Context, s vault.Subject, now time.Time) (record.Subject, error)
	// OutOfBand is where one of the people is reached by mail or sms when the usual ways may be read or forged; nil: nobody is.
	OutOfBand func(person, channel string) (to string, ok bool)

	// Calls reports whether a call to people of some roles is a call to one of them at an instant; nil: to everybody with one.
	Calls func(p policy.Person, roles []policy.Role, at time.Time) bool

	// Reaches reports whether there is somebody to be told at a tenant now, while some channels are not trusted; nil: there
	// always is.
	Reaches func(tenant string, compromised []string, now time.Time) bool

	// Purge deletes what belongs to a case elsewhere, before the case itself is deleted; nil: there is nothing. It may be
	// called again.
	Purge func(ctx context.Context, caseID string, now time.Time) error

	// Pending says what the notices of a case wait for, and gives what tells, in a transaction, whether that is so still; nil:
	// there are no notices.
	Pending func(ctx context.Context, caseID string) (waits []Pending, unchanged func(store.Tx) (bool, error), err error)

	Desk   string    // address of a case's page; its number follows in the fragment
	Random io.Reader // nil means crypto/rand
}

// Service keeps cases. It is safe for concurrent use. Refusals meant for the caller are *fault.Error with a code; on any
// error nothing was changed, but that after Transient it may have been: everything here may be called again.
type Service struct {
	Config
	Crier    Crier // for everything else that is said to staff about a case
	promises []string
}

// New returns a Service, or Misconfigured when a part is missing or a rule out of its range.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Policy == nil || c.Keys == nil || c.Messages == nil || c.Letters == nil || c.Commit == nil {
		return nil, fault.New(fault.Misconfigured, "breaches: store, outbox, policy, keys, letters and commitments are all needed")
	}
	if err := c.Rules.Check(); err != nil {
		return nil, err
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	s := &Service{Config: c, Crier: Crier{c.Letters, c.Rules.Zone, c.OutOfBand, c.Random}}
	for _, p := range c.Policy.Promises {
		if p.Check == Control {
			s.promises = append(s.promises, p.ID)
		}
	}
	return s, nil
}

// private is what people wrote about a case, sealed. Texts are only ever added, so that a number in a case means the same
// for ever.
type private struct {
	Texts []string `json:"texts"`
	// Unmapped are the affected domains and accounts that belong to no known tenant.
	Unmapped []string `json:"unmapped,omitempty"`
}

// Bounds of what people write.
const (
	MaxText    = 8_000 // bytes of one text
	maxTexts   = 400
	maxPrivate = 300 << 10 // bytes of all of them, so that the case fits its document beside its tracks

	// What brings a case to its end always has room: so much is kept for it.
	lastTexts   = 40
	lastPrivate = 40 << 10
)

// last reports whether an event may use the room that is kept.
func last(w What) bool {
	return w == Answer || w == File || w == Map || w == Reopen || w == Review || w == Did || w == Preserve || w == Complete || w == Withdraw
}

// add appends a text and returns its number; 0 for none. last says that it may use the room that is kept.
func (p *private) add(text string, last bool) (int, error) { return p.put(text, last, false) }

// put is add; reasons are those of a score together, each of which was checked by itself.
func (p *private) put(text string, last, reasons bool) (int, error) {
	most := maxTexts
	if !last {
		most -= lastTexts
	}
	switch {
	case text == "":
		return 0, nil
	case len(text) > MaxText && !reasons || len(p.Texts) >= most:
		return 0, tooLong()
	}
	p.Texts = append(slices.Clone(p.Texts), text)
	return len(p.Texts), nil
}

// again is add, but for a text that stands under a number already.
func (p *private) again(text string, known int, last, reasons bool) (int, error) {
	if known >= 1 && known <= len(p.Texts) && p.Texts[known-1] == text {
		return known, nil
	}
	return p.put(text, last, reasons)
}

func tooLong() error {
	return refuse("text_invalid", "The text has more than 8,000 bytes, or the case has too many already.", "Shorten it, or refer to a document.")
}

func (s *Service) open(ctx context.Context, c Case) (p private, err error) {
	if c.Private == nil {
		return p, nil
	}
	plain, err := seal.Open(ctx, s.Keys, *c.Private, place(c.ID))
	if err != nil {
		return p, err
	}
	defer seal.Wipe(plain)
	if json.Unmarshal(plain, &p) != nil {
		return p, fault.New(fault.Invalid, "reading the texts of a case: not what was kept")
	}
	return p, nil
}

func (s *Service) seal(ctx context.Context, id string, p private, last bool) (*seal.Envelope, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, fault.New(fault.Invalid, "keeping the texts of a case: %w", err)
	}
	defer seal.Wipe(plain)
	most := maxPrivate
	if !last {
		most -= lastPrivate
	}
	if len(plain) > most {
		return nil, tooLong()
	}
	e, err := seal.Seal(ctx, s.Keys, s.Random, plain, place(id))
	return &e, err
}

// place binds texts to their case.
func place(id string) []byte { return []byte("ostiary breach texts\x00" + id) }

// Read is a case as people of the desk read it.
type Read struct {
	Case
	Texts []string // Texts[n-1] is text n
	// Names are the affected domains and accounts that belong to no known tenant, in the order in which they were named.
	Names []string
}

// Text returns a text by its number; "" for none.
func (r Read) Text(n int) string {
	if n < 1 || n > len(r.Texts) {
		return ""
	}
	return r.Texts[n-1]
}

// Get returns a case with its texts. Code: case_unknown.
func (s *Service) Get(ctx context.Context, id string) (Read, error) {
	c, err := s.get(ctx, id)
	if err != nil {
		return Read{}, err
	}
	p, err := s.open(ctx, c)
	return Read{c, p.Texts, p.Unmapped}, err
}

// Look returns a case without its texts. Code: case_unknown.
func (s *Service) Look(ctx context.Context, id string) (Case, error) { return s.get(ctx, id) }

func (s *Service) get(ctx context.Context, id string) (c Case, err error) {
	if id == "" || len(id) > 64 {
		return c, unknown()
	}
	var k kept
	if err = s.Store.Get(ctx, Cases, id, &k); fault.Is(err, fault.NotFound) {
		return c, unknown()
	}
	return k.Case, err
}

func unknown() error {
	return fault.Refuse(fault.NotFound, "case_unknown", "There is no such case.", "Look at the list of cases.")
}

// List returns cases, newest first, without their texts; after is the cursor of the last, nil for the first page.
func (s *Service) List(ctx context.Context, after *store.Cursor, limit int) ([]Case, error) {
	found, err := store.Find[kept](s.Store.Query(ctx, store.Query{Collection: Cases, Range: &store.Range{Name: "since"}, Descending: true, After: after, Limit: limit}))
	var all []Case
	for _, k := range found {
		all = append(all, k.Case)
	}
	return all, err
}

// actor is a person of the policy, with the roles she has now.
func actor(p policy.Person) Actor { return Actor{ID: p.ID, Roles: p.Roles} }

// actor is a person who does something, with whom she is not two.
func (s *Service) actor(p policy.Person) Actor {
	a := actor(p)
	if p.ID != "" {
		a.Twins = s.Policy.Twins(p)
	}
	return a
}

// withoutReasons returns an input as it is kept in the open: reasons are texts.
func withoutReasons(in severity.Input) (severity.Input, string) {
	var reasons []byte
	kept := in
	kept.DPC = map[severity.Class]severity.Rating{}
	for _, class := range severity.Classes() {
		if r, scored := in.DPC[class]; scored {
			if r.Reason != "" {
				reasons = append(reasons, string(class)+": "+r.Reason+"\n"...)
				r.Reason = "text"
			}
			kept.DPC[class] = r
		}
	}
	if in.Raised != nil {
		reasons = append(reasons, "ei: "+in.Raised.Reason+"\n"...)
		kept.Raised = &severity.Rating{Value: in.Raised.Value, Reason: "text"}
	}
	if len(in.Evidence) > 0 {
		kept.Evidence = map[string]severity.Proof{}
	}
	for _, name := range severity.Provable() {
		if proof, shown := in.Evidence[name]; shown {
			reasons = append(reasons, "evidence."+name+".reference: "+oneLine(proof.Reference)+"\n"...)
			if proof.Note != "" {
				reasons = append(reasons, "evidence."+name+".note: "+oneLine(proof.Note)+"\n"...)
			}
			kept.Evidence[name] = severity.Proof{Reference: "text"}
		}
	}
	return kept, string(reasons)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// seals fetches the key of messages before a transaction: nothing may wait for the key service inside.
func (s *Service) seals(ctx context.Context) (*seal.DataKey, error) {
	return s.Messages.Key(ctx, message.Bound())
}

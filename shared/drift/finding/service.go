package finding

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"regexp"
	"strings"
	"time"

	"ostiary.internal/shared/drift/finding/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Control is the name under which the evidence speaks of findings. What an assertion itself proves, its runs do: see Beats.
const Control = "drift"

// Names of the collections of the database "drift".
const (
	Findings = "findings"
	steps    = "finding_steps"
	paces    = "finding_paces"
)

// kept is how long a finding that is healed, and what was done about one, can be looked up.
const kept = 400 * 24 * time.Hour

// Collection declares what the control's schema holds for this package.
func Collection() []store.Collection {
	return []store.Collection{
		{Name: Findings, Indexes: []store.Index{{"due"}, {"state", "rank"}, {"asset"}}, Expires: true},
		{Name: steps, Indexes: []store.Index{{"finding", "n"}}, Expires: true},
		{Name: paces},
	}
}

// Config is what a Service needs. Store and Box must be of the same database.
type Config struct {
	Store  store.Store
	Box    *outbox.Box
	Policy *policy.Policy
	Digest string // of the policy, named in records
	Link   string // what comes before /acceptdrift/ID in messages, such as https://ostiary.example; may be empty
	// Commit makes the commitment that stands for a subject in records of this month. It is called outside transactions.
	Commit func(ctx context.Context, s vault.Subject, now time.Time) (record.Subject, error)
	Notify func(b *outbox.Batch, n notice.Notice) error // puts a message into the batch; called inside transactions
	// Words says in a language (en, fr, de) what is wrong, such as what the assertion says; nil, or "": its name alone.
	Words  func(f Finding, language string) string
	Random io.Reader // nil means crypto/rand
}

// Service keeps findings. It is safe for concurrent use, by several processes too. Refusals meant for the caller are
// *fault.Error with a code; on any error nothing was changed of the finding at hand, but that after Transient it may have
// been: everything here may be called again.
type Service struct{ Config }

// New returns a Service, or Misconfigured when a part is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Policy == nil || c.Commit == nil || c.Notify == nil {
		return nil, fault.New(fault.Misconfigured, "findings: store, outbox, policy, commitments and notices are all needed")
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return &Service{c}, nil
}

// About is Finding.What of an assertion: its name, with the promise where that sets parameters of its own.
func About(assertion, promise string) string {
	return strings.TrimSuffix(assertion+" "+promise, " ")
}

// ID is the id of one difference, 32 letters and digits, the same whenever it is seen. asset is a key of package asset, "" for
// the company; what is Finding.What.
func ID(asset, what string) string {
	sum := sha256.Sum256(framed("finding", asset, what))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20]))
}

// idForm is what ID makes. Anything else is none, and some of it no id of a document at all.
var idForm = regexp.MustCompile(`^[a-z2-7]{32}$`)

// IsID reports whether a text is of the form of ids.
func IsID(text string) bool { return idForm.MatchString(text) }

// framed joins texts behind their lengths, so that no two lists of them look alike.
func framed(texts ...string) (out []byte) {
	for _, text := range texts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(text)))
		out = append(out, text...)
	}
	return out
}

// nonce keeps the ids of records from being guessed: they are made from it, and it stays here.
func (s *Service) nonce() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return "", fault.New(fault.Transient, "deciding about a finding: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// errMark: evidence names something whose commitment was not made before the transaction; make it and start again.
var errMark = errors.New("a subject's commitment is missing")

// attempts is how often a transaction starts again because of errMark.
const attempts = 4

// happen lets an event happen to a finding, in one transaction with what follows. words are what a person wrote about it.
func (s *Service) happen(ctx context.Context, id string, e Event, words string, now time.Time) (f Finding, effects []Effect, err error) {
	now, e.Read = now.UTC().Truncate(time.Microsecond), e.Read.UTC().Truncate(time.Microsecond)
	nonce, err := s.nonce()
	if err != nil {
		return f, nil, err
	}
	marks := map[vault.Subject]record.Subject{}
	for range attempts {
		var lacks []vault.Subject
		err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
			t := &turn{s: s, tx: tx, batch: batch, now: now, e: e, words: words, nonce: nonce, marks: marks}
			err := t.run(id)
			f, effects, lacks = t.f, t.effects, t.lacks
			return err
		})
		if !errors.Is(err, errMark) {
			return f, effects, err
		}
		for _, subject := range lacks {
			if marks[subject], err = s.Commit(ctx, subject, now); err != nil {
				return f, nil, err
			}
		}
	}
	return f, nil, fault.New(fault.Conflict, "deciding about a finding: %w", errMark)
}

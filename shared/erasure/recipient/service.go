package recipient

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/desk"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/sealed"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Message is what a recipient is told.
type Message struct {
	ID         string // UUID of version 4, the same each time
	Identities []Identity
	Tenant     string    // of an account that closes; then there are no identities
	Received   time.Time // when the person asked
	Executed   time.Time // when the data was erased here
}

// Config is what a Service needs. Store and Box are of the control's database.
type Config struct {
	Store  store.Store
	Box    *outbox.Box
	Policy *policy.Policy
	Digest string // of the policy, named in records
	Map    *datamap.Map
	Keys   seal.Keys // seals what recipients are told
	Mark   []byte    // secret, at least 32 bytes: makes the ids
	// Send tells a recipient by machine. Its error is for what is misconfigured here: the notice waits. Who only writes
	// notices needs none of what follows Mark.
	Send     func(ctx context.Context, to datamap.Recipient, m Message) (Answer, error)
	Messages *seal.Cache // seals mails
	// Commit makes the commitment that stands for a member of staff; needed by Settle alone.
	Commit func(ctx context.Context, s vault.Subject, now time.Time) (record.Subject, error)
	Desk   string    // address of the page where a notice is settled
	Random io.Reader // nil means crypto/rand
}

// Service tells recipients. It is safe for concurrent use. Whatever it returns an error of may be called again.
type Service struct{ Config }

// leastMark is how long Config.Mark is at least, in bytes.
const leastMark = 32

// New returns a Service, or Misconfigured when a part is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Policy == nil || c.Map == nil || c.Keys == nil || len(c.Mark) < leastMark {
		return nil, fault.New(fault.Misconfigured, "telling recipients: store, outbox, policy, data map, keys and a key of %d bytes for ids are all needed", leastMark)
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return &Service{c}, nil
}

// Case is a request of which something was erased.
type Case struct {
	Request     string
	Tenant      string
	Account     bool     // everything of the tenant
	Entries     []string // of which items were erased or anonymised
	Identifiers []datamap.Identifier
	Received    time.Time
	Executed    time.Time
}

// Tell writes a notice to each recipient of the entries whom this request has told nothing yet, or not by all identifiers
// that are known by now: then it holds the new ones alone. It returns how many there were. They are sent by Work. One of
// whom no identifier is known that the recipient knows people by becomes a person's task.
func (s *Service) Tell(ctx context.Context, c Case, now time.Time) (written int, err error) {
	before, err := of(ctx, s.Store, c.Request)
	if err != nil {
		return 0, err
	}
	for _, to := range s.Map.Recipients {
		given := slices.ContainsFunc(c.Entries, func(id string) bool {
			e, known := s.Map.Entry(id)
			return known && slices.Contains(e.Recipients, to.ID)
		})
		if !given {
			continue
		}
		n, err := s.notice(ctx, c, to, before, now)
		if err != nil {
			return written, err
		}
		if n.ID == "" {
			continue
		}
		err = s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Create(Notices, n.ID, n) })
		switch {
		case err == nil:
			written++
		case !fault.Is(err, fault.Conflict): // somebody else was faster
			return written, err
		}
	}
	return written, nil
}

// notice makes what one recipient is to be told beyond what notices before told him; none, without an id, when that is
// nothing.
func (s *Service) notice(ctx context.Context, c Case, to datamap.Recipient, before []Notice, now time.Time) (n Notice, err error) {
	before = slices.DeleteFunc(slices.Clone(before), func(n Notice) bool { return n.Recipient != to.ID })
	m := Message{Received: c.Received.UTC(), Executed: c.Executed.UTC()}
	covers := func(kind, value string) bool {
		mark := s.box().Name("told", c.Request, to.ID, kind, value)
		if slices.ContainsFunc(before, func(n Notice) bool { return slices.Contains(n.Covers, mark) }) || slices.Contains(n.Covers, mark) {
			return false
		}
		n.Covers = append(n.Covers, mark)
		return true
	}
	if c.Account {
		if covers("", c.Tenant) {
			m.Tenant = c.Tenant
		}
	} else {
		for _, one := range c.Identifiers {
			if one.Verified && slices.Contains(to.Gives, one.Kind) && covers(one.Kind, one.Value) {
				m.Identities = append(m.Identities, Identity{Kind: one.Kind, Value: one.Value})
			}
		}
	}
	if len(before) > 0 && len(n.Covers) == 0 {
		return n, nil
	}
	random := make([]byte, 32)
	if _, err := io.ReadFull(s.Random, random); err != nil {
		return n, fault.New(fault.Transient, "writing a notice: drawing its id: %w", err)
	}
	name := []string{"notice", c.Request, to.ID}
	if len(before) > 0 {
		name = append(name, strconv.Itoa(len(before)))
	}
	m.ID = uuid(random[:16])
	n = Notice{
		V: version, ID: s.box().Name(name...), Salt: random[16:], Request: c.Request, Recipient: to.ID, External: m.ID, State: receipt.Pending, Covers: n.Covers,
		Since: now, At: now, Next: now.UnixMicro(),
	}
	n.Private, err = s.box().Seal(ctx, n.ID, m)
	return n, err
}

// Forget destroys what recognises the identifiers that recipients of a request were told. It may be called again.
func (s *Service) Forget(ctx context.Context, request string) error {
	all, err := of(ctx, s.Store, request)
	if err != nil {
		return err
	}
	for _, n := range all {
		if len(n.Covers) == 0 {
			continue
		}
		err := s.Store.Tx(ctx, func(tx store.Tx) error {
			var there Notice
			if err := tx.Get(Notices, n.ID, &there); err != nil {
				return err
			}
			there.Covers = nil
			there.Rev++
			return tx.Put(Notices, n.ID, there)
		})
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// uuid writes random bytes as RFC 9562, section 5.4.
func uuid(b []byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// box seals and names what this package stores.
func (s *Service) box() sealed.Box {
	return sealed.Box{Kind: "notice", Keys: s.Keys, Random: s.Random, Mark: s.Mark}
}

// page is how many notices one query of Work reads.
const page = 100

// Work does what is due, until the time is over: tells recipients, reminds people. It may run at any time and in several
// places at once. One notice that cannot be handled stops no other; its error is returned.
func (s *Service) Work(ctx context.Context, now, until time.Time, clock func() time.Time) error {
	if s.Send == nil || s.Messages == nil {
		return fault.New(fault.Misconfigured, "telling recipients: a way to them and the key of messages are both needed")
	}
	q := store.Query{Collection: Notices, Range: &store.Range{Name: "next", From: int64(1), To: now.UnixMicro() + 1}, Limit: page}
	var errs []error
	for {
		due, err := store.Find[Notice](s.Store.Query(ctx, q))
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, n := range due {
			if clock().After(until) {
				return errors.Join(errs...)
			}
			if err := s.one(ctx, n, now); err != nil {
				errs = append(errs, fmt.Errorf("a notice to %s: %w", n.Recipient, err))
			}
		}
		if len(due) < page {
			return errors.Join(errs...)
		}
		last := due[len(due)-1]
		q.After = &store.Cursor{Value: last.Next, ID: last.ID}
	}
}

// one does what is due of one notice.
func (s *Service) one(ctx context.Context, n Notice, now time.Time) error {
	if n.Task || n.State == receipt.Asked {
		return s.remind(ctx, n, now)
	}
	var m Message
	var err error
	if n.Private != nil { // else nobody can say any more whose it is
		err = s.box().Open(ctx, n.ID, n.Private, &m)
	}
	if err != nil {
		return errors.Join(err, s.change(ctx, n, Decide(n, Answer{Result: Later}, now), now, desk.Mails{}))
	}
	to, known := s.Map.Recipient(n.Recipient)
	answer := Answer{Result: Refused, Why: "unlisted"}
	switch {
	case !known:
	case len(m.Identities) == 0 && m.Tenant == "":
		answer.Why = "no_identifier"
	case to.By == datamap.ByMail:
		letter, err := s.letter(ctx, n, to, m)
		if err != nil {
			return err
		}
		return s.change(ctx, n, Decide(n, Answer{Result: Sent}, now), now, letter)
	default:
		for i, one := range m.Identities {
			kind, _ := s.Map.Kind(one.Kind)
			m.Identities[i].Type = kind.Identity()
		}
		if answer, err = s.Send(ctx, to, m); err != nil {
			answer = Answer{Result: Later}
		}
	}
	after, all := Decide(n, answer, now), desk.Mails{}
	if after.Task {
		if all, err = s.staff(ctx, after, m, now); err != nil {
			return err
		}
	}
	return errors.Join(err, s.change(ctx, n, after, now, all))
}

// change writes what becomes of a notice, its evidence and its mails, as long as nobody else was faster; then it does
// nothing.
func (s *Service) change(ctx context.Context, before, after Notice, now time.Time, all desk.Mails) error {
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var there Notice
		if err := tx.Get(Notices, before.ID, &there); err != nil {
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
		if err := all.Put(batch); err != nil {
			return err
		}
		return tx.Put(Notices, before.ID, written)
	})
}

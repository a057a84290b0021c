// Package intake takes machine evidence: what build systems, backup tools, scanners, monitors and people desks send
// about promises, each only of the types and promises its entry in the policy names.
//
// It promises that an event counts once, however often and in whatever order it is delivered; that a record holds of it
// only numbers, words of a closed list and the policy's own names, so that no text of a sender reaches the evidence log;
// that whom it is about appears as a commitment, and what it says is sealed in the vault. Of each suite, tool, store and
// so on the newest event counts, and a promise is as good as the worst of them. It does not know whether a sender tells
// the truth; a promise kept by a duty still takes the people the duty names.
package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/duty"
)

// Control is the name under which the receipt of an event is recorded. No promise is kept by it.
const Control = "evidence-intake"

// Limits of time: an event is refused when it is older, or further ahead of our clock. What was received is remembered
// longer than that, so that nothing old counts a second time.
const (
	MaxAge     = 366 * day
	MaxSkew    = 5 * time.Minute
	remembered = 400 * day
)

// MaxBytes is the largest data of one event.
const MaxBytes = 64 << 10

// Names of the collections.
const (
	received = "received" // events, by sender, source and id
	feeds    = "feeds"    // the newest of each scope, by check and promise
)

// Collection declares what the control's schema holds for this package.
func Collection() []store.Collection {
	return []store.Collection{{Name: received, Expires: true}, {Name: feeds}}
}

// sealer is the vault, as far as it is needed here.
type sealer interface {
	Commit(ctx context.Context, s vault.Subject, now time.Time) (record.Subject, error)
	Put(ctx context.Context, s vault.Subject, id string, payload []byte, now time.Time) (record.Payload, error)
}

// duties are what people must do, as far as machine evidence counts for it.
type duties interface {
	Evidence(ctx context.Context, a duty.Arrived, now time.Time) ([]string, error)
}

// Config is what a Service needs. Store and Box are of the same database.
type Config struct {
	Store  store.Store
	Box    *outbox.Box
	Policy *policy.Policy
	Digest string // of the policy, named in records
	Rules  duty.Rules
	Duties duties
	Vault  sealer
	Random io.Reader
}

// Service takes events. It is safe for concurrent use.
type Service struct{ Config }

// New returns a Service, or Misconfigured when a part is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Policy == nil || c.Duties == nil || c.Vault == nil || c.Random == nil {
		return nil, fault.New(fault.Misconfigured, "taking evidence: store, outbox, policy, duties, vault and random bytes are all needed")
	}
	return &Service{c}, nil
}

// Receipt is what became of an event. It is the same each time the event is sent.
type Receipt struct {
	Record   string   // id of the record of its receipt
	Promises []string // those it counts for, sorted
}

// Receive takes one event of a sender. Codes: source_may_not (the type or a promise is not the sender's), event_invalid,
// event_time, evidence_unbound (nothing keeps these promises by evidence of this type), evidence_unmeasured (a promise sets a
// limit that the event does not measure), evidence_ambiguous (several duties, or unnamed promises, take it), event_conflict
// (the same id with other data), scopes_exhausted. After Transient the same event may be sent again, and counts once.
func (s *Service) Receive(ctx context.Context, from policy.Source, e event.Event, now time.Time) (Receipt, error) {
	in, err := s.read(from, e, now)
	if err != nil {
		return Receipt{}, err
	}
	got, err := s.remember(ctx, in, now)
	if err != nil || got.Done {
		return got.receipt(), err
	}
	in.nonce = hex.EncodeToString(got.Nonce)
	receipt, err := s.sealed(ctx, in, now)
	if err != nil {
		return Receipt{}, err
	}
	if err := s.discharge(ctx, in, now); err != nil {
		return Receipt{}, err
	}
	return s.record(ctx, in, receipt, now)
}

// incoming is an event that may be taken.
type incoming struct {
	id     string // of its document
	source policy.Source
	event  event.Event
	kind   kind
	report report
	bound  []binding
	person policy.Person // whom it is about, where the policy knows her
	nonce  string        // keeps the ids of its records from being guessed
}

// read decodes an event and holds it to what its sender may send.
func (s *Service) read(from policy.Source, e event.Event, now time.Time) (incoming, error) {
	k, known := kinds[e.Type]
	if !known || !slices.Contains(from.Types, e.Type) {
		return incoming{}, mayNot("This sender may not send evidence of this type.")
	}
	if len(e.Data) > MaxBytes {
		return incoming{}, invalid("The data is larger than 65536 bytes.")
	}
	data := k.data()
	if err := decode(e.Data, data); err != nil {
		return incoming{}, err
	}
	if e.Time.IsZero() || e.Time.After(now.Add(MaxSkew)) || e.Time.Before(now.Add(-MaxAge)) {
		return incoming{}, unprocessable("event_time", "The event's attribute time is missing, ahead of our clock, or more than a year old.",
			"Set time to when it happened, and the sender's clock right.")
	}
	r, err := data.report(e.Time)
	if err != nil {
		return incoming{}, err
	}
	in := incoming{id: nameOf(from, e), source: from, event: e, kind: k, report: r}
	if in.bound, err = s.bind(from, e.Type, r, data.named()); err != nil {
		return incoming{}, err
	}
	for _, check := range in.told() {
		// An agreement that was signed long ago is still signed.
		if at := in.fact(check); at.After(now.Add(MaxSkew)) || at.Before(now.Add(-MaxAge)) && k.lasts > 0 {
			return incoming{}, unprocessable("event_time", "What the event tells of is ahead of our clock, or more than a year old.", "Send what happened since.")
		}
	}
	in.person, _ = s.Policy.Person(r.person)
	return in, nil
}

func mayNot(detail string) error {
	return fault.Refuse(fault.Denied, "source_may_not", detail, "Add it to the sender's entry in services.yaml and publish the policy.")
}

// nameOf is what an event is known by: an event's source and id are unique together (CloudEvents 1.0, 3.1.1), for a
// sender that may be trusted to name them.
func nameOf(from policy.Source, e event.Event) string {
	h := sha256.New()
	for _, part := range []string{from.ID, e.Source, e.ID} {
		h.Write([]byte(record.Digest([]byte(part))))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// receivedDoc is an event as it is remembered.
type receivedDoc struct {
	V        int       `json:"v"`
	Nonce    []byte    `json:"nonce"`
	Mark     string    `json:"mark"` // commitment to what was sent, by the nonce
	Done     bool      `json:"done,omitempty"`
	Record   string    `json:"record,omitempty"`
	Promises []string  `json:"promises,omitempty"`
	Expires  time.Time `json:"expires"`
}

func (d receivedDoc) receipt() Receipt { return Receipt{d.Record, d.Promises} }

const nonceBytes = 32

// remember notes that an event has come, or finds what is known of it.
func (s *Service) remember(ctx context.Context, in incoming, now time.Time) (receivedDoc, error) {
	nonce := make([]byte, nonceBytes)
	if _, err := io.ReadFull(s.Random, nonce); err != nil {
		return receivedDoc{}, fault.New(fault.Transient, "taking an event: %w", err)
	}
	sent := strings.Join([]string{in.event.Type, in.event.Time.Format(time.RFC3339Nano), string(in.event.Data)}, "\n")
	var doc receivedDoc
	err := s.Store.Tx(ctx, func(tx store.Tx) error {
		doc = receivedDoc{}
		if err := tx.Get(received, in.id, &doc); !fault.Is(err, fault.NotFound) {
			return err
		}
		doc = receivedDoc{V: version, Nonce: nonce, Mark: record.Commitment(nonce, "event", sent), Expires: now.Add(remembered)}
		return tx.Create(received, in.id, doc)
	})
	if err == nil && doc.Mark != record.Commitment(doc.Nonce, "event", sent) {
		err = fault.Refuse(fault.Conflict, "event_conflict", "An event of this source and id came before, with other data.", "Give every event an id of its own.")
	}
	return doc, err
}

// sealed puts the event into the vault and begins the record of its receipt.
func (s *Service) sealed(ctx context.Context, in incoming, now time.Time) (record.Record, error) {
	r := in.begin(Control, "", s.Digest, now)
	for _, b := range in.bound {
		r.Promises = append(r.Promises, b.promise.ID)
	}
	slices.Sort(r.Promises)
	r.Result.State = s.verdict(in)
	subject := vault.Subject{Type: "source", ID: in.source.ID}
	if in.report.person != "" {
		subject = vault.Subject{Type: "person", ID: strings.ToLower(in.report.person)}
		if in.person.ID != "" {
			subject.ID = in.person.ID
		}
	}
	payload, err := s.Vault.Put(ctx, subject, r.ID(), in.event.Data, now)
	if errors.Is(err, vault.ErrErased) {
		return r, nil // she is to be forgotten: that something was proven stays, who it was about does not
	}
	if err != nil {
		return r, err
	}
	r.Payload = payload
	c, err := s.Vault.Commit(ctx, subject, now)
	r.Subjects = []record.Subject{c}
	return r, err
}

// verdict is what an event says of all it counts for, by the numbers that the promises limit: the worst of it. What proves
// and breaks nothing is Undetermined.
func (s *Service) verdict(in incoming) record.State {
	if in.report.silent {
		return record.Undetermined
	}
	state := record.Kept
	for _, b := range in.bound {
		for _, check := range b.checks {
			result, _ := s.judged(in, check, b.promise)
			state = worst(state, result.State)
		}
		for _, t := range b.duties {
			state = worst(state, s.means(in.report, t.duty))
		}
	}
	return map[record.State]record.State{record.Kept: record.Pass, record.Broken: record.Violation, record.Unknown: record.Undetermined}[state]
}

// begin starts a record about the event; of several the check and promise tell them apart.
func (in incoming) begin(check, promise, digest string, now time.Time) record.Record {
	name := "received " + in.nonce
	var promises []string
	if promise != "" {
		name += " " + check
		promises = []string{promise}
	}
	r := record.New(record.Observation, check, name, promises...)
	r.Config, r.Method, r.Facts = digest, record.Test, map[string]string{"type": in.event.Type}
	r.Source.Type, r.Source.Observed, r.Source.Collected = "cloudevent", earlier(in.fact(check), now), now
	return r
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

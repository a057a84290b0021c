// Package waiver keeps exceptions: a promise that is broken for a known reason is shown as an exception until a date.
//
// It promises that an exception takes two people of security, dpo and owner, has a reason from a list and lasts at most 90
// days, and that nothing comes into force before the second person agrees. The record names a code and two commitments; what
// the asker wrote beside stays in the store. An exception ends by itself, or as soon as one of them says so; none is ever
// prolonged, a new one has to be asked for.
package waiver

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/desk"
	"ostiary.internal/shared/trust/notice"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/shared/trust/statement"
)

// Control is the name under which the evidence speaks of exceptions.
const Control = promise.WaiverControl

// Waivers is the collection's name.
const Waivers = "waivers"

// MostDays is how long an exception lasts at most, counted from its approval; AskLife how long it waits for one.
const (
	MostDays = 90
	AskLife  = 7 * 24 * time.Hour
)

// version of the stored shape; kept is how long a waiver can be looked up after its end.
const (
	version = 1
	kept    = 400 * 24 * time.Hour
)

// reasons are the codes of which one says why: free text never enters the evidence.
var reasons = []string{"migration", "supplier-outage", "planned-work", "incident", "legal-requirement", "false-alarm", "accepted-risk"}

// Reasons returns the codes of reasons, in the order a page shows them.
func Reasons() []string { return slices.Clone(reasons) }

// State is where a waiver is. It is stored.
type State string

const (
	Asked    State = "asked"
	Approved State = "approved"
	Ended    State = "ended" // before its time
)

// Waiver is one exception, as it is stored.
type Waiver struct {
	V        int       `json:"v"`
	ID       string    `json:"id"`
	Promise  string    `json:"promise"`
	Reason   string    `json:"reason"`
	Note     string    `json:"note,omitempty"` // in the asker's words; never in evidence
	Until    time.Time `json:"until"`          // first instant at which it no longer counts
	State    State     `json:"state"`
	Asker    string    `json:"asker"`
	Asked    time.Time `json:"asked"`
	Approver string    `json:"approver,omitempty"`
	Approved time.Time `json:"approved,omitzero"`
	Ender    string    `json:"ender,omitempty"`
	Ended    time.Time `json:"ended,omitzero"`
	Nonce    string    `json:"nonce"`
	Record   string    `json:"record,omitempty"` // id of the evidence
	Expires  time.Time `json:"expires"`
}

// Waiting reports whether a second person can still approve the waiver at now.
func (w Waiver) Waiting(now time.Time) bool {
	return w.State == Asked && now.Before(w.Until) && now.Before(w.Asked.Add(AskLife))
}

// InForce reports whether the exception counts at now.
func (w Waiver) InForce(now time.Time) bool { return w.State == Approved && now.Before(w.Until) }

// Collection declares the collection; the control's schema holds it.
func Collection() store.Collection { return store.Collection{Name: Waivers, Expires: true} }

// MayDecide reports whether a person's roles let her ask for an exception, or approve one.
func MayDecide(p policy.Person) bool {
	return p.Has(policy.Security) || p.Has(policy.DPO) || p.Has(policy.Owner)
}

// Service keeps waivers. It is safe for concurrent use. On any error nothing was changed.
type Service struct{ desk.Desk }

// New returns a Service, or Misconfigured when a part of the desk is missing.
func New(d desk.Desk) (*Service, error) {
	d, err := d.Complete()
	return &Service{d}, err
}

// Request is what is asked for.
type Request struct {
	Promise string
	Reason  string // one of Reasons
	Note    string // at most 300 bytes; may be empty
	Until   time.Time
}

// Ask asks for an exception. Asking for the same again returns the one there is. Codes: role_missing, promise_unknown,
// reason_invalid, note_invalid, until_invalid.
func (s *Service) Ask(ctx context.Context, q Request, by policy.Person, now time.Time) (Waiver, error) {
	q.Note = strings.TrimSpace(q.Note)
	p, known := s.Policy.Promise(q.Promise)
	switch {
	case !MayDecide(by):
		return Waiver{}, roleMissing()
	case !known:
		return Waiver{}, fault.Refuse(fault.NotFound, "promise_unknown", "There is no such promise.", "Choose one from the list.")
	case !slices.Contains(reasons, q.Reason):
		return Waiver{}, fault.Refuse(fault.Invalid, "reason_invalid", "There is no such reason.", "Give one of "+strings.Join(reasons, ", ")+".")
	case len(q.Note) > 300 || strings.ContainsFunc(q.Note, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return Waiver{}, fault.Refuse(fault.Invalid, "note_invalid", "The note is longer than 300 bytes, or not one line.", "Write less.")
	case !s.allowed(q.Until, now):
		return Waiver{}, untilInvalid()
	}
	nonce, err := s.Nonce()
	if err != nil {
		return Waiver{}, err
	}
	id := requestID(q, by.ID)
	var w Waiver
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		err := tx.Get(Waivers, id, &w)
		if !fault.Is(err, fault.NotFound) && (err != nil || w.State == Approved || w.Waiting(now)) {
			return err
		}
		w = Waiver{V: version, ID: id, Promise: q.Promise, Reason: q.Reason, Note: q.Note, Until: q.Until, State: Asked, Asker: by.ID, Asked: now,
			Nonce: nonce, Expires: q.Until.Add(kept)}
		if err := tx.Put(Waivers, id, w); err != nil {
			return err
		}
		return s.Notify(batch, notice.Notice{Kind: notice.WaiverAsked, Key: nonce, Due: q.Until, To: s.Holders(MayDecide, now, by.ID),
			What: func(language string) string { return statement.Quote(p, language) }})
	})
	return w, err
}

// allowed reports whether an exception may end then: after now, and at most 90 days from now.
func (s *Service) allowed(until, now time.Time) bool {
	return now.Before(until) && !until.After(now.Add(MostDays*24*time.Hour))
}

// idForm is what the id of a waiver looks like. Anything else is none, and some of it no id at all.
var idForm = regexp.MustCompile(`^[a-z2-7]{32}$`)

func requestID(q Request, asker string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{asker, q.Promise, q.Reason, q.Until.UTC().Format(time.RFC3339)}, "\x00")))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:20]))
}

// Approve brings an exception into force. Approving it again by the same person changes nothing. Codes: role_missing,
// waiver_unknown, waiver_self, same_person, waiver_decided.
func (s *Service) Approve(ctx context.Context, id string, by policy.Person, now time.Time) (Waiver, error) {
	return s.change(ctx, id, by, now, func(w Waiver, marks [2]record.Subject) (Waiver, *record.Record, error) {
		_, known := s.Policy.Promise(w.Promise)
		switch {
		case w.State == Approved && w.Approver == by.ID:
			return w, nil, nil
		case w.State == Approved:
			return w, nil, fault.Refuse(fault.Conflict, "waiver_decided", "This exception was approved already.", "There is nothing to do here.")
		case w.Asker == by.ID:
			return w, nil, fault.Refuse(fault.Denied, "waiver_self", "Nobody approves what she asked for herself.", "Ask another person of security, the DPO or the owner.")
		case s.Policy.Apart(by, w.Asker) != nil:
			return w, nil, policy.SamePerson()
		case !known || !w.Waiting(now):
			return w, nil, unknown()
		}
		w.State, w.Approver, w.Approved = Approved, by.ID, now
		r := evidence(w, marks)
		w.Record = r.ID()
		return w, &r, nil
	})
}

// End ends an exception that is in force, at once: one person is enough to be stricter. Ending it again changes nothing.
// Codes: role_missing, waiver_unknown, waiver_waiting.
func (s *Service) End(ctx context.Context, id string, by policy.Person, now time.Time) (Waiver, error) {
	return s.change(ctx, id, by, now, func(w Waiver, marks [2]record.Subject) (Waiver, *record.Record, error) {
		switch {
		case w.State == Ended:
			return w, nil, nil
		case w.Waiting(now):
			return w, nil, fault.Refuse(fault.Conflict, "waiver_waiting", "This exception is not in force: nobody has approved it.", "Leave it: it lapses a week after it was asked for.")
		case !w.InForce(now):
			return w, nil, unknown()
		}
		w.State, w.Ender, w.Ended = Ended, by.ID, now
		r := record.New(record.Remediation, Control, w.Nonce+"#ended", w.Promise)
		r.Source.Type, r.Source.Observed, r.Source.Collected = "http", now, now
		r.Facts = map[string]string{"event": "ended"}
		r.Refs = []record.Ref{{Rel: "closes", ID: w.Record}}
		r.Subjects = []record.Subject{{Type: "actor", C: marks[1].C}}
		return w, &r, nil
	})
}

// change decides about a waiver in one transaction. decide is given the commitments of who asked and of who acts, and
// returns no record where nothing changes.
func (s *Service) change(ctx context.Context, id string, by policy.Person, now time.Time,
	decide func(w Waiver, marks [2]record.Subject) (Waiver, *record.Record, error)) (Waiver, error) {
	if !MayDecide(by) {
		return Waiver{}, roleMissing()
	}
	var asked, w Waiver
	if !idForm.MatchString(id) {
		return Waiver{}, unknown()
	} else if err := s.Store.Get(ctx, Waivers, id, &asked); fault.Is(err, fault.NotFound) {
		return Waiver{}, unknown()
	} else if err != nil {
		return Waiver{}, err
	}
	var marks [2]record.Subject
	for i, person := range []string{asked.Asker, by.ID} {
		var err error
		if marks[i], err = s.Commit(ctx, person, now); err != nil {
			return Waiver{}, err
		}
	}
	err := s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var before Waiver
		if err := tx.Get(Waivers, id, &before); err != nil {
			return err
		}
		var r *record.Record
		var err error
		if w, r, err = decide(before, marks); err != nil || r == nil {
			return err
		}
		if err := tx.Put(Waivers, id, w); err != nil {
			return err
		}
		return s.Put(batch, *r)
	})
	return w, err
}

func evidence(w Waiver, marks [2]record.Subject) record.Record {
	r := record.New(record.Waiver, Control, w.Nonce, w.Promise)
	r.Method = record.Interview
	r.Source.Type, r.Source.Observed, r.Source.Collected = "http", w.Approved, w.Approved
	r.Result, r.Expires = record.Result{State: record.Excepted}, w.Until
	r.Facts = map[string]string{"reason": w.Reason}
	r.Subjects = []record.Subject{{Type: "asker", C: marks[0].C}, {Type: "approver", C: marks[1].C}}
	return r
}

// List returns the waivers that wait or are in force, the newest first.
func (s *Service) List(ctx context.Context, now time.Time) ([]Waiver, error) {
	var found []Waiver
	for q := (store.Query{Collection: Waivers, Limit: store.MaxQueryResults}); ; {
		page, err := store.Find[Waiver](s.Store.Query(ctx, q))
		if err != nil {
			return nil, err
		}
		for _, w := range page {
			if w.Waiting(now) || w.InForce(now) {
				found = append(found, w)
			}
		}
		if len(page) < q.Limit {
			break
		}
		q.After = &store.Cursor{ID: page[len(page)-1].ID}
	}
	slices.SortFunc(found, func(a, b Waiver) int { return b.Asked.Compare(a.Asked) })
	return found, nil
}

func unknown() error {
	return fault.Refuse(fault.NotFound, "waiver_unknown", "There is no such exception, or it has lapsed.", "Look at the list again.")
}

func roleMissing() error {
	return fault.Refuse(fault.Denied, "role_missing", "Exceptions are decided by two people of security, the DPO and the owner.", "Ask one of them.")
}

func untilInvalid() error {
	return fault.Refuse(fault.Invalid, "until_invalid", "An exception ends after now, and at most 90 days from now.", "Give its last day as YYYY-MM-DD, or a time of RFC 3339, within 90 days.")
}

// Package statement keeps signed statements: a person in a role the policy names says that a promise's sentence is true,
// until a date.
//
// It promises that only the sentence in force is signed: whoever signs names the digest of the text she read, and a text
// that has changed since refuses. A statement lasts at most 366 days, and its signers are reminded a month before it
// ends. It does not know whether a statement is true. That a statement has ended, or that the text changed after it was
// signed, shows by itself: states are computed from the record.
package statement

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/desk"
	"ostiary.internal/shared/trust/notice"
	"ostiary.internal/shared/trust/promise"
)

// Control is the name under which the evidence speaks of statements.
const Control = "statement"

// Statements is the collection's name.
const Statements = "statements"

// MostDays is how long a statement lasts at most; Ahead how long before its end its signers are reminded.
const (
	MostDays = 366
	Ahead    = 30 * 24 * time.Hour
)

// version of the stored shape.
const version = 1

// Collection declares the collection; the control's schema holds it.
func Collection() store.Collection {
	return store.Collection{Name: Statements, Indexes: []store.Index{{"next"}}}
}

// Statement is the newest statement about one promise, as it is stored.
type Statement struct {
	V        int         `json:"v"`
	Promise  string      `json:"promise"`
	TextHash string      `json:"text_hash"`
	Role     policy.Role `json:"role"` // in which it was signed
	By       string      `json:"by"`   // id in people.yaml
	Signed   time.Time   `json:"signed"`
	Until    time.Time   `json:"until"` // first instant at which it no longer counts
	Number   int         `json:"number"`
	Nonce    string      `json:"nonce"`          // the evidence's ids are made from it
	Record   string      `json:"record"`         // id of the evidence
	Next     int64       `json:"next,omitempty"` // microseconds since 1970: when its signers are reminded
}

// InForce reports whether the statement counts for the promise's present text at now.
func (s Statement) InForce(p policy.Promise, now time.Time) bool {
	return s.TextHash == promise.TextHash(p.Text) && now.Before(s.Until)
}

// Service keeps statements. It is safe for concurrent use. On any error nothing was changed.
type Service struct{ desk.Desk }

// New returns a Service, or Misconfigured when a part of the desk is missing.
func New(d desk.Desk) (*Service, error) {
	d, err := d.Complete()
	return &Service{d}, err
}

// Signers are the roles of which one signs a promise; none for a promise that no statement keeps.
func Signers(p policy.Promise) []policy.Role {
	var roles []policy.Role
	for _, k := range p.KeptBy {
		if k.Mechanism == policy.Statement {
			for _, ref := range k.Refs {
				roles = append(roles, policy.Role(ref))
			}
		}
	}
	return roles
}

// ReadUntil reads the end of a statement: a date, whose day counts to its end in zone, or a time of RFC 3339.
func ReadUntil(text string, zone *time.Location) (time.Time, bool) {
	if day, err := calendar.ParseDay(text); err == nil {
		return day.End(zone), true
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err == nil
}

// Sign signs the present text of a promise in the name of a person. Signing the same again changes nothing. Codes:
// promise_unknown, role_missing, text_changed, until_invalid.
func (s *Service) Sign(ctx context.Context, id, textHash string, until time.Time, by policy.Person, now time.Time) (Statement, error) {
	p, known := s.Policy.Promise(id)
	roles := Signers(p)
	role := slices.IndexFunc(roles, by.Has)
	switch {
	case !known || len(roles) == 0:
		return Statement{}, fault.Refuse(fault.NotFound, "promise_unknown", "There is no such promise that a person signs.", "Look at the list of statements.")
	case role < 0:
		return Statement{}, fault.Refuse(fault.Denied, "role_missing", "This sentence is signed by somebody in the role "+named(roles)+".", "Ask somebody who has it.")
	case textHash != promise.TextHash(p.Text):
		return Statement{}, fault.Refuse(fault.Conflict, "text_changed", "This is not the text of the promise now in force.", "Read the present text, then sign that one.")
	case !now.Before(until) || until.After(latest(now, s.Policy.Company.Location())):
		return Statement{}, fault.Refuse(fault.Invalid, "until_invalid", "A statement ends after now, and at most "+strconv.Itoa(MostDays)+" days from now.", "Give its last day as YYYY-MM-DD, or a time of RFC 3339, within a year.")
	}
	mark, err := s.Commit(ctx, by.ID, now)
	if err != nil {
		return Statement{}, err
	}
	nonce, err := s.Nonce()
	if err != nil {
		return Statement{}, err
	}
	var signed Statement
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		last := Statement{Nonce: nonce}
		if err := tx.Get(Statements, id, &last); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if signed = last; last.By == by.ID && last.TextHash == textHash && last.Role == roles[role] && last.Until.Equal(until) {
			return nil
		}
		signed = Statement{
			V: version, Promise: id, TextHash: textHash, Role: roles[role], By: by.ID, Signed: now, Until: until,
			Number: last.Number + 1, Nonce: last.Nonce, Next: max(until.Add(-Ahead).UnixMicro(), now.UnixMicro()+1),
		}
		if until.Sub(now) <= Ahead {
			signed.Next = 0 // it was short on purpose
		}
		r := evidence(signed, mark)
		signed.Record = r.ID()
		if err := tx.Put(Statements, id, signed); err != nil {
			return err
		}
		return s.Put(batch, r)
	})
	return signed, err
}

// latest is the end of the last day a statement may last: the hour at which it is signed costs nobody a day.
func latest(now time.Time, zone *time.Location) time.Time {
	return calendar.EndOfDay(calendar.Period{Days: MostDays}.Add(now, zone), zone)
}

// evidence is the record of a statement: who signed is a commitment, the role stands in the open.
func evidence(signed Statement, mark record.Subject) record.Record {
	r := record.New(record.Attestation, Control, signed.Nonce+"#"+strconv.Itoa(signed.Number), signed.Promise)
	r.PromiseText, r.Method = signed.TextHash, record.Interview
	r.Source.Type, r.Source.Observed, r.Source.Collected = "http", signed.Signed, signed.Signed
	r.Result, r.Expires = record.Result{State: record.Attested}, signed.Until
	r.Facts = map[string]string{"role": string(signed.Role)}
	r.Subjects = []record.Subject{{Type: "signer", C: mark.C}}
	return r
}

// Find returns the newest statement about each promise that a person signs, by promise.
func (s *Service) Find(ctx context.Context) (map[string]Statement, error) {
	found := map[string]Statement{}
	for _, p := range s.Policy.Promises {
		if len(Signers(p)) == 0 {
			continue
		}
		var last Statement
		if err := s.Store.Get(ctx, Statements, p.ID, &last); err == nil {
			found[p.ID] = last
		} else if !fault.Is(err, fault.NotFound) {
			return nil, err
		}
	}
	return found, nil
}

// page is how many statements one run reminds of.
const page = 200

// Tick reminds the signers of statements that end within a month. It may run at any time, any number of times.
func (s *Service) Tick(ctx context.Context, now time.Time) error {
	due, err := store.Find[Statement](s.Store.Query(ctx, store.Query{
		Collection: Statements, Range: &store.Range{Name: "next", To: now.UnixMicro() + 1}, Limit: page,
	}))
	if err != nil {
		return err
	}
	var errs []error
	for _, st := range due {
		errs = append(errs, s.remind(ctx, st.Promise, now))
	}
	return errors.Join(errs...)
}

func (s *Service) remind(ctx context.Context, id string, now time.Time) error {
	p, known := s.Policy.Promise(id)
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var st Statement
		if err := tx.Get(Statements, id, &st); err != nil {
			return err
		}
		if st.Next == 0 || st.Next > now.UnixMicro() {
			return nil
		}
		st.Next = 0
		if err := tx.Put(Statements, id, st); err != nil || !known {
			return err
		}
		signs := func(person policy.Person) bool { return slices.ContainsFunc(Signers(p), person.Has) }
		return s.Notify(batch, notice.Notice{Kind: notice.StatementExpires, Key: st.Record, Due: st.Until, To: s.Holders(signs, now),
			What: func(language string) string { return Quote(p, language) }})
	})
}

// Quote is a promise as a message names it: its id and its sentence, in a language or in another where that is all there
// is.
func Quote(p policy.Promise, language string) string {
	for _, lang := range []string{language, "en", "fr", "de"} {
		if text := p.Text.In(lang); text != "" {
			return p.ID + ": " + text
		}
	}
	return p.ID
}

func named(roles []policy.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, " or ")
}

package cases

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// errMoved: the case is not the one that was read before the transaction. Read it and begin again.
var errMoved = errors.New("the case has changed")

// attempts is how often a change begins again because of errMoved.
const attempts = 8

// Words are what people wrote with an event.
type Words struct {
	Text string // summary, reason, reference, lessons
	Late string // reasons of a late report
	Why  string // why the time of a report on record is wrong
	Code string // of a call, in place of a step
	Next string // of Triage: the next step
	// Details are what is said of those in DetailTexts, by their names.
	Details map[string]string
	// Not are reasons for which some of DetailFields do not apply, by their names; Counts those of counts, by the id of a track
	// with "/people" or "/records" behind it.
	Not, Counts map[string]string
	// Actions say what is done, one for each of Event.Actions.
	Actions []string
	// Names are affected domains and accounts: of Declare and Describe those that belong to no known tenant, of Map those of
	// which that is not so, or which are nobody's.
	Names []string
}

// turn is one change of a case being made.
type turn struct {
	s      *Service
	now    time.Time
	before Case
	after  Case
	effect []Effect
	event  Event
	key    *seal.DataKey
	code   string // of the calls of this change; "" for none
	people map[string]record.Subject
	batch  *outbox.Batch
	grown  bool // people wrote something
	// unchanged reports whether what the notices of the case wait for is as it was read; nil: nobody asked.
	unchanged func(store.Tx) (bool, error)
	paged     []string
}

// Do lets an event happen to a case, in one transaction with its evidence and its messages. by is nobody for the clock and
// for notices. Codes: case_unknown, and those of Decide.
func (s *Service) Do(ctx context.Context, id string, by policy.Person, e Event, w Words, now time.Time) (Case, error) {
	e.By = s.actor(by)
	for range attempts {
		before, err := s.get(ctx, id)
		if err != nil {
			return before, err
		}
		after, err := s.try(ctx, before, e, w, now)
		if !errors.Is(err, errMoved) {
			return after, err
		}
	}
	return Case{}, fault.New(fault.Conflict, "changing a case: %w", errMoved)
}

// try makes one attempt on the case as it was read.
func (s *Service) try(ctx context.Context, before Case, e Event, w Words, now time.Time) (Case, error) {
	t, p, err := s.prepare(ctx, before, e, w, now)
	if err != nil || t.event.What == "" {
		return before, err
	}
	t.after, t.effect, err = Decide(before, t.event, now, s.Rules)
	if err != nil {
		return before, err
	}
	if len(t.effect) == 0 && reflect.DeepEqual(before, t.after) {
		return before, nil
	}
	if t.grown {
		if t.after.Private, err = s.seal(ctx, before.ID, p, last(e.What)); err != nil {
			return before, err
		}
	}
	t.after.Rev++
	t.after.Moved = t.after.Moved || t.event.By.ID != ""
	t.paged = t.after.Ladder.People
	if err := s.commit(ctx, t, before); err != nil || len(t.effect) == 0 || t.effect[0].Do != DoRefuse {
		return t.after, err
	}
	return t.after, badCode()
}

// commit stores a change with what follows from it.
func (s *Service) commit(ctx context.Context, t *turn, before Case) error {
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var now struct {
			Rev int64 `json:"rev"`
		}
		if err := tx.Get(Cases, before.ID, &now); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if now.Rev != before.Rev {
			return errMoved
		}
		if t.unchanged != nil {
			if same, err := t.unchanged(tx); err != nil || !same {
				return cmp.Or(err, errMoved)
			}
		}
		t.batch = batch
		if err := t.effects(); err != nil {
			return err
		}
		return tx.Put(Cases, before.ID, kept{t.after})
	})
}

// Declaration is what somebody declares.
type Declaration struct {
	Client   string // the declarer's own id of it, 1 to 136 bytes: the same again is the same case
	Breach   bool   // it is one; else a suspicion
	Exercise bool
	Source   string   // of a detection: its reference
	Signal   string   `json:",omitempty"` // of a detection: what it calls this, see Signal
	About    []string `json:",omitempty"` // of a detection: whose own matter it may be
	Summary  string
	Times    Times // of Times: occurrence and detection
	Tracks   []Track
	Unmapped []string          // affected domains and accounts that belong to no known tenant
	Details  Details           `json:",omitzero"`
	Texts    map[string]string `json:",omitempty"` // of Details, by their names
	Not      map[string]string `json:",omitempty"` // of Details: why some of DetailFields do not apply
}

// declaration is how a declarer's id is remembered.
type declaration struct {
	V       int       `json:"v"`
	Case    string    `json:"case"`
	Digest  string    `json:"digest"`
	Expires time.Time `json:"expires"`
}

// remembered is how long a declarer's id stands for its case.
const remembered = 400 * 24 * time.Hour

// maxClient bounds the id of a declaration, in bytes, with what says whose it is.
const maxClient = 136

// Declare begins a case. The same declaration again, by whomever, returns the case there is; another under the same id is
// refused: code id_conflict. Other codes: body_invalid, and those of Decide.
func (s *Service) Declare(ctx context.Context, by policy.Person, d Declaration, now time.Time) (c Case, fresh bool, err error) {
	if d.Client == "" || len(d.Client) > maxClient || strings.TrimSpace(d.Summary) == "" {
		return c, false, refuse("body_invalid", "A declaration has an id of its own, at most 128 bytes, and says in a few words what happened.", "Correct it and send it again.")
	}
	digest, err := d.digest()
	if err != nil {
		return c, false, err
	}
	key := digestOf([]byte(d.Client))
	for range attempts {
		var known declaration
		switch err := s.Store.Get(ctx, declared, key, &known); {
		case fault.Is(err, fault.NotFound):
		case err != nil:
			return c, false, err
		case known.Digest != digest:
			return c, false, fault.Refuse(fault.Conflict, "id_conflict", "This id stands for another declaration.", "Use a new id, or change the case there is.")
		default:
			c, err := s.get(ctx, known.Case)
			return c, false, err
		}
		if c, err = s.begin(ctx, by, d, key, digest, now); !errors.Is(err, errMoved) && !fault.Is(err, fault.Conflict) {
			return c, err == nil, err
		}
	}
	return c, false, fault.New(fault.Conflict, "declaring a breach: %w", errMoved)
}

func (s *Service) begin(ctx context.Context, by policy.Person, d Declaration, key, digest string, now time.Time) (Case, error) {
	var empty Case
	for _, to := range []*string{&empty.ID, &empty.Number, &empty.Nonce} {
		name, err := s.name(16)
		if err != nil {
			return empty, err
		}
		*to = name
	}
	empty.Number = empty.Number[:8]
	if d.Exercise {
		empty.Number = "ex" + empty.Number
	}
	e := Event{What: Declare, By: s.actor(by), Breach: d.Breach, Exercise: d.Exercise, Source: d.Source, About: d.About, Signal: d.Signal, Times: d.Times, Tracks: d.Tracks, Details: d.Details}
	t, p, err := s.prepare(ctx, empty, e, Words{Text: d.Summary, Names: d.Unmapped, Details: d.Texts, Not: d.Not}, now)
	if err != nil {
		return empty, err
	}
	if t.after, t.effect, err = Decide(empty, t.event, now, s.Rules); err != nil {
		return empty, err
	}
	if t.after.Private, err = s.seal(ctx, empty.ID, p, false); err != nil {
		return empty, err
	}
	t.after.Rev = 1
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var known declaration
		if err := tx.Get(declared, key, &known); err == nil {
			return errMoved
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		t.batch = batch
		if err := t.effects(); err != nil {
			return err
		}
		if err := tx.Create(declared, key, declaration{version, empty.ID, digest, now.Add(remembered)}); err != nil {
			return err
		}
		return tx.Create(Cases, empty.ID, kept{t.after})
	})
	return t.after, err
}

// digest tells a repetition from another declaration.
func (d Declaration) digest() (string, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return "", fault.New(fault.Invalid, "declaring a breach: %w", err)
	}
	return digestOf(data), nil
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// name returns so many random letters and digits.
func (s *Service) name(n int) (string, error) {
	raw := make([]byte, (n*5+7)/8)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return "", fault.New(fault.Transient, "making an id: %w", err)
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))[:n], nil
}

// duePage is how many cases one query of Tick reads.
const duePage = 100

// Tick lets time pass for every case that has something to say by now. It may run at any time, any number of times, in
// several places at once; however late it comes, what passed meanwhile is said once. One case that cannot be handled does
// not stop the others; its error is returned.
func (s *Service) Tick(ctx context.Context, now time.Time) error {
	var errs []error
	q := store.Query{Collection: Cases, Range: &store.Range{Name: "next", From: int64(1), To: now.UnixMicro() + 1}, Limit: duePage}
	type named struct {
		ID   string `json:"id"`
		Next int64  `json:"next"`
	}
	for {
		due, err := store.Find[named](s.Store.Query(ctx, q))
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, c := range due {
			if err := s.tick(ctx, c.ID, now); err != nil {
				errs = append(errs, fmt.Errorf("a case that is due: %w", err))
			}
		}
		if len(due) < duePage {
			return errors.Join(errs...)
		}
		last := due[len(due)-1]
		q.After = &store.Cursor{Value: last.Next, ID: last.ID}
	}
}

// tick lets time pass for one case. What panics is that case's error: the clocks of the others go on.
func (s *Service) tick(ctx context.Context, id string, now time.Time) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("letting time pass: panic: %v\n%s", r, debug.Stack())
		}
	}()
	after, err := s.Do(ctx, id, policy.Person{}, Event{What: Ticked}, Words{}, now)
	if at := after.Expires(s.Rules); err == nil && !at.IsZero() && !now.Before(at) {
		err = s.purge(ctx, after, now)
	}
	return err
}

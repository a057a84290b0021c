package request

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// errMoved: the request is not the one that was opened before the transaction. Open it and begin again.
var errMoved = errors.New("the request has changed")

// attempts is how often a change begins again because of errMoved.
const attempts = 5

// turn is one transaction about one request.
type turn struct {
	s       *Service
	tx      store.Tx
	batch   *outbox.Batch
	now     time.Time
	key     *seal.DataKey
	people  map[string]record.Subject
	before  Request
	private Private
	token   string // of the link that goes out
	number  string // that stands for it
	until   time.Time
	paced   time.Time // when a new request takes its turn
	mail    pace      // of letters to the address that the request waits for
	split   *Request  // what becomes of doSplit
	other   *Request  // the request that counts for the person
	united  *union    // what it knows with this one
	alike   []Request // the person's others, where something is held or let go
	free    []string  // marks that nobody has claimed for it yet
	claims  []string  // marks whose claim is this request's, to be given up when it closes
	writes  []func() error
}

// draft is a request before it is written.
type draft struct {
	Request
	private Private
	secret  string
}

// prepare opens what a turn needs before its transaction.
func (s *Service) prepare(ctx context.Context, r Request, now time.Time, by string) (t turn, err error) {
	t = turn{s: s, now: now, before: r, people: map[string]record.Subject{}}
	if t.private, err = s.open(ctx, r); err != nil {
		return t, err
	}
	if t.key, err = s.seals(ctx); err != nil {
		return t, err
	}
	ids := []string{by}
	if by != "" && r.Proposed != nil { // what the engine and the clock do names nobody, and they have no vault
		ids = append(ids, r.Proposed.By)
	}
	for _, id := range ids {
		if id == "" {
			continue
		}
		if s.Commit == nil {
			return t, fault.New(fault.Misconfigured, "deciding about a request: there is nothing to make commitments with")
		}
		if t.people[id], err = s.Commit(ctx, vault.Subject{Type: "person", ID: id}, now); err != nil {
			return t, err
		}
	}
	return t, nil
}

// change lets an event happen to a request, in one transaction: the request, its evidence, its letters, its messages. fn
// names the event; it may run several times, and reads through the turn alone. An event without a What changes nothing.
func (s *Service) change(ctx context.Context, id string, now time.Time, by string, fn func(t *turn) (Event, error)) (Request, error) {
	return s.changeWith(ctx, id, now, by, func(*turn) error { return nil }, fn)
}

// changeWith is change, with ready called before each attempt's transaction.
func (s *Service) changeWith(ctx context.Context, id string, now time.Time, by string, ready func(t *turn) error, fn func(t *turn) (Event, error)) (after Request, err error) {
	for range attempts {
		r, err := s.request(ctx, id)
		if err != nil {
			return r, err
		}
		prepared, err := s.prepare(ctx, r, now, by)
		if err == nil {
			err = ready(&prepared)
		}
		if err != nil {
			return r, err
		}
		err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
			t := prepared
			t.tx, t.batch = tx, batch
			after, err = t.run(id, fn)
			return err
		})
		if !errors.Is(err, errMoved) {
			return after, err
		}
	}
	return after, fault.New(fault.Conflict, "changing a request: %w", errMoved)
}

func (t *turn) run(id string, fn func(t *turn) (Event, error)) (Request, error) {
	opened := t.before
	t.before = Request{}
	if err := t.tx.Get(Requests, id, &t.before); fault.Is(err, fault.NotFound) {
		return t.before, unknown()
	} else if err != nil {
		return t.before, err
	} else if !t.s.within(t.before) {
		return t.before, errKey
	}
	proposed := opened.Proposed
	if !sameEnvelope(opened.Private, t.before.Private) || t.before.Proposed != nil && (proposed == nil || proposed.By != t.before.Proposed.By) {
		return t.before, errMoved
	}
	if err := t.held(); err != nil {
		return t.before, err
	}
	if t.mail = (pace{}); t.before.Address != "" {
		var err error
		if t.mail, err = t.pace(t.before.Address); err != nil {
			return t.before, err
		}
	}
	e, err := fn(t)
	if err != nil || e.What == "" {
		return t.before, err
	}
	after, effects, err := Decide(t.before, e, t.now, t.s.Rules)
	if err != nil || len(effects) == 0 && reflect.DeepEqual(t.before, after) {
		return after, err
	}
	if err := t.spread(after, e); err != nil {
		return t.before, err
	}
	return t.put(t.before, after, e, effects)
}

// held reads which claims are this request's.
func (t *turn) held() error {
	for _, mark := range t.before.Marks {
		var c claim
		err := t.tx.Get(claims, mark, &c)
		if err == nil && c.Request == t.before.ID {
			t.claims = append(t.claims, mark)
		} else if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// put writes a request and what follows from the event.
func (t *turn) put(before, after Request, e Event, effects []Effect) (Request, error) {
	after.Rev++
	tell := func() error { return nil }
	if t.s.Changed != nil && after.Requester == Controller {
		var err error
		if tell, err = t.s.Changed(t.tx, after, t.now); err != nil {
			return after, err
		}
	}
	if err := t.effects(before, &after, e, effects); err != nil {
		return after, err
	}
	if before.ID == t.before.ID && len(after.Marks) == 0 {
		for _, mark := range t.claims {
			if err := t.tx.Delete(claims, mark); err != nil {
				return after, err
			}
		}
	}
	writes := t.writes
	t.writes = nil // one of them may put another request
	for _, write := range writes {
		if err := write(); err != nil {
			return after, err
		}
	}
	if err := tell(); err != nil {
		return after, err
	}
	return after, t.tx.Put(Requests, after.ID, after)
}

// later adds a document to what is written with the request: a transaction reads before it writes.
func (t *turn) later(collection, id string, doc any) {
	t.writes = append(t.writes, func() error { return t.tx.Put(collection, id, doc) })
}

// claim says which request counts for a person.
type claim struct {
	V       int    `json:"v"`
	Request string `json:"request"`
}

// prove says what the proof of an identity makes of a request: it begins, or is linked to the one that counts.
func (t *turn) prove(r Request, e Event, all []Identifier) (Event, error) {
	e.Marks, e.Doubts = t.s.marks(r, all), t.s.doubts(r, all)
	for _, mark := range append(slices.Clone(e.Marks), t.s.formerMarks(r, all)...) {
		var c claim
		if err := t.tx.Get(claims, mark, &c); fault.Is(err, fault.NotFound) {
			continue
		} else if err != nil {
			return e, err
		}
		if c.Request == r.ID {
			continue
		}
		var other Request
		if err := t.tx.Get(Requests, c.Request, &other); fault.Is(err, fault.NotFound) {
			continue
		} else if err != nil {
			return e, err
		}
		if !other.counts() {
			if other.Closed.IsZero() {
				e.Holds = append(e.Holds, other.Holds...)
			}
			continue // that one is over: this is a new one
		}
		if u := t.united; u == nil || u.of != other.ID || !sameEnvelope(u.was, other.Private) {
			return e, errMoved
		}
		if t.united.full {
			continue
		}
		t.other = &other
		e.What, e.Of = Duplicated, other.ID
		return e, t.unclaimed()
	}
	e.What = Proved
	for _, mark := range e.Marks {
		t.later(claims, mark, claim{version, r.ID})
	}
	return e, nil
}

// unclaimed finds the marks of the union that are nobody's.
func (t *turn) unclaimed() error {
	t.free = nil
	for _, mark := range t.united.marks {
		var c claim
		if err := t.tx.Get(claims, mark, &c); fault.Is(err, fault.NotFound) {
			t.free = append(t.free, mark)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// join tells the request that counts of one that was linked to it.
func (t *turn) join(r Request) error {
	if t.other == nil {
		return nil
	}
	u := t.united
	joined := Event{What: Joined, Of: r.ID, Received: r.Received, Export: r.Export, Holds: r.Holds, Private: u.is, Marks: u.marks, Doubts: u.doubts}
	after, effects, err := Decide(*t.other, joined, t.now, t.s.Rules)
	if err != nil || len(effects) == 0 {
		return err
	}
	if u.is != nil && sameEnvelope(after.Private, u.is) {
		for _, mark := range t.free {
			t.later(claims, mark, claim{version, after.ID})
		}
	}
	_, err = t.put(*t.other, after, joined, effects)
	return err
}

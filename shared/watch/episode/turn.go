package episode

import (
	"context"
	"errors"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
)

// errMark: evidence names somebody whose commitment was not made before the transaction; make it and start again.
var errMark = errors.New("a subject's commitment is missing")

// attempts is how often a transaction starts again because of errMark.
const attempts = 4

// turn is one transaction. It reads, decides, and at last writes everything it decided: a transaction reads before it
// writes.
type turn struct {
	s     *Service
	ctx   context.Context
	tx    store.Tx
	batch *outbox.Batch
	now   time.Time
	seed  string // of the nonces
	marks map[vault.Subject]record.Subject
	lacks []vault.Subject

	entry    *auditlog.Entry // that is being taken; nil where the clock brings things about
	mem      *recall
	episodes map[string]*working
	touched  []string // ids of episodes, in order
	writes   []write
	more     []func() error // further effects
}

// working is an episode in a transaction.
type working struct {
	Episode
	before Episode
	stored bool
	steps  []step
	seen   []Listed // members added in this transaction
	by     string   // who decided in this transaction
}

// write is a document to be put.
type write struct {
	collection, id string
	doc            any
}

// commit runs fn in one transaction, and then writes what it decided. fn may run several times.
func (s *Service) commit(ctx context.Context, now time.Time, fn func(t *turn) error) error {
	seed, err := s.nonce()
	if err != nil {
		return err
	}
	marks := map[vault.Subject]record.Subject{}
	for range attempts {
		var lacks []vault.Subject
		err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
			t := &turn{s: s, ctx: ctx, tx: tx, batch: batch, now: now, seed: seed, marks: marks, mem: &recall{tx: tx}, episodes: map[string]*working{}}
			if err := fn(t); err != nil {
				return err
			}
			err := t.write()
			lacks = t.lacks
			return err
		})
		if !errors.Is(err, errMark) {
			return err
		}
		for _, subject := range lacks {
			if marks[subject], err = s.Commit(ctx, subject, now); err != nil {
				return err
			}
		}
	}
	return fault.New(fault.Conflict, "deciding about episodes: %w", errMark)
}

// episode returns an episode of the store or of this transaction, the one it joined where it did. Nil: there is none any
// more.
func (t *turn) episode(id string) (*working, error) {
	for id != "" {
		w, known := t.episodes[id]
		if !known {
			var e Episode
			if err := t.tx.Get(Episodes, id, &e); fault.Is(err, fault.NotFound) {
				return nil, nil
			} else if err != nil {
				return nil, err
			}
			w = &working{Episode: e, before: e, stored: true}
			t.episodes[id] = w
		}
		if w.State != Joined {
			return w, nil
		}
		id = w.Into
	}
	return nil, nil
}

// touch notes that an episode has changed. Each step is told once, and an alarm tells of the gravest hit itself.
func (t *turn) touch(w *working, steps ...step) {
	for _, what := range steps {
		told := what == worse && (slices.Contains(w.steps, began) || slices.Contains(w.steps, again))
		if !told && !slices.Contains(w.steps, what) {
			w.steps = append(w.steps, what)
		}
	}
	if !slices.Contains(t.touched, w.ID) {
		t.touched = append(t.touched, w.ID)
	}
}

// write carries out what was decided.
func (t *turn) write() error {
	for _, id := range t.touched {
		w := t.episodes[id]
		for _, what := range w.steps {
			if err := t.effect(w, what); err != nil {
				return err
			}
		}
	}
	for _, more := range t.more {
		if err := more(); err != nil {
			return err
		}
	}
	if len(t.lacks) > 0 {
		return errMark
	}
	if err := t.mem.flush(); err != nil {
		return err
	}
	for _, id := range t.touched {
		w := t.episodes[id]
		w.Rev++
		if err := t.tx.Put(Episodes, id, w.Episode); err != nil {
			return err
		}
	}
	for _, one := range t.writes {
		if err := t.tx.Put(one.collection, one.id, one.doc); err != nil {
			return err
		}
	}
	return nil
}

// later adds a document to what is written at last.
func (t *turn) later(collection, id string, doc any) {
	t.writes = append(t.writes, write{collection, id, doc})
}

// changes reports whether there is anything to write.
func (t *turn) changes() bool {
	return len(t.touched)+len(t.writes)+len(t.more)+len(t.mem.writes)+len(t.mem.stands) > 0
}

// subject returns the commitment that stands for a subject, which may have to be made first.
func (t *turn) subject(kind string, subject vault.Subject) record.Subject {
	mark, made := t.marks[subject]
	if !made && !slices.Contains(t.lacks, subject) {
		t.lacks = append(t.lacks, subject)
	}
	return record.Subject{Type: kind, C: mark.C}
}

// origin returns what an entry told beside its subject: the entry that is being taken, or one taken before.
func (t *turn) origin(id string) (Origin, error) {
	if t.entry != nil && t.entry.ID == id {
		return originOf(t.entry, t.mem.policy), nil
	}
	var m taken
	if id == "" {
		return m.Origin, nil
	}
	if err := t.tx.Get(entries, id, &m); err != nil && !fault.Is(err, fault.NotFound) {
		return Origin{}, err
	}
	return m.Origin, nil
}

// neighbours are the hits of one group around some times.
type neighbours []dot

// around reads the hits of a group from one before a time to one after another.
func (t *turn) around(group string, from, to int64) (neighbours, error) {
	equal := []store.Field{{Name: "group", Value: group}}
	var all neighbours
	for _, q := range []store.Query{
		{Range: &store.Range{Name: "at", To: from}, Descending: true, Limit: 1},
		{Range: &store.Range{Name: "at", From: from, To: to + 1}, Limit: store.MaxQueryResults},
		{Range: &store.Range{Name: "at", From: to + 1}, Limit: 1},
	} {
		q.Collection, q.Equal = members, equal
		docs, err := t.tx.Query(q)
		if err != nil {
			return nil, err
		}
		found, err := store.Find[member](docs, nil)
		if err != nil {
			return nil, err
		}
		for i, m := range found {
			all = append(all, dot{docs[i].ID, m.At, m.Episode, m.Ordinal})
		}
	}
	return all, nil
}

// next returns the neighbours of a time: the last one not later, the first one later.
func (n neighbours) next(at int64) (before, after *dot) {
	i := slices.IndexFunc(n, func(d dot) bool { return d.at > at })
	if i < 0 {
		i = len(n)
	} else {
		after = &n[i]
	}
	if i > 0 {
		before = &n[i-1]
	}
	return before, after
}

// with returns the neighbours with one more.
func (n neighbours) with(d dot) neighbours {
	i := slices.IndexFunc(n, func(o dot) bool { return o.at > d.at })
	if i < 0 {
		i = len(n)
	}
	return slices.Insert(slices.Clone(n), i, d)
}

// keyed returns a group's key short enough to be stored and named, the same for the same key.
func keyed(key string) string {
	if len(key) <= maxKey {
		return key
	}
	return "#" + hashed(key)
}

const maxKey = 1024

// groupID stands for the hits that may make an episode together. Whoever is asked answers for herself alone, whatever the
// rule's group.
func groupID(kind Kind, h rule.Hit, asked string) string {
	return hashed(string(kind), h.Rule, keyed(h.Key), asked)
}

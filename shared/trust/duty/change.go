package duty

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/notice"
)

// errMark: the task names somebody whose commitment was not made before the transaction; make it and start again.
var errMark = errors.New("the task changed while it was being decided")

// change is one decision about one task: who acts, and what the machine makes of it. Where there is no task yet, begin
// makes it. The machine returns the task as it was when nothing changes.
type change struct {
	id     string
	duty   Duty
	people []string // who act
	begin  func(nonce string) Task
	step   string // name of an intermediate step in the evidence
	nobody bool   // no evidence of it names anybody: it takes no commitments, which the clockwork cannot make
	decide func(d terms, t Task) (Task, error)
}

// commit carries a change out in one transaction: the task, its evidence, its messages.
func (s *Service) commit(ctx context.Context, c change, now time.Time) (Task, error) {
	var t Task
	var err error
	for range 3 {
		var m marks
		if m, err = s.marks(ctx, c, now); err != nil {
			return Task{}, err
		}
		var nonce string
		if nonce, err = s.Nonce(); err != nil {
			return Task{}, err
		}
		err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) (err error) {
			t, err = s.apply(tx, batch, c, m, nonce, now)
			return err
		})
		if !errors.Is(err, errMark) {
			return t, err
		}
	}
	return Task{}, fault.New(fault.Conflict, "deciding a duty: %w", err)
}

// marks makes the commitments of everybody the change may name.
func (s *Service) marks(ctx context.Context, c change, now time.Time) (marks, error) {
	m := marks{}
	if c.nobody {
		return m, nil
	}
	var t Task
	if err := s.Store.Get(ctx, Tasks, c.id, &t); err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	} else if err != nil && c.begin != nil {
		t = c.begin("")
	}
	for _, id := range slices.Concat([]string{t.Person, t.Asker}, t.doers(), c.people) {
		if _, made := m[id]; made || id == "" {
			continue
		}
		mark, err := s.Commit(ctx, id, now)
		if err != nil {
			return nil, err
		}
		m[id] = mark
	}
	return m, nil
}

func (s *Service) apply(tx store.Tx, batch *outbox.Batch, c change, m marks, nonce string, now time.Time) (Task, error) {
	d := s.terms(c.duty)
	var before Task
	err := tx.Get(Tasks, c.id, &before)
	fresh := fault.Is(err, fault.NotFound)
	switch {
	case fresh && c.begin != nil:
		before = d.begin(c.begin(nonce), now)
	case fresh:
		return Task{}, unknown()
	case err != nil:
		return Task{}, err
	}
	after, err := c.decide(d, before)
	if err != nil {
		return Task{}, err
	}
	if !fresh && same(before, after) {
		return after, nil
	}
	var among *crowd
	if d.Personal() {
		if among, err = s.crowd(tx, d, now, after); err != nil {
			return Task{}, err
		}
	}
	if err := tx.Put(Tasks, c.id, after); err != nil {
		return Task{}, err
	}
	return after, s.effects(batch, d, c, before, after, among, m, now)
}

// same reports whether nothing was decided.
func same(a, b Task) bool {
	return a.State == b.State && a.Cycle == b.Cycle && a.Finding == b.Finding && a.Reminded == b.Reminded && a.Next == b.Next &&
		a.DoneBy == b.DoneBy && a.Reviewer == b.Reviewer && sameEvidence(a, b)
}

func sameEvidence(a, b Task) bool { return maps.Equal(a.Evidence, b.Evidence) }

// effects puts what follows from a decision into the batch.
func (s *Service) effects(batch *outbox.Batch, d terms, c change, before, after Task, among *crowd, m marks, now time.Time) error {
	if before.Finding != "" && after.Finding == "" {
		why := "healed"
		if after.State == Lapsed {
			why = "lapsed"
		}
		if err := s.Put(batch, d.healed(after, before.Finding, why, now)); err != nil {
			return err
		}
	}
	if after.Late && !before.Late && before.Finding == "" {
		if err := s.late(batch, d, after, now); err != nil {
			return err
		}
	}
	switch {
	case c.step == string(failed):
		return s.failed(batch, d, before, after, now)
	case !after.Settled.IsZero() && (before.Settled.IsZero() || before.Cycle != after.Cycle):
		for _, id := range []string{after.DoneBy, after.Reviewer, after.Person, after.Asker} {
			if _, made := m[id]; !made && id != "" {
				return errMark
			}
		}
		if err := s.Put(batch, d.settled(after, among, m, now)...); err != nil || after.State != Refused {
			return err
		}
		return s.tell(batch, d, after, notice.DutyRefused, after.Settled, s.Holders(func(p policy.Person) bool { return p.ID == after.Asker }, now))
	case after.Waiting() && !before.Waiting():
		if err := s.Put(batch, d.passing(after, "done", now)); err != nil { // it may be returned, and done again
			return err
		}
		return s.tell(batch, d, after, notice.DutyReview, after.DoneAt, s.seconds(d, after, now))
	case c.step != "":
		return s.Put(batch, d.passing(after, c.step, now))
	}
	return nil
}

// seconds are the people who may be the second person of a task.
func (s *Service) seconds(d terms, t Task, now time.Time) []string {
	return s.holders(d.Second, now, append(t.doers(), t.Person, t.Asker)...)
}

// tell puts a notice about a task into the batch; at tells it from others of its kind.
func (s *Service) tell(batch *outbox.Batch, d terms, t Task, kind notice.Kind, at time.Time, to []string) error {
	return s.Notify(batch, notice.Notice{Kind: kind, Key: t.Nonce + "/" + d.passing(t, string(kind), at).ID(), To: to,
		What: d.What.In, Due: t.Due, Person: t.Person, About: t.About})
}

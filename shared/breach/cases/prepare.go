package cases

import (
	"context"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
)

// prepare puts what people wrote among the texts of the case, and fetches what may not be waited for in a transaction.
func (s *Service) prepare(ctx context.Context, c Case, e Event, w Words, now time.Time) (t *turn, p private, err error) {
	t = &turn{s: s, now: now, before: c, event: e, people: map[string]record.Subject{}}
	if e.What == Close && s.Pending != nil {
		if t.event.Pending, t.unchanged, err = s.Pending(ctx, c.ID); err != nil {
			return t, p, err
		}
	}
	if t.event.Actions = slices.Clone(e.Actions); len(e.Actions) != len(w.Actions) {
		return t, p, fault.New(fault.Invalid, "changing a case: each action has its text")
	}
	if p, err = s.open(ctx, c); err != nil {
		return t, p, err
	}
	if e.What == Rate {
		// Checked with its reasons; kept without.
		if err := e.Input.Check(); err != nil {
			return t, p, err
		}
		t.event.Input, w.Text = withoutReasons(e.Input)
	}
	t.event.Empty, t.event.Nobody = t.empty(), t.nobodyAt()
	if err := t.renew(); err != nil {
		return t, p, err
	}
	if w.Code != "" {
		t.event.Code = codeDigest(c, w.Code)
	}
	if err := t.write(&p, w); err != nil {
		return t, p, err
	}
	if t.key, err = s.seals(ctx); err != nil {
		return t, p, err
	}
	return t, p, t.commitments(ctx)
}

// write puts the texts of an event among those of its case, and their numbers into the event.
func (t *turn) write(p *private, w Words) (err error) {
	room, old := last(t.event.What), t.before.Filed[t.event.Clock]
	for i := range t.event.Actions {
		if t.event.Actions[i].What, err = p.add(w.Actions[i], true); err != nil {
			return err
		}
	}
	if t.event.Text, err = p.again(w.Text, old.Reference, room, t.event.What == Rate); err != nil {
		return err
	}
	if t.event.Late, err = p.again(w.Late, old.Reasons, room, false); err != nil {
		return err
	}
	if t.event.Wrong, err = p.add(w.Why, room); err != nil {
		return err
	}
	if t.event.ToDo, err = p.add(w.Next, room); err != nil {
		return err
	}
	if err = t.detail(p, w.Details, w.Not); err != nil {
		return err
	}
	if err = t.count(p, w.Counts); err != nil {
		return err
	}
	if err = t.name(p, w.Names); err != nil {
		return err
	}
	t.grown = t.event.Text > 0 || t.event.Late > 0 || t.event.Wrong > 0 || t.event.ToDo > 0 || len(w.Details) > 0 || len(w.Not) > 0 || len(w.Counts) > 0 || len(t.event.Actions) > 0 || t.event.Unmapped > 0
	return nil
}

// commitments are what stands in records for whoever does this, and for those she agrees with.
func (t *turn) commitments(ctx context.Context) (err error) {
	c, ids := t.before, []string{t.event.By.ID}
	for _, d := range c.Decisions {
		ids = append(ids, d.By)
	}
	if c.Moving != nil {
		ids = append(ids, c.Moving.By)
	}
	if h := c.Held(); h != nil {
		ids = append(ids, h.By, h.LiftBy)
	}
	for _, id := range ids {
		if _, known := t.people[id]; known || id == "" {
			continue
		}
		if t.people[id], err = t.s.Commit(ctx, vault.Subject{Type: "person", ID: id}, t.now); err != nil {
			return err
		}
	}
	return nil
}

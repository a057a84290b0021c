package notice

import (
	"context"
	"reflect"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// version of the stored shapes.
const version = 1

// turn is one change of a notice being made.
type turn struct {
	s      *Service
	now    time.Time
	before Notice
	after  Notice
	effect []Effect
	event  Event
	about  About
	key    *seal.DataKey
	people map[string]record.Subject
	batch  *outbox.Batch
}

// change lets an event happen to a notice as it was read, in one transaction with its evidence and its messages, and with
// more. p is what people wrote, where that grew. errMoved: the notice is another by now.
func (s *Service) change(ctx context.Context, before Notice, e Event, about About, p *private, more func(store.Tx, *turn) error, now time.Time) (Notice, error) {
	t := &turn{s: s, now: now, before: before, event: e, about: about, people: map[string]record.Subject{}}
	var err error
	if about.own(e.By) {
		return before, ownMatter()
	}
	if t.after, t.effect, err = Decide(before, e, now); err != nil {
		return before, err
	}
	if len(t.effect) == 0 && more == nil && reflect.DeepEqual(before, t.after) {
		return before, nil
	}
	if p != nil {
		if t.after.Private, err = s.seal(ctx, before.ID, *p); err != nil {
			return before, err
		}
	}
	if t.key, err = s.Messages.Key(ctx, message.Bound()); err != nil {
		return before, err
	}
	for _, id := range []string{e.By.ID, before.Author} {
		if _, known := t.people[id]; known || id == "" {
			continue
		}
		if t.people[id], err = s.Commit(ctx, vault.Subject{Type: "person", ID: id}, now); err != nil {
			return before, err
		}
	}
	t.after.Rev++
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		t.batch = batch
		return t.commit(tx, more)
	})
	if err == nil {
		s.worked(ctx, before.Case, e.By.ID, now)
	}
	return t.after, err
}

func ownMatter() error {
	return fault.Refuse(fault.Denied, "own_matter", "The case may be about what you did, or what was done in your name.", "Another person does this.")
}

// worked tells the case that somebody is at it. Where that fails a call too many is made, and what she did stays done.
func (s *Service) worked(ctx context.Context, caseID, person string, now time.Time) {
	if s.Worked != nil && person != "" {
		_ = s.Worked(ctx, caseID, person, now)
	}
}

func (t *turn) commit(tx store.Tx, more func(store.Tx, *turn) error) error {
	var now struct {
		Rev int64 `json:"rev"`
	}
	if err := tx.Get(Notices, t.before.ID, &now); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if now.Rev != t.before.Rev {
		return errMoved
	}
	if more != nil {
		if err := more(tx, t); err != nil {
			return err
		}
	}
	if err := t.effects(); err != nil {
		return err
	}
	return tx.Put(Notices, t.before.ID, t.after)
}

// effects puts what follows from the event into the batch. Send is for whoever called: it takes transactions of its own.
func (t *turn) effects() error {
	for _, f := range t.effect {
		var err error
		switch f {
		case Record:
			err = t.record()
		case Ask:
			err = t.say(map[State]string{Drafted: "ask", Expired: "expired"}[t.after.State], t.deciders(t.after.Authors))
		case Alarm:
			err = t.say(map[State]string{Approved: "alone", Voided: "void"}[t.after.State], t.deciders(nil))
		case Escalate:
			err = t.say("stalled", t.deputies())
		case Finding:
			if t.after.Finding, err = t.finding(); err == nil {
				err = t.say("late", t.deciders(nil))
			}
		case Heal:
			_, err = t.finding()
		case Doubt:
			err = t.say("unknown", t.deciders(nil))
		case Call:
			err = t.sayBy([]string{message.Mail, SMS}, "failed", t.onCall())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// deciders are those who decide, but some.
func (t *turn) deciders(but []string) (people []policy.Person) {
	for _, p := range t.s.Policy.People {
		if p.Active(t.now) && actor(p).decides() && !slices.Contains(but, p.ID) && !t.concerned(p) {
			people = append(people, p)
		}
	}
	return people
}

// deputies are those who decide, who is on call, and the managers of those who were asked in vain: they know who can be
// reached.
func (t *turn) deputies() (people []policy.Person) {
	managers := map[string]bool{}
	for _, p := range t.deciders(t.after.Authors) {
		managers[p.Manager] = true
	}
	for _, p := range t.s.Policy.People {
		if p.Active(t.now) && (actor(p).decides() || t.isOnCall(p) || managers[p.ID]) && !t.concerned(p) {
			people = append(people, p)
		}
	}
	return people
}

// onCall are those who decide, and who is on call: a customer nobody reached has to be called now.
func (t *turn) onCall() (people []policy.Person) {
	for _, p := range t.s.Policy.People {
		if p.Active(t.now) && (actor(p).decides() || t.isOnCall(p)) && !t.concerned(p) {
			people = append(people, p)
		}
	}
	return people
}

func (t *turn) isOnCall(p policy.Person) bool {
	if t.s.Calls == nil {
		return p.Has(policy.OnCall)
	}
	return t.s.Calls(p, []policy.Role{policy.OnCall}, t.now)
}

// concerned reports whether the case may be a person's own matter.
func (t *turn) concerned(p policy.Person) bool {
	return len(t.about.Own) > 0 && t.about.own(t.s.actor(p))
}

// say writes to staff by mail.
func (t *turn) say(letter string, to []policy.Person) error {
	return t.sayBy([]string{message.Mail}, letter, to)
}

// sayBy writes to staff by several channels at once. What is said of a notice again within a minute is said once.
func (t *turn) sayBy(channels []string, letter string, to []policy.Person) error {
	key := "breach-notice-" + letter + "\x00" + t.after.ID + "\x00" + t.now.UTC().Truncate(time.Minute).Format(time.RFC3339)
	saying := t.s.saying(t.about, letter, key, t.after.Case, t.after.N)
	saying.Channels = channels
	_, err := t.s.Crier.Say(t.batch, t.key, saying, to)
	return err
}

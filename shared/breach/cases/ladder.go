package cases

import (
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// Ladder is how people are called, step by step, until one of a step that was called answers. An answer holds as long as
// people do something about the case: when nobody did for Rules.AckLife, the step that answered is called again, on every
// channel. A closed case calls nobody.
type Ladder struct {
	Step   int       `json:"step"`             // called last, of Rules.Ladder
	Called time.Time `json:"called,omitzero"`  // when
	Calls  int       `json:"calls,omitempty"`  // so far
	Paged  []string  `json:"paged,omitempty"`  // steps that were called since the last answer, and will be told when it is over
	People []string  `json:"people,omitempty"` // who was called for them, whoever is on call by now
	Acked  time.Time `json:"acked,omitzero"`   // when somebody answered; zero while nobody has
	AckBy  string    `json:"ack_by,omitempty"` // who
	Active time.Time `json:"active,omitzero"`  // when somebody last did something
	Code   string    `json:"code,omitempty"`   // digest of the code of the last call by text message; "" once it was used
	Wrong  int       `json:"wrong,omitempty"`  // codes tried since then that were not it
	At     int64     `json:"at,omitempty"`     // revision of the case that called last
	Sent   int       `json:"sent,omitempty"`   // messages of that call
	Lost   []string  `json:"lost,omitempty"`   // those of them that failed for good
	Nobody bool      `json:"nobody,omitempty"` // all steps were called in vain: on record
}

// nobody is the finding that nobody answers, or can be reached.
const nobody = "nobody_reachable"

// page calls a step. A case that was called up a longer ladder goes on at the end of the one there is now.
func (d *deciding) page(step int) {
	last := len(d.rules.Ladder) - 1
	for step = min(step, last); step < last && d.emptyStep(step); step++ {
	}
	d.call(step)
}

// emptyStep reports whether there is nobody to be called for a step: nothing is gained by waiting for her.
func (d *deciding) emptyStep(step int) bool {
	return slices.Contains(d.e.Empty, d.rules.Ladder[step].ID)
}

func (d *deciding) call(step int) {
	l := &d.Ladder
	l.Step, l.Called, l.Acked, l.AckBy = step, d.now, time.Time{}, ""
	l.Code, l.Wrong, l.Lost = d.e.Fresh, 0, nil
	l.Calls++
	name := d.rules.Ladder[step].ID
	if !slices.Contains(l.Paged, name) {
		l.Paged = append(slices.Clone(l.Paged), name)
	}
	d.effects = append(d.effects, Effect{Do: DoPage, Step: name})
}

// ack takes the answer of somebody who was called. Of a step that was not called yet it counts as well: she is here.
func (d *deciding) ack() error {
	if err := d.from(Suspected, Open); err != nil {
		return err
	}
	if typed, err := d.coded(); err != nil || !typed {
		return err
	}
	at := slices.IndexFunc(d.rules.Ladder, func(s Step) bool { return s.ID == d.e.Step })
	switch {
	case d.e.Code != "" && !d.Ladder.Acked.IsZero():
		return d.work()
	case at < 0:
		return refuse("step_invalid", "The ladder has no such step.", "Use the step you were called for.")
	case !d.e.By.Has(d.rules.Ladder[at].Roles...):
		return fault.Refuse(fault.Denied, "not_allowed", "Only somebody of that step answers for it.", "Answer for a step of yours.")
	case !d.Ladder.Acked.IsZero():
		return d.work()
	}
	l := &d.Ladder
	l.Acked, l.AckBy, l.Active, l.Nobody = d.now, d.e.By.ID, d.now, false
	l.Step = min(l.Step, at)
	d.record("acked")
	return nil
}

// often is how much later than the last sign of work another one is kept: not each of them is worth a write.
const often = time.Minute

// work takes a sign that somebody is at it, which keeps an answer alive.
func (d *deciding) work() error {
	if !d.e.By.decides() && !slices.ContainsFunc(d.rules.Ladder, func(s Step) bool { return d.e.By.Has(s.Roles...) }) {
		return d.mayDecide()
	}
	if d.State != Closed && !d.now.Before(d.Ladder.Active.Add(often)) {
		d.Ladder.Active = d.now
	}
	return nil
}

// climb calls the next step when its time has come; after the last one, all of them again and again, and on record that
// nobody answers.
func (d *deciding) climb() {
	if d.State == Closed {
		return
	}
	l := &d.Ladder
	if due := l.due(d.rules); due.IsZero() || d.now.Before(due) {
		return
	}
	if !l.Acked.IsZero() {
		d.record("ack_expired")
		d.page(l.Step)
		return
	}
	d.next()
}

// next calls the step after the one that was called last.
func (d *deciding) next() {
	l := &d.Ladder
	for step := l.Step + 1; step < len(d.rules.Ladder); step++ {
		if !d.emptyStep(step) {
			d.call(step)
			return
		}
	}
	if !l.Nobody && d.Found[nobody] == "" {
		d.effects = append(d.effects, Effect{Do: DoFinding, Step: nobody})
	}
	l.Nobody = true
	for step := range d.rules.Ladder {
		d.call(step)
	}
}

// due is when the ladder is looked at again; zero for never.
func (l Ladder) due(r Rules) time.Time {
	switch {
	case l.Called.IsZero():
		return time.Time{}
	case !l.Acked.IsZero():
		return l.Active.Add(r.AckLife)
	}
	return l.Called.Add(r.Ladder[min(l.Step, len(r.Ladder)-1)].Wait)
}

// standDown tells everybody who was called, once, that it is over.
func (d *deciding) standDown() {
	if len(d.Ladder.Paged) > 0 {
		d.effects = append(d.effects, Effect{Do: DoStand})
	}
	d.Ladder = Ladder{Active: d.Ladder.Active}
}

// channels notes which channels may be read or forged by somebody else. That one may be used again has a reason.
func (d *deciding) channels() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if err := d.from(Suspected, Open); err != nil {
		return err
	}
	now := slices.Compact(slices.Sorted(slices.Values(d.e.Channels)))
	for _, c := range now {
		if !slices.Contains(Channels(), c) {
			return refuse("channels_invalid", "Channels are mail, webhook, chat and sms.", "Correct it and send it again.")
		}
	}
	if slices.Equal(now, d.Compromised) {
		return nil
	}
	if d.e.Text == 0 && slices.ContainsFunc(d.Compromised, func(c string) bool { return !slices.Contains(now, c) }) {
		return refuse("reason_missing", "That a channel may be used again has a reason.", "Say how it is known that nobody else reads or writes there now.")
	}
	d.Compromised = now
	d.record("channels")
	if len(now) > 0 {
		d.tell("channels", "")
	}
	return nil
}

// Channels are those messages leave by, and that can be marked as compromised.
func Channels() []string { return []string{message.Mail, "webhook", "chat", "sms"} }

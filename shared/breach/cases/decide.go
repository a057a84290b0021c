package cases

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

// version of the stored shapes.
const version = 1

// deciding is one event being decided.
type deciding struct {
	Case
	e       Event
	now     time.Time
	rules   Rules
	effects []Effect
}

// Decide lets an event happen to a case. It is pure: the case given is not changed. Refusals are *fault.Error with a code:
// state_conflict, not_allowed, and those of the events. An event that changes nothing has no effects.
func Decide(c Case, e Event, now time.Time, rules Rules) (Case, []Effect, error) {
	d := &deciding{Case: c.clone(), e: e, now: now.UTC(), rules: rules}
	if c.Concerns(e.By) {
		return c, nil, ownMatter()
	}
	if err := d.happen(); err != nil {
		return c, nil, err
	}
	d.reach()
	if len(d.effects) > 0 && e.By.ID != "" && d.State != Closed {
		d.Ladder.Active = d.now
	}
	d.heal()
	d.schedule()
	return d.Case, d.effects, nil
}

func (d *deciding) happen() error {
	switch d.e.What {
	case Declare:
		return d.declare()
	case Triage:
		return d.triage()
	case Describe:
		return d.describe()
	case Timed:
		return d.timed()
	case MoveAware:
		return d.moveAware()
	case Rate:
		return d.rate()
	case Answer:
		return d.answer()
	case File:
		return d.file()
	case Promise, Keep:
		return d.promise()
	case Told:
		return d.told()
	case Untold:
		return d.untold()
	case Map:
		return d.found()
	case Channel:
		return d.channels()
	case Ack:
		return d.ack()
	case Unheard:
		return d.unheard()
	case Work:
		return d.work()
	case Close:
		return d.close()
	case Reopen:
		return d.reopen()
	case Review:
		return d.review()
	case Did:
		return d.did()
	case Preserve:
		return d.preserve()
	case Over:
		return d.over()
	case Complete:
		return d.complete()
	case Withdraw:
		return d.withdraw()
	case Suspect:
		return d.suspect()
	case Ticked:
		d.tick()
		return nil
	}
	return fault.New(fault.Invalid, "deciding about a breach: an event of no known kind")
}

// clone returns a case that shares no list with c.
func (c Case) clone() Case {
	c.Moves, c.Tracks, c.Decisions = slices.Clone(c.Moves), slices.Clone(c.Tracks), slices.Clone(c.Decisions)
	c.Filed, c.Promises, c.Kept, c.Said = maps.Clone(c.Filed), maps.Clone(c.Promises), maps.Clone(c.Kept), maps.Clone(c.Said)
	c.Pledged = maps.Clone(c.Pledged)
	c.Actions, c.Holds = slices.Clone(c.Actions), slices.Clone(c.Holds)
	if c.Moving != nil {
		moving := *c.Moving
		c.Moving = &moving
	}
	return c
}

func (d *deciding) from(states ...State) error {
	if slices.Contains(states, d.State) {
		return nil
	}
	return fault.Refuse(fault.Conflict, "state_conflict", "The case is "+string(d.State)+"; this cannot be done to it now.", "Look at the case as it is now.")
}

func (d *deciding) mayDecide() error {
	if d.e.By.decides() {
		return nil
	}
	return fault.Refuse(fault.Denied, "not_allowed", "This is for security, the data protection officer or an owner.", "Ask one of them.")
}

func (d *deciding) record(step string) {
	d.effects = append(d.effects, Effect{Do: DoRecord, Step: step})
}
func (d *deciding) tell(step, but string) {
	d.effects = append(d.effects, Effect{Do: DoTell, Step: step, But: but})
}
func (d *deciding) today() calendar.Day { return calendar.Date(d.now, d.rules.Zone) }

// declare begins a case: a breach with its awareness, or a suspicion to be looked into. Whoever it is, people are called.
func (d *deciding) declare() error {
	if d.ID == "" || d.State != "" {
		return d.from() // it was declared before
	}
	d.V, d.State, d.Declared, d.By, d.Source, d.Exercise = version, Suspected, d.now, d.e.By.ID, d.e.Source, d.e.Exercise
	d.Since = d.now.UnixMicro()
	d.concern()
	if d.e.Signal != "" {
		d.Signals = []Signal{{d.e.Signal, d.now, d.e.Text}}
	}
	d.Summary = d.e.Text
	d.Times = d.e.Times
	if d.Times.Detected.IsZero() {
		d.Times.Detected = d.now
	}
	if err := d.plausible(d.Times); err != nil {
		return err
	}
	d.Times.Aware, d.Times.ProcessorAware, d.Times.Investigating = time.Time{}, time.Time{}, d.now
	if err := d.detail(); err != nil {
		return err
	}
	take := d.setTracks
	if d.e.Signal != "" {
		take = d.hint
	}
	if err := take(); err != nil {
		return err
	}
	d.record("declared")
	if d.e.Breach {
		// Whoever declares a breach is certain of it, and was when she found it: later is for two people to say.
		if err := d.aware(d.Times.Detected); err != nil {
			return err
		}
	}
	d.Ladder = Ladder{Active: d.now}
	d.page(0)
	return nil
}

// timed takes instants that are known now. Awareness has its own event.
func (d *deciding) timed() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if err := d.from(Suspected, Open); err != nil {
		return err
	}
	if !d.e.Times.Aware.IsZero() || !d.e.Times.ProcessorAware.IsZero() || !d.e.Times.Investigating.IsZero() {
		return refuse("times_invalid", "Awareness and the start of the investigation are not set this way.", "Use the correction of awareness.")
	}
	next := d.Times
	for _, one := range []struct {
		to  *time.Time
		new time.Time
	}{{&next.OccurredFrom, d.e.Times.OccurredFrom}, {&next.OccurredTo, d.e.Times.OccurredTo}, {&next.Detected, d.e.Times.Detected},
		{&next.Classified, d.e.Times.Classified}, {&next.Contained, d.e.Times.Contained}} {
		if !one.new.IsZero() {
			*one.to = one.new.UTC()
		}
	}
	if err := d.plausible(next); err != nil {
		return err
	}
	if next == d.Times {
		return nil
	}
	d.Times = next
	d.record("times")
	return nil
}

// plausible refuses instants that cannot be.
func (d *deciding) plausible(t Times) error {
	late := d.now.Add(clock.Ahead)
	for _, at := range []time.Time{t.OccurredFrom, t.OccurredTo, t.Detected, t.Classified, t.Contained} {
		if at.After(late) {
			return refuse("times_invalid", "An instant lies ahead.", "Correct it; give each with its offset.")
		}
	}
	switch {
	case !t.OccurredTo.IsZero() && t.OccurredTo.Before(t.OccurredFrom), t.Detected.Before(t.OccurredFrom):
		return refuse("times_invalid", "The breach cannot end, or be found, before it began.", "Correct since when it went on.")
	case !t.Aware.IsZero() && t.Aware.Before(t.OccurredFrom), !t.ProcessorAware.IsZero() && t.ProcessorAware.Before(t.OccurredFrom):
		return refuse("times_invalid", "Nobody was aware of it before it began.", "Correct the time of awareness first.")
	}
	return nil
}

// maxRated bounds the scores that are kept beside the last: all of them are on record.
const maxRated = 20

// rate takes a score.
func (d *deciding) rate() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if err := d.from(Suspected, Open); err != nil {
		return err
	}
	if err := d.e.Input.Check(); err != nil {
		return err
	}
	if d.Score != nil && d.Score.By == d.e.By.ID && reflect.DeepEqual(d.Score.Input, d.e.Input) {
		return nil
	}
	if d.Score != nil {
		d.Rated = append(slices.Clip(d.Rated), *d.Score)
		d.Rated = d.Rated[max(len(d.Rated)-maxRated, 0):]
	}
	d.Score = &Scored{Input: d.e.Input, Score: severity.Of(d.e.Input), By: d.e.By.ID, At: d.now, Why: d.e.Text}
	d.Scores++
	d.record("scored")
	d.rescored()
	return nil
}

// end closes a case, and has it looked back at.
func (d *deciding) end(how Ending) {
	d.State, d.Ending, d.Closed, d.ClosedBy = Closed, how, d.now, d.e.By.ID
	d.Review, d.Reminded = calendar.AddDays(d.today(), d.rules.ReviewDays), calendar.Day{}
	d.record("closed")
	d.standDown()
	d.effects = append(d.effects, Effect{Do: DoDuty, Step: "review", By: d.Review})
	if len(d.TakesBack()) > 0 {
		d.tell("take_back", "")
	}
}

func (d *deciding) reopen() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if err := d.from(Closed); err != nil {
		return err
	}
	if d.e.Text == 0 {
		return refuse("reason_missing", "Opening a case again has a reason.", "Say what is new.")
	}
	if no := d.decision(Breach); no != nil {
		no.Replaced, no.Why = true, "decided"
	}
	if !d.Reviewed.IsZero() && d.Lessons > 0 {
		d.Reviews = append(slices.Clip(d.Reviews), Reviewed{d.Reviewed, d.Lessons})
	}
	d.State, d.Ending, d.Incident, d.Closed, d.ClosedBy, d.Recalled = Suspected, "", false, time.Time{}, "", calendar.Day{}
	d.Review, d.Reminded, d.Reviewed, d.Lessons = calendar.Day{}, calendar.Day{}, time.Time{}, 0
	if !d.Times.Aware.IsZero() {
		d.State = Open
	} else {
		d.Times.Investigating, d.Warned = d.now, 0
	}
	d.record("reopened")
	d.Ladder = Ladder{Active: d.now}
	d.page(0)
	return nil
}

func (d *deciding) review() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if err := d.from(Closed); err != nil {
		return err
	}
	if d.e.Text == 0 {
		return refuse("reason_missing", "A review says what was learned.", "Write what happened, what worked, what did not, and who does what by when.")
	}
	if d.Reviewed.IsZero() {
		if err := d.actions(); err != nil {
			return err
		}
		d.Reviewed, d.Lessons = d.now, d.e.Text
		d.record("reviewed")
	}
	return nil
}

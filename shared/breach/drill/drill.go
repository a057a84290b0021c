// Package drill holds exercises, and tests the channels by which people are called.
//
// # What it promises
//
// Every so often an exercise begins in working hours, as a case that is marked one for good: who is called, scores, decides,
// writes and approves as in a breach, and what would go to customers goes to people of the company. It is passed when
// somebody answered, a second person approved and a notice arrived, each within its limit; it ends by itself, at once when it has failed. Once a month a
// message goes out on every channel that calls people; a channel that did not take it, or from which nothing was heard in a
// day, is told of at once on the others. It is passed when somebody says of each channel that she read it; what a provider took
// and nobody read in a day is neither passed nor failed, and people are told. That the policy on breaches was not gone through in time is told once. Each result is
// a record of kind drill, which shows on the trust page.
//
// Decide and Plan are pure. Tick may run at any time, as often as it likes and in several places: nothing happens twice.
//
// # What it does not do
//
// It plays nobody's part: an exercise in which nobody does anything has failed. What a provider took it does not follow to
// the device; a person who saw the message confirms it.
package drill

import (
	"slices"
	"time"

	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/calendar"
)

// Kind says what a drill is. It is stored.
type Kind string

// The kinds.
const (
	Exercise Kind = "exercise" // a case played through
	Channels Kind = "channels" // a message on every channel
)

// State is how a drill stands. It is stored.
type State string

// The states.
const (
	Running State = "running"
	Passed  State = "passed"
	Failed  State = "failed"
	Unread  State = "unread" // of a test of channels: all were taken by their providers, and of some nobody says that she read it
)

// Step is one thing to be done in an exercise.
type Step struct {
	Name  string        `json:"name"`  // ack, approve, deliver
	Limit time.Duration `json:"limit"` // nanoseconds from the beginning
	At    time.Time     `json:"at,omitzero"`
}

// Steps of an exercise.
const (
	Ack     = "ack"     // somebody who is called answers
	Approve = "approve" // a second person approves a notice
	Deliver = "deliver" // a notice has arrived
)

// Reached says how far a message on a channel came. It is stored.
type Reached string

// How far a message came.
const (
	Sent      Reached = "sent"      // to the function that sends
	Accepted  Reached = "accepted"  // by the provider
	Confirmed Reached = "confirmed" // by somebody who read it
	Lost      Reached = "lost"      // refused, or nobody knows
)

// Try is one channel in a test of channels.
type Try struct {
	Channel string    `json:"channel"`
	Key     string    `json:"key"` // of the message; "" where nobody can be reached by it
	Reached Reached   `json:"reached"`
	Why     string    `json:"why,omitempty"` // of Lost
	At      time.Time `json:"at,omitzero"`
}

// Drill is one exercise or one test of the channels, as it is stored. It names nobody. Times are UTC.
type Drill struct {
	V        int           `json:"v"`
	ID       string        `json:"id"`
	Kind     Kind          `json:"kind"`
	Rev      int64         `json:"rev"`
	State    State         `json:"state"`
	Nonce    string        `json:"nonce"` // random; what the ids of records are made of
	Begun    time.Time     `json:"begun"`
	Since    int64         `json:"since"` // the same in microseconds since 1970: drills are listed by it
	Scenario int           `json:"scenario,omitempty"`
	Tracks   []cases.Track `json:"tracks,omitempty"`
	Case     string        `json:"case,omitempty"`   // id
	Number   string        `json:"number,omitempty"` // of the case
	Steps    []Step        `json:"steps,omitempty"`
	Tries    []Try         `json:"tries,omitempty"`
	Told     bool          `json:"told,omitempty"` // of a channel that is lost
	Decided  time.Time     `json:"decided,omitzero"`
	Ended    time.Time     `json:"ended,omitzero"`
	Next     int64         `json:"next,omitempty"` // microseconds since 1970: when a tick has to look
}

const (
	extra   = 24 * time.Hour // an exercise goes on for so long after its last limit
	silence = 24 * time.Hour // a message from which nothing was heard for so long is lost
)

// Seen is what is to be seen of the case of an exercise. A zero time has not come.
type Seen struct {
	Acked, Approved, Delivered time.Time
	Closed                     bool
}

// Event is what a drill is told. Exactly one field is set; none is time alone.
type Event struct {
	Seen      *Seen
	Answer    *Try   // what became of a message: Key, Reached, Why, At
	Confirmed string // channel on which somebody read the message
}

// Effect is what follows from an event beside the new drill.
type Effect string

// The effects.
const (
	Record Effect = "record" // evidence of the result
	Tell   Effect = "tell"   // the result, to those who decide
	Alarm  Effect = "alarm"  // a channel is lost
	Remind Effect = "remind" // nobody says that she read the message of a channel
	End    Effect = "end"    // the case of the exercise
)

// Decide lets an event happen to a drill. It is pure.
func Decide(d Drill, e Event, now time.Time) (Drill, []Effect) {
	d.Steps, d.Tries, now = slices.Clone(d.Steps), slices.Clone(d.Tries), now.UTC()
	if d.Kind == Exercise {
		return d.exercise(e, now)
	}
	return d.channels(e, now)
}

func (d Drill) exercise(e Event, now time.Time) (Drill, []Effect) {
	var effects []Effect
	if e.Seen != nil && d.State == Running {
		for i := range d.Steps {
			seen := map[string]time.Time{Ack: e.Seen.Acked, Approve: e.Seen.Approved, Deliver: e.Seen.Delivered}[d.Steps[i].Name]
			if d.Steps[i].At.IsZero() && !seen.IsZero() {
				d.Steps[i].At = seen.UTC()
			}
		}
	}
	closed := e.Seen != nil && e.Seen.Closed
	if d.State == Running {
		open, failed := false, false
		for _, s := range d.Steps {
			late := s.At.IsZero() && (closed || now.Sub(d.Begun) > s.Limit)
			failed = failed || late || !s.At.IsZero() && s.At.Sub(d.Begun) > s.Limit
			open = open || s.At.IsZero() && !late
		}
		if !open {
			d.State, d.Decided = Passed, now
			if failed {
				d.State = Failed
			}
			effects = append(effects, Record, Tell)
		}
	}
	switch {
	case !d.Ended.IsZero():
	case closed:
		d.Ended = now
	case d.State == Failed || !now.Before(d.end()): // nobody is called any more for what cannot be passed
		d.Ended = now
		effects = append(effects, End)
	}
	if !d.Ended.IsZero() && d.State != Running {
		d.Next = 0
	}
	return d, effects
}

// end is when an exercise ends by itself.
func (d Drill) end() time.Time {
	var longest time.Duration
	for _, s := range d.Steps {
		longest = max(longest, s.Limit)
	}
	return d.Begun.Add(longest + extra)
}

func (d Drill) channels(e Event, now time.Time) (Drill, []Effect) {
	var effects []Effect
	for i := range d.Tries {
		t := &d.Tries[i]
		switch {
		case e.Answer != nil && t.Key == e.Answer.Key && t.Key != "" && t.Reached == Sent:
			t.Reached, t.Why, t.At = e.Answer.Reached, e.Answer.Why, e.Answer.At.UTC()
		case e.Confirmed == t.Channel && t.Key != "" && t.Reached != Confirmed:
			t.Reached, t.Why, t.At = Confirmed, "", now
		case t.Reached == Sent && now.Sub(d.Begun) >= silence:
			t.Reached, t.Why, t.At = Lost, "no answer", now
		}
	}
	lost := slices.ContainsFunc(d.Tries, func(t Try) bool { return t.Reached == Lost })
	if lost && !d.Told {
		d.Told = true
		effects = append(effects, Alarm)
	}
	waits := slices.ContainsFunc(d.Tries, func(t Try) bool { return t.Reached == Sent || t.Reached == Accepted })
	if d.State == Running && (!waits || now.Sub(d.Begun) >= silence) {
		d.State, d.Decided, d.Ended, d.Next = Passed, now, now, 0
		switch {
		case lost:
			d.State = Failed
		case waits:
			d.State = Unread
			effects = append(effects, Remind)
		}
		effects = append(effects, Record)
	}
	return d, effects
}

// Schedule is what began last. It is stored.
type Schedule struct {
	V         int       `json:"v"`
	Since     time.Time `json:"from"`               // when anybody looked first
	Exercises int       `json:"exercises"`          // so far
	Last      time.Time `json:"last,omitzero"`      // exercise
	Month     string    `json:"month"`              // of the last test of the channels
	Reminded  string    `json:"reminded,omitempty"` // day of the review that people were told is over
}

// Calendar is what decides when a drill begins.
type Calendar struct {
	Every   calendar.Period // exercises
	Zone    *time.Location
	Country string // whose holidays count; "" for weekends alone
	Review  calendar.Day
}

// Begin is what begins now.
type Begin struct {
	Exercise, Channels, Reminder bool
}

// Plan says what begins now, and the schedule as it is then. It is pure. The first exercise begins when one would be due
// after another, and the first test in the next month: whoever starts a system has enough to do.
func Plan(s Schedule, c Calendar, now time.Time) (Schedule, Begin) {
	today := calendar.Date(now, c.Zone)
	month := today.String()[:7]
	if s.Since.IsZero() {
		return Schedule{V: version, Since: now.UTC(), Month: month}, Begin{}
	}
	var b Begin
	if !c.works(now) {
		return s, b
	}
	last := s.Last
	if last.IsZero() {
		last = s.Since
	}
	if !now.Before(c.Every.Add(last, c.Zone)) {
		b.Exercise, s.Last, s.Exercises = true, now.UTC(), s.Exercises+1
	}
	if s.Month < month {
		b.Channels, s.Month = true, month
	}
	if !c.Review.IsZero() && c.Review.Before(today) && s.Reminded != c.Review.String() {
		b.Reminder, s.Reminded = true, c.Review.String()
	}
	return s, b
}

// works reports whether people are at work who can play an exercise: on a working day, not late in it.
func (c Calendar) works(now time.Time) bool {
	h, _ := calendar.HolidaysOf(c.Country) // unknown: weekends alone
	hour := now.In(c.Zone).Hour()
	return h.Works(calendar.Date(now, c.Zone)) && hour >= 9 && hour < 15
}

// stepsOf are those of an exercise: with no customer there is nobody to be told.
func stepsOf(limits breach.Limits, customers bool) []Step {
	steps := []Step{{Name: Ack, Limit: limits.Ack}}
	if customers {
		steps = append(steps, Step{Name: Approve, Limit: limits.Approve}, Step{Name: Deliver, Limit: limits.Deliver})
	}
	return steps
}

package duty

import (
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

// State is where a task is. It is stored.
type State string

const (
	Open     State = "open"     // to be done
	Done     State = "done"     // done; with a second person it still has to be reviewed
	Reviewed State = "reviewed" // done, and looked at by a second person
	Overdue  State = "overdue"  // its time is over, or it failed after it was proven, and it is not done
	Lapsed   State = "lapsed"   // nobody owes it any more

	// What was asked for is not to be had: that is decided, and kept.
	Refused   State = "refused"   // by whoever decides
	Withdrawn State = "withdrawn" // by whoever asked
)

// Version is the version of the stored shapes.
const Version = 1

// Task is one thing owed, as it is stored. A duty that recurs keeps one task for ever, in one cycle after the other.
type Task struct {
	V       int    `json:"v"`
	ID      string `json:"id"`
	Duty    string `json:"duty"`
	Person  string `json:"person,omitempty"`  // whom it is about: id in people.yaml
	Asker   string `json:"asker,omitempty"`   // who asked for it
	About   string `json:"about,omitempty"`   // what she asked for, in her words; never in evidence
	Request string `json:"request,omitempty"` // id of the evidence that she asked
	Nonce   string `json:"nonce"`
	State   State  `json:"state"`
	Cycle   int    `json:"cycle"` // from 1

	Opened   time.Time       `json:"opened"`
	Due      time.Time       `json:"due"`
	Reminded bool            `json:"reminded,omitempty"`
	DoneBy   string          `json:"done_by,omitempty"`  // "" where machines proved it
	DoneAt   time.Time       `json:"done_at,omitzero"`   // of machine evidence: when it happened
	Ref      string          `json:"ref,omitempty"`      // a reference the doer gave, such as a ticket
	Document Document        `json:"document,omitzero"`  // what she put on file
	Reviewer string          `json:"reviewer,omitempty"` // who approved or refused it
	Evidence map[string]Seen `json:"evidence,omitempty"` // machine evidence by what is needed, the newest of each
	// Since is when the cycle's time began: a person's word about it does not stand on evidence from before.
	Since time.Time `json:"since,omitzero"`
	// Settled is when the duty's promises began to be proven by this cycle: done, and reviewed where that is wanted.
	Settled time.Time `json:"settled,omitzero"`
	Valid   time.Time `json:"valid,omitzero"`    // until when they are; zero for no end
	Proven  bool      `json:"proven,omitempty"`  // it was, once, since it first opened
	Late    bool      `json:"late,omitempty"`    // what was due before somebody's first day came after it
	Finding string    `json:"finding,omitempty"` // id of the open finding
	Next    int64     `json:"next,omitempty"`    // microseconds since 1970: when Tick has to look again
	Expires time.Time `json:"expires,omitzero"`
}

// Seen is machine evidence that arrived.
type Seen struct {
	Event  string    `json:"event"`            // record.Digest of the event's id
	At     time.Time `json:"at"`               // when it happened
	Cycle  int       `json:"cycle"`            // that it counts for; 0 for none
	By     string    `json:"by,omitempty"`     // whose work it tells of: id in people.yaml
	Failed bool      `json:"failed,omitempty"` // it says that things are out of order
}

// kept is how long a task that will not change any more can still be looked up.
const kept = 400 * 24 * time.Hour

// InForce reports whether the task proves the duty's promises at now: a cycle that has opened anew does not end what the
// one before proves.
func (t Task) InForce(now time.Time) bool {
	return t.State != Lapsed && (now.Before(t.Valid) || !t.Settled.IsZero() && t.Valid.IsZero())
}

// Waiting reports whether the task waits for the second person.
func (t Task) Waiting() bool { return t.State == Done && t.Settled.IsZero() }

// Owed reports whether somebody has to do the task.
func (t Task) Owed() bool { return t.State == Open || t.State == Overdue }

// Decided reports whether what was asked for was refused or withdrawn.
func (t Task) Decided() bool { return t.State == Refused || t.State == Withdrawn }

// Did reports whether a person did the task, or a part of it, in this cycle.
func (t Task) Did(person string) bool { return person != "" && slices.Contains(t.doers(), person) }

func (t Task) doers() []string {
	who := []string{t.DoneBy}
	for _, seen := range t.Evidence {
		if seen.Cycle == t.Cycle {
			who = append(who, seen.By)
		}
	}
	return who
}

// Own reports whether the task is a person's own matter.
func (t Task) Own(person string) bool {
	return person != "" && (t.Person == person || t.Asker == person)
}

// first is the task before its first cycle.
func (t Task) first(nonce string) Task {
	return Task{ID: t.ID, Person: t.Person, Asker: t.Asker, About: t.About, Nonce: nonce}
}

// step is what Tick found to do; the service turns each into records and messages.
type step string

const (
	opened   step = "opened"
	reminded step = "reminded"
	overdue  step = "overdue"
	failed   step = "failed"
	late     step = "late"
)

// terms are what the machine knows besides the task.
type terms struct {
	Duty
	zone *time.Location // of the company
}

// end is when a period that begins at from is over: at the end of the local day, unless the period is counted in hours.
func (d terms) end(p calendar.Period, from time.Time) time.Time {
	t := p.Add(from, d.zone)
	if _, exact := p.Exact(); exact {
		return t
	}
	return calendar.EndOfDay(t, d.zone)
}

// begin opens the first cycle of a task, or the next of one that had lapsed.
func (d terms) begin(t Task, now time.Time) Task {
	t.V, t.Duty = Version, d.ID
	t.Settled, t.Valid, t.Expires, t.Since, t.Proven, t.Late = time.Time{}, time.Time{}, time.Time{}, now, false, false
	t = t.reopened(now)
	t.Due = d.end(d.Within, now)
	return d.schedule(t)
}

// reopened is the task at the beginning of its next cycle. What was proven stays proven until its time is over.
func (t Task) reopened(now time.Time) Task {
	t.Cycle++
	t.State, t.Opened, t.Reminded = Open, now, false
	return t.undone()
}

// undone is the task without the word that was given.
func (t Task) undone() Task {
	t.DoneBy, t.DoneAt, t.Ref, t.Document, t.Reviewer = "", time.Time{}, "", Document{}, ""
	return t
}

// remindAt is when the owner is reminded.
func (d terms) remindAt(t Task) time.Time {
	ahead := min(t.Due.Sub(t.Opened)/4, 14*24*time.Hour)
	if !d.Remind.IsZero() {
		ahead = min(time.Duration(d.Remind.Days)*24*time.Hour+d.Remind.Clock, t.Due.Sub(t.Opened))
	}
	return t.Due.Add(-ahead)
}

// opensAt is when the next cycle of a settled task opens: half a period before the end, a day at least and a month at
// most. Zero: never.
func (d terms) opensAt(t Task) time.Time {
	if t.Valid.IsZero() {
		return time.Time{}
	}
	ahead := min(max(t.Valid.Sub(t.DoneAt)/2, 24*time.Hour), 30*24*time.Hour)
	return t.Valid.Add(-ahead)
}

// schedule sets when Tick has to look at the task again.
func (d terms) schedule(t Task) Task {
	var next time.Time
	switch {
	case t.State == Lapsed:
	case !t.Settled.IsZero():
		next = d.opensAt(t)
		if next.IsZero() && d.Requested() {
			t.Expires = t.Settled.Add(kept)
		}
	case t.Owed() && !t.Reminded && t.Finding == "":
		next = d.remindAt(t)
	case t.Finding == "":
		next = t.Due
	}
	t.Next = 0
	if !next.IsZero() {
		t.Next = next.UnixMicro()
	}
	return t
}

// tick does what the clock has brought about, and says what that was. A task that nothing happens to comes back as it
// is.
func (d terms) tick(t Task, now time.Time) (Task, []step) {
	var steps []step
	if t.State == Lapsed {
		return t, nil
	}
	if !t.Settled.IsZero() {
		if opens := d.opensAt(t); opens.IsZero() || now.Before(opens) {
			return d.schedule(t), nil
		}
		t = d.again(t, now)
		steps = append(steps, opened)
	}
	over := !now.Before(t.Due)
	if t.Owed() && !t.Reminded && !over && !now.Before(d.remindAt(t)) {
		t.Reminded = true
		steps = append(steps, reminded)
	}
	if over && t.Finding == "" {
		if t.State == Open {
			t.State = Overdue
		}
		t.Finding = d.finding(t, overdue, t.Due, now).ID()
		steps = append(steps, overdue)
	}
	return d.schedule(t), steps
}

// again opens the next cycle of a task in force, due when what is proven ends.
func (d terms) again(t Task, now time.Time) Task {
	due, since := t.Valid, t.DoneAt
	t = t.reopened(now)
	t.Since = since
	t.Due, t.Settled = due, time.Time{}
	return t
}

// lapse ends a task that nobody owes any more.
func (d terms) lapse(t Task, now time.Time) Task {
	t.State, t.Settled, t.Valid, t.Finding, t.Expires = Lapsed, time.Time{}, time.Time{}, "", now.Add(kept)
	return d.schedule(t)
}

// MayDo reports whether a person's roles let her say that a task of the duty is done.
func (d Duty) MayDo(p policy.Person) bool { return p.Has(d.Owner) }

// MayReview reports whether a person's roles let her be the second person.
func (d Duty) MayReview(p policy.Person) bool { return d.Second != "" && p.Has(d.Second) }

package finding

import (
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Decide lets an event happen to a finding; the zero Finding is one nobody saw. Refusals are *fault.Error with a code:
// not_allowed, own_change, same_person, state_conflict, value_changed, until_invalid, reason_missing. An event that changes nothing has no
// effects and returns what it was given.
func Decide(f Finding, e Event, now time.Time) (Finding, []Effect, error) {
	d := &deciding{Finding: f, e: e, now: now.UTC()}
	d.Actors, d.Promises = slices.Clone(f.Actors), slices.Clone(f.Promises)
	for _, a := range []**Acceptance{&d.Proposed, &d.Accepted} {
		if *a != nil {
			one := **a
			*a = &one
		}
	}
	if err := d.happen(); err != nil {
		return f, nil, err
	}
	d.schedule()
	return d.Finding, d.effects, nil
}

type deciding struct {
	Finding
	e       Event
	now     time.Time
	effects []Effect
}

func (d *deciding) does(all ...Effect) { d.effects = append(d.effects, all...) }

func (d *deciding) happen() error {
	if d.State == "" && d.e.What != Out {
		if d.e.What == Accept || d.e.What == Revoke {
			return fault.Refuse(fault.NotFound, "finding_unknown", "There is no such finding.", "Look at the list of findings.")
		}
		return nil
	}
	switch d.e.What {
	case Out:
		d.out()
	case In:
		d.end(Healed, RecordHeal)
	case Drop:
		d.end(Dropped, RecordDrop)
	case Lost:
		d.lost()
	case Blame:
		d.blame()
	case Accept:
		return d.accept()
	case Revoke:
		return d.revoke()
	case Ticking:
		d.tick()
	default:
		return fault.New(fault.Invalid, "deciding about a finding: an event of no known kind")
	}
	return nil
}

// stale reports whether news are older than what is known already.
func (d *deciding) stale() bool {
	last := d.Seen
	if d.Ended.After(last) {
		last = d.Ended
	}
	return !d.e.Read.IsZero() && d.e.Read.Before(last)
}

// read is when what an event rests on was true.
func (d *deciding) read() time.Time {
	if d.e.Read.IsZero() || d.e.Read.After(d.now) {
		return d.now
	}
	return d.e.Read.UTC()
}

func (d *deciding) out() {
	s := d.e.Subject
	if d.State != "" && d.stale() {
		return
	}
	at, before := d.read(), d.Finding
	changed := d.State != "" && d.Got != s.Got
	d.V, d.Asset, d.What, d.Class, d.Promises = version, s.Asset, s.What, s.Class, s.Promises
	d.Severity, d.Loosened, d.Data, d.Want, d.Got = s.Severity, s.Loosened, s.Data, s.Want, s.Got
	if d.ID == "" {
		d.ID = s.ID
	}
	d.Seen, d.Unknown, d.Said = at, time.Time{}, false
	if d.State == "" || d.State.Over() || changed {
		d.Since = at
	}
	switch {
	case d.State == "" || d.State.Over():
		d.State, d.First, d.Ended, d.Opened, d.Actors, d.Proposed, d.Accepted = Settling, d.now, time.Time{}, time.Time{}, nil, nil, nil
		d.settle()
	case d.State == Settling:
		d.settle()
	case d.State == Accepted && (changed || d.high() && d.Accepted.Second == ""):
		d.State, d.Accepted = Open, nil
		d.does(RecordStep, RecordOpen, Tell)
	case d.State == Open && changed:
		d.Proposed = nil
		d.does(RecordStep, Tell)
	}
	d.quiet(before)
}

// quiet leaves it at what was noted where all that is new is the time: what is out of order for weeks is seen each minute.
func (d *deciding) quiet(before Finding) {
	if !d.e.Again || len(d.effects) > 0 || d.Seen.Sub(before.Seen) >= SeenEvery {
		return
	}
	after := d.Finding
	if after.Seen = before.Seen; same(before, after) {
		d.Finding = after
	}
}

const version = 1

// settle opens what has stood for long enough, or cannot wait.
func (d *deciding) settle() {
	wait := Settle
	if d.e.Applying {
		wait = MostSettle
	}
	if !d.e.Urgent && d.now.Before(d.First.Add(wait)) {
		return
	}
	d.open()
}

func (d *deciding) open() {
	d.State, d.Opened = Open, d.now
	d.Round++
	d.does(RecordOpen, Tell)
}

// end ends it: nothing is open, accepted or not known of it any more.
func (d *deciding) end(state State, evidence Effect) {
	if d.State.Over() || d.stale() {
		return
	}
	opened := d.State != Settling
	d.State, d.Ended, d.Proposed, d.Accepted, d.Unknown, d.Said = state, d.read(), nil, nil, time.Time{}, false
	if opened {
		d.does(evidence, Tell)
	}
}

// lost notes that nobody can tell. A finding stays what it is.
func (d *deciding) lost() {
	if !d.State.Over() && d.Unknown.IsZero() && !d.stale() {
		d.Unknown = d.now
		d.does(RecordStep)
	}
}

func (d *deciding) blame() {
	// Whom later calls push out of the list made it no less likely that it was her.
	all := slices.Clone(d.e.Actors)
	for _, a := range d.Actors {
		if a.Person != "" && !slices.ContainsFunc(all, func(o Actor) bool { return o.Person == a.Person }) {
			all = append(all, a)
		}
	}
	if slices.ContainsFunc(all, func(a Actor) bool { return a.Person != "" }) {
		all = slices.DeleteFunc(all, func(a Actor) bool { return a.Kind == "unknown" }) // somebody is known
	}
	if d.State.Over() || len(d.e.Actors) == 0 || slices.EqualFunc(d.Actors, all, Actor.Equal) {
		return
	}
	before := named(d.Actors)
	if d.Actors = all; d.State != Settling {
		d.does(RecordStep)
		if !before && named(d.Actors) {
			d.does(Tell)
		}
	}
	// Whoever turns out to have made the change accepted it, or proposed to, in her own matter.
	for _, a := range d.Actors {
		if a.Person == "" {
			continue
		}
		if d.Accepted != nil && (d.one(d.Accepted.By, a.Person) || d.one(d.Accepted.Second, a.Person)) {
			d.State, d.Accepted = Open, nil
			d.does(RecordOpen, Tell)
		}
		if d.Proposed != nil && d.one(d.Proposed.By, a.Person) {
			d.Proposed = nil
		}
	}
}

// one reports whether two ids are, or may be, one human's.
func (d *deciding) one(a, b string) bool {
	return a == b || a != "" && b != "" && d.e.Same != nil && d.e.Same(a, b)
}

// named reports whether it is known of somebody that she may have done it.
func named(actors []Actor) bool {
	return slices.ContainsFunc(actors, func(a Actor) bool { return a.Kind != "unknown" })
}

// high reports whether two people have to accept it.
func (d *deciding) high() bool { return high(d.Finding) }

func (d *deciding) tick() {
	switch {
	case d.State == Settling && !d.now.Before(d.First.Add(MostSettle)):
		d.open() // it was seen so, and nobody could say in all that time that it is otherwise
	case d.State == Settling && !d.now.Before(d.First.Add(Settle)):
		if d.e.Applying && d.now.Before(d.First.Add(MostSettle)) {
			break
		}
		d.does(Look) // it is judged by what there is now, not by what there was
	case d.State == Accepted && !d.now.Before(d.Accepted.Until):
		d.State, d.Accepted = Open, nil
		d.does(RecordStep, RecordOpen, Tell)
	case d.State == Accepted && !d.Accepted.Reminded && !d.now.Before(d.Accepted.remind()):
		d.Accepted.Reminded = true
		d.does(Remind)
	}
	if !d.Unknown.IsZero() && !d.Said && !d.now.Before(d.Unknown.Add(Unread)) {
		d.Said = true
		d.does(TellLost)
	}
}

func (d *deciding) schedule() {
	next := time.Time{}
	at := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	switch {
	case d.State == Settling && d.now.Before(d.First.Add(Settle)):
		at(d.First.Add(Settle))
	case d.State == Settling:
		at(d.now.Add(time.Minute))
	case d.State == Accepted && !d.Accepted.Reminded:
		at(d.Accepted.remind())
	case d.State == Accepted:
		at(d.Accepted.Until)
	}
	if !d.Unknown.IsZero() && !d.Said {
		at(d.Unknown.Add(Unread))
	}
	d.Due = 0
	if !next.IsZero() {
		d.Due = next.UnixMicro()
	}
}

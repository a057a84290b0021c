package cases

import (
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// MaxTracks bounds a case; a provider of more tenants than that divides it.
const MaxTracks = 5_000

func (d *deciding) describe() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if err := d.from(Suspected, Open); err != nil {
		return err
	}
	before := d.Tracks
	if err := d.setTracks(); err != nil {
		return err
	}
	d.Hinted = false
	if len(d.Undecided()) > 0 && len(d.Tracks) > len(before) {
		d.tell("tracks", d.e.By.ID)
	}
	d.record("tracks")
	return nil
}

// Undescribed reports whether nobody has said yet whose data is concerned.
func (c *Case) Undescribed() bool { return len(c.Tracks) == 0 || c.Hinted }

// hint takes the tracks that a detection names, as far as there is room: that people are called matters more. What it does not
// see, a person knows.
func (d *deciding) hint() error {
	room, named := MaxTracks-len(d.Tracks), d.e.Tracks
	d.e.Tracks = nil
	for _, t := range named {
		if d.track(t.ID) != nil {
			continue
		}
		d.Hinted = true
		if len(d.e.Tracks) < room {
			d.e.Tracks = append(d.e.Tracks, t)
		}
	}
	return d.setTracks()
}

// setTracks adds tracks and corrects their numbers, and counts what belongs to nobody known. None is taken away: that a tenant
// is not concerned is a decision, and whose a domain is somebody finds out.
func (d *deciding) setTracks() error {
	d.Unmapped += max(d.e.Unmapped, 0)
	for _, t := range d.e.Tracks {
		if t.ID == "" || Reserved(t.ID) && t.ID != Own || t.Role != Controller && t.Role != Processor || t.Role == Controller != (t.ID == Own) || !t.People.valid() || !t.Records.valid() {
			return refuse("tracks_invalid", "A track is own, as controller, or a tenant, as processor, with counts exact, estimate, unknown or not_applicable.", "Correct it and send it again.")
		}
		if t.People.unexplained() || t.Records.unexplained() {
			return inapplicable()
		}
		if known := d.track(t.ID); known != nil {
			if err := d.recount(known, t); err != nil {
				return err
			}
			continue
		}
		unknown := Count{How: Unknown}
		t.Told, t.People, t.Records, t.Hours = time.Time{}, t.People.or(unknown), t.Records.or(unknown), d.rules.Hours[t.ID]
		if b, alone := d.rules.Business[t.ID]; alone {
			t.Business = &b
		}
		d.Tracks = append(d.Tracks, t)
	}
	if len(d.Tracks) > MaxTracks {
		return refuse("tracks_invalid", "A case has at most 5,000 tracks.", "Declare a second case for the others.")
	}
	return nil
}

// MaxCorrections bounds how often the counts of one track are corrected.
const MaxCorrections = 100

// recount takes what is known of the counts of a track by now, unknown with it, and keeps what was said before.
func (d *deciding) recount(known *Track, t Track) error {
	before := Counted{known.People, known.Records, d.e.By.ID, d.now}
	known.People, known.Records = t.People.or(known.People), t.Records.or(known.Records)
	corrected := func(was, is Count) bool { return was != is && was.How != Unknown }
	if !corrected(before.People, known.People) && !corrected(before.Records, known.Records) {
		return nil
	}
	if len(known.Earlier) >= MaxCorrections {
		return refuse("tracks_invalid", "These counts were corrected 100 times; no more is kept.", "Write what changes into a text of the case.")
	}
	known.Earlier = append(slices.Clone(known.Earlier), before)
	return nil
}

// or is the count, or another where nobody said anything about it.
func (c Count) or(other Count) Count {
	if c.How == "" {
		return other
	}
	return c
}

func (c Count) valid() bool {
	switch c.How {
	case Exact, Estimate:
		return c.N >= 0 && c.Why == 0
	case Unknown, "":
		return c.N == 0 && c.Why == 0
	case NotApplicable:
		return c.N == 0
	}
	return false
}

// unexplained reports whether a count is said not to apply, and not why.
func (c Count) unexplained() bool { return c.How == NotApplicable && c.Why == 0 }

func inapplicable() error {
	return refuse("reason_missing", "It is not said why something does not apply.", "Give the reason beside it; what is not known yet is unknown instead.")
}

// count puts the reasons for which counts do not apply among the texts of a case, and their numbers into the event. One
// reason of several is one text.
func (t *turn) count(p *private, reasons map[string]string) (err error) {
	t.event.Tracks = slices.Clone(t.event.Tracks)
	numbers := map[string]int{}
	for i := range t.event.Tracks {
		one, before := &t.event.Tracks[i], Track{}
		if known := t.before.track(one.ID); known != nil {
			before = *known
		}
		for _, c := range []struct {
			of    *Count
			known int
			why   string
		}{{&one.People, before.People.Why, reasons[one.ID+"/people"]}, {&one.Records, before.Records.Why, reasons[one.ID+"/records"]}} {
			if c.of.Why = numbers[c.why]; c.of.Why == 0 {
				if c.of.Why, err = p.again(c.why, c.known, last(t.event.What), false); err != nil {
					return err
				}
				numbers[c.why] = c.of.Why
			}
		}
	}
	return nil
}

// told notes that a tenant has our notice.
func (d *deciding) told() error {
	arrivals := d.e.Arrivals
	if d.e.Tenant != "" {
		arrivals = map[string]time.Time{d.e.Tenant: d.e.At}
	}
	known, fresh := 0, 0
	for i := range d.Tracks {
		t := &d.Tracks[i]
		at, arrived := arrivals[t.ID]
		if !arrived || t.Role != Processor {
			continue
		}
		known++
		if t.Told.IsZero() {
			t.Told = at.UTC()
			fresh++
		}
	}
	if known == 0 || known < len(arrivals) {
		return refuse("subject_invalid", "The case does not concern that tenant.", "Look at the tracks of the case.")
	}
	if fresh > 0 {
		d.record("told")
	}
	return nil
}

// untold takes back that tenants have our notice: their clocks run again.
func (d *deciding) untold() error {
	if d.e.By.ID != "" {
		return fault.Refuse(fault.Denied, "not_allowed", "Only a notice says this.", "Say at its delivery that it did not arrive.")
	}
	back := 0
	for i := range d.Tracks {
		t := &d.Tracks[i]
		if _, named := d.e.Arrivals[t.ID]; named && !t.Told.IsZero() {
			t.Told = time.Time{}
			back++
		}
	}
	if back > 0 {
		d.record("untold")
	}
	return nil
}

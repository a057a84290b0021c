package cases

import "time"

// maxTracks bounds a case; a provider of more tenants than that divides it.
const maxTracks = 5_000

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
	if len(d.Undecided()) > 0 && len(d.Tracks) > len(before) {
		d.tell("tracks", d.e.By.ID)
	}
	d.record("tracks")
	return nil
}

// setTracks adds tracks and corrects their numbers. None is taken away: that a tenant is not concerned is a decision.
func (d *deciding) setTracks() error {
	d.Unmapped = d.e.Unmapped
	for _, t := range d.e.Tracks {
		if t.ID == "" || t.Role != Controller && t.Role != Processor || t.Role == Controller != (t.ID == Own) || !t.People.valid() || !t.Records.valid() {
			return refuse("tracks_invalid", "A track is own, as controller, or a tenant, as processor, with counts exact, estimate, unknown or not_applicable.", "Correct it and send it again.")
		}
		if known := d.track(t.ID); known != nil {
			known.People, known.Records = t.People, t.Records
			continue
		}
		t.Told = time.Time{}
		d.Tracks = append(d.Tracks, t)
	}
	if len(d.Tracks) > maxTracks {
		return refuse("tracks_invalid", "A case has at most 5,000 tracks.", "Declare a second case for the others.")
	}
	return nil
}

func (c Count) valid() bool {
	switch c.How {
	case Exact, Estimate:
		return c.N >= 0
	case Unknown, NotApplicable:
		return c.N == 0
	}
	return false
}

package cases

import (
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// Signal is something more a detection says while its case is looked into.
type Signal struct {
	Ref  string    `json:"ref"` // what the detection calls it: the same again is the same
	At   time.Time `json:"at"`
	Text int       `json:"text,omitempty"`
}

// maxSignals bounds those of a case that are kept with their text; of more the record alone says that they came.
const maxSignals = 50

// Concerns reports whether a case may be somebody's own matter: a detection names her, under whatever address. She is
// neither called nor told about it, decides nothing of it, and does not read it.
func (c Case) Concerns(a Actor) bool { return a.ID != "" && slices.ContainsFunc(c.About, a.is) }

// Concerns reports whether a case may be the own matter of a person of the policy.
func (s *Service) Concerns(c Case, p policy.Person) bool { return c.Concerns(s.actor(p)) }

func ownMatter() error {
	return fault.Refuse(fault.Denied, "own_matter", "The case may be about what you did, or what was done in your name.", "Another person does this.")
}

// suspect takes more of what a detection says. Whoever had answered looked at something else: people are called anew.
func (d *deciding) suspect() error {
	if d.e.By.ID != "" {
		return fault.Refuse(fault.Denied, "not_allowed", "Only a detection says this.", "Write it where the case asks for words.")
	}
	if err := d.from(Suspected, Open); err != nil {
		return err
	}
	if d.took(d.e.Signal) {
		return nil
	}
	if len(d.Signals) < maxSignals {
		d.Signals = append(slices.Clip(d.Signals), Signal{d.e.Signal, d.now, d.e.Text})
	}
	d.concern()
	if err := d.hint(); err != nil {
		return err
	}
	d.record("suspected")
	d.page(0)
	return nil
}

// took reports whether a case has what a detection says already.
func (c *Case) took(ref string) bool {
	return slices.ContainsFunc(c.Signals, func(s Signal) bool { return s.Ref == ref })
}

// Took reports whether a case has what a detection says already, such as in a message that comes again.
func (c Case) Took(ref string) bool { return c.took(ref) }

// concern adds those whose own matter the case may be.
func (d *deciding) concern() {
	for _, id := range d.e.About {
		if id != "" && !slices.Contains(d.About, id) {
			d.About = append(slices.Clip(d.About), id)
		}
	}
}

// concerned reports whether the case, as it is with the event, may be a person's own matter.
func (t *turn) concerned(p policy.Person) bool {
	about := slices.Concat(t.before.About, t.event.About)
	return len(about) > 0 && slices.ContainsFunc(about, t.s.actor(p).is)
}

// empty are the steps of the ladder with nobody to be called now.
func (t *turn) empty() (steps []string) {
	for _, s := range t.s.Rules.Ladder {
		if len(t.of(s.ID)) == 0 {
			steps = append(steps, s.ID)
		}
	}
	return steps
}

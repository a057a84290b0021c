package cases

import (
	"slices"
	"strings"
	"time"
)

// Mapped is one finding whose some of the affected domains and accounts are: a tenant's, or nobody's.
type Mapped struct {
	N      int       `json:"n"` // how many
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Names  int       `json:"names"`  // text: one on a line
	Reason int       `json:"reason"` // text: whose they are, and how that is known
}

// maxName bounds a domain or an account, in bytes (RFC 5321, section 4.5.3.1).
const maxName = 320

// named are the names of an event, each once.
func named(all []string) (names []string, err error) {
	for _, name := range all {
		if name = strings.ToLower(strings.Join(strings.Fields(name), " ")); len(name) > maxName {
			return nil, refuse("names_invalid", "A domain or an account has more than 320 bytes.", "Name one at a time.")
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// name puts what an event says of domains and accounts among the texts of a case, and into the event how many are new, or
// are found out.
func (t *turn) name(p *private, all []string) error {
	t.event.Unmapped = 0
	names, err := named(all)
	if err != nil {
		return err
	}
	open := slices.Clone(p.Unmapped)
	switch t.event.What {
	case Declare, Describe:
		for _, name := range names {
			if !slices.Contains(open, name) {
				open = append(open, name)
			}
		}
		t.event.Unmapped = len(open) - len(p.Unmapped)
	case Map:
		if !t.event.By.decides() {
			return nil // refused for that
		}
		var found []string
		for _, name := range names {
			switch at := slices.Index(open, name); {
			case at >= 0:
				found, open = append(found, name), slices.Delete(open, at, at+1)
			case !t.mapped(*p, name):
				return refuse("names_invalid", "One of these is not among what belongs to no known tenant.", "Use the names as the case lists them.")
			}
		}
		if t.event.Unmapped = len(found); len(found) == 0 {
			break
		}
		if t.event.Named, err = p.add(strings.Join(found, "\n"), true); err != nil {
			return err
		}
	}
	p.Unmapped = open
	return nil
}

// mapped reports whether somebody found out before whose a name is.
func (t *turn) mapped(p private, name string) bool {
	return slices.ContainsFunc(t.before.Mapped, func(m Mapped) bool {
		return m.Names >= 1 && m.Names <= len(p.Texts) && slices.Contains(strings.Split(p.Texts[m.Names-1], "\n"), name)
	})
}

// found takes whose some of the affected domains and accounts are. It alone lowers what keeps a case open.
func (d *deciding) found() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if err := d.from(Suspected, Open); err != nil {
		return err
	}
	switch {
	case d.e.Unmapped == 0:
		return nil
	case d.e.Unmapped < 0 || d.e.Unmapped > d.Unmapped:
		return refuse("names_invalid", "The case has not so many domains or accounts without a tenant.", "Look at the case as it is now.")
	case d.e.Text == 0:
		return refuse("reason_missing", "That a domain or an account is a tenant's, or nobody's, has a reason.", "Say whose it is, and how that is known.")
	}
	d.Unmapped -= d.e.Unmapped
	d.Mapped = append(slices.Clip(d.Mapped), Mapped{N: d.e.Unmapped, By: d.e.By.ID, At: d.now, Names: d.e.Named, Reason: d.e.Text})
	d.record("mapped")
	return nil
}

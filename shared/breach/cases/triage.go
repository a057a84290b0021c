package cases

import (
	"slices"
	"time"
)

// Triaged is what somebody found of a suspicion, and who has the next step.
type Triaged struct {
	Result Result    `json:"result"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason int       `json:"reason,omitempty"` // text
	Owner  string    `json:"owner"`
	Next   int       `json:"next,omitempty"` // text; 0: what the case asks for next
}

// triage takes what somebody found of a suspicion, with who does what next.
func (d *deciding) triage() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if !slices.Contains([]Result{Likely, Confirmed, NotEnough}, d.e.Result) {
		return refuse("result_invalid", "The result of a triage is likely, confirmed or not_enough.", "That it is no breach is decided by two: answer no to the subject breach.")
	}
	if d.State == Open && d.e.Result != NotEnough {
		return nil
	}
	if err := d.from(Suspected); err != nil {
		return err
	}
	found := &Triaged{Result: d.e.Result, By: d.e.By.ID, At: d.now, Reason: d.e.Text, Owner: d.e.Owner, Next: d.e.ToDo}
	if found.Owner == "" {
		found.Owner = d.e.By.ID
	}
	switch {
	case slices.Contains(d.About, found.Owner):
		return ownMatter()
	case found.Result == NotEnough && found.Next == 0:
		return refuse("next_missing", "Where facts are missing, somebody finds them out.", "Say what is found out next, and who does it.")
	}
	d.Triage = found
	d.record("triage_" + string(found.Result))
	if found.Owner != d.e.By.ID {
		d.effects = append(d.effects, Effect{Do: DoOwner})
	}
	if found.Result == NotEnough {
		return nil
	}
	at := d.e.At
	if at.IsZero() {
		at = d.now
	}
	return d.aware(at)
}

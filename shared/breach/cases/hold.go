package cases

import (
	"context"
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Hold keeps a case from being deleted, such as for a dispute: two people place it, and two lift it. One that waits for its
// second person keeps the case as well.
type Hold struct {
	By      string       `json:"by"`
	At      time.Time    `json:"at"`
	Reason  int          `json:"reason"` // text
	Until   calendar.Day `json:"until"`  // when people are asked whether it is still needed; it does not end by itself
	Second  string       `json:"second,omitempty"`
	Settled time.Time    `json:"settled,omitzero"`

	LiftBy     string       `json:"lift_by,omitempty"`
	LiftAt     time.Time    `json:"lift_at,omitzero"`
	LiftReason int          `json:"lift_reason,omitempty"` // text
	LiftSecond string       `json:"lift_second,omitempty"`
	Lifted     time.Time    `json:"lifted,omitzero"`
	Reminded   calendar.Day `json:"reminded,omitzero"`
}

// maxHolds bounds a case.
const maxHolds = 20

// Held is the hold that keeps a case, or waits to; nil for none.
func (c *Case) Held() *Hold {
	if n := len(c.Holds); n > 0 && c.Holds[n-1].Lifted.IsZero() {
		return &c.Holds[n-1]
	}
	return nil
}

// Expires is when a closed case is deleted; zero for not at all, as things stand.
func (c *Case) Expires(r Rules) time.Time {
	if c.State != Closed || c.Held() != nil {
		return time.Time{}
	}
	return r.Keep.Add(c.Closed, r.Zone)
}

// preserve places a hold, or lifts one.
func (d *deciding) preserve() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if d.State == "" {
		return d.from(Suspected)
	}
	if d.e.Yes {
		return d.place()
	}
	return d.lift()
}

func (d *deciding) place() error {
	switch h := d.Held(); {
	case h == nil && d.e.Text == 0:
		return refuse("reason_missing", "A legal hold has a reason.", "Say which dispute, inquiry or claim the case is needed for.")
	case (h == nil || h.Settled.IsZero() && h.By == d.e.By.ID || !h.Settled.IsZero()) && (d.e.Again.IsZero() || d.e.Again.Before(d.today())):
		return refuse("times_invalid", "A legal hold has a day ahead on which people ask whether it is still needed.", "Give that day.")
	case h == nil && len(d.Holds) >= maxHolds:
		return refuse("times_invalid", "The case was held too often.", "Refer to the holds there were.")
	case h == nil:
		d.Holds = append(d.Holds, Hold{By: d.e.By.ID, At: d.now, Reason: d.e.Text, Until: d.e.Again})
		d.record("hold_proposed")
		d.tell("hold_proposed", d.e.By.ID)
	case h.Settled.IsZero() && h.By == d.e.By.ID: // she alone is not two
	case h.Settled.IsZero() && d.e.By.is(h.By):
		return samePerson()
	case h.Settled.IsZero():
		h.Second, h.Settled = d.e.By.ID, d.now
		d.record("hold_placed")
	case h.Until != d.e.Again:
		h.Until, h.Reminded = d.e.Again, calendar.Day{}
		d.record("hold_extended")
	}
	return nil
}

func (d *deciding) lift() error {
	h := d.Held()
	switch {
	case h == nil:
		return nil
	case h.Settled.IsZero():
		h.LiftBy, h.LiftAt, h.Lifted = d.e.By.ID, d.now, d.now // it never came about
		d.record("hold_withdrawn")
	case h.LiftBy == "" && d.e.Text == 0:
		return refuse("reason_missing", "Lifting a legal hold has a reason.", "Say why the case is not needed any more.")
	case h.LiftBy == "":
		h.LiftBy, h.LiftAt, h.LiftReason = d.e.By.ID, d.now, d.e.Text
		d.record("lift_proposed")
		d.tell("lift_proposed", d.e.By.ID)
	case h.LiftBy == d.e.By.ID: // she alone is not two
	case d.e.By.is(h.LiftBy):
		return samePerson()
	default:
		h.LiftSecond, h.Lifted = d.e.By.ID, d.now
		d.record("hold_lifted")
	}
	return nil
}

// askHold has people look whether a hold is still needed, on its day and then once a month.
func (d *deciding) askHold() {
	if at := d.holdDue(); !at.IsZero() && !d.now.Before(at) {
		d.Held().Reminded = d.today()
		d.tell("hold_again", "")
	}
}

func (d *deciding) holdDue() time.Time {
	h := d.Held()
	switch {
	case h == nil || h.Settled.IsZero():
		return time.Time{}
	case h.Reminded.IsZero():
		return calendar.AddDays(h.Until, -1).End(d.rules.Zone)
	}
	return calendar.AddDays(h.Reminded, 29).End(d.rules.Zone)
}

// purge deletes a case whose time is up, with everything that belongs to it. What it leaves is the record of that.
func (s *Service) purge(ctx context.Context, c Case, now time.Time) error {
	if s.Purge != nil {
		if err := s.Purge(ctx, c.ID, now); err != nil {
			return err
		}
	}
	t := &turn{s: s, now: now, before: c, after: c, event: Event{What: Ticked}}
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var k kept
		if err := tx.Get(Cases, c.ID, &k); fault.Is(err, fault.NotFound) {
			return nil
		} else if err != nil {
			return err
		}
		if at := k.Expires(s.Rules); at.IsZero() || now.Before(at) {
			return nil // held, or opened again, meanwhile
		}
		t.batch = batch
		rec := t.begun(record.Breach, "purged")
		rec.Facts = map[string]string{"event": "purged", "closed": k.Closed.Format(time.RFC3339), "keep": s.Rules.Keep.String()}
		if err := t.emit(rec); err != nil {
			return err
		}
		return tx.Delete(Cases, c.ID)
	})
}

// Bounds of how long a closed case is kept: whether a breach was handled as the law wants has to be shown for as long as
// somebody may ask (GDPR, article 33(5)).
const (
	LeastKept = 3 * 12 // months
	MostKept  = 30 * 12
)

// Kept reports whether a closed case may be kept for a period: whole months or years, within bounds.
func Kept(p calendar.Period) bool {
	months := p.Years*12 + p.Months
	return p.Clock == 0 && p.Days == 0 && months >= LeastKept && months <= MostKept
}

// owners are those of people who may be asked to do something by a day; ids that nobody has any more are left out.
func owners(p *policy.Policy, ids []string, now time.Time) (people []policy.Person) {
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if one, known := p.PersonByID(id); known && one.Active(now) {
			people = append(people, one)
		}
	}
	return people
}

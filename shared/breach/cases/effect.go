package cases

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/message/letters"
)

// effects puts what follows from the event into the batch.
func (t *turn) effects() error {
	t.after.Found, t.after.Ladder.People = t.before.Found, slices.Clone(t.paged) // the transaction may run again
	for i, f := range t.effect {
		nth := strconv.Itoa(i)
		var err error
		switch f.Do {
		case DoRecord:
			err = t.record(f.Step, nth)
		case DoFinding:
			err = t.finding(f.Step, record.Finding, record.Result{State: record.Broken}, nth)
		case DoHeal:
			err = t.finding(f.Step, record.Remediation, record.Result{State: record.Kept}, nth)
		case DoPage:
			err = t.page(f)
		case DoAlarm:
			err = t.alarm(f)
		case DoTell:
			err = t.say(letterOf(f.Step), "tell/"+f.Step, t.deciders(f.But), letters.Vars{"hours": hours(f.Step), "channels": strings.Join(t.after.Compromised, ", "), "reports": strconv.Itoa(len(t.after.TakesBack()))})
		case DoAction:
			err = t.remind(f.Action)
		case DoReach:
			err = t.reach()
		case DoOwner:
			err = t.say(sayOwner, "owner", owners(t.s.Policy, []string{t.after.Triage.Owner}, t.now), nil)
		case DoStand:
			err = t.say(sayOver, "over", t.called(), nil)
		case DoDuty:
			err = t.say(sayReview, "review", t.deciders(""), nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// letterOf is the text that says a step to who decides.
func letterOf(step string) string {
	switch step {
	case "proposed", "aware_proposed", "hold_proposed", "lift_proposed":
		return sayWaits
	case "aware", "tracks":
		return sayAware
	case "investigation_long", "investigation_overdue":
		return sayInvestigation
	case "channels":
		return sayChannels
	case "review_overdue":
		return sayOverdue
	case "take_back":
		return sayTakeBack
	}
	return sayAgain
}

func hours(step string) string {
	at := 0
	if step == "investigation_overdue" {
		at = 1
	}
	return strconv.Itoa(int(Investigation[at] / time.Hour))
}

// begun starts a record about the case. Those of an exercise are of a kind of their own, and prove no promise.
func (t *turn) begun(kind record.Kind, step string) record.Record {
	promises := t.s.promises
	if t.after.Exercise {
		kind, promises = record.Drill, nil
	}
	rec := record.New(kind, Control, t.after.Nonce+"#"+strconv.FormatInt(t.after.Rev, 10)+"#"+step, promises...)
	rec.Config = t.s.Digest
	rec.Source.Type, rec.Source.Observed, rec.Source.Collected = "case", t.now, t.now
	rec.Subjects = []record.Subject{{Type: "case", C: record.Commitment([]byte(t.after.Nonce), "case", t.after.ID)}}
	return rec
}

func (t *turn) emit(rec record.Record) error {
	return rec.Put(t.batch)
}

// record puts the evidence of a step into the batch: codes, numbers and instants, nothing anybody wrote.
func (t *turn) record(step, nth string) error {
	rec := t.begun(record.Breach, step+"#"+nth)
	rec.Facts = t.facts(step)
	if made, known := t.people[t.event.By.ID]; known && t.event.By.ID != "" {
		rec.Subjects = append(rec.Subjects, record.Subject{Type: "actor", C: made.C})
	}
	for _, first := range t.first(step) {
		rec.Subjects = append(rec.Subjects, record.Subject{Type: "second", C: t.people[first].C})
	}
	if kind, whom := t.whom(); whom != "" {
		rec.Subjects = append(rec.Subjects, record.Subject{Type: kind, C: record.Commitment([]byte(t.after.Nonce), kind, whom)})
	}
	return t.emit(rec)
}

// first are those who proposed what the actor agreed to now, each once; of many tenants it may be several. None where there
// are no two.
func (t *turn) first(step string) (all []string) {
	switch {
	case step == "decided":
		for _, d := range t.after.Decisions {
			subject := d.Subject == t.event.Subject || t.event.Subject == Tenants && d.Subject != SA && d.Subject != Persons && d.Subject != Breach
			if subject && d.Settled.Equal(t.now.UTC()) && !d.Replaced && !slices.Contains(all, d.By) {
				all = append(all, d.By)
			}
		}
	case step == "hold_placed" && t.before.Held() != nil:
		all = append(all, t.before.Held().By)
	case step == "hold_lifted" && t.before.Held() != nil:
		all = append(all, t.before.Held().LiftBy)
	case step == "aware_moved" && t.before.Moving != nil && t.after.Moving == nil:
		all = append(all, t.before.Moving.By)
	}
	return all
}

// whom is the tenant an event concerns, or the tenants, each on a line and in order; "" for nobody or the company itself.
func (t *turn) whom() (kind, ids string) {
	var all []string
	switch id := t.event.Subject; {
	case t.event.What == Told && t.event.Tenant != "":
		return "tenant", t.event.Tenant
	case t.event.What == Told || t.event.What == Untold:
		all = slices.Sorted(maps.Keys(t.event.Arrivals))
	case t.event.What == Answer && id == Tenants:
		for _, d := range t.after.Decisions {
			if d.At.Equal(t.now.UTC()) || d.Settled.Equal(t.now.UTC()) {
				all = append(all, d.Subject)
			}
		}
		slices.Sort(all)
	case t.event.What == Answer && id != SA && id != Persons && id != Breach && id != Own && !IsReport(id):
		return "tenant", id
	}
	return "tenants", strings.Join(all, "\n")
}

func (t *turn) facts(step string) map[string]string {
	c, e := t.after, t.event
	f := map[string]string{"event": step, "state": string(c.State), "tracks": strconv.Itoa(len(c.Tracks)), "controller": yesNo(c.controls())}
	add := func(name, value string) {
		if value != "" {
			f[name] = value
		}
	}
	add("ending", string(c.Ending))
	if !c.Times.Aware.IsZero() {
		f["aware"] = c.Times.Aware.Format(time.RFC3339)
	}
	switch e.What {
	case Rate:
		f["se"], f["level"] = c.Score.Score.SE.String(), string(c.Score.Score.Level)
		f["presumed_authority"], f["presumed_persons"] = yesNo(c.Score.Score.Presumption.Authority), yesNo(c.Score.Score.Presumption.Persons)
	case Answer:
		f["answer"] = yesNo(e.Yes)
		add("exception", e.Exception)
		switch {
		case e.Subject == SA || e.Subject == Persons || e.Subject == Breach || e.Subject == Tenants:
			f["subject"] = e.Subject
		case IsReport(e.Subject):
			f["subject"], f["clock"] = "clock", e.Subject
		default:
			f["subject"] = "tenant"
		}
	case File:
		f["clock"], f["filed"] = e.Clock, e.At.UTC().Format(time.RFC3339)
	case Ack:
		if f["step"] = e.Step; e.Code != "" {
			f["step"], f["by"] = t.s.Rules.Ladder[min(c.Ladder.Step, len(t.s.Rules.Ladder)-1)].ID, "code"
		}
	case Triage:
		f["result"] = string(e.Result)
	case MoveAware:
		add("as", string(e.As))
		if !c.Times.ProcessorAware.IsZero() {
			f["processor_aware"] = c.Times.ProcessorAware.Format(time.RFC3339)
		}
	case Withdraw:
		w := c.Filed[e.Clock].Withdrawn
		f["clock"], f["withdrawn"], f["stands"] = e.Clock, w.At.Format(time.RFC3339), yesNo(w.Stands)
	case Told:
		f["tenants"] = strconv.Itoa(max(len(e.Arrivals), 1))
		if e.Tenant != "" {
			f["told"] = e.At.UTC().Format(time.RFC3339)
		}
	case Untold:
		f["tenants"] = strconv.Itoa(len(e.Arrivals))
	case Map:
		f["mapped"], f["unmapped"] = strconv.Itoa(e.Unmapped), strconv.Itoa(c.Unmapped)
	case Channel:
		f["compromised"] = strconv.Itoa(len(c.Compromised))
	}
	return f
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// finding puts on record that something is out of order, or in order again: the one closes the other by its id.
func (t *turn) finding(step string, kind record.Kind, result record.Result, nth string) error {
	rec := t.begun(kind, step+"#"+nth)
	rec.Method, rec.Result = record.Test, result
	rec.Facts = map[string]string{"event": step, "state": string(t.after.State)}
	found := maps.Clone(t.after.Found)
	if kind == record.Finding {
		if found == nil {
			found = map[string]string{}
		}
		found[step] = rec.ID()
	} else if id := found[step]; id != "" {
		rec.Refs = []record.Ref{{Rel: "closes", ID: id}}
		delete(found, step)
	}
	t.after.Found = found
	return t.emit(rec)
}

package cases

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/policy"
)

// effects puts what follows from the event into the batch.
func (t *turn) effects() error {
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
			err = t.say(told(f.Step), "tell/"+f.Step, t.deciders(f.But), letters.Vars{"hours": hours(f.Step)})
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

// told is the text that says a step to who decides.
func told(step string) string {
	switch step {
	case "proposed", "aware_proposed":
		return sayWaits
	case "aware", "tracks":
		return sayAware
	case "investigation_long", "investigation_overdue":
		return sayInvestigation
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
	data, err := rec.Canonical()
	if err != nil {
		return err
	}
	t.batch.Record(rec.ID(), data)
	return nil
}

// record puts the evidence of a step into the batch: codes, numbers and instants, nothing anybody wrote.
func (t *turn) record(step, nth string) error {
	rec := t.begun(record.Breach, step+"#"+nth)
	rec.Facts = t.facts(step)
	if made, known := t.people[t.event.By.ID]; known && t.event.By.ID != "" {
		rec.Subjects = append(rec.Subjects, record.Subject{Type: "actor", C: made.C})
	}
	if first := t.first(step); first != "" {
		rec.Subjects = append(rec.Subjects, record.Subject{Type: "second", C: t.people[first].C})
	}
	if tenant := t.tenant(); tenant != "" {
		rec.Subjects = append(rec.Subjects, record.Subject{Type: "tenant", C: record.Commitment([]byte(t.after.Nonce), "tenant", tenant)})
	}
	return t.emit(rec)
}

// first is who proposed what the actor agreed to now; "" where there are no two.
func (t *turn) first(step string) string {
	switch {
	case step == "decided":
		for _, d := range t.after.Decisions {
			if d.Settled.Equal(t.now.UTC()) && d.Subject == t.event.Subject && !d.Replaced {
				return d.By
			}
		}
	case step == "aware_moved" && t.before.Moving != nil && t.after.Moving == nil:
		return t.before.Moving.By
	}
	return ""
}

// tenant is whom the event concerns; "" for nobody or the company itself.
func (t *turn) tenant() string {
	switch id := t.event.Subject; {
	case t.event.What == Told:
		return t.event.Tenant
	case t.event.What == Answer && id != SA && id != Persons && id != Breach && id != Own:
		return id
	}
	return ""
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
		switch {
		case e.Subject == SA || e.Subject == Persons || e.Subject == Breach:
			f["subject"] = e.Subject
		default:
			f["subject"] = "tenant"
		}
	case File:
		f["clock"], f["filed"] = e.Clock, e.At.UTC().Format(time.RFC3339)
	case Ack:
		f["step"] = e.Step
	case Triage:
		f["result"] = string(e.Result)
	case Told:
		f["told"] = e.At.UTC().Format(time.RFC3339)
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
	found := maps.Clone(t.before.Found)
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

// page calls the people of a step, each once however many roles she has; nobody of a role is a step nobody answers.
func (t *turn) page(f Effect) error {
	return t.say(sayPage, "page/"+f.Step+"/"+strconv.Itoa(t.after.Ladder.Calls), t.of(f.Step), letters.Vars{"step": f.Step})
}

// of are the people of a step.
func (t *turn) of(step string) (people []policy.Person) {
	for _, s := range t.s.Rules.Ladder {
		if s.ID != step {
			continue
		}
		for _, p := range t.s.Policy.People {
			if p.Active(t.now) && slices.ContainsFunc(s.Roles, p.Has) {
				people = append(people, p)
			}
		}
	}
	return people
}

// called are those who were called since the last answer.
func (t *turn) called() (people []policy.Person) {
	for _, step := range t.before.Ladder.Paged {
		for _, p := range t.of(step) {
			if !slices.ContainsFunc(people, func(o policy.Person) bool { return o.ID == p.ID }) {
				people = append(people, p)
			}
		}
	}
	return people
}

// deciders are those who decide, but one.
func (t *turn) deciders(but string) (people []policy.Person) {
	for _, p := range t.s.Policy.People {
		if p.Active(t.now) && actor(p).decides() && p.ID != but {
			people = append(people, p)
		}
	}
	return people
}

func (t *turn) alarm(f Effect) error {
	var c clock.Clock
	for _, one := range Clocks(t.after, t.s.Rules, t.now) {
		if one.ID == f.Clock {
			c = one
		}
	}
	percent := strconv.Itoa(f.Mark) + " %"
	zone := t.s.Rules.Zone
	v := letters.Vars{
		"percent": percent, "clock": f.Clock, "left": c.Remaining(t.now),
		"target": calendar.Date(c.Target, zone).String() + " " + c.Target.In(zone).Format("15:04 -07:00"),
	}
	return t.say(sayAlarm, fmt.Sprintf("alarm/%s/%d/%d/%d", f.Clock, c.Target.UnixMicro(), f.Mark, f.Hours), t.deciders(""), v)
}

// say writes to staff, each in her language. The key is the same however often the transaction runs.
func (t *turn) say(kind, key string, to []policy.Person, v letters.Vars) error {
	for _, p := range to {
		vars := letters.Vars{"number": t.after.Number, "desk": t.s.Desk + "#" + t.after.ID, "company": t.s.Policy.Company.Name, "by": t.after.Review.String()}
		for name, value := range v {
			vars[name] = value
		}
		language := p.Language
		if !slices.Contains(letters.Languages(), language) {
			language = "en"
		}
		if t.after.Exercise {
			vars["exercise"] = map[string]string{"en": "EXERCISE: ", "fr": "EXERCICE : ", "de": "ÜBUNG: "}[language]
		}
		content, err := t.s.Letters.Write(kind, language, vars)
		if err != nil {
			return err
		}
		sum := sha256.Sum256([]byte(t.after.ID + "\x00" + key + "\x00" + strconv.FormatInt(t.after.Rev, 10) + "\x00" + p.ID))
		request := message.Request{Key: "breach-" + kind + "/" + hex.EncodeToString(sum[:]), Kind: message.Staff, Person: p.ID, Channel: message.Mail, Language: language}
		sealed, err := request.Seal(t.key, t.s.Random, content)
		if err != nil {
			return err
		}
		if err := t.batch.Message(message.TopicRequested, request.Key, sealed); err != nil {
			return err
		}
	}
	return nil
}

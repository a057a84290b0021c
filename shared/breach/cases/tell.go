package cases

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/policy"
)

// page calls the people of a step, each once however many roles she has; nobody of a role is a step nobody answers.
func (t *turn) page(f Effect) error {
	channels := []string{message.Mail}
	for _, s := range t.s.Rules.Ladder {
		if s.ID == f.Step && len(s.Channels) > 0 {
			channels = s.Channels
		}
	}
	if t.after.Ladder.Nobody { // whoever carries the usual messages may be what does not work
		for _, other := range []string{message.Mail, sms, chat} {
			if !slices.Contains(channels, other) {
				channels = append(slices.Clone(channels), other)
			}
		}
	}
	to := t.of(f.Step)
	for _, p := range to {
		if !slices.Contains(t.after.Ladder.People, p.ID) {
			t.after.Ladder.People = append(t.after.Ladder.People, p.ID)
		}
	}
	return t.sayBy(channels, sayPage, "page/"+f.Step+"/"+strconv.Itoa(t.after.Ladder.Calls), to, letters.Vars{"step": f.Step})
}

// of are the people of a step.
func (t *turn) of(step string) (people []policy.Person) {
	for _, s := range t.s.Rules.Ladder {
		if s.ID != step {
			continue
		}
		for _, p := range t.s.Policy.People {
			if p.Active(t.now) && t.s.calls(p, s.Roles, t.now) && !t.concerned(p) {
				people = append(people, p)
			}
		}
	}
	return people
}

// calls reports whether a call to some roles is a call to a person.
func (s *Service) calls(p policy.Person, roles []policy.Role, at time.Time) bool {
	if s.Calls == nil {
		return slices.ContainsFunc(roles, p.Has)
	}
	return s.Calls(p, roles, at)
}

// called are those who were called and have not been told that it is over.
func (t *turn) called() []policy.Person { return owners(t.s.Policy, t.before.Ladder.People, t.now) }

// deciders are those who decide, but one, and but those whose own matter the case may be.
func (t *turn) deciders(but string) (people []policy.Person) {
	for _, p := range t.s.Policy.People {
		if p.Active(t.now) && actor(p).decides() && p.ID != but && !t.concerned(p) {
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
		"percent": percent, "clock": f.Clock + more(f.More), "left": c.Remaining(t.now), "missed": marked(f.Missed),
		"target": calendar.Date(c.Target, zone).String() + " " + c.Target.In(zone).Format("15:04 -07:00"),
	}
	return t.say(sayAlarm, fmt.Sprintf("alarm/%s/%d/%d/%d", f.Clock, c.Target.UnixMicro(), f.Mark, f.Hours), t.deciders(""), v)
}

// marked are marks that passed unsaid.
func marked(missed []int) string {
	if len(missed) == 0 {
		return "–"
	}
	var all []string
	for _, m := range missed {
		all = append(all, strconv.Itoa(m)+" %")
	}
	return strings.Join(all, ", ")
}

// more says how many clocks are told of with another.
func more(n int) string {
	if n == 0 {
		return ""
	}
	return " (+" + strconv.Itoa(n) + ")"
}

// say writes to staff by mail.
func (t *turn) say(kind, key string, to []policy.Person, v letters.Vars) error {
	return t.sayBy([]string{message.Mail}, kind, key, to, v)
}

// sayBy writes to staff by several channels at once. That nobody of them can be reached is put on record.
func (t *turn) sayBy(channels []string, kind, key string, to []policy.Person, v letters.Vars) error {
	vars := letters.Vars{"number": t.after.Number, "desk": t.s.Desk + "#" + t.after.ID, "company": t.s.Policy.Company.Name, "by": t.after.Review.String()}
	maps.Copy(vars, v)
	if len(t.after.About) > 0 { // whoever it is about reads the company's room as well
		if channels = slices.DeleteFunc(slices.Clone(channels), func(c string) bool { return c == chat }); len(channels) == 0 {
			channels = []string{message.Mail}
		}
	}
	about := "breach-" + kind
	if kind == sayPage {
		about = callKey(t.after.ID, t.after.Rev)
	}
	said := Saying{
		Letters: t.s.Letters, Letter: kind, Vars: vars, Key: about + "\x00" + t.after.ID + "\x00" + key + "\x00" + strconv.FormatInt(t.after.Rev, 10),
		Channels: channels, Compromised: t.after.Compromised, Exercise: t.after.Exercise, Deadline: t.deadline(),
	}
	if kind == sayPage {
		said.Code, said.Every = t.code, t.after.Ladder.Nobody
	}
	reached, sent, err := t.s.Crier.say(t.batch, t.key, said, to)
	if kind == sayPage {
		t.after.Ladder.At, t.after.Ladder.Sent = t.after.Rev, sent
	}
	if err == nil && reached == 0 && len(to) > 0 && t.after.Found[nobody] == "" {
		err = t.finding(nobody, record.Finding, record.Result{State: record.Broken}, "unreached")
	}
	return err
}

// deadline is the first end of a clock that runs; zero for none.
func (t *turn) deadline() (first time.Time) {
	for _, c := range Clocks(t.after, t.s.Rules, t.now) {
		running := c.Status == clock.Running || c.Status == clock.Overdue
		if running && c.Binding != clock.Information && (first.IsZero() || c.Target.Before(first)) {
			first = c.Target
		}
	}
	return first
}

package register

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/policy"
)

// Runbook writes what to do in an incident, whom to call and whom to tell by when, as Markdown or HTML. It is made of what
// the policy says at now, so that it is never another document than the one the controls follow; it says when somebody last
// went through that, and that it is overdue. Whom the company calls at its customers, and where people are reached outside
// its own systems, stands in it where whole is set: for whoever may look at cases. Code: format_invalid.
func Runbook(w io.Writer, b breach.Policy, p *policy.Policy, whole bool, format Format, lang string, now time.Time) error {
	r := runbook{breach: b, policy: p, whole: whole, l: languageOf(lang), now: now}
	switch format {
	case AsMarkdown:
		return r.paper().markdown(w)
	case AsHTML:
		return r.paper().html(w)
	}
	return badFormat()
}

type runbook struct {
	breach breach.Policy
	policy *policy.Policy
	whole  bool
	l      language
	now    time.Time
}

func (r runbook) paper() paper {
	l := r.l
	p := paper{Language: string(l), Title: l.w("runbook") + ": " + r.policy.Company.Name, Lines: []string{l.w("runbook_note"), l.w("policy_is") + " " + r.policy.Digest}}
	switch due := r.breach.ReviewDue(); {
	case due.IsZero():
		p.Warning = l.w("review_never")
	default:
		p.Lines = append(p.Lines, l.w("last_review")+": "+r.breach.Reviewed.String()+". "+l.w("review_next")+": "+due.String())
		if due.Before(calendar.Date(r.now, r.zone())) {
			p.Warning = l.w("review_overdue")
		}
	}
	p.Sections = []section{r.steps(), r.called(), r.deciders(), r.authorities(), r.clocks()}
	if r.whole {
		p.Sections = append(p.Sections, r.customers(), r.around())
	}
	p.Sections = append(p.Sections, r.letters(), r.drills())
	return p
}

func (r runbook) zone() *time.Location {
	if r.breach.Rules.Zone == nil {
		return time.UTC
	}
	return r.breach.Rules.Zone
}

func (r runbook) steps() section {
	s := section{Title: r.l.w("first_steps"), Lines: []string{r.l.w("contact_line") + ": " + r.breach.Contact}, Head: []string{"", r.l.w("what")}}
	for i := 1; r.l.has("step_" + strconv.Itoa(i)); i++ {
		s.Rows = append(s.Rows, []string{strconv.Itoa(i), r.l.w("step_" + strconv.Itoa(i))})
	}
	s.Lines = append(s.Lines, fmt.Sprintf("%s: %d", r.l.w("looked_back"), r.breach.Rules.ReviewDays))
	return s
}

// called are the steps of the ladder, with the people who are here now.
func (r runbook) called() section {
	s := section{Title: r.l.w("ladder"), Head: r.l.all("step", "who", "zone", "channels", "waits_for")}
	for _, step := range r.breach.Rules.Ladder {
		for _, p := range r.active(step.Roles...) {
			s.Rows = append(s.Rows, []string{step.ID, p.Name + "\n" + p.Email, p.Location().String(), join(step.Channels...), calendar.Period{Clock: step.Wait}.String()})
		}
	}
	return s
}

func (r runbook) active(roles ...policy.Role) (all []policy.Person) {
	for _, p := range r.policy.People {
		if p.Active(r.now) && slices.ContainsFunc(roles, p.Has) {
			all = append(all, p)
		}
	}
	return all
}

func (r runbook) deciders() section {
	s := section{Title: r.l.w("deciders"), Head: r.l.all("name", "roles")}
	for _, p := range r.active(policy.Security, policy.DPO, policy.Owner) {
		var roles []string
		for _, role := range p.Roles {
			roles = append(roles, string(role))
		}
		s.Rows = append(s.Rows, []string{p.Name + "\n" + p.Email, join(roles...)})
	}
	return s
}

func (r runbook) authorities() section {
	s := section{Title: r.l.w("authorities"), Head: r.l.all("name", "portal", "leads"), Links: map[string]string{}}
	for _, a := range r.breach.Authorities {
		s.Rows = append(s.Rows, []string{a.Name, a.Portal, r.l.yes(a.Lead)})
		s.Links[a.Portal] = a.Portal
	}
	return s
}

// clocks are the rows in force that bind the company, or that its notices set going.
func (r runbook) clocks() section {
	s := section{Title: r.l.w("clocks"), Lines: []string{r.l.w("clocks_note")}, Head: r.l.all("clock", "to_tell", "starts", "within")}
	for _, id := range append([]string{"gdpr_33_1", "gdpr_34", "gdpr_33_2", "contract"}, r.breach.Rules.Regimes...) {
		row, known := clock.RowOf(id)
		if !known || !row.InForce(calendar.Date(r.now, r.zone())) {
			continue
		}
		within := r.l.w("no_hours")
		switch {
		case row.Within != nil:
			within = row.Within.String()
		case row.HasHours():
			within = r.l.w("binding_contract")
		}
		law, to := r.l.law(row.Law), row.To
		if key := strings.ReplaceAll(to, " ", "_"); r.l.has(key) {
			to = r.l.w(key)
		}
		if !row.Certain {
			law += " (" + r.l.w("not_certain") + ")"
		}
		s.Rows = append(s.Rows, []string{law, to, r.l.w("start_" + string(row.Start)), within})
	}
	for _, x := range r.breach.Rules.Contracts {
		s.Rows = append(s.Rows, []string{r.l.w("binding_contract"), x.To, r.l.w("start_" + string(x.Start)), hoursOf(x.Hours, x.Business)})
	}
	return s
}

// hoursOf are the hours of a contract, and when they count.
func hoursOf(n int, b *clock.Business) string {
	text := strconv.Itoa(n) + " h"
	if b != nil {
		text += ", " + b.Open + "–" + b.Close + " " + b.Zone
	}
	return text
}

func (r runbook) customers() section {
	s := section{Title: r.l.w("customers"), Head: r.l.all("name", "hours", "contacts")}
	for _, t := range r.policy.Tenants {
		hours := r.l.w("no_hours")
		if t.ContractHours > 0 {
			hours = strconv.Itoa(t.ContractHours)
		}
		if b, alone := r.breach.Rules.Business[t.ID]; alone {
			hours = hoursOf(t.ContractHours, &b)
		}
		var contacts []string
		for _, c := range t.Contacts {
			one := join(string(c.Role), c.Email, strings.Join(c.Channels, " "))
			if c.Stale(r.now) {
				one += " (" + r.l.w("contact_stale") + ")"
			}
			contacts = append(contacts, one)
		}
		if len(contacts) == 0 {
			contacts = []string{r.l.w("contact_none")}
		}
		s.Rows = append(s.Rows, []string{t.Name, hours, strings.Join(contacts, "\n")})
	}
	return s
}

// around is how people are reached when the usual ways cannot be trusted.
func (r runbook) around() section {
	s := section{Title: r.l.w("out_of_band"), Head: r.l.all("who", "means", "to_tell")}
	for _, o := range r.breach.OutOfBand {
		who := o.Tenant
		if p, known := r.policy.PersonByID(o.Person); known {
			who = p.Name
		} else if t, known := r.policy.Tenant(o.Tenant); known {
			who = t.Name
		}
		s.Rows = append(s.Rows, []string{who, o.Channel, o.To})
	}
	if len(s.Rows) == 0 {
		s.Lines = []string{r.l.w("not_known")}
	}
	return s
}

// letters are the texts there are, and what is filled into each.
func (r runbook) letters() section {
	s := section{Title: r.l.w("letters"), Head: r.l.all("notice", "written_in", "says")}
	for _, kind := range notice.Kinds() {
		var own []string
		for _, language := range letters.Languages() {
			if _, has := r.policy.Read("templates/" + language + "/breach-" + string(kind) + ".txt"); has {
				own = append(own, language)
			}
		}
		whose := r.l.w("house_text")
		if len(own) > 0 {
			whose = r.l.w("own_text") + " (" + join(own...) + ")"
		}
		s.Rows = append(s.Rows, []string{r.l.w("notice_" + string(kind)), join(notice.Written(kind)...), whose})
	}
	return s
}

func (r runbook) drills() section {
	var people []string
	for _, id := range r.breach.Drill {
		if p, known := r.policy.PersonByID(id); known {
			people = append(people, p.Name)
		}
	}
	return section{Title: r.l.w("drills"), Head: r.l.all("every", "who"), Rows: [][]string{{r.breach.DrillEvery.String(), join(people...)}}}
}

package register

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/calendar"
)

// paper is the dossier for people.
func (f File) paper(l language) paper {
	r := f.record(l)
	p := paper{Language: string(l), Title: l.w("dossier") + " " + r.Number, Lines: []string{
		join(r.Company, l.w("kind_"+r.Kind), l.w("state_"+string(r.State)), l.w("as_of")+" "+f.at(r.Made)),
	}}
	if r.Exercise {
		p.Title, p.Warning = notice.Exercise(string(l))+p.Title, l.w("is_exercise")
	}
	if r.For != "" {
		p.Lines = append(p.Lines, l.w("extract_for")+" "+r.For)
	}
	p.Sections = []section{f.art33(l, r), f.times(l, r)}
	if facts := f.facts(l, r); len(facts.Rows) > 0 {
		p.Sections = append(p.Sections, facts)
	}
	p.Sections = append(p.Sections, f.concerned(l, r))
	if r.For == "" {
		p.Sections = append(p.Sections, f.severity(l, r))
	}
	p.Sections = append(p.Sections, f.decisions(l, r), f.deadlines(l, r))
	if r.For == "" {
		p.Sections = append(p.Sections, f.reports(l, r))
	}
	p.Sections = append(p.Sections, f.notices(l, r)...)
	if r.For == "" {
		p.Sections = append(p.Sections, f.after(l, r))
	}
	if len(r.Actions) > 0 {
		p.Sections = append(p.Sections, f.actions(l, r))
	}
	if len(r.Holds) > 0 {
		p.Sections = append(p.Sections, f.holds(l, r))
	}
	return p
}

// at writes an instant in the company's zone, with its offset.
func (f File) at(t time.Time) string {
	return calendar.Date(t, f.zone()).String() + " " + t.In(f.zone()).Format("15:04:05 -07:00")
}

// when is at, in words where there is none.
func (f File) when(l language, t time.Time) string {
	if t.IsZero() {
		return l.w("not_known")
	}
	return f.at(t)
}

// done is at; a dash where it has not been done.
func (f File) done(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return f.at(t)
}

func (f File) art33(l language, r record) section {
	s := section{Title: l.w("article_33"), Head: l.all("point", "says")}
	for _, p := range r.Article33 {
		s.Rows = append(s.Rows, []string{l.w("point_" + p.Key), p.Value})
	}
	return s
}

func (f File) times(l language, r record) section {
	s := section{Title: l.w("times"), Head: l.all("what", "when", "by", "reason")}
	for _, one := range []struct {
		key string
		at  time.Time
	}{{"occurred_from", r.Times.OccurredFrom}, {"occurred_to", r.Times.OccurredTo}, {"detected", r.Times.Detected}, {"investigating", r.Times.Investigating},
		{"aware", r.Times.Aware}, {"processor_aware", r.Times.ProcessorAware}, {"classified", r.Times.Classified}, {"contained", r.Times.Contained}} {
		if one.key != "classified" && one.key != "processor_aware" || !one.at.IsZero() {
			s.Rows = append(s.Rows, []string{l.w(one.key), f.when(l, one.at), "", ""})
		}
	}
	for i, m := range r.Awareness {
		what := "aware_moved"
		if m.As != "" {
			what = "processor_moved"
		}
		if i > 0 {
			s.Rows = append(s.Rows, []string{l.w(what), f.at(m.From) + " → " + f.at(m.To), m.By, m.Reason})
		}
	}
	return s
}

func (f File) concerned(l language, r record) section {
	s := section{Title: l.w("concerned"), Head: l.all("who", "role", "people", "records", "told")}
	for _, t := range r.Tracks {
		s.Rows = append(s.Rows, []string{t.Name, l.w(string(t.Role)), l.number(t.People), l.number(t.Records), f.done(t.Told)})
		s.Lines = append(s.Lines, f.corrected(l, t)...)
	}
	if r.Unmapped > 0 {
		s.Lines = append(s.Lines, strings.TrimSuffix(fmt.Sprintf(l.w("unmapped"), r.Unmapped)+" "+join(r.Names...), " "))
	}
	for _, m := range r.Mapped {
		s.Lines = append(s.Lines, l.w("mapped")+": "+join(m.Names...)+". "+m.Reason+" ("+join(m.By, f.at(m.At))+")")
	}
	return s
}

// number writes one of a dossier, with the reason where it does not apply.
func (l language) number(n number) string {
	if n.How == cases.NotApplicable {
		return l.inapplicable(n.Reason)
	}
	return cmp.Or(l.counted(cases.Count{N: n.N, How: n.How}, false), l.w("not_known"))
}

func (f File) severity(l language, r record) section {
	s := section{Title: l.w("severity")}
	if r.Severity == nil {
		s.Lines = []string{l.w("not_scored")}
		return s
	}
	v := r.Severity.Score
	s.Lines = []string{
		fmt.Sprintf("SE %s: %s", v.SE, l.w("level_"+string(v.Level))),
		fmt.Sprintf("DPC %s × EI %s + CB %s", v.DPC, v.EI, v.CB),
		l.w("method") + ": " + r.Severity.Method,
		join(r.Severity.By, f.at(r.Severity.At), fmt.Sprintf(l.w("scores"), r.Severity.Scores)),
		l.w("presumed") + ": " + l.w("sa") + " " + l.yes(v.Presumption.Authority) + ", " + l.w("persons") + " " + l.yes(v.Presumption.Persons),
	}
	if r.Severity.Reasons != "" {
		s.Lines = append(s.Lines, r.Severity.Reasons)
	}
	for _, before := range f.Case.Rated {
		s.Lines = append(s.Lines, join(f.at(before.At), before.By, fmt.Sprintf("SE %s: %s", before.Score.SE, l.w("level_"+string(before.Score.Level))), f.Case.Text(before.Why)))
	}
	s.Head = l.all("input", "value")
	for _, in := range inputs(r.Severity.Input) {
		name, value, _ := strings.Cut(in, "=")
		s.Rows = append(s.Rows, []string{name, value})
	}
	for _, flag := range v.Flags {
		s.Rows = append(s.Rows, []string{l.w("flag"), string(flag)})
	}
	for _, name := range v.Unproven {
		s.Rows = append(s.Rows, []string{l.w("unproven"), name})
	}
	for _, t := range v.Triggers {
		s.Rows = append(s.Rows, []string{l.w("trigger"), t.ID + " (" + t.Asks + "): " + t.Why})
	}
	s.Rows = append(s.Rows, []string{l.w("closest"), strings.TrimSuffix(v.Closest.Case+" "+v.Closest.Title+"; "+join(v.Closest.Differs...), "; ")})
	return s
}

func (f File) decisions(l language, r record) section {
	s := section{Title: l.w("decisions"), Head: l.all("subject", "answer", "reason", "by", "when")}
	for _, d := range r.Decisions {
		answer := l.w(d.Answer)
		if d.Letter != "" {
			answer += ", " + d.Letter
		}
		if d.Below {
			answer += " (" + l.w("below") + ")"
		}
		if d.Replaced != "" {
			answer += " (" + l.w("replaced_"+d.Replaced) + ")"
		}
		when := l.w("waits")
		if !d.Settled.IsZero() {
			when = f.at(d.Settled)
		}
		if d.Again != "" {
			when += ", " + l.w("again") + " " + d.Again
		}
		s.Rows = append(s.Rows, []string{f.subjectIn(l, d.Subject), answer, strings.TrimSpace(d.Reason + "\n" + d.Agreed), d.By, when})
	}
	for _, u := range r.Undecided {
		s.Rows = append(s.Rows, []string{f.subjectIn(l, u), l.w("open"), "", "", ""})
	}
	return s
}

// subjectIn is a subject in words, or somebody's name.
func (f File) subjectIn(l language, subject string) string {
	if slices.Contains([]string{"sa", "persons", "breach"}, subject) {
		return l.w(subject)
	}
	return subject
}

func (f File) deadlines(l language, r record) section {
	s := section{Title: l.w("clocks"), Lines: []string{l.w("clocks_note")}, Head: l.all("clock", "who", "set_by", "target", "outer", "status", "done")}
	for _, c := range r.Clocks {
		name, status := l.law(c.Law), l.w("status_"+string(c.Status))
		switch promised, is := strings.CutPrefix(c.ID, "promise:"); {
		case is:
			name = l.w("promised") + ": " + promised
		case strings.HasPrefix(c.ID, "withdraw:"):
			name = l.w("withdraw") + ": " + l.law(lawOf(strings.TrimPrefix(c.ID, "withdraw:")))
		case name == "":
			name = l.w("binding_internal")
		}
		if c.Binding == clock.Information {
			status = l.w("for_controller")
		}
		s.Rows = append(s.Rows, []string{name, c.Who, l.w("binding_" + string(c.Binding)), f.done(c.Target), f.done(c.Outer), status, f.done(c.Done)})
	}
	return s
}

func (f File) reports(l language, r record) section {
	s := section{Title: l.w("filings"), Head: l.all("clock", "when", "by", "reference", "point_delay_reasons")}
	for _, one := range r.Filings {
		s.Rows = append(s.Rows, f.reported(l, one)...)
	}
	if len(s.Rows) == 0 {
		s.Lines = []string{l.w("nothing_filed")}
	}
	return s
}

// notices are one section each: what was approved, and what became of it for each recipient.
func (f File) notices(l language, r record) (all []section) {
	for _, n := range r.Notices {
		s := section{Title: fmt.Sprintf("%s %d: %s", l.w("notice"), n.N, l.w("notice_"+string(n.Kind))), Head: l.all("who", "status", "attempts", "told")}
		by := join(n.By, f.done(n.Agreed))
		if n.Alone {
			by += " (" + l.w("alone") + ")"
		}
		s.Lines = []string{l.w("notice_state_" + string(n.State)), l.w("approved") + ": " + by, "SHA-256 " + n.Hash}
		if !n.Told.IsZero() {
			s.Lines = append(s.Lines, l.w("told")+": "+join(f.at(n.Told), n.Means))
		}
		for _, name := range slices.Sorted(maps.Keys(n.Texts[f.spoken(n, l)])) {
			s.Lines = append(s.Lines, name+": "+n.Texts[f.spoken(n, l)][name])
		}
		for _, d := range n.Deliveries {
			var tries []string
			for _, t := range d.Tries {
				tries = append(tries, join(t.Channel, string(t.State), f.at(t.At), t.Why))
				for _, later := range t.Fates {
					tries = append(tries, join(t.Channel, string(later.State), f.at(later.At)))
				}
			}
			status := "progress_" + string(d.Progress)
			if !d.Received.IsZero() {
				status = "progress_delivered"
			}
			s.Rows = append(s.Rows, []string{d.Tenant, l.w(status), strings.Join(tries, "\n"), f.done(d.Told)})
		}
		all = append(all, s)
	}
	return all
}

// spoken is the language of a notice's texts that is shown: the reader's where there is one.
func (f File) spoken(n sent, l language) string {
	for _, one := range []string{string(l), "en", "fr", "de"} {
		if len(n.Texts[one]) > 0 {
			return one
		}
	}
	return ""
}

func (f File) after(l language, r record) section {
	s := section{Title: l.w("after"), Head: l.all("what", "when")}
	s.Rows = [][]string{{l.w("closed"), f.done(r.Closed)}, {l.w("review_by"), r.ReviewBy}, {l.w("reviewed"), f.done(r.Reviewed)}}
	for _, before := range f.Case.Reviews {
		s.Lines = append(s.Lines, f.at(before.At)+": "+f.Case.Text(before.Lessons))
	}
	if r.Lessons != "" {
		s.Lines = append(s.Lines, r.Lessons)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Case.Promises)) {
		done := l.w("status_running")
		if at := f.Case.Kept[name]; !at.IsZero() {
			done = f.at(at)
		}
		s.Rows = append(s.Rows, []string{l.w("promised") + ": " + name, f.at(f.Case.Promises[name]) + " (" + done + ")"})
	}
	return s
}

package rule

import (
	"slices"
	"strconv"
	"time"

	"cel.dev/cel-go/cel"

	"ostiary.internal/shared/calendar"
)

func key(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// fields says which keys of window each kind has; those with true it needs.
var fields = map[Kind]map[string]bool{
	Count:     {"at_least": true},
	Distinct:  {"at_least": true, "of": true},
	FirstSeen: {"of": true, "learn": false, "settle": false},
	Sequence:  {"other": true},
	Absence:   {"other": true, "settle": false},
	Budget:    {"other": true, "at_most": true, "of": false, "settle": false},
}

func (l *loading) window() {
	w := &l.r.Window
	given := map[string]bool{
		"of": w.Of != "", "at_least": w.AtLeast != 0, "at_most": w.AtMost != 0, "learn": !w.Learn.IsZero(), "settle": !w.Settle.IsZero(),
		"other": w.Other != nil,
	}
	allowed, known := fields[w.Kind]
	if w.Kind == Single {
		given["within"] = !w.Within.IsZero()
		for name, is := range given {
			if is {
				l.wrong("window."+name, "has no kind to belong to", "kind: "+allowedKinds)
			}
		}
		return
	}
	if !known {
		l.wrong("window.kind", "is unknown", allowedKinds)
		return
	}
	for name, is := range given {
		needed, has := allowed[name]
		switch {
		case is && !has:
			l.wrong("window."+name, "is not for "+string(w.Kind), "leave it out")
		case needed && !is:
			l.wrong("window."+name, "is missing", string(w.Kind)+" needs it")
		}
	}
	l.numbers()
	l.lengths()
	if w.Of != "" {
		l.r.of = l.program("window.of", w.Of, cel.StringType)
	}
	l.others()
}

func (l *loading) numbers() {
	w := l.r.Window
	if w.AtLeast != 0 && (w.AtLeast < 2 || w.AtLeast > Crowd/2) {
		l.wrong("window.at_least", "is out of range", "2 to "+strconv.Itoa(Crowd/2))
	}
	if w.AtMost < 0 || w.AtMost > Crowd/2 {
		l.wrong("window.at_most", "is out of range", "1 to "+strconv.Itoa(Crowd/2))
	}
}

func (l *loading) lengths() {
	w := l.r.Window
	span := func(name string, p calendar.Period, least, most time.Duration) time.Duration {
		d, exact := length(p)
		if !exact || d < least || d > most {
			l.wrong("window."+name, "is out of range", "from "+least.String()+" to "+most.String()+", in days, hours, minutes and seconds")
		}
		return d
	}
	l.r.span.within = span("within", w.Within, time.Second, maxWithin)
	l.r.span.step = stepOf(l.r.span.within)
	l.r.span.learn = span("learn", w.Learn, 0, l.r.span.within)
	if l.r.span.settle = l.late(); !w.Settle.IsZero() {
		l.r.span.settle = span("settle", w.Settle, 0, maxSettle)
	}
}

// late returns how late the entries of the rule may come.
func (l *loading) late() time.Duration {
	matches := l.r.Matches
	if other := l.r.Window.Other; other != nil {
		matches = slices.Concat(matches, other.Matches)
	}
	for _, m := range matches {
		if slices.ContainsFunc(m.Service, func(s string) bool { return slices.Contains(workspaceServices, s) }) {
			return workspace
		}
	}
	return lateness
}

func (l *loading) others() {
	other := l.r.Window.Other
	if other == nil {
		return
	}
	if len(other.Group) == 0 {
		other.Group = l.r.Rule.Group
	}
	if len(other.Group) != len(l.r.Rule.Group) {
		l.wrong("window.other.group", "has "+strconv.Itoa(len(other.Group))+" values", "as many as group: "+strconv.Itoa(len(l.r.Rule.Group)))
	}
	l.r.other = l.selection("window.other.", other.Matches, other.When, other.Group)
}

package rule

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
)

// Limits of one rule.
const (
	maxWithin = 400 * 24 * time.Hour // as long as Google keeps the activity stream
	maxSettle = 24 * time.Hour
	lateness  = 10 * time.Minute // of Cloud streams
	workspace = 6 * time.Hour    // lateness of the Workspace logs
)

// classes is how a class is written.
var classes = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

// workspaceServices log with hours of delay.
var workspaceServices = []string{"login.googleapis.com", "admin.googleapis.com", "cloudidentity.googleapis.com"}

// Load reads and compiles the rules of a policy, and tells everything wrong with their shape. The set holds the rules that
// are right. Whether they make sense is for Lint. A policy is compiled once: later calls return the same.
func Load(p *policy.Policy) (*Set, []policy.Problem) {
	l := policy.Once(p, "rules", func() loaded {
		set, problems := LoadIn(WorldOf(p), p)
		return loaded{set, problems}
	})
	return l.set, slices.Clone(l.problems)
}

type loaded struct {
	set      *Set
	problems []policy.Problem
}

// LoadIn is Load for a company that is another than the policy says: the logs of somebody else, tried out.
func LoadIn(w World, p *policy.Policy) (*Set, []policy.Problem) {
	s := &Set{byName: map[string]int{}, index: index{}, home: w.Home, tickets: w.Tickets, regions: len(w.Regions) > 0}
	env, err := environment(w)
	if err != nil {
		return s, []policy.Problem{{File: "rules", Line: 1, Column: 1, Key: "file", What: "the language of rules cannot be set up: " + err.Error()}}
	}
	var problems []policy.Problem
	for _, file := range p.Names("rules") {
		l := loading{p: p, env: env, file: file}
		l.r.Name, l.r.File = strings.TrimSuffix(path.Base(file), ".yaml"), file
		_, l.problems = p.Decode(file, &l.r.Rule)
		if len(l.problems) == 0 {
			l.rule()
		}
		if len(l.problems) == 0 {
			s.put(l.r)
		}
		problems = append(problems, l.problems...)
	}
	return s, policy.Sort(problems)
}

// loading is one rule on its way.
type loading struct {
	p        *policy.Policy
	env      *cel.Env
	file     string
	r        compiled
	problems []policy.Problem
}

func (l *loading) wrong(key, what, allowed string) {
	l.problems = append(l.problems, l.p.Problem(l.file, key, what, allowed))
}

func (l *loading) rule() {
	if len(l.r.Rule.Group) == 0 {
		l.r.Rule.Group = []string{"actor.key"}
	}
	l.r.asksChange, l.r.asksTicket = l.r.Rule.asks(asksChange), l.r.Rule.asks(asksTicket)
	l.r.asksContent, l.r.asksOutcome = l.r.Rule.asks(asksContent), l.r.Rule.asks(asksOutcome)
	l.r.own = l.selection("", l.r.Matches, l.r.When, l.r.Rule.Group)
	l.window()
	l.alarm()
}

func (l *loading) selection(at string, matches []Match, when string, groups []string) selection {
	if len(matches) == 0 {
		l.wrong(at+"match", "chooses no entry", "a list of {service, method, stream, outcome}")
	}
	for i, m := range matches {
		l.match(key(at+"match", i), m)
	}
	s := selection{matches: ready(matches)}
	if when != "" {
		s.when = l.program(at+"when", when, cel.BoolType)
	}
	for i, g := range groups {
		s.group = append(s.group, l.program(key(at+"group", i), g, cel.StringType))
	}
	return s
}

func (l *loading) match(at string, m Match) {
	if len(m.Service)+len(m.Method)+len(m.Stream) == 0 {
		l.wrong(at, "chooses every entry", "at least one of service, method, stream")
	}
	for i, pattern := range m.Method {
		name := pattern[strings.LastIndexByte(pattern, '.')+1:]
		inner := strings.TrimPrefix(strings.TrimSuffix(name, "*"), "*")
		if inner == "" || strings.Contains(inner, "*") || strings.HasPrefix(name, "*") && strings.HasSuffix(name, "*") ||
			strings.Contains(pattern[:len(pattern)-len(name)], "*") {
			l.wrong(key(at+".method", i), "is not the end of a method", `a name such as setiampolicy, firewalls.insert, "*key" or "delete*"`)
		}
	}
	for i, stream := range m.Stream {
		l.among(key(at+".stream", i), stream, "activity", "data_access", "system_event", "policy", "access_transparency", "application")
	}
	for i, outcome := range m.Outcome {
		l.among(key(at+".outcome", i), outcome, string(auditlog.OK), string(auditlog.Denied), string(auditlog.Failed), string(auditlog.Partial), string(auditlog.Unclear))
	}
}

func (l *loading) among(at, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		l.wrong(at, "is unknown", strings.Join(allowed, ", "))
	}
}

func (l *loading) program(at, expression string, want *cel.Type) cel.Program {
	p, err := program(l.env, expression, want)
	if err != nil {
		l.wrong(at, err.Error(), "an expression of CEL that gives "+want.String())
	}
	return p
}

func (l *loading) alarm() {
	a := l.r.Alarm
	if a.Class != "" && !classes.MatchString(a.Class) {
		l.wrong("alarm.class", "is no class", "small letters and hyphens, such as public-exposure")
	}
	severities := []string{"critical", "high", "medium", "low", "info"}
	l.among("alarm.severity", string(a.Severity), severities...)
	if a.Text == (policy.Text{}) {
		l.wrong("alarm.text", "is empty", "one sentence in en, fr or de")
	}
	for i, c := range a.Cases {
		l.among(key("alarm.cases", i)+".severity", string(c.Severity), severities...)
		l.r.cases = append(l.r.cases, l.program(key("alarm.cases", i)+".when", c.When, cel.BoolType))
	}
	if a.Justify != "" {
		l.among("alarm.justify", string(a.Justify), string(ActorAnswers), string(NobodyAnswers))
	}
	for at, d := range map[string]interface {
		Exact() (time.Duration, bool)
		IsZero() bool
	}{"alarm.deadline": a.Deadline, "alarm.quiet": a.Quiet} {
		if length, exact := d.Exact(); !d.IsZero() && (!exact || length < time.Minute || length > 31*24*time.Hour) {
			l.wrong(at, "is not a span of hours", "from PT1M to PT744H")
		}
	}
}

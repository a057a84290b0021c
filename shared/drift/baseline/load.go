package baseline

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"

	"ostiary.internal/shared/policy"
)

// Set holds the assertions of a policy, ready to be judged. It is safe for concurrent use.
type Set struct {
	all   []compiled
	world World
	types map[string][]int // assertions by type of asset
}

// compiled is an assertion made ready.
type compiled struct {
	Assertion
	Name, File string
	when       cel.Program // nil: all
	asserts    []cel.Program
	versions   []version
	needs      []string // types of assets it looks for beside its own
	promised   bool     // by some promise of the policy
}

// version is an assertion as one promise wants it. Promises that want the same are one.
type version struct {
	promise  string // the first that wants it so; "" where none sets anything
	promises []string
	params   map[string]any
}

// Names returns the assertions, sorted.
func (s *Set) Names() []string {
	names := make([]string, len(s.all))
	for i, a := range s.all {
		names[i] = a.Name
	}
	slices.Sort(names)
	return names
}

// Promised returns the assertions that some promise of the policy is kept by. What is shared among companies holds more
// than each of them promised: data in the United States is no fault of a company that says so.
func (s *Set) Promised() *Set {
	out := &Set{world: s.world, types: map[string][]int{}}
	for _, c := range s.all {
		if !c.promised {
			continue
		}
		for _, t := range c.Asset {
			out.types[t] = append(out.types[t], len(out.all))
		}
		out.all = append(out.all, c)
	}
	return out
}

// Judges reports whether something is judged of an asset, "" for the company: what is the name of an assertion, with a promise
// behind a space where that has parameters of its own.
func (s *Set) Judges(asset, what string) bool {
	name, promise, _ := strings.Cut(what, " ")
	return slices.ContainsFunc(s.all, func(c compiled) bool {
		if c.Name != name {
			return false
		}
		// That there are too few is said of the company, whoever promised it.
		return asset == "" && promise == "" && len(c.Asset) > 0 || slices.ContainsFunc(c.versions, func(v version) bool { return v.promise == promise })
	})
}

// Get returns an assertion as it is written.
func (s *Set) Get(name string) (Assertion, bool) {
	at := slices.IndexFunc(s.all, func(c compiled) bool { return c.Name == name })
	if at < 0 {
		return Assertion{}, false
	}
	return s.all[at].Assertion, true
}

// Promises returns the promises that are kept by what a judgement judged; of the company as a whole, all that the assertion
// keeps.
func (s *Set) Promises(j Judgement) []string {
	var all []string
	for _, c := range s.all {
		for _, v := range c.versions {
			if c.Name == j.Assertion && (j.Promise == v.promise || j.Key == "" && len(c.Asset) > 0) {
				all = append(all, v.promises...)
			}
		}
	}
	return all
}

// Looks returns the types of assets that an assertion looks at, sorted.
func (s *Set) Looks(assertion string) []string {
	at := slices.IndexFunc(s.all, func(c compiled) bool { return c.Name == assertion })
	if at < 0 {
		return nil
	}
	all := slices.Sorted(slices.Values(slices.Concat(s.all[at].Asset, s.all[at].needs)))
	return slices.Compact(all)
}

// Needs returns the types of assets that an assertion asks for beside the one it is about.
func (s *Set) Needs(assertion string) []string {
	at := slices.IndexFunc(s.all, func(c compiled) bool { return c.Name == assertion })
	if at < 0 {
		return nil
	}
	return slices.Clone(s.all[at].needs)
}

// Types returns the types of assets that assertions look at, sorted: what has to be read.
func (s *Set) Types() []string {
	all := map[string]bool{}
	for _, a := range s.all {
		for _, t := range slices.Concat(a.Asset, a.needs) {
			all[t] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Load reads and compiles the assertions of a policy, and tells everything wrong with their shape. The set holds those that are
// right. Whether they say what their tests want is for Lint. A policy is compiled once: later calls return the same.
func Load(p *policy.Policy) (*Set, []policy.Problem) {
	l := policy.Once(p, "baseline", func() loaded {
		set, problems := loadIn(WorldOf(p), p)
		return loaded{set, problems}
	})
	return l.set, slices.Clone(l.problems)
}

type loaded struct {
	set      *Set
	problems []policy.Problem
}

func loadIn(w World, p *policy.Policy) (*Set, []policy.Problem) {
	s := &Set{world: w, types: map[string][]int{}}
	env, err := environment(w)
	if err != nil {
		return s, []policy.Problem{{File: "baseline", Line: 1, Column: 1, Key: "file", What: "the language of assertions cannot be set up: " + err.Error()}}
	}
	var problems []policy.Problem
	for _, file := range p.Names("baseline") {
		l := loading{p: p, env: env, file: file}
		l.c.Name, l.c.File = strings.TrimSuffix(path.Base(file), ".yaml"), file
		if _, l.problems = p.Decode(file, &l.c.Assertion); len(l.problems) == 0 {
			l.assertion()
		}
		if len(l.problems) == 0 {
			for _, t := range l.c.Asset {
				s.types[t] = append(s.types[t], len(s.all))
			}
			s.all = append(s.all, l.c)
		}
		problems = append(problems, l.problems...)
	}
	return s, policy.Sort(problems)
}

type loading struct {
	p        *policy.Policy
	env      *cel.Env
	file     string
	c        compiled
	problems []policy.Problem
}

func (l *loading) wrong(key, what, allowed string) {
	l.problems = append(l.problems, l.p.Problem(l.file, key, what, allowed))
}

// typed is how a type of asset is written.
var typed = regexp.MustCompile(`^[a-z0-9.]+\.(googleapis\.com|ostiary)/[A-Za-z0-9]+$`)

func (l *loading) assertion() {
	c := &l.c
	for i, t := range c.Asset {
		if !typed.MatchString(t) {
			l.wrong(fmt.Sprintf("asset[%d]", i), "is no type of asset", "a type of Cloud Asset Inventory, such as compute.googleapis.com/Firewall")
		}
	}
	if len(c.Assert) == 0 {
		l.wrong("assert", "asserts nothing", "at least one expression of CEL")
	}
	if c.Least < 0 || c.Least > 0 && len(c.Asset) == 0 {
		l.wrong("least", "counts nothing", "a number of assets, with asset")
	}
	if !slices.Contains([]policy.Severity{policy.Critical, policy.High, policy.Medium, policy.Low, policy.Info}, c.Severity) {
		l.wrong("severity", "is unknown", "critical, high, medium, low, info")
	}
	var missing []string
	for _, language := range []string{"en", "fr", "de"} {
		if strings.TrimSpace(c.What.In(language)) == "" {
			missing = append(missing, language)
		}
	}
	if len(missing) > 0 {
		l.wrong("what", "is not said in "+strings.Join(missing, ", "), "one sentence in each of en, fr and de")
	}
	if c.When != "" {
		c.when = l.program("when", c.When)
	}
	for i, expression := range c.Assert {
		c.asserts = append(c.asserts, l.program(fmt.Sprintf("assert[%d]", i), expression))
	}
	l.parameters()
}

func (l *loading) program(key, expression string) cel.Program {
	p, needs, err := program(l.env, expression)
	if err != nil {
		l.wrong(key, err.Error(), "an expression of CEL that is true or false")
	}
	l.c.needs = append(l.c.needs, needs...)
	return p
}

// parameters works out what each promise wants of the assertion.
func (l *loading) parameters() {
	c := &l.c
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		if _, err := read(c.Params[name].Is, c.Params[name].Default); err != nil {
			l.wrong("params."+name, "its default is not right: "+err.Error(), "is: text, list, number, days, hours or minutes, and a default of that sort")
			return
		}
	}
	plain, _ := c.with(nil)
	seen := map[string]int{}
	for _, promise := range l.p.Promises {
		if !keeps(promise, c.Name) {
			continue
		}
		c.promised = true
		params, err := c.with(promise.Params)
		if err != nil {
			l.problems = append(l.problems, l.p.ProblemOf(promise, "params", "do not fit the assertion "+c.Name+": "+err.Error(), "what "+c.File+" says of them"))
			continue
		}
		key := fmt.Sprint(params)
		if at, known := seen[key]; known {
			c.versions[at].promises = append(c.versions[at].promises, promise.ID)
			continue
		}
		v := version{params: params, promises: []string{promise.ID}}
		if key != fmt.Sprint(plain) {
			v.promise = promise.ID
		}
		seen[key] = len(c.versions)
		c.versions = append(c.versions, v)
	}
	if len(c.versions) == 0 {
		c.versions = []version{{params: plain}}
	}
}

func keeps(p policy.Promise, name string) bool {
	return slices.ContainsFunc(p.KeptBy, func(k policy.Keeper) bool { return k.Mechanism == policy.Assertion && slices.Contains(k.Refs, name) })
}

// with are the parameters with what a promise sets.
func (c *compiled) with(set map[string]policy.Param) (map[string]any, error) {
	out := map[string]any{}
	for name, p := range c.Params {
		from := p.From
		if from == "" {
			from = name
		}
		value, isSet := set[from]
		if !isSet {
			value = p.Default
		}
		v, err := read(p.Is, value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
		out[name] = v
	}
	return out, nil
}

// read reads a parameter.
func read(is string, p policy.Param) (any, error) {
	if is == "list" {
		return p.Values, nil
	}
	if len(p.Values) != 1 {
		return nil, fmt.Errorf("%q is not one value", p.String())
	}
	units := map[string]float64{"days": 86400, "hours": 3600, "minutes": 60}
	switch is {
	case "text":
		return p.Values[0], nil
	case "number":
		f, err := strconv.ParseFloat(strings.TrimSuffix(p.Values[0], "%"), 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", p.Values[0])
		}
		return f, nil
	case "days", "hours", "minutes":
		s, ok := length(p.Values[0])
		if !ok {
			return nil, fmt.Errorf("%q is no length of time, such as P30D", p.Values[0])
		}
		return s / units[is], nil
	}
	return nil, fmt.Errorf("%q is no sort of value", is)
}

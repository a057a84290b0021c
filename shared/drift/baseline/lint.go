package baseline

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/policy"
)

// Lint runs the tests of every assertion, in the company of [Fixture], and tells what does not come out as they want it. It
// also tells assertions without a case in order, one out of order, and one that cannot be told.
func Lint(p *policy.Policy) []policy.Problem {
	s, problems := loadIn(Fixture(), p)
	for i := range s.all {
		l := linting{p: p, s: s, c: &s.all[i]}
		l.tests()
		problems = append(problems, l.problems...)
	}
	return policy.Sort(problems)
}

// bare finds lists that are asked as if the service told of them always: it leaves out what is empty, and an error is no answer
// to whether there are any.
var bare = regexp.MustCompile(`\bdata((?:\.[A-Za-z_]\w*)+)\.(?:all|exists|exists_one)\(|\bsize\(\s*data((?:\.[A-Za-z_]\w*)+)\s*\)`)

type linting struct {
	p        *policy.Policy
	s        *Set
	c        *compiled
	problems []policy.Problem
}

func (l *linting) wrong(key, what, allowed string) {
	l.problems = append(l.problems, l.p.Problem(l.c.File, key, what, allowed))
}

// lists tells lists that are asked though they may be left out.
func (l *linting) lists() {
	for i, expression := range l.c.Assert {
		for _, found := range bare.FindAllStringSubmatch(expression, -1) {
			path := found[1] + found[2]
			asked, may := regexp.MustCompile(`has\((?:\w+\.)?data`+regexp.QuoteMeta(path)+`\)`), "data"+strings.ReplaceAll(path, ".", ".?")
			if !asked.MatchString(expression) && !strings.Contains(expression, may) {
				l.wrong(fmt.Sprintf("assert[%d]", i), "asks data"+path+" as if it were always there", may+".orValue([]), or has() before it")
			}
		}
	}
}

func (l *linting) tests() {
	l.lists()
	seen := map[Verdict]bool{}
	for i, t := range l.c.Tests {
		key := fmt.Sprintf("tests[%d]", i)
		if t.Name == "" || (t.Asset == nil) != (len(l.c.Asset) == 0) {
			l.wrong(key, "has no name, or not one asset", "name, want, and asset where the assertion is about one")
			continue
		}
		seen[t.Want] = true
		got, err := l.run(t)
		switch {
		case err != nil:
			l.wrong(key, err.Error(), "params as promises set them, assets as their API writes them")
		case got.Verdict != t.Want:
			what := "is " + string(got.Verdict)
			if got.Which > 0 {
				what += fmt.Sprintf(" by assert[%d]", got.Which-1)
			}
			if got.Why != "" {
				what += ": " + got.Why
			}
			l.wrong(key+".want", what, string(t.Want)+", as the test says")
		}
	}
	for _, v := range []Verdict{InOrder, OutOfOrder, Undetermined} {
		if !seen[v] {
			l.wrong("tests", "has none that is "+string(v), "at least one in_order, one out_of_order and one undetermined")
		}
	}
}

func (l *linting) run(t Test) (Judgement, error) {
	inventory := asset.NewInventory()
	read := map[string]bool{}
	var first string
	for i, one := range cases(t) {
		if one.Type == "" && len(l.c.Asset) > 0 {
			one.Type = l.c.Asset[0]
		}
		a, err := one.asset()
		if err != nil {
			return Judgement{}, err
		}
		if i == 0 && t.Asset != nil {
			first = a.Key
		}
		if one.Name != "" { // a type alone: it was read, and there is none
			inventory.Add(a)
		}
		read[one.Type] = true
	}
	params, err := l.c.with(renamed(l.c.Params, t.Params))
	if err != nil {
		return Judgement{}, err
	}
	live := &Live{Inventory: inventory, Now: midday, Read: func(kind string) bool { return read[kind] }}
	var about *asset.Asset
	if t.Asset != nil {
		about, _ = inventory.Get("", first)
		if about == nil {
			return Judgement{}, fmt.Errorf("its asset has no name")
		}
	}
	return l.c.version(l.s, version{params: params}, about, live), nil
}

// renamed gives the parameters of a test, under the assertion's own names, the names of promises.
func renamed(declared map[string]Parameter, set map[string]policy.Param) map[string]policy.Param {
	out := map[string]policy.Param{}
	for name, value := range set {
		if from := declared[name].From; from != "" {
			name = from
		}
		out[name] = value
	}
	return out
}

func cases(t Test) []Case {
	if t.Asset == nil {
		return t.Others
	}
	return append([]Case{*t.Asset}, t.Others...)
}

// asset is a case as Cloud Asset Inventory would tell it.
func (c Case) asset() (asset.Asset, error) {
	project := c.Project
	if project == "" {
		project = "company-live"
	}
	service, _, _ := strings.Cut(c.Type, "/")
	a := asset.Asset{Type: c.Type, Project: project, Location: c.Location, Read: midday, Ancestors: append([]string{"projects/" + project}, c.Ancestors...)}
	name := "//" + service + "/projects/" + project + "/" + c.Name
	switch {
	case c.Type == "storage.googleapis.com/Bucket":
		name = "//" + service + "/" + c.Name
	case strings.HasPrefix(c.Name, "//"):
		name = c.Name
		if asset.ProjectOf(name) == "" { // above projects
			a.Project, a.Ancestors = "", c.Ancestors
		}
	case strings.HasSuffix(c.Type, "/Project"):
		name = "//" + service + "/projects/" + project
	case c.Type == folderType || c.Type == organizationType:
		name, a.Project, a.Ancestors = "//"+service+"/"+c.Name, "", append([]string{c.Name}, c.Ancestors...)
	}
	a.Key = asset.NewNames().Key(c.Type, name)
	if c.Data != nil {
		// Written out and read again, so that a test's numbers are those of JSON.
		data, err := json.Marshal(c.Data)
		if err != nil {
			return a, fmt.Errorf("its data cannot be written as JSON")
		}
		if err := json.Unmarshal(data, &a.Data); err != nil {
			return a, fmt.Errorf("its data cannot be read as JSON")
		}
	}
	if c.IAM != nil || c.Audit != nil {
		a.IAM = &asset.Policy{Read: midday}
		for _, g := range c.IAM {
			a.IAM.Grant(g.Role, g.Condition, g.Members...)
		}
		for _, l := range c.Audit {
			a.IAM.Audit = append(a.IAM.Audit, asset.Audit{Service: l.Service, Type: l.Type, Exempt: l.Exempt})
		}
	}
	return a, nil
}

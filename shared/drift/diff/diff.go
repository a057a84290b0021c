// Package diff compares what Terraform wants with what there is on Google Cloud, by meaning.
//
// # What it promises
//
// What is written in two ways and means the same is equal: lists without order, defaults of the service, blocks that say
// nothing, numbers in quotes, units of time, ranges of addresses and ports that cover the same, members bound in two
// bindings. What is other is told with its direction: looser, stricter, or nobody knows. What no rule compares, a type or
// an attribute that says something, is told as a gap, and never counts as equal. Of a sensitive value nothing is told but a
// salted digest.
//
// # What it does not do
//
// It repairs nothing and asks nobody: who changed something, and whether that was agreed to, is for others to say.
package diff

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/policy"
)

type severity = policy.Severity

// Options change what a comparison tells.
type Options struct {
	Salt      []byte // of digests of sensitive values; at least 16 bytes
	Unmanaged bool   // tell what Terraform does not know, of the types it knows some of
	// Agents reports whether a resource was made by Google itself, such as the network "default".
	Agents func(*asset.Asset) bool
	// Staging reports whether a project is for tests: what is found there weighs one step less; nil: none is.
	Staging func(project string) bool
	// Holds says what a resource holds, such as personal data, so that what is other there and not stricter weighs one step
	// more; "" is nothing anybody spoke of, a is nil for what is not there. nil: of nothing.
	Holds func(kind, key string, a *asset.Asset) string
	// Doubt reports whether there may be more assets of a type than were read; nil: of none.
	Doubt func(kind string) bool
}

// Compare compares. The inventory has to be settled.
func Compare(d Desired, live *asset.Inventory, o Options) Result {
	found := compare(d, live, o)
	if d.Applied != nil {
		found.result.pending(compare(Desired{Resources: d.Applied}, live, o))
	}
	return found.result
}

func compare(d Desired, live *asset.Inventory, o Options) *comparison {
	c := &comparison{live: live, o: o, gaps: map[Gap]int{}, policies: map[string]*grants{}, known: map[string]bool{}, types: map[string]bool{}, read: map[place]bool{}}
	c.result.Compared, c.result.Other = map[string]int{}, d.Other
	for _, a := range live.All() {
		c.read[place{a.Type, projectOf(a.Key, a.Project)}] = true
	}
	for _, r := range d.Resources {
		c.resource(r)
	}
	for _, key := range slices.Sorted(maps.Keys(c.policies)) {
		c.grants(c.policies[key])
	}
	if o.Unmanaged {
		c.unmanaged()
	}
	for gap, n := range c.gaps {
		gap.Count = n
		c.result.Gaps = append(c.result.Gaps, gap)
	}
	slices.SortFunc(c.result.Gaps, func(a, b Gap) int { return strings.Compare(a.Type+"\x00"+a.Field, b.Type+"\x00"+b.Field) })
	slices.SortStableFunc(c.result.Findings, func(a, b Finding) int {
		return strings.Compare(a.Key+"\x00"+a.Field+"\x00"+a.Got, b.Key+"\x00"+b.Field+"\x00"+b.Got)
	})
	return c
}

type comparison struct {
	live     *asset.Inventory
	o        Options
	result   Result
	gaps     map[Gap]int
	policies map[string]*grants
	known    map[string]bool // keys Terraform knows
	types    map[string]bool // of assets Terraform knows some of
	read     map[place]bool  // where something was read
}

// place is a type of assets in a project. A project of which nothing of a type was read may be one nobody may list.
type place struct{ kind, project string }

func projectOf(key, said string) string { return cmp.Or(asset.ProjectOf(key), said) }

// sure reports whether what was not read is not there: others of its type were, in its project, and all of them.
func (c *comparison) sure(k kind, r Resource, key string) bool {
	project, _ := r.Values["project"].(string)
	return c.read[place{k.asset, projectOf(key, project)}] && (c.o.Doubt == nil || !c.o.Doubt(k.asset))
}

// find tells a difference. What became stricter is worth a look, not a night; of what nobody can tell the direction of, one
// step less than of what became looser.
func (c *comparison) find(f Finding) {
	switch {
	case f.Direction == Tightened:
		f.Severity = low
	case f.Direction == Unclear && f.Severity == critical:
		f.Severity = high
	}
	if c.o.Staging != nil && c.o.Staging(c.project(f)) {
		f.Severity = f.Severity.Less()
	}
	c.holds(&f)
	c.result.Findings = append(c.result.Findings, f)
}

// holds weighs a difference of what holds data of people, or secrets: one step more, where it is not stricter.
func (c *comparison) holds(f *Finding) {
	if c.o.Holds == nil || f.Class == Undetermined || f.Direction == Tightened {
		return
	}
	a, _ := c.live.Get(f.Type, f.Key)
	if f.Data = c.o.Holds(f.Type, f.Key, a); f.Data != "" {
		f.Severity = f.Severity.More()
	}
}

// project is where what a difference is about lies; "" where nobody says.
func (c *comparison) project(f Finding) string {
	if a, there := c.live.Get(f.Type, f.Key); there && a.Project != "" {
		return a.Project
	}
	return asset.ProjectOf(f.Key)
}

func (c *comparison) resource(r Resource) {
	if b, is := boundOf(r.Type); is {
		c.result.Compared[r.Type]++
		c.bound(r, b)
		return
	}
	k, known := kinds[r.Type]
	if !known {
		c.gaps[Gap{Type: r.Type}]++
		return
	}
	key := k.key(r, c.live.Names())
	if key == "" {
		c.find(Finding{Type: k.asset, Address: r.Address, Class: Undetermined, Severity: medium, Why: Unnamed})
		return
	}
	c.result.Compared[r.Type]++
	c.known[key], c.types[k.asset] = true, true
	a, there := c.live.Get(k.asset, key)
	switch {
	case there && a.Deleted, !there && c.sure(k, r, key):
		direction, weight := k.gone(r.Values)
		c.find(Finding{Key: key, Type: k.asset, Address: r.Address, Class: Missing, Direction: direction, Severity: weight})
	case !there:
		c.find(Finding{Key: key, Type: k.asset, Address: r.Address, Class: Undetermined, Severity: high,
			Why: Unlisted})
	case a.Data == nil && len(k.fields) > 0:
		c.find(Finding{Key: key, Type: k.asset, Address: r.Address, Class: Undetermined, Severity: medium, Why: Unread})
	default:
		c.fields(r, k, a)
	}
	c.uncompared(r, k)
}

func (c *comparison) fields(r Resource, k kind, a *asset.Asset) {
	for _, f := range k.fields {
		found := Finding{Key: a.Key, Type: a.Type, Address: r.Address, Class: Changed, Field: f.name(), Severity: f.severity}
		want, err1 := f.value(r.Values, f.want)
		got, err2 := f.value(a.Data, f.got)
		switch {
		case err1 != nil || err2 != nil:
			found.Class, found.Why = Undetermined, Shape
			c.find(found)
			continue
		case want == got, !said(r.Values, f.want):
			continue
		}
		switch found.Direction = Unclear; {
		case f.weigh != nil:
			found.Direction = f.weigh(r.Values, a.Data)
		case f.toward != nil:
			found.Direction = f.toward(want, got)
		}
		found.Want, found.Got = want, got
		if hide := c.shown(r, f); hide != nil {
			found.Want, found.Got, found.Secret = hide(want), hide(got), !f.address || r.secret(f.want)
		}
		c.find(found)
	}
}

// said reports whether a state says anything about a path, if only that there is nothing. What it has no word for is
// of a newer provider than wrote it, and nobody wanted it to be anything.
func said(v any, paths string) bool {
	return slices.ContainsFunc(strings.Split(paths, "|"), func(path string) bool {
		v := v
		for _, name := range strings.Split(path, ".") {
			if list, is := v.([]any); is {
				if len(list) == 0 {
					return true
				}
				v = list[0]
			}
			m, is := v.(map[string]any)
			if !is {
				return true
			}
			if v, is = m[name]; !is {
				return false
			}
		}
		return true
	})
}

// name is what a field is called: the last of its paths.
func (f field) name() string { return f.want[strings.LastIndex(f.want, "|")+1:] }

func (f field) value(from map[string]any, path string) (string, error) {
	if s, several, err := ofContainers(from, path, f.is); several {
		return s, err
	}
	v, err := at(from, path)
	if err != nil {
		return "", err
	}
	s, err := f.is(v)
	if err == nil && s == "" {
		s = f.fallback
	}
	return s, err
}

// uncompared tells attributes that say something and that no rule looks at.
func (c *comparison) uncompared(r Resource, k kind) {
	var walk func(v any, path string)
	walk = func(v any, path string) {
		if none(v) || v == false || k.looks(path) {
			return
		}
		switch x := v.(type) {
		case map[string]any:
			if path == "" || k.inside(path) {
				for name, inner := range x {
					walk(inner, strings.TrimPrefix(path+"."+name, "."))
				}
				return
			}
		case []any:
			if k.inside(path) {
				for _, inner := range x {
					walk(inner, path)
				}
				return
			}
		}
		c.gaps[Gap{Type: r.Type, Field: path}]++
	}
	walk(r.Values, "")
}

// looks reports whether an attribute is compared, or need not be.
func (k kind) looks(path string) bool {
	covers := func(p string) bool { return path == p || strings.HasPrefix(path, p+".") }
	return slices.ContainsFunc(k.fields, func(f field) bool { return slices.ContainsFunc(strings.Split(f.want, "|"), covers) }) ||
		slices.ContainsFunc(k.ignored, covers) || slices.Contains(always, path)
}

// inside reports whether something below an attribute is compared, or need not be.
func (k kind) inside(path string) bool {
	below := func(p string) bool { return strings.HasPrefix(p, path+".") }
	return slices.ContainsFunc(k.fields, func(f field) bool { return below(f.want) }) || slices.ContainsFunc(k.ignored, below)
}

func (c *comparison) bound(r Resource, b bound) {
	key := b.key(r, c.live.Names())
	if key == "" {
		c.find(Finding{Type: b.asset, Address: r.Address, Class: Undetermined, Severity: high, Why: Unnamed})
		return
	}
	g := c.policies[key]
	if g == nil {
		g = &grants{key: key, kind: b.asset, addresses: map[string]string{}, audit: map[string]asset.Audit{}, audits: map[string]string{}}
		c.policies[key] = g
	}
	g.take(r, b.form)
}

func (c *comparison) grants(g *grants) {
	for _, address := range g.unread {
		c.find(Finding{Key: g.key, Type: g.kind, Address: address, Class: Undetermined, Severity: high, Why: Unnamed})
	}
	a, there := c.live.Get(g.kind, g.key)
	if !there || a.IAM == nil {
		c.find(Finding{Key: g.key, Type: g.kind, Class: Undetermined, Field: "iam", Severity: high, Why: UsersUnread})
		return
	}
	for _, f := range g.compare(a.IAM) {
		c.find(f)
	}
}

// unmanaged tells what there is and Terraform does not know, of types it knows some of.
func (c *comparison) unmanaged() {
	for _, a := range c.live.All() {
		if c.types[a.Type] && !c.known[a.Key] && (c.o.Agents == nil || !c.o.Agents(a)) {
			c.find(Finding{Key: a.Key, Type: a.Type, Class: Unmanaged, Direction: Unclear, Severity: medium})
		}
	}
}

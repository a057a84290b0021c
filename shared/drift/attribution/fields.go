package attribution

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/veil"
)

// fields are the fields of a request that are otherwise than before; left: it has no mask, and leaves some out.
func fields(request asset.Object, was *asset.Asset, shown veil.Veil) (all []finding.Change, left bool) {
	var before asset.Object
	if was != nil {
		before = was.Data
	}
	c := &comparing{shown: shown, mask: masked(request), unsure: before == nil}
	c.left = c.unsure && len(c.mask) == 0
	c.object("", body(request, before, c.mask), before)
	return c.all, c.left
}

// comparing compares a request with what was before.
type comparing struct {
	shown  veil.Veil
	mask   []string
	unsure bool
	left   bool
	all    []finding.Change
}

// deepest is how deep a request is looked into field by field; what lies deeper is one value.
const deepest = 8

func (c *comparing) object(path string, asked, was asset.Object) {
	now := asset.Object{} // by what the asset calls it
	for name, value := range asked {
		now[called(name, was)] = value
	}
	names := maps.Clone(now)
	c.masked(path, names, was)
	for name, value := range was {
		_, named := now[name]
		c.left = c.left || len(c.mask) == 0 && !named && text(value) != "" && (path != "" || !slices.Contains(addressing, name))
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		at := strings.TrimPrefix(path+"."+name, ".")
		if path == "" && slices.Contains(addressing, name) || !c.means(at) {
			continue
		}
		inner, is := now[name].(asset.Object)
		is = is || now[name] == nil && slices.ContainsFunc(c.mask, func(m string) bool { return below(m, at) })
		if is && !veil.Closed(at, now[name]) && strings.Count(at, ".") < deepest {
			before, _ := was[name].(asset.Object)
			c.object(at, inner, before)
			continue
		}
		if len(c.all) <= MostAsked {
			c.value(at, now[name], was[name])
		}
	}
}

// masked adds to the names of an object those that a mask is about: a request leaves out what it sets to nothing.
func (c *comparing) masked(path string, names, was asset.Object) {
	for _, m := range c.mask {
		rest, inside := m, path == ""
		if !inside {
			rest, inside = strings.CutPrefix(m, path+".")
		}
		switch {
		case inside:
			name, _, _ := strings.Cut(rest, ".")
			names[name] = nil
		case m == path || below(path, m):
			for name := range was {
				names[name] = nil
			}
		}
	}
}

// means reports whether a field is one the request is about.
func (c *comparing) means(path string) bool { return len(c.mask) == 0 || touches(c.mask, path) }

func (c *comparing) value(at string, asked, was any) {
	// The veil covers both again: what the watch passed on is no reason to show it.
	now, before := c.shown.Over(at, asked), c.shown.Over(at, was)
	mine, named := members(now)
	theirs, also := members(before)
	if !named || !also || c.unsure || len(mine)+len(theirs) == 0 {
		c.told(at, now, before)
		return
	}
	// Of what nobody can tell there is one line, however many may be as they were.
	blind := false
	names := maps.Clone(theirs)
	maps.Copy(names, mine)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if _, hidden := c.differs(mine[name], theirs[name]); hidden {
			blind = true
			continue
		}
		c.told(at, mine[name], theirs[name])
	}
	if blind {
		c.all = append(c.all, finding.Change{Field: short(at, c.shown), Was: veil.Hidden, Now: veil.Hidden, Unsure: true})
	}
}

func (c *comparing) told(at string, now, before any) {
	differs, hidden := c.differs(now, before)
	if differs || c.unsure {
		c.all = append(c.all, finding.Change{Field: short(at, c.shown), Was: short(text(before), c.shown), Now: short(text(now), c.shown), Unsure: c.unsure || hidden})
	}
}

// differs reports whether two values may be otherwise, and whether nobody can tell, for what is hidden in them is all that is.
func (c *comparing) differs(now, before any) (differs, hidden bool) {
	one, other := text(now), text(before)
	hidden = text(blank(now)) == text(blank(before)) && strings.Contains(one+other, veil.Hidden)
	return one != other || hidden, hidden
}

// mark is what stands for a value that is not shown, where it can be told from another.
var mark = regexp.MustCompile(`hmac:[0-9a-f]{16}`)

// blank is a value in which what is not shown cannot be told apart.
func blank(v any) any {
	switch v := v.(type) {
	case string:
		return mark.ReplaceAllString(v, veil.Hidden)
	case []any:
		all := make([]any, len(v))
		for i, one := range v {
			all[i] = blank(one)
		}
		return all
	case asset.Object:
		all := make(asset.Object, len(v))
		for name, one := range v {
			all[name] = blank(one)
		}
		return all
	}
	return v
}

// members are the objects of a list by their names, or keys; false where some have none, or one twice. Nothing is a list of none.
func members(v any) (asset.Object, bool) {
	list, is := v.([]any)
	all := asset.Object{}
	for _, one := range list {
		o, _ := one.(asset.Object)
		name, _ := o["name"].(string)
		if key, keyed := o["key"].(string); keyed && name == "" {
			name = key
		}
		if _, twice := all[name]; twice || name == "" {
			return nil, false
		}
		all[name] = one
	}
	return all, is || v == nil
}

// text is a value on one line: lists without an order that means anything, and nothing for what services leave out to say no.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if !v {
			return ""
		}
		return "true"
	case float64:
		if v == 0 {
			return ""
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		all := make([]string, len(v))
		for i, one := range v {
			all[i] = text(one)
		}
		slices.Sort(all)
		return strings.Join(all, ", ")
	}
	raw, err := json.Marshal(v)
	if err != nil || string(raw) == "{}" {
		return ""
	}
	return string(raw)
}

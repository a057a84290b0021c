package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/terraform/configuration"
)

// Origins are the instances that an attribute of a resource comes from, by reading its expression: through locals, inputs and
// outputs of modules, and for_each. Where an index picks one of several, that one is meant; where it cannot be read from the text
// which one, all are. Attribute is a path of nested blocks.
func (p *Plan) Origins(r *Resource, attribute ...string) []*Resource {
	s, err := p.root.module(r.Module)
	if err != nil {
		return nil
	}
	block, found := s.folder.Find("resource", r.Type, r.Name)
	if !found {
		return nil
	}
	expression, found := block.Expression(attribute...)
	if !found {
		return nil
	}
	t := &tracer{plan: p, seen: map[string]bool{}}
	return t.follow(place{s, block, r.Key}, expression, nil)
}

// Expression is what stands for an attribute in the configuration, and nothing where it is left out.
func (p *Plan) Expression(r *Resource, attribute ...string) string {
	block, found := p.Block(r)
	if !found {
		return ""
	}
	expression, _ := block.Expression(attribute...)
	return expression
}

// place is where an expression stands: in a module, and perhaps in one instance of a block with for_each.
type place struct {
	*scope
	block configuration.Block
	key   string
}

type tracer struct {
	plan *Plan
	seen map[string]bool // against values that follow from themselves
}

// follow are the instances behind what an expression holds at a path of keys and attributes.
func (t *tracer) follow(at place, expression string, path []string) []*Resource {
	mark := fmt.Sprint(at.address, "|", at.key, "|", at.block.Line, at.block.File, "|", expression, "|", path)
	if t.seen[mark] {
		return nil
	}
	t.seen[mark] = true
	defer delete(t.seen, mark)

	if single, whole := configuration.Single(expression); whole {
		return t.resolve(at, single, path)
	}
	if len(path) > 0 {
		if entries, written := configuration.Object(expression); written {
			var all []*Resource
			for _, e := range entries {
				if e.Key == path[0] || e.Key == "("+path[0]+")" {
					all = append(all, t.follow(at, e.Value, path[1:])...)
				}
			}
			return all
		}
		if arguments, called := configuration.Call(expression, "merge"); called {
			return t.merged(at, arguments, path)
		}
	}
	var all []*Resource
	for _, r := range configuration.References(expression) {
		all = append(all, t.resolve(at, r, nil)...)
	}
	return narrow(unique(all), path)
}

// merged are the instances behind one key of objects that are merged: of one that is written out where it has the key, the last
// counting most.
func (t *tracer) merged(at place, arguments, path []string) []*Resource {
	for _, each := range slices.Backward(arguments) {
		entries, _ := configuration.Object(each)
		if slices.ContainsFunc(entries, func(e configuration.Entry) bool { return e.Key == path[0] }) {
			return t.follow(at, each, path)
		}
	}
	var all []*Resource
	for _, each := range arguments {
		all = append(all, t.follow(at, strings.TrimSuffix(each, "..."), path)...)
	}
	return narrow(unique(all), path)
}

// resolve are the instances behind a reference. What an expression makes of a whole module, and names bound by a for, it does not
// follow: they lead to none, and a rule that needs one complains.
func (t *tracer) resolve(at place, r configuration.Reference, path []string) []*Resource {
	rest := func(from int) []string {
		var keys []string
		for _, step := range r.Steps[min(from, len(r.Steps)):] {
			key := step.Name
			if step.Index != "" {
				key = at.evaluate(step.Index)
			}
			if key == "" || key == "*" {
				break // which one cannot be read from the text
			}
			keys = append(keys, key)
		}
		return append(keys, path...)
	}
	switch name := r.Steps[0].Name; r.Root {
	case "each":
		if name == "value" {
			return t.follow(place{at.scope, configuration.Block{}, ""}, at.block.Attributes["for_each"], append([]string{at.key}, rest(1)...))
		}
	case "count":
	case "local":
		if expression, found := at.folder.Local(name); found {
			return t.follow(place{at.scope, configuration.Block{}, ""}, expression, rest(1))
		}
	case "var":
		if at.parent != nil {
			if expression, given := at.call.Attributes[name]; given {
				return t.follow(place{at.parent, at.call, at.scope.key}, expression, rest(1))
			}
		}
	case "module":
		return t.output(at, name, rest(1), len(r.Steps) > 1 && r.Steps[1].Index != "")
	default:
		return t.instances(at, r, rest(1))
	}
	return nil
}

// output are the instances behind an output of a module called here: of one instance of it, or of all.
func (t *tracer) output(at place, name string, path []string, indexed bool) []*Resource {
	keys := []string{""}
	call, _ := at.folder.Find("module", name)
	if _, many := call.Attributes["for_each"]; many {
		keys = t.plan.keysOf(at.scope, name)
		if indexed && len(path) > 0 {
			keys, path = []string{path[0]}, path[1:]
		}
	}
	if len(path) == 0 {
		return nil
	}
	var all []*Resource
	for _, key := range keys {
		child, err := at.child(name, key)
		if err != nil {
			continue
		}
		if output, found := child.folder.Find("output", path[0]); found {
			all = append(all, t.follow(place{child, output, ""}, output.Attributes["value"], path[1:])...)
		}
	}
	return unique(all)
}

// keysOf are the keys of the instances of a module that hold something in the plan.
func (p *Plan) keysOf(s *scope, name string) []string {
	begin := "module." + name
	if s.address != "" {
		begin = s.address + "." + begin
	}
	var keys []string
	for _, r := range p.Resources {
		if rest, found := strings.CutPrefix(r.Module, begin); found {
			if key := moduleForm.FindStringSubmatch("module." + name + rest); key != nil && !slices.Contains(keys, key[2]+key[3]) {
				keys = append(keys, key[2]+key[3])
			}
		}
	}
	return keys
}

// instances are those of a resource in a module: the one with the first key of the path, where one has it.
func (t *tracer) instances(at place, r configuration.Reference, path []string) []*Resource {
	var all []*Resource
	for _, each := range t.plan.Resources {
		if each.Module == at.address && each.Type == r.Root && each.Name == r.Steps[0].Name {
			all = append(all, each)
		}
	}
	return narrow(all, path)
}

// narrow keeps the instance with a key, where one has it: maps of resources go by the keys of their for_each.
func narrow(all []*Resource, path []string) []*Resource {
	if len(path) == 0 {
		return all
	}
	var kept []*Resource
	for _, r := range all {
		if r.Key == path[0] {
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 {
		return all
	}
	return kept
}

func unique(all []*Resource) []*Resource {
	var kept []*Resource
	for _, r := range all {
		if !slices.Contains(kept, r) {
			kept = append(kept, r)
		}
	}
	return kept
}

// set tells whether for_each goes over a set, whose values are its keys.
func (at place) set() bool {
	each := at.block.Attributes["for_each"]
	if r, whole := configuration.Single(each); whole && r.Root == "local" {
		each, _ = at.folder.Local(r.Steps[0].Name)
	}
	return strings.Contains(each, "toset(")
}

var template = regexp.MustCompile(`\$\{([^{}]*)\}`)

// evaluate is the key that an index means, as far as the text says: a string or a number written out, each.key and
// count.index, and strings made of these. Nothing where more would have to be known.
func (at place) evaluate(index string) string {
	index = strings.TrimSpace(index)
	switch {
	case index == "*":
		return "*"
	case index == "each.key", index == "count.index":
		return at.key
	case index == "each.value":
		if at.set() {
			return at.key
		}
		return ""
	case index != "" && strings.Trim(index, "0123456789") == "":
		return index
	case !strings.HasPrefix(index, `"`):
		return ""
	}
	known := true
	text := template.ReplaceAllStringFunc(configuration.Unquote(index), func(part string) string {
		value := at.evaluate(part[2 : len(part)-1])
		known = known && value != "" && value != "*"
		return value
	})
	if !known || strings.Contains(text, "%{") {
		return ""
	}
	return text
}

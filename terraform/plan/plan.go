// Package plan reads what terraform show -json says of a plan, as far as rules need it: every resource as it will be, which of
// its attributes are only known once it is there, and, from the configuration beside it, where such an attribute comes from.
package plan

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"ostiary.internal/terraform/configuration"
)

// Resource is one instance of a resource, as it will be after the plan is applied.
type Resource struct {
	Address string // module.function["deliver"].google_pubsub_topic.dead[0]
	Module  string // module.function["deliver"], and nothing in the root
	Mode    string // managed or data
	Type    string
	Name    string
	Key     string // of count or for_each, as text; nothing where there is one instance
	Actions []string
	Values  map[string]any // without what is only known after the apply; of what goes away, as it is
	Unknown map[string]any // true in the place of what is
}

// Plan is a plan and the configuration it was made of.
type Plan struct {
	Resources []*Resource // without those that are only deleted
	Deleted   []*Resource // those, and those that are made anew: they are in both lists
	Variables map[string]any
	root      *scope
}

// Shown is what terraform show -json prints of a plan, as far as it is read here.
type Shown struct {
	Variables map[string]Variable `json:"variables"`
	Changes   []Change            `json:"resource_changes"`
}

// Variable is what a variable was given.
type Variable struct {
	Value any `json:"value"`
}

// Change is what becomes of one instance of a resource.
type Change struct {
	Address string `json:"address"`
	Module  string `json:"module_address,omitempty"`
	Mode    string `json:"mode"`
	Type    string `json:"type"`
	Name    string `json:"name"`
	Index   any    `json:"index,omitempty"`
	Change  struct {
		Actions []string       `json:"actions"`
		Before  map[string]any `json:"before,omitempty"`
		After   map[string]any `json:"after"`
		Unknown any            `json:"after_unknown"` // false where the resource goes away
	} `json:"change"`
}

// Read reads a plan, and the configuration of the folder it was made in: a path below tree, as environments/staging.
func Read(text []byte, tree fs.FS, folder string) (*Plan, error) {
	var in Shown
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("reading the plan: %w: give what terraform show -json prints", err)
	}
	return in.Open(tree, folder)
}

// Open puts what is shown of a plan beside the configuration it was made of.
func (in Shown) Open(tree fs.FS, folder string) (*Plan, error) {
	if len(in.Changes) == 0 {
		return nil, fmt.Errorf("the plan holds no resource: give what terraform show -json prints of a plan file")
	}
	p := &Plan{Variables: map[string]any{}}
	for name, v := range in.Variables {
		p.Variables[name] = v.Value
	}
	for _, c := range in.Changes {
		r := &Resource{Address: c.Address, Module: c.Module, Mode: c.Mode, Type: c.Type, Name: c.Name, Key: keyText(c.Index), Actions: c.Change.Actions, Values: c.Change.After}
		r.Unknown, _ = c.Change.Unknown.(map[string]any)
		if r.Values == nil {
			r.Values = c.Change.Before // it goes away
		}
		deleted := slices.Contains(r.Actions, "delete")
		if deleted {
			p.Deleted = append(p.Deleted, r)
		}
		if !deleted || len(r.Actions) > 1 {
			p.Resources = append(p.Resources, r)
		}
	}
	root, err := open(tree, folder)
	if err != nil {
		return nil, err
	}
	p.root = root
	return p, nil
}

// keyText is an index as it stands in an address, without quotes.
func keyText(index any) string {
	switch v := index.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// Of are the managed resources of some types.
func (p *Plan) Of(types ...string) []*Resource {
	var all []*Resource
	for _, r := range p.Resources {
		for _, kind := range types {
			if r.Type == kind && r.Mode != "data" {
				all = append(all, r)
			}
		}
	}
	return all
}

// At is what is known at a path of an attribute; the first of a block where it is not said which.
func (r *Resource) At(path ...string) any { return at(r.Values, path) }

func at(value any, path []string) any {
	for _, step := range path {
		if list, ok := value.([]any); ok {
			if len(list) == 0 {
				return nil
			}
			value = list[0]
		}
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[step]
	}
	return value
}

// Text is the known string at a path, or nothing.
func (r *Resource) Text(path ...string) string {
	text, _ := r.At(path...).(string)
	return text
}

// Number is the known number at a path, or -1.
func (r *Resource) Number(path ...string) int {
	if n, ok := r.At(path...).(float64); ok {
		return int(n)
	}
	return -1
}

// True tells whether true is known at a path.
func (r *Resource) True(path ...string) bool { return r.At(path...) == true }

// Texts are the known strings of a list at a path.
func (r *Resource) Texts(path ...string) []string {
	list, _ := r.At(path...).([]any)
	var all []string
	for _, v := range list {
		if text, ok := v.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

// List are the blocks at a path.
func (r *Resource) List(path ...string) []any {
	list, _ := r.At(path...).([]any)
	return list
}

// Pending is what stands at a path of the attributes that are only known after the apply.
func (r *Resource) Pending(path ...string) any { return at(r.Unknown, path) }

// Later tells whether what stands at a path is only known after the apply, all of it or in part.
func (r *Resource) Later(path ...string) bool { return contains(r.Pending(path...)) }

func contains(unknown any) bool {
	switch v := unknown.(type) {
	case bool:
		return v
	case []any:
		for _, each := range v {
			if contains(each) {
				return true
			}
		}
	case map[string]any:
		for _, each := range v {
			if contains(each) {
				return true
			}
		}
	}
	return false
}

// Block is the configuration that the resource is an instance of.
func (p *Plan) Block(r *Resource) (configuration.Block, bool) {
	s, err := p.root.module(r.Module)
	if err != nil {
		return configuration.Block{}, false
	}
	return s.folder.Find("resource", r.Type, r.Name)
}

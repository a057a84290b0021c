package rule

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"ostiary.internal/shared/watch/auditlog"
)

// Facts are what a rule may ask of the company beside the entry and the policy.
type Facts interface {
	// Listed reports whether an address was on the live allow-list at a time.
	Listed(ctx context.Context, ip string, at time.Time) (bool, error)
}

// view shows one entry to CEL. What costs something is worked out when first asked for, and once for all rules.
// It is used by one goroutine.
type view struct {
	ctx   context.Context
	e     *auditlog.Entry
	facts Facts
	home  bool // World.Home
	known map[string]ref.Val

	access     *access // what the entry changes of who may do what; nil until it is worked out
	open       bool    // an open ticket covers the entry
	ticketed   bool    // open was worked out
	unticketed bool    // nobody knows of the ticket

	failed error // of facts
}

// access is what an entry changes of who may do what.
type access struct {
	change auditlog.Delta
	maybe  auditlog.Delta // what it may change, and why that cannot be told
	why    string
	unsure bool // change and maybe have changed places
}

// changes is what expressions see.
func (v *view) changes() auditlog.Delta {
	if v.access == nil {
		return auditlog.Delta{}
	}
	return v.access.change
}

// ResolveName implements cel.Activation.
func (v *view) ResolveName(name string) (any, bool) {
	if value, done := v.known[name]; done {
		return value, true
	}
	variable, ok := variables[name]
	if !ok {
		return nil, false
	}
	if v.e.Part() && v.misses(name) {
		return types.WrapErr(errParts), true
	}
	value := variable.of(v)
	if variable.keep {
		if v.known == nil {
			v.known = map[string]ref.Val{}
		}
		v.known[name] = value
	}
	return value, true
}

// errParts is what an expression ends with that needs what a missing part may hold.
var errParts = errors.New("parts of the entry are missing")

// misses reports whether what a name stands for may be in a part of the entry that is missing.
func (v *view) misses(name string) bool {
	switch name {
	case "request", "response", "metadata", "payload", "metadata_keys", "ranges", "delta", "blinding", "unsure":
		return true
	case "resource":
		return v.e.Resource == ""
	case "asset":
		return v.e.Asset == ""
	case "location":
		return v.e.Location == "" && !strings.Contains(v.e.Resource, "/global/") // of what is made, the request may say where
	}
	return false
}

// Parent implements cel.Activation.
func (v *view) Parent() cel.Activation { return nil }

// listed answers the variable of that name; without Facts it is an error, so that the rule is undetermined.
func (v *view) listed() ref.Val {
	if v.facts == nil {
		return types.WrapErr(errors.New("the allow-list is not known here"))
	}
	listed, err := v.facts.Listed(v.ctx, v.e.IP, v.e.Time)
	if err != nil {
		v.failed = err
		return types.WrapErr(err)
	}
	return types.Bool(listed)
}

// ours returns what an entry in a trial takes for the company's own: the domain of whoever began the call, and the
// project it happened in.
func (v *view) ours() []string {
	if !v.home {
		return nil
	}
	home := []string{v.e.Project}
	for _, who := range v.e.Actor.All() {
		if _, domain, ok := strings.Cut(who.Email, "@"); ok && who.Kind == auditlog.Human {
			return append(home, domain)
		} else if project, known := accountProject(who.Email); known && who.Kind == auditlog.Service {
			home = append(home, project)
		}
	}
	return home
}

// people returns the addresses of the people in a call: the caller, or those behind an account. A person whom another
// provider vouches for has a principal identifier instead.
func people(a auditlog.Actor) (all []string) {
	for _, who := range a.All() {
		switch {
		case who.Kind == auditlog.Human:
			all = append(all, who.Email)
		case who.Kind == auditlog.Federated && strings.Contains(who.Email+who.Subject, "/workforcePools/"):
			all = append(all, who.Email+who.Subject) // a pool of people, not of programs
		}
	}
	return all
}

// names returns everything the entry calls what was acted on: services differ in where they write it.
func names(e *auditlog.Entry) []string {
	all := []string{e.Resource}
	for _, label := range e.ResourceLabels {
		all = append(all, label)
	}
	for _, p := range e.Permissions {
		all = append(all, p.Resource)
	}
	return all
}

// metadataKeys returns the keys of Compute metadata that a call set: the log has no more of them.
func metadataKeys(e *auditlog.Entry) (all []string) {
	metadata := tree(e.Metadata).Value()
	for _, of := range []string{"instanceMetadataDelta", "projectMetadataDelta"} {
		for _, keys := range []string{"addedMetadataKeys", "modifiedMetadataKeys"} {
			all = append(all, Strings(metadata, of+"."+keys)...)
		}
	}
	return all
}

// machinery reports whether nobody but Google's own accounts and systems had a hand in a call.
func machinery(a auditlog.Actor) bool {
	for _, who := range a.All() {
		if who.Kind != auditlog.Agent && who.Kind != auditlog.System {
			return false
		}
	}
	return true
}

// tree decodes a sub-tree. What is not there is an empty mapping, so that text and items find nothing in it.
func tree(raw json.RawMessage) ref.Val {
	var value any
	if len(raw) == 0 || json.Unmarshal(raw, &value) != nil || value == nil {
		value = map[string]any{}
	}
	return types.DefaultTypeAdapter.NativeToValue(value)
}

func texts(all []string) ref.Val { return types.NewStringList(types.DefaultTypeAdapter, all) }

func mapping(m map[string]string) ref.Val {
	return types.NewStringStringMap(types.DefaultTypeAdapter, m)
}

// chain returns the keys of everybody a call went through, first caller first.
func chain(a auditlog.Actor) []string {
	var keys []string
	for _, identity := range a.All() {
		switch {
		case identity.Email != "":
			keys = append(keys, identity.Email)
		case identity.Subject != "":
			keys = append(keys, identity.Subject)
		}
	}
	return keys
}

// delta returns the change of access as mappings with change (added or removed), role, member and condition. Where a
// service logs the whole policy only and no earlier one is known, all of it counts as added: unsure says so.
func (v *view) delta() ref.Val {
	changes := []map[string]string{}
	add := func(change string, bindings []auditlog.Binding) {
		for _, b := range bindings {
			changes = append(changes, map[string]string{"change": change, "role": b.Role, "member": b.Member, "condition": b.Condition})
		}
	}
	add("added", v.changes().Added)
	add("removed", v.changes().Removed)
	return types.NewDynamicList(types.DefaultTypeAdapter, changes)
}

// blinding returns changes of what the Data Access logs hold: change (added, removed), service, log, exempted.
func (v *view) blinding() ref.Val {
	changes := []map[string]string{}
	for _, a := range v.changes().Audit {
		change := "added"
		if a.Removed {
			change = "removed"
		}
		changes = append(changes, map[string]string{"change": change, "service": a.Service, "log": a.LogType, "exempted": a.Exempted})
	}
	return types.NewDynamicList(types.DefaultTypeAdapter, changes)
}

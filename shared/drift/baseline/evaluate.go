package baseline

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/policy"
)

// maxCost bounds one evaluation, in CEL's own units: about one per operation and per member of a list.
const maxCost = 5_000_000

// Live is what there is, as the assertions of one set look at it. It remembers what it worked out, and is not safe for
// concurrent use.
type Live struct {
	Inventory *asset.Inventory
	// Read reports whether assets of a type were read at all, though there may be none; nil: only those there are some of.
	Read func(kind string) bool
	// Partly reports whether there are assets of a type that are known to be there, or may be, and could not be read: what is true of none
	// of the others may be true of those. Nil: of no type.
	Partly func(kind string) bool
	Now    time.Time

	facts  map[*asset.Asset]map[string]any
	lists  map[string]ref.Val
	staged map[string]bool // folders and organizations in which projects lie, by whether all of them are for tests
}

// named returns the names an asset gives expressions.
func (l *Live) named(w World, a *asset.Asset) map[string]any {
	if l.facts == nil {
		l.facts = map[*asset.Asset]map[string]any{}
	}
	m, known := l.facts[a]
	if !known {
		m = l.fields(w, a)
		l.facts[a] = m
	}
	return m
}

// of returns the assets of a type; false where nobody knows whether there are any.
func (l *Live) of(kind string) ([]*asset.Asset, bool) {
	all := l.Inventory.Of(kind)
	return all, len(all) > 0 || l.Read != nil && l.Read(kind)
}

// Judge judges one asset by every assertion about its type.
func (s *Set) Judge(a *asset.Asset, l *Live) []Judgement {
	var all []Judgement
	for _, i := range s.types[a.Type] {
		all = append(all, s.all[i].judge(s, a, l)...)
	}
	return all
}

// Scan judges everything: each asset by the assertions about its type, and the company by the others. What should be there
// and is not, and what could not be read, is told of the company.
func (s *Set) Scan(l *Live) []Judgement {
	var all []Judgement
	for i := range s.all {
		c := &s.all[i]
		if len(c.Asset) == 0 {
			all = append(all, c.judge(s, nil, l)...)
			continue
		}
		judged, unread := 0, []string(nil)
		for _, kind := range c.Asset {
			assets, known := l.of(kind)
			if !known && !c.says(kind) {
				unread = append(unread, kind)
			}
			for _, a := range assets {
				found := c.judge(s, a, l)
				if !slices.ContainsFunc(found, func(j Judgement) bool { return j.Verdict == Exempt }) {
					judged++
				}
				all = append(all, found...)
			}
		}
		whole := Judgement{Assertion: c.Name, Severity: c.Severity}
		switch {
		case len(unread) > 0:
			whole.Verdict, whole.Why = Undetermined, "nothing of this was read: "+strings.Join(unread, ", ")
			all = append(all, whole)
		case judged < c.Least:
			whole.Verdict, whole.Count, whole.Why = OutOfOrder, judged, fmt.Sprintf("%d < %d", judged, c.Least)
			all = append(all, whole)
		}
	}
	return all
}

// says reports whether an assertion says by itself, of each of its assets, that something of a type above it was not read:
// where there is no folder none has to be.
func (c *compiled) says(kind string) bool {
	return (kind == folderType || kind == organizationType) && slices.Contains(c.needs, kind)
}

func (c *compiled) judge(s *Set, a *asset.Asset, l *Live) []Judgement {
	all := make([]Judgement, 0, len(c.versions))
	for _, v := range c.versions {
		all = append(all, c.version(s, v, a, l))
	}
	return all
}

func (c *compiled) version(s *Set, v version, a *asset.Asset, l *Live) Judgement {
	view := &view{world: s.world, live: l, a: a, params: v.params}
	j := Judgement{Assertion: c.Name, Promise: v.promise, Severity: c.Severity, Verdict: InOrder}
	if a != nil {
		j.Key = a.Key
		if s.Staging(a.Project) {
			j.Severity = j.Severity.Less()
		}
		if j.Data = s.Holds(a.Type, a.Key, a); j.Data != "" {
			j.Severity = j.Severity.More()
		}
	}
	defer func() { j.Read = view.oldest }()
	if c.when != nil {
		is, err := holds(c.when, view)
		switch {
		case err != nil:
			j.Verdict, j.Why = Undetermined, err.Error()
			return j
		case !is:
			j.Verdict = Exempt
			return j
		}
	}
	// Out of order by one is out of order, whatever cannot be told by another.
	for i, assert := range c.asserts {
		view.others = nil
		is, err := holds(assert, view)
		switch {
		case err != nil && j.Verdict == InOrder:
			j.Verdict, j.Which, j.Why = Undetermined, i+1, err.Error()
		case err == nil && !is:
			if j.Verdict != OutOfOrder {
				j.Verdict, j.Which, j.Why = OutOfOrder, i+1, ""
			}
			j.Failing, j.Others = append(j.Failing, i+1), append(j.Others, view.others...)
		}
	}
	j.Read = view.oldest
	return j
}

// Fails reports whether one expression of an assertion (from 1), as a promise wants it, is not true of an asset that need not be
// one of those there are.
func (s *Set) Fails(j Judgement, which int, a *asset.Asset, l *Live) bool {
	for i := range s.all {
		c := &s.all[i]
		if c.Name != j.Assertion || which < 1 || which > len(c.asserts) {
			continue
		}
		at := slices.IndexFunc(c.versions, func(v version) bool { return v.promise == j.Promise })
		if at < 0 {
			return false
		}
		is, err := holds(c.asserts[which-1], &view{world: s.world, live: l, a: a, params: c.versions[at].params, own: l.fields(s.world, a)})
		return err == nil && !is
	}
	return false
}

func holds(p cel.Program, v *view) (bool, error) {
	out, _, err := p.Eval(v)
	if err != nil {
		return false, errors.New(strings.ReplaceAll(err.Error(), "\n", " "))
	}
	b, is := out.(types.Bool)
	if !is {
		return false, errors.New("it is neither true nor false")
	}
	return bool(b), nil
}

// view is what an expression sees: one asset, or the company.
type view struct {
	world  World
	live   *Live
	a      *asset.Asset
	params map[string]any
	oldest time.Time
	own    map[string]any // the names of a, where the company does not remember them
	others []*asset.Asset // what was looked at beside it
}

var _ interpreter.Activation = (*view)(nil)

// Parent is none.
func (v *view) Parent() interpreter.Activation { return nil }

// looked remembers how old what was looked at is.
func (v *view) looked(at time.Time) {
	if v.oldest.IsZero() || at.Before(v.oldest) {
		v.oldest = at
	}
}

// ResolveName returns what a name stands for. What was not read is not there, so that whatever needs it is an error.
func (v *view) ResolveName(name string) (any, bool) {
	switch name {
	case "params":
		return v.params, true
	case "now":
		return v.live.Now, true
	case "assets_":
		return lookup{v}, true
	}
	if v.a == nil {
		return nil, false
	}
	names := v.own
	if names == nil {
		names = v.live.named(v.world, v.a)
	}
	fact, known := names[name]
	switch {
	case !known:
	case name == "iam", name == "audit":
		v.looked(v.a.IAM.Read)
	case name == "data":
		v.looked(v.a.Read)
	}
	return fact, known
}

// fields are the facts of an asset. data, iam and audit are left out where they were not read.
func (l *Live) fields(w World, a *asset.Asset) map[string]any {
	kind := string(w.Projects[a.Project])
	m := map[string]any{"key": a.Key, "type": a.Type, "name": asset.Base(a.Key), "project": a.Project, "environment": kind, "live": kind != string(policy.Staging) && !l.tests(w, a), "location": a.Location, "ancestors": a.Ancestors}
	if a.Data != nil {
		m["data"] = a.Data
		if a.Location == "" {
			for _, name := range []string{"location", "region"} {
				if s, is := a.Data[name].(string); is && s != "" {
					m["location"] = s
					break
				}
			}
		}
	}
	if a.IAM == nil {
		return m
	}
	iam, audit := []any{}, []any{}
	for _, b := range a.IAM.Bindings {
		iam = append(iam, map[string]any{"role": b.Role, "members": b.Members, "condition": b.Condition})
	}
	for _, l := range a.IAM.Audit {
		audit = append(audit, map[string]any{"service": l.Service, "type": l.Type, "exempt": l.Exempt})
	}
	m["iam"], m["audit"] = iam, audit
	return m
}

package intake

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/duty"
)

const sourcesFile = "services.yaml"

// Check finds what no event could ever prove: a promise of a source that nothing it may send counts for, because no
// check or duty of the promise takes it, or because the promise sets a limit that it does not measure; and duties of one
// promise that the same event would do.
func Check(p *policy.Policy, rules duty.Rules) []policy.Problem {
	var problems []policy.Problem
	dangling := func(file, key, what, allowed string) {
		problem := p.Problem(file, key, what, allowed)
		problem.Dangling = true
		problems = append(problems, problem)
	}
	for i, source := range p.Sources {
		for j, id := range source.Promises {
			promise, exists := p.Promise(id)
			if !exists {
				continue // said where it is loaded
			}
			var lacks []string
			if slices.ContainsFunc(source.Types, func(eventType string) bool {
				takes, without := Takes(p, rules, source, promise, eventType)
				lacks = append(lacks, without...)
				return takes
			}) {
				continue
			}
			what, allowed := "nothing this source may send proves "+id, "a promise whose checks or duties take a type of the source"
			if len(lacks) > 0 {
				slices.Sort(lacks)
				what = "nothing this source may send measures " + strings.Join(slices.Compact(lacks), ", ") + " of " + id
				allowed = "a type that measures it, or a promise kept by a duty or a statement"
			}
			dangling(sourcesFile, fmt.Sprintf("sources[%d].promises[%d]", i, j), what, allowed)
		}
	}
	for i, d := range rules.Duties {
		for j, n := range d.Evidence {
			if d.Requested() && n.About != "" && !slices.Contains(sorts(n.Type), n.About) {
				dangling(duty.File, fmt.Sprintf("duties[%d].evidence[%d]", i, j), "no event for a request is about "+n.About, strings.Join(sorts(n.Type), ", "))
			}
		}
	}
	for _, promise := range p.Promises {
		for _, i := range alike(promise, rules) {
			dangling(duty.File, fmt.Sprintf("duties[%d].evidence", i), "one event does this duty and another of "+promise.ID, "{type, about}, with something else for each")
		}
	}
	return problems
}

// Takes reports whether an event of a type can count for a promise of its source, when it names the promise and says all
// it may. lacks are the parameters for whose sake no check of the promise takes it.
func Takes(p *policy.Policy, rules duty.Rules, from policy.Source, promise policy.Promise, eventType string) (takes bool, lacks []string) {
	k := kinds[eventType]
	promise.Params = limits(p, promise)
	for _, keeper := range promise.KeptBy {
		for _, ref := range keeper.Refs {
			switch keeper.Mechanism {
			case policy.Records:
				if !k.feeds(ref, promise, true) {
					continue
				}
				without := k.lacks(promise.Params)
				lacks, takes = append(lacks, without...), takes || len(without) == 0
			case policy.Duty, policy.Certificate:
				d, known := rules.Duty(ref)
				takes = takes || known && d.Hears(eventType) && speaksForAll(p, from, d)
			}
		}
	}
	return takes, lacks
}

// sorts are what an event for a request may be about, besides what was asked for.
func sorts(eventType string) []string {
	if eventType == "backup.restored" {
		return []string{restUnchanged}
	}
	kind, _ := reflect.TypeFor[ScanFinished]().FieldByName("Kind")
	return strings.Split(kind.Tag.Get("enum"), ",")
}

// alike are the places of the duties of a promise, but for the first, that an event of another of them would do too.
func alike(promise policy.Promise, rules duty.Rules) []int {
	var seen []duty.Needed
	var found []int
	for i, d := range rules.Duties {
		if d.Requested() || !slices.ContainsFunc(promise.KeptBy, func(k policy.Keeper) bool {
			return (k.Mechanism == policy.Duty || k.Mechanism == policy.Certificate) && slices.Contains(k.Refs, d.ID)
		}) {
			continue
		}
		if slices.ContainsFunc(d.Machines(), func(n duty.Needed) bool {
			return slices.ContainsFunc(seen, func(o duty.Needed) bool { return n.Fits(o.Type, o.About) || o.Fits(n.Type, n.About) })
		}) {
			found = append(found, i)
		}
		seen = append(seen, d.Machines()...)
	}
	return found
}

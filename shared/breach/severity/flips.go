package severity

import (
	"maps"
	"slices"
	"strconv"
)

// Flip is one answer that, were it another, would change the level or what is presumed: where a second look is worth it.
type Flip struct {
	Input string `json:"input"` // such as cb.confidentiality
	From  string `json:"from"`
	To    string `json:"to"` // the nearest value that changes anything
	After
}

// After is what a Flip would lead to.
type After struct {
	SE          Quarters    `json:"se"`
	Level       Level       `json:"level"`
	Presumption Presumption `json:"presumption"`
}

// flips tries every single change: of a value to the next ones above and below, of the number of people across the
// thresholds of the triggers, and of each yes or no.
func flips(in Input, now Score) []Flip {
	all := []Flip{}
	try := func(input, from, to string, change func(*Input)) bool {
		other := in.clone()
		change(&other)
		then := other.score()
		if then.Level == now.Level && then.Presumption == now.Presumption {
			return false
		}
		all = append(all, Flip{input, from, to, After{then.SE, then.Level, then.Presumption}})
		return true
	}
	values := func(input string, at Quarters, list []Quarters, set func(*Input, Quarters)) {
		for _, side := range neighbours(at, list) {
			for _, q := range side {
				if try(input, at.String(), q.String(), func(o *Input) { set(o, q) }) {
					break
				}
			}
		}
	}
	for _, class := range slices.Sorted(maps.Keys(in.DPC)) {
		values("dpc."+string(class), in.DPC[class].Value, enisa.DPC[class].Values.values(), func(o *Input, q Quarters) { o.DPC[class] = Rating{Value: q} })
	}
	for _, name := range slices.Sorted(maps.Keys(in.EI)) {
		values("ei."+name, in.EI[name], enisa.EI[name].values(), func(o *Input, q Quarters) { o.EI[name] = q })
	}
	for _, name := range Circumstances() {
		values("cb."+name, *in.CB.part(name), enisa.CB[name].values(), func(o *Input, q Quarters) { *o.CB.part(name) = q })
	}
	for _, side := range numbers(in.People) {
		for _, n := range side {
			if try("people", people(in.People), strconv.FormatInt(n, 10), func(o *Input) { o.People = &n }) {
				break
			}
		}
	}
	try("unintelligible", strconv.FormatBool(in.Unintelligible), strconv.FormatBool(!in.Unintelligible), func(o *Input) { o.Unintelligible = !o.Unintelligible })
	try("key_compromised", strconv.FormatBool(in.KeyCompromised), strconv.FormatBool(!in.KeyCompromised), func(o *Input) { o.KeyCompromised = !o.KeyCompromised })
	names, _ := Facts()
	for _, fact := range names {
		has := slices.Contains(in.Facts, fact)
		try("facts."+fact, strconv.FormatBool(has), strconv.FormatBool(!has), func(o *Input) {
			if has {
				o.Facts = slices.DeleteFunc(o.Facts, func(f string) bool { return f == fact })
			} else {
				o.Facts = append(o.Facts, fact)
			}
		})
	}
	return all
}

// neighbours returns the values above one, nearest first, and those below.
func neighbours(at Quarters, list []Quarters) [2][]Quarters {
	var sides [2][]Quarters
	for _, q := range list {
		switch {
		case q > at:
			sides[0] = append(sides[0], q)
		case q < at:
			sides[1] = append([]Quarters{q}, sides[1]...)
		}
	}
	return sides
}

// thresholds are the numbers of people on either side of where a trigger begins.
func thresholds() []int64 {
	var all []int64
	for _, t := range triggers.Triggers {
		if n := t.When.PeopleOver; n > 0 {
			all = append(all, n, n+1)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// numbers are the thresholds above a number of people, nearest first, and those below; of one that is not known, all.
func numbers(at *int64) (sides [2][]int64) {
	all := thresholds()
	if at == nil {
		sides[0] = all
		return sides
	}
	for _, n := range all {
		switch {
		case n > *at:
			sides[0] = append(sides[0], n)
		case n < *at:
			sides[1] = append([]int64{n}, sides[1]...)
		}
	}
	return sides
}

func people(n *int64) string {
	if n == nil {
		return "unknown"
	}
	return strconv.FormatInt(*n, 10)
}

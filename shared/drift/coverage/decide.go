package coverage

import "slices"

// Bounds of one answer; beyond them nobody can tell.
const (
	maxCubes = 2000
	maxSteps = 5000
)

// within says whether every entry that one filter lets through passes the other, given what is known of the entries.
func within(wanted, pass *expr, known []literal) Verdict {
	cubes, bounded := disjunction(wanted, false)
	if !bounded {
		return Undetermined
	}
	d := &deciding{steps: maxSteps}
	out := Covered
	for _, cube := range cubes {
		if v := d.decide(pass, slices.Concat(known, cube)); v == NotCovered {
			return NotCovered
		} else if v == Undetermined {
			out = Undetermined
		}
	}
	return out
}

// disjunction writes a filter as literals of which one list has to hold; false where there are too many.
func disjunction(e *expr, inverted bool) ([][]literal, bool) {
	switch {
	case e.op == is:
		return [][]literal{{{e.atom, inverted}}}, true
	case e.op == not:
		return disjunction(e.args[0], !inverted)
	}
	if (e.op == any_) != inverted {
		var out [][]literal
		for _, a := range e.args {
			cubes, bounded := disjunction(a, inverted)
			if out = append(out, cubes...); !bounded || len(out) > maxCubes {
				return nil, false
			}
		}
		return out, true
	}
	out := [][]literal{nil}
	for _, a := range e.args {
		cubes, bounded := disjunction(a, inverted)
		if !bounded || len(out)*len(cubes) > maxCubes {
			return nil, false
		}
		var next [][]literal
		for _, o := range out {
			for _, c := range cubes {
				if both := slices.Concat(o, c); can(both) != no {
					next = append(next, both)
				}
			}
		}
		out = next
	}
	return out, true
}

type deciding struct{ steps int }

// decide looks at entries as the literals say: all of them pass, one of them does not, or nobody can tell.
func (d *deciding) decide(pass *expr, cube []literal) Verdict {
	possibly := can(cube)
	if d.steps--; d.steps < 0 && possibly != no {
		return Undetermined
	}
	if possibly == no {
		return Covered
	}
	value, open := evaluate(pass, cube)
	switch {
	case open == nil && value:
		return Covered
	case open == nil && possibly == yes:
		return NotCovered
	case open == nil:
		return Undetermined
	}
	out := Covered
	for _, inverted := range []bool{true, false} {
		if v := d.decide(pass, append(slices.Clip(cube), literal{*open, inverted})); v == NotCovered {
			return NotCovered
		} else if v == Undetermined {
			out = Undetermined
		}
	}
	return out
}

// evaluate says whether a filter lets entries pass of which the literals are all that is known, or by which atom it depends.
func evaluate(e *expr, cube []literal) (bool, *atom) {
	switch e.op {
	case is:
		switch {
		case can(append(slices.Clip(cube), literal{e.atom, true})) == no:
			return true, nil
		case can(append(slices.Clip(cube), literal{e.atom, false})) == no:
			return false, nil
		}
		return false, &e.atom
	case not:
		value, open := evaluate(e.args[0], cube)
		return !value, open
	}
	var depends *atom
	for _, a := range e.args {
		value, open := evaluate(a, cube)
		switch {
		case open != nil && (depends == nil || depends.field == ""): // what can be told first, or nothing could be
			depends = open
		case open == nil && value == (e.op == any_):
			return value, nil
		}
	}
	return e.op == all, depends
}

package policy

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"ostiary.internal/shared/calendar"
)

// Mechanism is a way of keeping a promise. What its references mean is in the comment of each.
type Mechanism string

const (
	Rule        Mechanism = "rule"        // files of rules/, without .yaml
	Assertion   Mechanism = "assertion"   // files of baseline/, without .yaml
	Records     Mechanism = "records"     // checks whose evidence records count
	Probe       Mechanism = "probe"       // probes that look from outside
	Duty        Mechanism = "duty"        // ids of duties.yaml
	Statement   Mechanism = "statement"   // roles of which one signs
	Certificate Mechanism = "certificate" // names of documents on file
	Rollup      Mechanism = "rollup"      // ids of promises that must all be kept
)

const allowedMechanisms = "rule, assertion, records, probe, duty, statement, certificate, rollup"

// Keeper is what keeps a promise: one mechanism and what it refers to. Where a promise has several, all count.
type Keeper struct {
	Mechanism Mechanism
	Refs      []string
}

// UnmarshalYAML reads one key, a mechanism, and one reference or a list of them.
func (k *Keeper) UnmarshalYAML(n *yaml.Node) error {
	const allowed = "one of " + allowedMechanisms + ", each with a name or a list of names"
	if n.Kind != yaml.MappingNode {
		return Mistake("is not a mechanism", allowed)
	}
	entries := pairs(n)
	if len(entries) != 1 {
		return Mistake("names "+strconv.Itoa(len(entries))+" mechanisms", allowed)
	}
	name := entries[0].name.Value
	if !slices.Contains(strings.Split(allowedMechanisms, ", "), name) {
		return Mistake(quote(name)+" is not a mechanism"+Meant(name, strings.Split(allowedMechanisms, ", ")), allowed)
	}
	refs, err := scalars(entries[0].value)
	if err != nil {
		return Mistake("refers to nothing that is a name", allowed)
	}
	k.Mechanism, k.Refs = Mechanism(name), refs
	for _, ref := range refs {
		switch {
		case k.Mechanism == Statement && !IsRole(Role(ref)):
			return Mistake(quote(ref)+" is not a role that could sign"+Meant(ref, strings.Split(allowedRoles, ", ")), allowedRoles)
		case k.Mechanism == Rollup && !promiseForm.MatchString(ref):
			return Mistake(quote(ref)+" is not the id of a promise", "ids of promises")
		case k.Mechanism != Rollup && !isID(ref):
			return Mistake(quote(ref)+" is not a name", allowedID)
		}
	}
	return nil
}

// Param is a number, a period or a name that a check works with: one value, a list, or a bound.
type Param struct {
	Op     string // "" for the value itself, ">=" or "<=" for a bound
	Values []string
}

// UnmarshalYAML reads a value, a list of values, or a bound such as ">=3" or "<=PT5M".
func (p *Param) UnmarshalYAML(n *yaml.Node) error {
	values, err := scalars(n)
	if err != nil {
		return Mistake("is not a parameter", `a value, a list of values, or a bound such as ">=3"`)
	}
	p.Values = values
	for _, op := range []string{">=", "<="} {
		if rest, bound := strings.CutPrefix(values[0], op); bound {
			if len(values) > 1 || rest == "" {
				return Mistake("is not a bound", `one value, such as ">=3"`)
			}
			p.Op, p.Values = op, []string{rest}
		}
	}
	return nil
}

// String returns the form of the policy file: values joined by commas, behind the bound.
func (p Param) String() string { return p.Op + strings.Join(p.Values, ",") }

// Int returns the parameter as a whole number. Errors: it is none, or a list.
func (p Param) Int() (int, error) {
	if len(p.Values) != 1 {
		return 0, errors.New("reading a parameter as a whole number: not one value")
	}
	return strconv.Atoi(p.Values[0])
}

// Period returns the parameter as an ISO 8601 duration. Errors: it is none, or a list.
func (p Param) Period() (calendar.Period, error) {
	if len(p.Values) != 1 {
		return calendar.Period{}, errors.New("reading a parameter as a period: not one value")
	}
	return calendar.ParsePeriod(p.Values[0])
}

// scalars returns the text of a plain value, or of each item of a list of plain values; never none.
func scalars(n *yaml.Node) ([]string, error) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var values []string
	for _, item := range items {
		item = resolve(item)
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" || !isName(item.Value) {
			return nil, errors.New("not a plain value")
		}
		values = append(values, item.Value)
	}
	if len(values) == 0 {
		return nil, errors.New("an empty list")
	}
	return values, nil
}

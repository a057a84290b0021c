package baseline

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// values are the functions of the language about values alone.
func values() []cel.EnvOption {
	s, d := cel.StringType, cel.DynType
	return []cel.EnvOption{
		// within(location, areas): EU, or the beginnings of regions.
		cel.Function("within", cel.Overload("within_areas", []*cel.Type{s, d}, cel.BoolType, cel.BinaryBinding(func(at, areas ref.Val) ref.Val {
			list, err := strs(areas)
			if err != nil {
				return types.NewErr("areas: %v", err)
			}
			if text(at) == "" {
				return types.NewErr("the location was not read")
			}
			return types.Bool(within(text(at), list))
		}))),
		// internet(range): some address of the internet lies in it.
		cel.Function("internet", cel.Overload("internet_range", []*cel.Type{d}, cel.BoolType, cel.UnaryBinding(func(r ref.Val) ref.Val {
			open, known := internet(text(r))
			if !known {
				return types.NewErr("%q is no range of addresses", text(r))
			}
			return types.Bool(open)
		}))),
		// rules(data): the rules of a firewall, or of a firewall policy, that are in force.
		cel.Function("rules", cel.Overload("rules_data", []*cel.Type{d}, cel.ListType(cel.MapType(s, d)), cel.UnaryBinding(rules))),
		// seconds(length): 3600s, P30D, a number, or one as a text.
		cel.Function("seconds", cel.Overload("seconds_length", []*cel.Type{d}, cel.DoubleType, cel.UnaryBinding(seconds))),
		// number(value): a number, or one as a text.
		cel.Function("number", cel.Overload("number_value", []*cel.Type{d}, cel.DoubleType, cel.UnaryBinding(number))),
		// untold(why): nobody can tell, and why.
		cel.Function("untold", cel.Overload("untold_why", []*cel.Type{s}, cel.BoolType, cel.UnaryBinding(func(why ref.Val) ref.Val { return types.NewErr("%s", text(why)) }))),
		// listed(name, list): it is in the list, or begins as one with a star does.
		cel.Function("listed", cel.Overload("listed_name", []*cel.Type{d, d}, cel.BoolType, cel.BinaryBinding(listed))),
		// last(name): the last part of a name or a link.
		cel.Function("last", cel.Overload("last_part", []*cel.Type{d}, s, cel.UnaryBinding(func(v ref.Val) ref.Val {
			all := text(v)
			return types.String(all[strings.LastIndexByte(all, '/')+1:])
		}))),
	}
}

func text(v ref.Val) string {
	s, _ := v.(types.String)
	return string(s)
}

func number(v ref.Val) ref.Val {
	switch n := v.(type) {
	case types.Double:
		return n
	case types.Int:
		return types.Double(n)
	case types.String:
		var f float64
		if _, err := fmt.Sscanf(string(n), "%g", &f); err == nil {
			return types.Double(f)
		}
	}
	return types.NewErr("no number")
}

func seconds(v ref.Val) ref.Val {
	if s, is := v.(types.String); is {
		if n, ok := length(string(s)); ok {
			return types.Double(n)
		}
	}
	if d, is := v.(types.Duration); is {
		return types.Double(d.Duration.Seconds())
	}
	return number(v)
}

func listed(name, list ref.Val) ref.Val {
	all, err := strs(list)
	if err != nil || name.Type() != types.StringType {
		return types.NewErr("what is held against a list is no text")
	}
	return types.Bool(slices.ContainsFunc(all, func(one string) bool {
		begin, star := strings.CutSuffix(one, "*")
		return star && strings.HasPrefix(text(name), begin) || one == text(name)
	}))
}

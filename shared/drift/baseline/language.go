package baseline

import (
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
)

// environment is the language of assertions. Names: key, type, name, project, environment (live, staging, ""), live (not
// known to be staging), location, ancestors, data (as the API writes it), iam and audit (lists of {role, members,
// condition} and {service, type, exempt}), params, now. Of the company only params and now.
func environment(w World) (*cel.Env, error) {
	s, d, l := cel.StringType, cel.DynType, cel.ListType(cel.StringType)
	maps := cel.ListType(cel.MapType(s, d))
	options := []cel.EnvOption{
		ext.Strings(), ext.Lists(), cel.OptionalTypes(), // data.?settings.?tier.orValue(""): what may be left out
		cel.Variable("key", s), cel.Variable("type", s), cel.Variable("name", s), cel.Variable("project", s), cel.Variable("environment", s), cel.Variable("live", cel.BoolType),
		cel.Variable("location", s), cel.Variable("ancestors", l), cel.Variable("data", d), cel.Variable("iam", maps), cel.Variable("audit", maps),
		cel.Variable("params", d), cel.Variable("now", cel.TimestampType), cel.Variable("assets_", d),

		// assets(type): all of a type, with the names above; asset(type, name): one. What was not read is an error.
		cel.Macros(look("assets", 1), look("asset", 2), look("covered", 1), look("human", 1), look("outside", 1), timed("role", 2)),
		cel.Function("assets", cel.Overload("assets_all", []*cel.Type{d, s}, cel.ListType(cel.MapType(s, d)), cel.BinaryBinding(func(k, kind ref.Val) ref.Val {
			return k.Value().(lookup).all(text(kind))
		}))),
		cel.Function("asset", cel.Overload("asset_one", []*cel.Type{d, s, s}, cel.MapType(s, d), cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			return args[0].Value().(lookup).one(text(args[1]), text(args[2]))
		}))),
		// covered(filter): of a project, the log sinks let through what the filter does.
		cel.Function("covered", cel.Overload("covered_filter", []*cel.Type{d, s}, cel.BoolType, cel.BinaryBinding(func(k, need ref.Val) ref.Val {
			return k.Value().(lookup).covered(text(need))
		}))),

		is("public", public),           // public(member): everybody
		of("human", company.human),     // human(member): a person, a group, a domain, a pool of somebody else's
		of("outside", company.outside), // outside(member): of none of the company's domains and projects
		is("google", machinery),        // google(member): an agent of a service of Google's
		cel.Function("role_at", cel.Overload("role_member", []*cel.Type{s, s, cel.TimestampType}, cel.BoolType, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			member := text(args[0])
			if strings.HasPrefix(member, "group:") || strings.HasPrefix(member, "principalSet:") {
				return types.NewErr("who is in %s was not read", member)
			}
			return types.Bool(w.role(member, text(args[1]), args[2].(types.Timestamp).Time))
		}))),
		cel.Function("staging", cel.Overload("staging_project", []*cel.Type{s}, cel.BoolType, cel.UnaryBinding(func(p ref.Val) ref.Val {
			return types.Bool(w.Projects[text(p)] == "staging")
		}))),

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
		// seconds(length): 3600s, P30D, a number, or one as a text.
		cel.Function("seconds", cel.Overload("seconds_length", []*cel.Type{d}, cel.DoubleType, cel.UnaryBinding(seconds))),
		// number(value): a number, or one as a text.
		cel.Function("number", cel.Overload("number_value", []*cel.Type{d}, cel.DoubleType, cel.UnaryBinding(number))),
		// last(name): the last part of a name or a link.
		cel.Function("last", cel.Overload("last_part", []*cel.Type{d}, s, cel.UnaryBinding(func(v ref.Val) ref.Val {
			all := text(v)
			return types.String(all[strings.LastIndexByte(all, '/')+1:])
		}))),
	}
	return cel.NewEnv(append(options, cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals()))...)
}

// look hands an expression's view to a function.
func look(name string, args int) cel.Macro {
	return cel.GlobalMacro(name, args, func(f cel.MacroExprFactory, _ ast.Expr, given []ast.Expr) (ast.Expr, *cel.Error) {
		return f.NewCall(name, append([]ast.Expr{f.NewIdent("assets_")}, given...)...), nil
	})
}

// timed hands the time to a function, name_at: who has left has no role.
func timed(name string, args int) cel.Macro {
	return cel.GlobalMacro(name, args, func(f cel.MacroExprFactory, _ ast.Expr, given []ast.Expr) (ast.Expr, *cel.Error) {
		return f.NewCall(name+"_at", append(given, f.NewIdent("now"))...), nil
	})
}

func is(name string, fn func(string) bool) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_member", []*cel.Type{cel.DynType}, cel.BoolType, cel.UnaryBinding(func(v ref.Val) ref.Val {
		return types.Bool(fn(text(v)))
	})))
}

// of asks about a member in the company, whose projects have the numbers that were read.
func of(name string, fn func(company, string) bool) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_member", []*cel.Type{cel.DynType, cel.DynType}, cel.BoolType, cel.BinaryBinding(func(k, member ref.Val) ref.Val {
		v := k.Value().(lookup).v
		return types.Bool(fn(company{v.world, v.live.Inventory.Names()}, text(member)))
	})))
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

// program compiles an expression that is true or false.
func program(env *cel.Env, expression string) (cel.Program, error) {
	tree, issues := env.Compile(expression)
	if errs := issues.Errors(); len(errs) > 0 {
		return nil, fmt.Errorf("does not compile at character %d: %s", errs[0].Location.Column()+1, strings.ReplaceAll(errs[0].Message, "\n", " "))
	}
	if t := tree.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("gives %s", t)
	}
	p, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err != nil {
		return nil, fmt.Errorf("does not compile: %w", err)
	}
	return p, nil
}

// midday is when tests are judged.
var midday = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

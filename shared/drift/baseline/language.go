package baseline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"ostiary.internal/shared/drift/coverage"
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
	}
	options = slices.Concat(options, lookups(), members(w), values())
	return cel.NewEnv(append(options, cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals()))...)
}

// lookups are the functions that look at other assets than the one that is judged.
func lookups() []cel.EnvOption {
	s, d := cel.StringType, cel.DynType
	return []cel.EnvOption{
		// assets(type): all of a type, with the names above; asset(type, name): one. What was not read is an error.
		cel.Macros(look("assets", 1), look("asset", 2), look("above", 0), look("reaches", 1), look("covered", 1), look("covered", 2), look("human", 1), look("outside", 1), look("tester", 1), timed("role", 2)),
		cel.Function("assets", cel.Overload("assets_all", []*cel.Type{d, s}, cel.ListType(cel.MapType(s, d)), cel.BinaryBinding(func(k, kind ref.Val) ref.Val {
			return k.Value().(lookup).all(text(kind))
		}))),
		cel.Function("asset", cel.Overload("asset_one", []*cel.Type{d, s, s}, cel.MapType(s, d), cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			return args[0].Value().(lookup).one(text(args[1]), text(args[2]))
		}))),
		// above(): the folders and the organization it lies in, with the names above.
		cel.Function("above", cel.Overload("above_all", []*cel.Type{d}, cel.ListType(cel.MapType(s, d)), cel.UnaryBinding(func(k ref.Val) ref.Val {
			return k.Value().(lookup).above()
		}))),
		// reaches(role): whoever has it can read or change what is kept, or has an account or a right by which she could.
		cel.Function("reaches", cel.Overload("reaches_role", []*cel.Type{d, d}, cel.BoolType, cel.BinaryBinding(func(k, role ref.Val) ref.Val {
			return k.Value().(lookup).reaches(text(role))
		}))),
		// covered(filter): of a project, the log sinks lead what the filter lets through to where it is kept; with days, to where
		// nobody can take it away before.
		cel.Function("covered", cel.Overload("covered_filter", []*cel.Type{d, s}, cel.BoolType, cel.BinaryBinding(func(k, need ref.Val) ref.Val {
			return k.Value().(lookup).covered(text(need), 0)
		})), cel.Overload("covered_days", []*cel.Type{d, s, d}, cel.BoolType, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			days, is := number(args[2]).(types.Double)
			if !is {
				return types.NewErr("days are no number")
			}
			return args[0].Value().(lookup).covered(text(args[1]), float64(days))
		}))),
	}
}

// members are the functions about who has a right.
func members(w World) []cel.EnvOption {
	s, d := cel.StringType, cel.DynType
	return []cel.EnvOption{
		is("public", public),           // public(member): everybody
		of("human", company.human),     // human(member): a person, a group, a domain, a pool of somebody else's
		of("outside", company.outside), // outside(member): of none of the company's domains and projects
		// tester(member): an account of a project for tests.
		cel.Function("tester", cel.Overload("tester_member", []*cel.Type{d, d}, cel.BoolType, cel.BinaryBinding(func(k, member ref.Val) ref.Val {
			v := k.Value().(lookup).v
			is, err := company{v.world, v.live.Inventory.Names()}.tester(text(member))
			if err != nil {
				return types.NewErr("%s", err.Error())
			}
			return types.Bool(is)
		}))),
		is("google", machinery), // google(member): an agent of a service of Google's
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
	}
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

// looking are the types of assets that functions look for, by what they are called and with how many arguments.
var looking = map[string][]string{
	"above/1": {folderType, organizationType}, "reaches/2": {roleType}, "covered/2": {coverage.Type}, "covered/3": {coverage.Type, logBucketType, bucketType},
}

// program compiles an expression that is true or false, and tells the types of assets its functions look for.
func program(env *cel.Env, expression string) (cel.Program, []string, error) {
	tree, issues := env.Compile(expression)
	if errs := issues.Errors(); len(errs) > 0 {
		return nil, nil, fmt.Errorf("does not compile at character %d: %s", errs[0].Location.Column()+1, strings.ReplaceAll(errs[0].Message, "\n", " "))
	}
	if t := tree.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, nil, fmt.Errorf("gives %s", t)
	}
	needs, err := looks(tree.NativeRep().Expr())
	if err != nil {
		return nil, nil, err
	}
	p, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err != nil {
		return nil, nil, fmt.Errorf("does not compile: %w", err)
	}
	return p, needs, nil
}

// looks returns the types of assets an expression looks for. One that is worked out would be listed by nobody.
func looks(e ast.Expr) (needs []string, err error) {
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		name, args := e.AsCall().FunctionName(), e.AsCall().Args()
		needs = append(needs, looking[fmt.Sprintf("%s/%d", name, len(args))]...)
		if name == "assets" || name == "asset" {
			if args[1].Kind() != ast.LiteralKind {
				err = fmt.Errorf("looks for assets of a type that is not written out")
				return
			}
			needs = append(needs, text(args[1].AsLiteral()))
		}
	}))
	return needs, err
}

// midday is when tests are judged.
var midday = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

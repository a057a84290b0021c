package rule

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// The functions below bind Go functions to CEL by the shape of their arguments, so that those need not know CEL.
// CEL has checked the types of what it hands over; only within dyn may there be anything.

// withHome makes ext(member) look at the entry too: in a trial the domain of whoever acts is an approved one.
func withHome(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	return f.NewCall("outside", args[0], f.NewIdent("home")), nil
}

// withTime makes role(address, name) ask at the time of the entry: who has left has no role.
func withTime(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	return f.NewCall("had_role", args[0], args[1], f.NewIdent("time")), nil
}

// alone makes machine_own(address) look at the entry too: a person who acts by an account has not what the account is
// trusted with, and what an account is trusted with depends on the project.
func alone(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	nobody := f.NewCall(operators.Equals, f.NewCall("size", f.NewIdent("people")), f.NewLiteral(types.Int(0)))
	return f.NewCall(operators.LogicalAnd, f.NewCall("machine", args[0], f.NewIdent("project")), nobody), nil
}

func one(name string, arg *cel.Type, fn func(string) bool) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_text", []*cel.Type{arg}, cel.BoolType,
		cel.UnaryBinding(func(a ref.Val) ref.Val { return types.Bool(fn(plain(a))) })))
}

func two[T any](name string, first, second *cel.Type, fn func(string, T) bool) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_two", []*cel.Type{first, second}, cel.BoolType,
		cel.BinaryBinding(func(a, b ref.Val) ref.Val {
			var value any = plain(b)
			if l, ok := b.(traits.Lister); ok {
				value = plains(l)
			}
			return types.Bool(fn(plain(a), value.(T)))
		})))
}

func lists(name string, fn func([]string) bool) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_list", []*cel.Type{cel.ListType(cel.StringType)}, cel.BoolType,
		cel.UnaryBinding(func(a ref.Val) ref.Val { return types.Bool(fn(plains(a.(traits.Lister)))) })))
}

func when1(name string, fn func(time.Time) bool) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_time", []*cel.Type{cel.TimestampType}, cel.BoolType,
		cel.UnaryBinding(func(a ref.Val) ref.Val { return types.Bool(fn(a.(types.Timestamp).Time)) })))
}

func when2(name string, fn func(string, time.Time) bool) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_text_time", []*cel.Type{cel.StringType, cel.TimestampType}, cel.BoolType,
		cel.BinaryBinding(func(a, b ref.Val) ref.Val { return types.Bool(fn(plain(a), b.(types.Timestamp).Time)) })))
}

func when3(name string, fn func(a, b string, at time.Time) bool) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_texts_time", []*cel.Type{cel.StringType, cel.StringType, cel.TimestampType}, cel.BoolType,
		cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			return types.Bool(fn(plain(args[0]), plain(args[1]), args[2].(types.Timestamp).Time))
		})))
}

func path2[T any](name string, first, second, result *cel.Type, fn func(any, string) T) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_path", []*cel.Type{first, second}, result,
		cel.BinaryBinding(func(a, b ref.Val) ref.Val {
			return types.DefaultTypeAdapter.NativeToValue(fn(a.Value(), plain(b)))
		})))
}

func plain(v ref.Val) string {
	s, _ := v.(types.String)
	return string(s)
}

func plains(l traits.Lister) []string {
	if all, ok := l.Value().([]string); ok {
		return all
	}
	var all []string
	for it := l.Iterator(); it.HasNext() == types.True; {
		all = append(all, plain(it.Next()))
	}
	return all
}

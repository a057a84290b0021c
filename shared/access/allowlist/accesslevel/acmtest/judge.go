package acmtest

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	acm "google.golang.org/api/accesscontextmanager/v1"
)

// request is somebody who wants in.
type request struct {
	who  string
	from netip.Addr
	at   time.Time
}

// Admits is what the service says to a request of who, an e-mail address or "" for nobody known, were one of the levels that Terraform
// made enough. It does as the documentation of its API says: a list that is empty asks for nothing.
func (f *ACM) Admits(who string, from netip.Addr, at time.Time) bool {
	r := request{who, from, at}
	f.Mu.Lock()
	defer f.Mu.Unlock()
	for name := range f.Levels {
		if suffix, ours := strings.CutPrefix(name, Policy+"/accessLevels/edge_"); ours && !strings.HasPrefix(suffix, "until_") && f.granted(name, r) {
			return true
		}
	}
	return false
}

func (f *ACM) granted(name string, r request) bool {
	level := f.Levels[name]
	switch {
	case level == nil:
		return false
	case level.Custom != nil:
		return evaluates(level.Custom.Expr.Expression, r.at)
	case level.Basic.CombiningFunction == "OR":
		return slices.ContainsFunc(level.Basic.Conditions, func(c *acm.Condition) bool { return f.met(c, r) })
	}
	return !slices.ContainsFunc(level.Basic.Conditions, func(c *acm.Condition) bool { return !f.met(c, r) })
}

func (f *ACM) met(c *acm.Condition, r request) bool {
	met := true
	if len(c.IpSubnetworks) > 0 {
		met = slices.ContainsFunc(c.IpSubnetworks, func(text string) bool { return netip.MustParsePrefix(text).Contains(r.from) })
	}
	if len(c.Members) > 0 {
		met = met && slices.Contains(c.Members, "user:"+r.who)
	}
	for _, name := range c.RequiredAccessLevels {
		met = met && f.granted(name, r)
	}
	return met != c.Negate
}

var programs sync.Map

// program compiles an expression of a custom level: nil when it is none. Beyond CEL there is between, from the first time on and
// before the second.
func program(expression string) cel.Program {
	if known, ok := programs.Load(expression); ok {
		return known.(cel.Program)
	}
	between := func(args ...ref.Val) ref.Val {
		var at [3]time.Time
		at[0] = args[0].Value().(time.Time)
		for i, arg := range args[1:] {
			var err error
			if at[i+1], err = time.Parse(time.RFC3339, arg.Value().(string)); err != nil {
				return types.NewErr("not a time: %v", err)
			}
		}
		return types.Bool(!at[0].Before(at[1]) && at[0].Before(at[2]))
	}
	env, err := cel.NewEnv(cel.Variable("request.time", cel.TimestampType), cel.Function("between", cel.MemberOverload("timestamp_between",
		[]*cel.Type{cel.TimestampType, cel.StringType, cel.StringType}, cel.BoolType, cel.FunctionBinding(between))))
	if err != nil {
		panic(err)
	}
	ast, issues := env.Compile(expression)
	if issues.Err() != nil {
		return nil
	}
	made, err := env.Program(ast)
	if err != nil {
		return nil
	}
	programs.Store(expression, made)
	return made
}

func compiles(expression string) bool { return program(expression) != nil }

func evaluates(expression string, at time.Time) bool {
	out, _, err := program(expression).Eval(map[string]any{"request.time": at})
	return err == nil && out.Value() == true
}

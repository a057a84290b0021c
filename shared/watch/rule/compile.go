package rule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"ostiary.internal/shared/calendar"
)

// maxCost bounds one evaluation, in CEL's own units: about one per operation and per item of a list. A thousand
// bindings looked at by a rule of five operations cost a twentieth.
const maxCost = 200_000

// environment returns what expressions may use.
func environment(w World) (*cel.Env, error) {
	options := functions(w)
	for name, v := range variables {
		options = append(options, cel.Variable(name, v.kind))
	}
	return cel.NewEnv(append(options, cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals()))...)
}

// program compiles an expression that gives a value of a type.
func program(env *cel.Env, expression string, want *cel.Type) (cel.Program, error) {
	ast, issues := env.Compile(expression)
	if errs := issues.Errors(); len(errs) > 0 {
		e := errs[0]
		return nil, fmt.Errorf("does not compile at character %d: %s", e.Location.Column()+1, strings.ReplaceAll(e.Message, "\n", " "))
	}
	if !ast.OutputType().IsExactType(want) {
		return nil, fmt.Errorf("gives %s", ast.OutputType())
	}
	p, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err != nil {
		return nil, fmt.Errorf("does not compile: %w", err)
	}
	return p, nil
}

// selection is a Selection made ready; when is nil for everything.
type selection struct {
	matches []match
	when    cel.Program
	group   []cel.Program
}

// compiled is a Rule made ready. It never changes and is safe for concurrent use.
type compiled struct {
	Rule
	own, other selection
	of         cel.Program
	cases      []cel.Program
	span       span

	asksChange, asksTicket, asksContent, asksOutcome bool
}

// span is a window's lengths.
type span struct{ within, learn, settle, step time.Duration }

// stepOf returns the step in which distinct and first-seen see time.
func stepOf(within time.Duration) time.Duration {
	return max(time.Second, (within / 900).Truncate(time.Second))
}

// length returns how long a period is; days are of 24 hours, months and years have no length.
func length(p calendar.Period) (time.Duration, bool) {
	return time.Duration(p.Days)*24*time.Hour + p.Clock, p.Years == 0 && p.Months == 0
}

// holds evaluates a condition; nil is true.
func holds(p cel.Program, v *view) (bool, error) {
	if p == nil {
		return true, nil
	}
	out, _, err := p.Eval(v)
	if err != nil {
		return false, err
	}
	b, ok := out.(types.Bool)
	if !ok {
		return false, errors.New("the condition gives no truth value")
	}
	return bool(b), nil
}

// says evaluates a text.
func says(p cel.Program, v *view) (string, error) {
	out, _, err := p.Eval(v)
	if err != nil {
		return "", err
	}
	s, ok := out.(types.String)
	if !ok {
		return "", errors.New("the expression gives no text")
	}
	return string(s), nil
}

// key evaluates a group.
func (s selection) key(v *view) ([]string, error) {
	parts := make([]string, len(s.group))
	for i, p := range s.group {
		part, err := says(p, v)
		if err != nil {
			return nil, err
		}
		parts[i] = part
	}
	return parts, nil
}

// never reports whether a condition is false whatever the entry: it is false although nothing is known.
func never(p cel.Program) bool {
	if p == nil {
		return false
	}
	out, _, err := p.Eval(nothing{})
	return err == nil && out == types.False
}

// nothing is an entry of which nothing is known.
type nothing struct{}

func (nothing) ResolveName(name string) (any, bool) {
	return types.WrapErr(errors.New("not known")), true
}
func (nothing) Parent() cel.Activation { return nil }

package baseline

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"ostiary.internal/shared/drift/coverage"
)

// covered reports whether the log sinks together let through what a filter does, of the project that is looked at, wherever
// they lead. Where nobody can tell it is an error.
func (k lookup) covered(need string) ref.Val {
	v := k.v
	if v.a == nil || v.a.Type != "cloudresourcemanager.googleapis.com/Project" {
		return types.NewErr("covered is asked of a project only")
	}
	sinks, known := v.live.of(coverage.Type)
	if !known {
		return types.NewErr("nothing of the type %s was read", coverage.Type)
	}
	v.looked(v.a.Read)
	for _, s := range sinks {
		v.looked(s.Read)
	}
	v.others = append(v.others, sinks...)
	verdict, why := coverage.Of(v.a, sinks, nil, need)
	if verdict == coverage.Undetermined {
		return types.NewErr("whether the sinks cover it cannot be told: %s", string(why))
	}
	return types.Bool(verdict == coverage.Covered)
}

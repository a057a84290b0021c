package baseline

import (
	"errors"
	"fmt"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// lookup lets an expression look at other assets.
type lookup struct{ v *view }

func (k lookup) all(kind string) ref.Val {
	assets, known := k.v.live.of(kind)
	if !known {
		return types.NewErr("nothing of the type %s was read", kind)
	}
	for _, a := range assets {
		k.v.looked(a.Read)
	}
	k.v.others = append(k.v.others, assets...)
	if list, made := k.v.live.lists[kind]; made {
		return list
	}
	out := make([]ref.Val, 0, len(assets))
	for _, a := range assets {
		out = append(out, types.DefaultTypeAdapter.NativeToValue(k.v.live.named(k.v.world, a)))
	}
	if k.v.live.Partly != nil && k.v.live.Partly(kind) {
		out = append(out, types.NewErr("not all of the type %s was read", kind))
	}
	list := types.NewRefValList(types.DefaultTypeAdapter, out)
	if k.v.live.lists == nil {
		k.v.live.lists = map[string]ref.Val{}
	}
	k.v.live.lists[kind] = list
	return list
}

func (k lookup) one(kind, name string) ref.Val {
	a, known := k.v.live.Inventory.Get(kind, name)
	if !known || a.Deleted {
		return types.NewErr("%s was not read", name)
	}
	k.v.looked(a.Read)
	k.v.others = append(k.v.others, a)
	return types.DefaultTypeAdapter.NativeToValue(k.v.live.named(k.v.world, a))
}

var lookupType = types.NewOpaqueType("ostiary.lookup")

// ConvertToNative is never possible: no expression gives a lookup.
func (k lookup) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a lookup is no %s", t)
}

// ConvertToType is never possible.
func (k lookup) ConvertToType(ref.Type) ref.Val { return types.NewErr("a lookup is nothing else") }

// Equal is false but for itself.
func (k lookup) Equal(other ref.Val) ref.Val { return types.Bool(ref.Val(k) == other) }

// Type is opaque to expressions.
func (k lookup) Type() ref.Type { return lookupType }

// Value is the lookup.
func (k lookup) Value() any { return k }

// strs returns the texts in a list; what is no text is an error.
func strs(v ref.Val) ([]string, error) {
	l, is := v.(traits.Lister)
	if !is {
		return nil, errors.New("no list")
	}
	var all []string
	for it := l.Iterator(); it.HasNext() == types.True; {
		s, is := it.Next().(types.String)
		if !is {
			return nil, errors.New("a member of a list is no text")
		}
		all = append(all, string(s))
	}
	return all, nil
}

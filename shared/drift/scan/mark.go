package scan

import (
	"maps"
	"slices"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/platform/veil"
)

// valueOf is the value of a difference, which somebody may accept: what differs; where nobody wants the asset at all, a mark of all that
// is configured of it, so that another asset under its name is not accepted with it. It is called with the lock.
func (s *Service) valueOf(k *known, f diff.Finding) string {
	if f.Got != "" || f.Address != "" || f.Class != diff.Unmanaged && f.Class != diff.StaleDesired {
		return f.Got
	}
	a, there := k.live.Get(f.Type, f.Key)
	if !there {
		return ""
	}
	shown := veil.Veil{Salt: s.want.salt}
	users := ""
	if a.IAM != nil {
		users = written(sorted(a.IAM.Bindings)) + written(a.IAM.Audit)
	}
	return shown.Mark(place{name: "data"}.of(a, shown) + users + place{name: "location"}.of(a, shown))
}

// mostAlone is how many members of a list are tried one by one.
const mostAlone = 500

// guilty is an asset with, of the list or the names an expression looks at, only those that alone make it not true: what passes beside
// them is no part of the value. Where none does alone, or all do, all of them are.
func (s Teller) guilty(live *baseline.Live, a *asset.Asset, j baseline.Judgement, which int, p place) *asset.Asset {
	if p.name != "data" || len(p.path) == 0 {
		return a
	}
	fails := func(v any) bool { return s.Set.Fails(j, which, with(a, p.path, v), live) }
	switch all := p.in(a).(type) {
	case []any:
		if len(all) < 2 || len(all) > mostAlone {
			return a
		}
		some := slices.DeleteFunc(slices.Clone(all), func(one any) bool { return !fails([]any{one}) })
		if len(some) == 0 {
			return a
		}
		return with(a, p.path, some)
	case asset.Object:
		if len(all) < 2 || len(all) > mostAlone {
			return a
		}
		some := maps.Clone(all)
		maps.DeleteFunc(some, func(name string, one any) bool { return !fails(asset.Object{name: one}) })
		if len(some) == 0 {
			return a
		}
		return with(a, p.path, some)
	}
	return a
}

// in is the value at a place of the data; nil for none.
func (p place) in(a *asset.Asset) (v any) {
	v = a.Data
	for _, name := range p.path {
		m, is := v.(asset.Object)
		if !is {
			return nil
		}
		v = m[name]
	}
	return v
}

// with is an asset with another value at a place of its data.
func with(a *asset.Asset, path []string, v any) *asset.Asset {
	var put func(o asset.Object, path []string) asset.Object
	put = func(o asset.Object, path []string) asset.Object {
		o = maps.Clone(o)
		if len(path) == 1 {
			o[path[0]] = v
			return o
		}
		inner, _ := o[path[0]].(asset.Object)
		o[path[0]] = put(inner, path[1:])
		return o
	}
	other := *a
	other.Data = put(a.Data, path)
	return &other
}

// bare is a value without what changes though nothing else does.
func bare(v any) any {
	switch v := v.(type) {
	case asset.Object:
		all := make(asset.Object, len(v))
		for name, one := range v {
			if !slices.Contains(passing, name) {
				all[name] = bare(one)
			}
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, one := range v {
			all[i] = bare(one)
		}
		return all
	}
	return v
}

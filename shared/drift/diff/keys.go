package diff

import (
	"maps"
	"slices"

	"ostiary.internal/shared/drift/asset"
)

// Types returns the types of assets of which anything is compared, sorted: what has to be read.
func Types() []string {
	all := map[string]bool{}
	for _, k := range kinds {
		all[k.asset] = true
	}
	for _, b := range about {
		all[b.asset] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// Keyed is what is wanted, by the key of the asset it is about: what says who may use an asset is under the asset's. "" holds
// what no rule compares, or what does not say what it is about.
func (d Desired) Keyed(names *asset.Names) map[string][]Resource {
	all := map[string][]Resource{}
	for _, r := range d.Resources {
		key := ""
		if b, is := boundOf(r.Type); is {
			key = b.key(r, names)
		} else if k, known := kinds[r.Type]; known {
			key = k.key(r, names)
		}
		all[key] = append(all[key], r)
	}
	return all
}

// Package shard lays a set out over places of a bounded size, such as rules that hold ten ranges each, so that a small change
// of the set changes few places: what is there stays where it is, what is new fills the first gaps. It promises that every
// item is in exactly one place, that no place holds more than it may, and that the same input gives the same layout.
package shard

import (
	"cmp"
	"maps"
	"slices"
)

// Fill returns for each place what it shall hold, sorted by a key, which no two of want share, and what found no room. have is
// what the places hold now, in their order; what is in two of them stays in the first, and an item of want takes the place of
// the one with its key. size bounds each place.
func Fill[T any, K cmp.Ordered](have [][]T, want []T, size int, key func(T) K) (places [][]T, over []T) {
	missing := make(map[K]T, len(want))
	for _, t := range want {
		missing[key(t)] = t
	}
	places = make([][]T, len(have))
	for i, held := range have {
		for _, t := range held {
			if wanted, ok := missing[key(t)]; ok && len(places[i]) < size {
				places[i] = append(places[i], wanted)
				delete(missing, key(t))
			}
		}
	}
	byKey := func(a, b T) int { return cmp.Compare(key(a), key(b)) }
	i := 0
	for _, k := range slices.Sorted(maps.Keys(missing)) {
		for i < len(places) && len(places[i]) >= size {
			i++
		}
		if i == len(places) {
			over = append(over, missing[k])
			continue
		}
		places[i] = append(places[i], missing[k])
	}
	for _, place := range places {
		slices.SortFunc(place, byKey)
	}
	return places, over
}

package shard_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"ostiary.internal/shared/access/allowlist/shard"
)

// itself is the key of a number.
func itself(n int) int { return n }

func TestFill(t *testing.T) {
	t.Parallel()
	type row struct {
		have, want [][]int
		set, over  []int
		size       int
	}
	for name, r := range map[string]row{
		"from nothing":         {have: make([][]int, 2), set: []int{3, 1, 2}, size: 2, want: [][]int{{1, 2}, {3}}},
		"in order":             {have: [][]int{{2}, {1, 3}}, set: []int{1, 2, 3}, size: 2, want: [][]int{{2}, {1, 3}}},
		"first gap":            {have: [][]int{{2, 9}, {1, 3}}, set: []int{1, 2, 3, 4}, size: 2, want: [][]int{{2, 4}, {1, 3}}},
		"twice":                {have: [][]int{{2}, {2, 3}}, set: []int{2, 3}, size: 2, want: [][]int{{2}, {3}}},
		"place above its size": {have: [][]int{{1, 2, 3}, nil}, set: []int{1, 2, 3}, size: 2, want: [][]int{{1, 2}, {3}}},
		"no room":              {have: [][]int{{1}}, set: []int{1, 2, 3}, size: 2, want: [][]int{{1, 2}}, over: []int{3}},
		"emptied":              {have: [][]int{{1}, {2}}, size: 2, want: [][]int{nil, nil}},
		"no places":            {set: []int{1}, size: 2, want: [][]int{}, over: []int{1}},
	} {
		got, over := shard.Fill(r.have, r.set, r.size, itself)
		if !reflect.DeepEqual(got, r.want) || !slices.Equal(over, r.over) {
			t.Errorf("%s: %v, over %v; want %v, %v", name, got, over, r.want, r.over)
		}
	}
}

// TestStays: whatever changes, what stays in the set stays where it is, and all of it is there once.
func TestStays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		const places, size = 5, 7
		have := make([][]int, places)
		for range 40 {
			set := rnd.Perm(60)[:rnd.IntN(places*size+1)]
			next, over := shard.Fill(have, set, size, itself)
			if len(over) > 0 {
				t.Fatalf("seed %d: %d items in %d places are too many", seed, len(set), places)
			}
			slices.Sort(set)
			if all := slices.Sorted(slices.Values(slices.Concat(next...))); !slices.Equal(all, set) {
				t.Fatalf("seed %d: laid out %v, want %v", seed, all, set)
			}
			for i, held := range have {
				for _, item := range held {
					if slices.Contains(set, item) && !slices.Contains(next[i], item) {
						t.Fatalf("seed %d: %d moved out of place %d", seed, item, i)
					}
				}
				if len(next[i]) > size || !slices.IsSorted(next[i]) {
					t.Fatalf("seed %d: place %d is %v", seed, i, next[i])
				}
			}
			have = next
		}
	}
}

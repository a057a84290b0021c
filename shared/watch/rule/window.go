package rule

import (
	"slices"
	"time"
)

// The functions below judge windows. They know members and lengths only, and give the same for the same members,
// whatever order those came in. Members are sorted by time, then ID.

// found is a member that makes a hit, with the members that count in it.
type found struct {
	at      Member
	members []Member
	count   int
}

// completed returns every member from the time from on that ends a span of length within with at least so many members,
// or so many different values. Both ends belong to the span.
func completed(all []Member, from time.Time, within time.Duration, atLeast int, distinct bool) []found {
	var hits []found
	values := map[string]int{}
	lo, hi := 0, 0
	for hi < len(all) {
		end := hi
		for end < len(all) && all[end].Time.Equal(all[hi].Time) {
			values[all[end].Value]++
			end++
		}
		for ; all[hi].Time.Sub(all[lo].Time) > within; lo++ {
			if values[all[lo].Value]--; values[all[lo].Value] == 0 {
				delete(values, all[lo].Value)
			}
		}
		count := end - lo
		if distinct {
			count = len(values)
		}
		if count >= atLeast && !all[hi].Time.Before(from) {
			for _, m := range all[hi:end] {
				hits = append(hits, found{at: m, members: all[lo:end], count: count})
			}
		}
		hi = end
	}
	return hits
}

// with returns members with one more in its place; one that is there already is not doubled.
func with(all []Member, m Member) []Member {
	i, there := slices.BinarySearchFunc(all, m, earlier)
	if there {
		return all
	}
	if i == len(all) {
		return append(all[:i:i], m)
	}
	return slices.Insert(slices.Clone(all), i, m)
}

// without returns members that are not of an entry.
func without(all []Member, entry string) []Member {
	if !slices.ContainsFunc(all, func(m Member) bool { return m.Subject.Entry == entry }) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(m Member) bool { return m.Subject.Entry == entry })
}

// covered reports whether the spend m is within budget. Each opening lets atMost spends through for the time within; a
// spend belongs to the latest opening that lets it through, as a read of a secret belongs to the latest deployment.
// Openings and spends are those of [m.Time-within, m.Time]; what was earlier cannot change the answer, for a spend takes
// from a later opening first. Of equal time, openings come first.
func covered(m Member, openings, spends []Member, atMost int) bool {
	var left []int // of each opening that has begun, oldest first
	for _, s := range spends {
		if earlier(s, m) > 0 {
			break
		}
		for len(left) < len(openings) && !openings[len(left)].Time.After(s.Time) {
			left = append(left, atMost)
		}
		newest := len(left) - 1
		for newest >= 0 && left[newest] == 0 {
			newest--
		}
		if s.ID == m.ID {
			return newest >= 0
		}
		if newest >= 0 {
			left[newest]--
		}
	}
	return false
}

package rule

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/watch/auditlog"
)

// kinds are rules of every kind. The oracle below says in its own words what each means.
func kinds() map[string]string {
	other := "other: {match: [{method: [open], stream: [application]}]}"
	return map[string]string{
		"single":   rule("act", `when: app.user == "u1"`),
		"count":    rule("act", "window: {kind: count, at_least: 4, within: PT10M}"),
		"distinct": rule("act", "window: {kind: distinct, of: app.user, at_least: 3, within: PT10M}"),
		"sequence": rule("act", "window: {kind: sequence, within: PT5M, "+other+"}"),
		"absence":  rule("act", "window: {kind: absence, within: PT5M, "+other+"}"),
		"budget":   rule("act", "window: {kind: budget, of: app.user, at_most: 2, within: PT10M, "+other+"}"),
		"first":    rule("act", "window: {kind: first-seen, of: app.user, within: PT40M, learn: PT5M}"),
	}
}

// stream is a story of two hours.
func stream(r *rand.Rand) []*auditlog.Entry {
	var all []*auditlog.Entry
	for i := range 150 + r.IntN(150) {
		verb := "act"
		if r.IntN(4) == 0 {
			verb = "open"
		}
		// Whole seconds now and then, so that times are equal.
		at := time.Duration(r.Int64N(int64(2 * time.Hour)))
		if r.IntN(3) == 0 {
			at = at.Truncate(30 * time.Second)
		}
		e := entry(fmt.Sprintf("e%03d", i), verb, fmt.Sprintf("a%d", r.IntN(4)), fmt.Sprintf("u%d", r.IntN(6)), at.Truncate(time.Microsecond))
		all = append(all, e)
	}
	return all
}

// delivery is one arrival of an entry.
type delivery struct {
	at time.Time
	e  *auditlog.Entry
}

// delivered shuffles and delays a stream within the time to settle, and delivers some entries again, at any time later.
func delivered(r *rand.Rand, all []*auditlog.Entry) []delivery {
	var out []delivery
	for _, e := range all {
		at := e.Time.Add(time.Duration(r.Int64N(int64(lateness))))
		out = append(out, delivery{at, e})
		for r.IntN(3) == 0 {
			at = at.Add(time.Duration(r.Int64N(int64(3 * time.Hour))))
			out = append(out, delivery{at, e})
		}
	}
	slices.SortFunc(out, func(a, b delivery) int { return a.at.Compare(b.at) })
	return out
}

func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	s := set(t, kinds())
	ever := map[string]bool{}
	for seed := range require.Seeds(25) {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		all := stream(r)
		want := oracle(all)
		for _, about := range want {
			kind, _, _ := strings.Cut(about, " ")
			ever[kind] = true
		}
		got := map[string]string{} // by what it is about: the ID
		memory, tick := NewLocal(), noon
		keep := func(hits []Hit) {
			for _, h := range hits {
				about := h.Rule + " " + h.Subject.Entry
				if h.Rule == "distinct" || h.Rule == "first" {
					about = h.Rule + " " + h.Key + h.Members[len(h.Members)-1].Value + " " + h.Time.Format(time.RFC3339)
				}
				if h.Rule == "distinct" {
					about = h.Rule + " " + h.Key + " " + h.Time.Format(time.RFC3339)
				} else if id, twice := got[about]; twice && id != h.ID {
					t.Fatalf("seed %d: %s has two IDs", seed, about)
				}
				got[about] = h.ID
			}
		}
		settle := func(now time.Time) {
			for judged := 1; judged > 0; {
				hits, n, err := s.Settle(t.Context(), memory, now, 7)
				if err != nil {
					t.Fatal(err)
				}
				keep(hits)
				judged = n
			}
		}
		for _, d := range delivered(r, all) {
			for ; tick.Before(d.at); tick = tick.Add(time.Minute) {
				settle(tick)
			}
			hits, err := s.Evaluate(t.Context(), d.e, memory, d.at)
			if err != nil {
				t.Fatal(err)
			}
			keep(hits)
		}
		settle(noon.Add(24 * time.Hour))
		found := slices.Sorted(maps.Keys(got))
		if !slices.Equal(found, want) {
			t.Fatalf("seed %d: hits differ from a sequential reading\nmissing %v\ntoo many %v", seed, minus(want, found), minus(found, want))
		}
	}
	if len(ever) != len(kinds()) {
		t.Errorf("only %v had hits at all", ever)
	}
}

func minus(a, b []string) (rest []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

// oracle reads a stream once, in order of time, and looks at everything that was before.
func oracle(stream []*auditlog.Entry) []string {
	all := slices.Clone(stream)
	slices.SortFunc(all, func(a, b *auditlog.Entry) int {
		// Budget takes openings first, then entries by the ID of their member.
		return cmp.Or(a.Time.Compare(b.Time), -cmp.Compare(a.Verb, b.Verb), cmp.Compare(spend(a), spend(b)))
	})
	about := map[string]bool{}
	left := map[*auditlog.Entry]map[string]int{} // budget: what each opening still lets through, by user
	for _, e := range all {
		if e.Verb == "open" {
			left[e] = map[string]int{}
			continue
		}
		mine := func(verb string, back, ahead time.Duration) (near []*auditlog.Entry) {
			for _, o := range all {
				if o.Verb == verb && o.Actor.Key == e.Actor.Key && o.Time.Sub(e.Time) <= ahead && e.Time.Sub(o.Time) <= back {
					near = append(near, o)
				}
			}
			return near
		}
		if e.App.User == "u1" {
			about["single "+e.ID] = true
		}
		if len(mine("act", 10*time.Minute, 0)) >= 4 {
			about["count "+e.ID] = true
		}
		if len(mine("open", 5*time.Minute, 0)) > 0 {
			about["sequence "+e.ID] = true
		}
		if len(mine("open", 0, 5*time.Minute)) == 0 {
			about["absence "+e.ID] = true
		}
		openings := mine("open", 10*time.Minute, 0)
		slices.Reverse(openings)
		i := slices.IndexFunc(openings, func(o *auditlog.Entry) bool { return left[o][e.App.User] < 2 })
		if i < 0 {
			about["budget "+e.ID] = true
		} else {
			left[openings[i]][e.App.User]++
		}
		distinctAndFirst(all, e, about)
	}
	return slices.Sorted(maps.Keys(about))
}

// distinctAndFirst looks at steps of a second, and of two.
func distinctAndFirst(all []*auditlog.Entry, e *auditlog.Entry, about map[string]bool) {
	key, users := joined([]string{e.Actor.Key}), map[string]bool{}
	at, at2 := e.Time.Truncate(time.Second), e.Time.Truncate(2*time.Second)
	seen, known := false, false
	for _, o := range all {
		if o.Verb != "act" || o.Actor.Key != e.Actor.Key {
			continue
		}
		if ago := at.Sub(o.Time.Truncate(time.Second)); ago >= 0 && ago <= 10*time.Minute {
			users[o.App.User] = true
		}
		ago := at2.Sub(o.Time.Truncate(2 * time.Second))
		seen = seen || o.App.User == e.App.User && ago > 0 && ago <= 40*time.Minute
		known = known || ago >= 5*time.Minute && ago <= 40*time.Minute
	}
	if len(users) >= 3 {
		about["distinct "+key+" "+at.Format(time.RFC3339)] = true
	}
	if !seen && known {
		about["first "+key+e.App.User+" "+at2.Format(time.RFC3339)] = true
	}
}

func spend(e *auditlog.Entry) string {
	return identity("budget", "own", joined([]string{e.Actor.Key}), e.ID)
}

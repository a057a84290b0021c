package cloudarmor

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/platform/fault"
)

// many is a set of the first n4 IPv4 and n6 IPv6 addresses after two numbers.
func many(from4, n4, from6, n6 int) allowlist.Set {
	var texts []string
	for i := range n4 {
		texts = append(texts, fmt.Sprintf("81.%d.%d.%d/32", (from4+i)>>16&255, (from4+i)>>8&255, (from4+i)&255))
	}
	for i := range n6 {
		texts = append(texts, fmt.Sprintf("2a02:8109:%x::/64", from6+i))
	}
	return set(texts...)
}

// at makes a snapshot with these rules of ours.
func at(s span, rules map[int64][]netip.Prefix) snapshot {
	seen := snapshot{span: s, ours: rules, views: map[int64]string{}, alien: map[int64]stray{}}
	for priority, in := range rules {
		seen.views[priority] = ourView(in)
	}
	return seen
}

// take carries the steps out and returns the rules there are then. What one step could do wrong fails the test.
func take(t *testing.T, seen snapshot, steps []step, most int) map[int64][]netip.Prefix {
	t.Helper()
	rules := maps.Clone(seen.ours)
	for priority, r := range seen.alien {
		rules[priority] = r.in
	}
	begun := len(rules)
	for i, s := range steps {
		_, there := rules[s.priority]
		switch {
		case i > 0 && steps[i-1].turn > s.turn:
			t.Fatalf("step %d is out of turn", i)
		case !seen.span.has(s.priority), len(s.in) > perRule, !slices.IsSortedFunc(s.in, netip.Prefix.Compare):
			t.Fatalf("step %d is %+v", i, s)
		case !there && len(s.in) == 0:
			t.Fatalf("step %d takes away rule %d, which is not there", i, s.priority)
		case there == (s.turn == opens):
			t.Fatalf("step %d opens rule %d, there already: %t", i, s.priority, there)
		case len(s.in) == 0:
			delete(rules, s.priority)
		default:
			rules[s.priority] = s.in
		}
		if len(rules) > max(most, begun) {
			t.Fatalf("step %d makes %d rules of %d", i, len(rules), most)
		}
	}
	return rules
}

func contents(rules map[int64][]netip.Prefix) []netip.Prefix {
	var all []netip.Prefix
	for _, in := range rules {
		all = append(all, in...)
	}
	slices.SortFunc(all, netip.Prefix.Compare)
	return all
}

// planned plans and carries out.
func planned(t *testing.T, seen snapshot, s allowlist.Set, most int) (map[int64][]netip.Prefix, []step) {
	t.Helper()
	steps, err := seen.plan(s, most)
	if err != nil {
		t.Fatal(err)
	}
	rules := take(t, seen, steps, most)
	if !slices.Equal(contents(rules), s.Prefixes()) {
		t.Fatalf("the rules hold %v, want %v", rules, s.Prefixes())
	}
	return rules, steps
}

func same(a, b []step) bool {
	return slices.EqualFunc(a, b, func(a, b step) bool {
		return a.priority == b.priority && a.turn == b.turn && slices.Equal(a.in, b.in)
	})
}

// TestOneLeaseIsOneWrite: five thousand are there, and one more, one less or one in another's place is one write.
func TestOneLeaseIsOneWrite(t *testing.T) {
	t.Parallel()
	room := span{1000, 1999}
	full := many(0, 4005, 0, 995)
	rules, steps := planned(t, at(room, map[int64][]netip.Prefix{}), full, 1000)
	if len(rules) != 501 || len(steps) != 501 {
		t.Fatalf("5,000 leases take %d rules and %d writes", len(rules), len(steps))
	}
	for name, other := range map[string]allowlist.Set{
		"one more, in a gap": many(0, 4006, 0, 995),
		"one more":           many(0, 4005, 0, 996),
		"one less":           many(0, 4004, 0, 995),
		"the first goes":     many(1, 4004, 0, 995),
		"one for another":    set(append([]string{"9.9.9.9/32"}, texts(full)[1:]...)...),
	} {
		if _, steps := planned(t, at(room, rules), other, 1000); len(steps) != 1 {
			t.Errorf("%s: %d writes, %+v", name, len(steps), steps[0])
		}
	}
	if _, steps := planned(t, at(room, rules), full, 1000); len(steps) != 0 {
		t.Errorf("nothing to do: %d writes", len(steps))
	}
	rules, _ = planned(t, at(room, rules), many(0, 4010, 0, 990), 1000)
	if _, steps := planned(t, at(room, rules), many(0, 4010, 0, 991), 1000); len(steps) != 1 || steps[0].turn != opens {
		t.Errorf("one more, and no gap: %d writes", len(steps))
	}
}

func texts(s allowlist.Set) []string {
	var list []string
	for _, p := range s.Prefixes() {
		list = append(list, p.String())
	}
	return list
}

// TestPlan walks at random from set to set, with rules of others among ours: each time the set is reached, with no more rules
// than there may be, and what only closes comes before what opens.
func TestPlan(t *testing.T) {
	t.Parallel()
	ranks := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 9))
		most := 2 + r.IntN(8)
		room := span{1000, 1000 + int64(most) - 1}
		rules := map[int64][]netip.Prefix{}
		for range 12 {
			seen := at(room, rules)
			if stranger := 1000 + r.Int64N(int64(most)); r.IntN(3) == 0 {
				delete(seen.ours, stranger)
				seen.alien[stranger] = stray{in: everyone}
			}
			n := r.IntN(perRule*(most-1) + 2)
			n6 := r.IntN(n + 1)
			s := many(r.IntN(30), n-n6, r.IntN(30), n6)
			var steps []step
			rules, steps = planned(t, seen, s, most)
			if len(steps) > 0 && steps[0].turn == closes && steps[len(steps)-1].turn > closes {
				ranks++
			}
		}
	}
	if ranks < 100 {
		t.Errorf("only %d plans both close and open", ranks)
	}
}

// TestRanksAreClosed: rules that became half empty are given up where the room is needed, and what they held is taken up before
// they go, so that nobody is shut out on the way.
func TestRanksAreClosed(t *testing.T) {
	t.Parallel()
	var list []netip.Prefix
	rules := map[int64][]netip.Prefix{}
	for i := range 3 {
		p := many(i, 1, 0, 0).Prefixes()[0]
		list = append(list, p)
		rules[1000+int64(i)] = []netip.Prefix{p}
	}
	after, steps := planned(t, at(span{1000, 1002}, rules), many(0, 3, 0, 11), 3)
	want := []step{{1000, list, changes}, {priority: 1001, turn: vacates}, {priority: 1002, turn: vacates}}
	if len(steps) != 5 || !same(steps[:3], want) || len(after) != 3 {
		t.Errorf("the steps are %v", steps)
	}
	if _, steps := planned(t, at(span{1000, 1002}, rules), many(1, 2, 0, 1), 3); !same(steps, []step{{priority: 1000}, {1000, many(0, 0, 0, 1).Prefixes(), opens}}) {
		t.Errorf("what nobody is left in makes room enough: %v", steps)
	}
	if _, steps := planned(t, at(span{1000, 1009}, rules), many(0, 3, 0, 11), 10); len(steps) != 2 {
		t.Errorf("with room the steps are %v", steps)
	}
	if _, steps := planned(t, at(span{1000, 1002}, rules), many(0, 1, 0, 0), 3); !same(steps, []step{{priority: 1001}, {priority: 1002}}) {
		t.Errorf("two who left: %v", steps)
	}
}

// TestSites: a network and an address in it are two entries.
func TestSites(t *testing.T) {
	t.Parallel()
	planned(t, at(span{1000, 1002}, map[int64][]netip.Prefix{}), set("81.2.69.0/24", "81.2.69.0/32", "2a02:8109:9340:1200::/56", "2a02:8109:9340:1200::/64"), 3)
}

// TestTooMany: the families do not share a rule, so what fits is known beforehand, and nothing is planned of what does not.
func TestTooMany(t *testing.T) {
	t.Parallel()
	room := span{1000, 1002}
	empty := at(room, map[int64][]netip.Prefix{})
	for most := 1; most <= 3; most++ {
		capacity := perRule*(most-1) + 1
		for n6 := range capacity + 1 {
			planned(t, empty, many(0, capacity-n6, 0, n6), most)
		}
		steps, err := empty.plan(many(0, perRule*(most-1)+1, 0, 1), most)
		e, _ := err.(*fault.Error)
		if !fault.Is(err, fault.Exhausted) || len(steps) > 0 || e.Code != "rules_full" || e.Detail == "" || e.Next == "" || !strings.Contains(err.Error(), "there may be") {
			t.Errorf("%d rules for one too many: %v, %v", most, steps, err)
		}
	}
	if _, err := empty.plan(many(0, 1, 0, 0), 0); !fault.Is(err, fault.Exhausted) {
		t.Errorf("no rule at all: %v", err)
	}
	if steps, err := empty.plan(allowlist.Set{}, 0); err != nil || len(steps) > 0 {
		t.Errorf("nobody needs none: %v, %v", steps, err)
	}
}

// TestWithout: taking away adds nothing, and a stranger's rule goes where it may let them in.
func TestWithout(t *testing.T) {
	t.Parallel()
	p := func(texts ...string) (list []netip.Prefix) {
		for _, text := range texts {
			list = append(list, netip.MustParsePrefix(text))
		}
		return list
	}
	seen := at(span{1000, 1009}, map[int64][]netip.Prefix{1000: p("8.8.8.8/32", "9.9.9.9/32"), 1001: p("7.7.7.7/32"), 1002: p("2a02::/64")})
	seen.alien = map[int64]stray{1003: {in: everyone}, 1004: {in: p("9.9.9.0/24")}, 1005: {in: p("5.5.5.5/32")}, 1006: {}}
	want := []step{{priority: 1000, in: p("8.8.8.8/32")}, {priority: 1001}, {priority: 1003}, {priority: 1004}}
	if steps := seen.without(p("9.9.9.9/32", "7.7.7.7/32", "1.1.1.1/32")); !same(steps, want) {
		t.Errorf("%v, want %v", steps, want)
	}
	if steps := seen.without(nil); len(steps) > 0 {
		t.Errorf("nothing to take away: %v", steps)
	}
	if !slices.Equal(seen.ours[1000], p("8.8.8.8/32", "9.9.9.9/32")) {
		t.Error("the snapshot changed")
	}
}

package accesslevel

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/platform/require"
)

// TestNeverLess writes levels at random, as nobody should: whoever is let in comes from what was read, and when that was taken
// away nobody is. A set applied then is what is let in.
func TestNeverLess(t *testing.T) {
	t.Parallel()
	for seed := range uint64(require.Seeds(25)) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		f := newFake(t, 3)
		target := f.open(3)
		mustApply(t, target, set(t, "ana "+home, "ben "+cafe+" 2", "! "+office+" 3"), 1)
		for i := range 3 {
			if rnd.IntN(3) > 0 {
				f.edit(fmt.Sprintf("edge_%02d", i), func(level *acm.AccessLevel) { disorder(rnd, target, level) })
			}
		}
		seen, err := target.Read(t.Context())
		must(t, err)
		f.inside(t, seed, seen.Prefixes)
		must(t, target.Remove(t.Context(), seen.Prefixes))
		f.inside(t, seed, nil)
		if seen, err = target.Read(t.Context()); err != nil || len(seen.Prefixes) > 0 {
			t.Fatalf("seed %d: after all was taken away it reads %v, %v", seed, seen.Prefixes, err)
		}
		next := set(t, "eve "+home, "ana "+six)
		mustApply(t, target, next, 2)
		f.inside(t, seed, next.Prefixes())
	}
}

// disorder makes a level of random conditions that the service would take.
func disorder(rnd *rand.Rand, target *Target, level *acm.AccessLevel) {
	if rnd.IntN(8) == 0 {
		level.Basic, level.Custom = nil, custom([]string{"true", "false", expression(targettest.Until.Unix())}[rnd.IntN(3)])
		return
	}
	some := func(from ...string) (list []string) {
		for _, one := range from {
			if rnd.IntN(2) == 0 {
				list = append(list, one)
			}
		}
		return list
	}
	level.Basic.CombiningFunction = []string{"OR", "OR", "AND", ""}[rnd.IntN(4)]
	level.Basic.Conditions = nil
	for range 1 + rnd.IntN(3) {
		c := &acm.Condition{
			IpSubnetworks:        some(home, cafe, "81.2.69.0/24", "192.0.2.1/32", six, "::/0"),
			Members:              some("user:ana@x.example", "user:eve@x.example"),
			RequiredAccessLevels: some(target.end(0), target.end(targettest.Until.Unix())),
			Negate:               rnd.IntN(6) == 0,
		}
		if rnd.IntN(3) == 0 {
			c.RequiredAccessLevels = []string{target.end(targettest.Until.Add(2 * time.Hour).Unix())}
		}
		level.Basic.Conditions = append(level.Basic.Conditions, c)
	}
}

// inside asks from all over as all sorts of people, before and after ends.
func (f *fake) inside(t *testing.T, seed uint64, prefixes []netip.Prefix) {
	t.Helper()
	for _, from := range []string{"81.2.69.142", "81.2.69.1", "81.2.70.9", "92.40.1.7", "203.1.2.3", "2a02:8109:9340:1234::1", "2a00::1"} {
		addr := netip.MustParseAddr(from)
		if slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) }) {
			continue
		}
		for _, who := range []string{"", "ana@x.example", "zoe@x.example"} {
			for _, at := range []time.Time{morning, targettest.Until.Add(time.Minute), targettest.Until.AddDate(1, 0, 0)} {
				if f.admits(request{who, addr, at}) {
					t.Fatalf("seed %d: %q is let in from %s at %s, which is not in %v: %s", seed, who, from, at, prefixes, f.text())
				}
			}
		}
	}
}

func (f *fake) text() string {
	data, _ := json.MarshalIndent(f.Levels, "", " ")
	return string(data)
}

// FuzzObserved reads whatever the service may say of levels.
func FuzzObserved(f *testing.F) {
	f.Add([]byte(`[{"name":"` + policy + `/accessLevels/edge_00","basic":{"conditions":[null,{"ipSubnetworks":["1.2.3.4/5","x"]},{}]}}]`))
	f.Add([]byte(`[{"name":"` + policy + `/accessLevels/edge_until_5","custom":{"expr":null}},null]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var levels []*acm.AccessLevel
		if json.Unmarshal(data, &levels) != nil {
			return
		}
		v := &view{prefix: policy + "/accessLevels/edge_", ends: map[int64]string{}}
		for _, level := range levels {
			if level != nil {
				v.sort(level)
			}
		}
		v.arrange()
		seen := v.observed()
		if !slices.IsSortedFunc(seen.Prefixes, func(a, b netip.Prefix) int { return a.Addr().BitLen() - b.Addr().BitLen() }) || seen.Torn == "" && v.newest().Version == 0 {
			t.Errorf("reads %+v", seen)
		}
		for _, s := range v.shells {
			if left, _ := without(s, seen.Prefixes); len(left) > 0 && slices.Contains(seen.Prefixes, everybody[0]) && slices.ContainsFunc(left, func(c *acm.Condition) bool { return c == nil || len(c.IpSubnetworks) == 0 }) {
				t.Error("a condition for everybody is left")
			}
		}
	})
}

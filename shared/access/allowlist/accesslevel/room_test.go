package accesslevel

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

// leased is what leases "person prefix" make, registered one a minute in this order, and named by their place: l00, l01.
func leased(t testing.TB, sites []access.Fixed, lines ...string) allowlist.Set {
	t.Helper()
	var leases []lease.Lease
	for i, line := range lines {
		var person, prefix string
		hours := 0
		if n, err := fmt.Sscanf(line, "%s %s %d", &person, &prefix, &hours); err != nil && n < 2 {
			t.Fatal(err)
		}
		leases = append(leases, lease.Lease{ID: fmt.Sprintf("l%02d", i), Person: person, Prefix: netip.MustParsePrefix(prefix), State: lease.Received,
			Started: morning.Add(time.Duration(i-90) * time.Minute), Ends: targettest.Until.Add(time.Duration(hours) * time.Hour)})
	}
	return allowlist.Desired(leases, sites, morning)
}

// TestGoneAtOnce: nine people at one address do not fit six places. One who is suspended goes at once all the same, and the
// others stay; without the two latest the set fits.
func TestGoneAtOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t, 3)
	target := f.open(2)
	var lines []string
	for i := range 9 {
		lines = append(lines, fmt.Sprintf("p%d %s", i, home))
	}
	in := func() (who string) {
		for i := range 9 {
			if f.admits(request{fmt.Sprintf("p%d@x.example", i), netip.MustParsePrefix(home).Addr(), morning}) {
				who += fmt.Sprint(i)
			}
		}
		return who
	}
	mustApply(t, target, leased(t, nil, lines[:6]...), 1)
	eight := slices.Delete(slices.Clone(lines), 2, 3)
	err := apply(t, target, leased(t, nil, eight...), 2)
	if !fault.Is(err, fault.Exhausted) || in() != "01345" {
		t.Fatalf("let in are %s: %v", in(), err)
	}
	if seen, err := target.Read(t.Context()); err != nil || seen.Holds(leased(t, nil, eight...)) || seen.Holds(leased(t, nil, lines[:6]...)) {
		t.Errorf("what was taken away from reads as whole: %+v, %v", seen, err)
	}
	before := len(f.Sent)
	if err := apply(t, target, leased(t, nil, eight...), 3); !fault.Is(err, fault.Exhausted) || len(f.Sent) != before {
		t.Errorf("the second time %d writes: %v", len(f.Sent)-before, err)
	}
	if over := target.Over(leased(t, nil, eight...)); !slices.Equal(over, []string{"l07", "l06"}) {
		t.Errorf("no room for %v", over)
	}
	mustApply(t, target, leased(t, nil, eight[:6]...), 4)
	if in() != "013456" {
		t.Errorf("let in are %s", in())
	}
}

// TestTakesAwayOnly: without room for the rest, what stays is what is wanted as it stands: not other addresses, not longer, and
// not by a condition somebody else made.
func TestTakesAwayOnly(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	target := f.open(2)
	mustApply(t, target, set(t, "ana "+home, "ana "+cafe, "ben "+home+" 2", "cy "+cafe), 1)
	f.edit("edge_01", func(level *acm.AccessLevel) {
		level.Basic.Conditions = append(level.Basic.Conditions, &acm.Condition{IpSubnetworks: []string{office}, RequiredAccessLevels: []string{target.end(targettest.Until.Unix())}, Members: []string{"user:eve@x.example"}, Regions: []string{"DE"}})
	})
	want := set(t, "ana "+home+" 1", "ben "+home, "cy "+cafe, "cy "+six, "eve "+office, "x "+six, "y "+six)
	if err := apply(t, target, want, 2); !fault.Is(err, fault.Exhausted) {
		t.Fatal(err)
	}
	for _, r := range []struct {
		who, from string
		want      bool
	}{{"ana", home, true}, {"ana", cafe, false}, {"ben", home, false}, {"cy", cafe, true}, {"cy", six, false}, {"eve", office, false}, {"x", six, false}} {
		if got := f.admits(request{r.who + "@x.example", netip.MustParsePrefix(r.from).Addr(), morning}); got != r.want {
			t.Errorf("%s from %s: let in %t", r.who, r.from, got)
		}
	}
	for name, level := range map[string]*acm.AccessLevel{"custom": {Custom: custom("true")}, "no condition": {Basic: &acm.BasicLevel{CombiningFunction: or}}} {
		f.edit("edge_00", func(l *acm.AccessLevel) { l.Basic, l.Custom = level.Basic, level.Custom })
		if err := apply(t, target, want, 3); !fault.Is(err, fault.Exhausted) || f.admits(request{"zoe@x.example", netip.MustParsePrefix(cafe).Addr(), morning}) {
			t.Errorf("%s: %v, or everybody is still let in", name, err)
		}
	}
}

// TestTakesAwayOn: a level that cannot be written keeps no other from losing what it must, and the error says so beside the room.
func TestTakesAwayOn(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	target := f.open(1)
	mustApply(t, target, set(t, "ana "+home, "ben "+home), 1)
	f.Trouble = func(r *http.Request, _ int) func(http.ResponseWriter) {
		if r.Method != http.MethodPatch || !strings.HasSuffix(r.URL.Path, "edge_00") {
			return nil
		}
		return func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
	}
	err := apply(t, target, set(t, "x "+home, "y "+home, "z "+home), 2)
	if !fault.Is(err, fault.Exhausted) || !strings.Contains(err.Error(), "edge_00: status 503") {
		t.Errorf("taking away: %v", err)
	}
	from := netip.MustParsePrefix(home).Addr()
	if !f.admits(request{"ana@x.example", from, morning}) || f.admits(request{"ben@x.example", from, morning}) {
		t.Error("the second level was not written")
	}
}

// TestOver: what is counted is conditions, of which one holds up to 200 addresses of one person until one time.
func TestOver(t *testing.T) {
	t.Parallel()
	var many []string
	for _, text := range addresses(201) {
		many = append(many, "ana "+text)
	}
	four := []string{"ana 81.2.69.1/32", "ana 81.2.69.2/32", "ana 81.2.69.3/32", "ana 81.2.69.4/32", "ben 81.2.69.1/32", "ben 81.2.69.6/32", "ben 81.2.69.7/32",
		"ben 81.2.69.8/32", "cy 81.2.69.1/32", "cy 81.2.69.2/32", "cy 81.2.69.11/32", "cy " + six}
	site := []access.Fixed{{Name: "hq", Prefix: netip.MustParsePrefix(office), Until: targettest.Until.Add(time.Hour)}}
	for name, c := range map[string]struct {
		places int
		sites  []access.Fixed
		leases []string
		want   []string
	}{
		"nobody":                           {1, nil, nil, nil},
		"three people, four each":          {3, nil, four, nil},
		"three people, two places":         {2, nil, four, []string{"l11", "l10", "l09", "l08"}},
		"one address, four people":         {3, nil, []string{"d " + home, "c " + home, "b " + home, "a " + home}, []string{"l03"}},
		"sites first":                      {1, site, []string{"ana " + home}, []string{"l00"}},
		"sites, and one more":              {2, site, []string{"ana " + home, "ben " + home}, []string{"l01"}},
		"two ends":                         {1, nil, []string{"ana " + home, "ana " + cafe + " 1", "ana " + six}, []string{"l01"}},
		"a later end of the same":          {1, nil, []string{"ana " + home, "ana " + home + " 1"}, nil},
		"a later end of one of two":        {1, nil, []string{"ana " + home, "ana " + cafe, "ana " + home + " 1"}, []string{"l02"}},
		"two hundred and one":              {1, nil, many, []string{"l200"}},
		"two hundred and one, two places":  {2, nil, many, nil},
		"nobody knows her sign-in address": {1, nil, []string{"nora " + home, "ana " + home}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, c.places)
			target := f.open(1)
			s := leased(t, c.sites, c.leases...)
			if over := target.Over(s); over != nil {
				t.Errorf("before it was read there is no room for %v", over)
			}
			write(t, target, 0)
			if over := target.Over(s); !slices.Equal(over, c.want) {
				t.Errorf("no room for %v, want %v", over, c.want)
			}
			target.options.Account = nil
			if over := target.Over(s); over != nil {
				t.Errorf("with nobody to ask there is no room for %v", over)
			}
		})
	}
}

// TestOverEnds: each end takes a level of the policy, of which there are 500; one that is there takes none.
func TestOverEnds(t *testing.T) {
	t.Parallel()
	f := newFake(t, 4)
	target := f.open(2)
	mustApply(t, target, set(t, "ana "+home), 1) // with the end that has always been, six levels
	for i := range 493 {
		name := fmt.Sprintf("%s/accessLevels/theirs%d", policy, i)
		f.Levels[name] = &acm.AccessLevel{Name: name}
	}
	s := leased(t, nil, "ana "+home, "ben "+home+" 1", "cy "+home+" 2", "dee "+home+" 1", "eve "+cafe)
	write(t, target, 0)
	if over := target.Over(s); !slices.Equal(over, []string{"l02"}) {
		t.Errorf("with one level left there is no room for %v", over)
	}
	mustApply(t, target, leased(t, nil, "ana "+home, "ben "+home+" 1", "dee "+home+" 1", "eve "+cafe), 2)
	f.edit(strings.TrimPrefix(target.end(targettest.Until.Unix()), policy+"/accessLevels/"), func(l *acm.AccessLevel) { l.Custom = custom("true") })
	mustApply(t, target, leased(t, nil, "ana "+home), 3) // puts the level right that is there; that takes none
}

// TestOverFits: whatever the set, without those there is no room for it can be applied, and if there is one it cannot.
func TestOverFits(t *testing.T) {
	t.Parallel()
	for seed := range uint64(require.Seeds(25)) {
		rnd := rand.New(rand.NewPCG(seed, 11))
		f := newFake(t, 1+rnd.IntN(3))
		target := f.open(1 + rnd.IntN(2))
		mustApply(t, target, allowlist.Set{}, 1)
		var lines []string
		for range 1 + rnd.IntN(12) {
			lines = append(lines, fmt.Sprintf("p%d 81.2.69.%d/32 %d", rnd.IntN(4), rnd.IntN(4), rnd.IntN(2)))
		}
		full := leased(t, nil, lines...)
		over := target.Over(full)
		err := apply(t, target, full, 2)
		if len(over) == 0 != (err == nil) || err != nil && !fault.Is(err, fault.Exhausted) {
			t.Fatalf("seed %d: no room for %v, and %v", seed, over, err)
		}
		if !slices.IsSortedFunc(over, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Fatalf("seed %d: %v is not the latest first", seed, over)
		}
		fits := func(without []string) allowlist.Set {
			s := full
			for _, family := range []*[]allowlist.Entry{&s.V4, &s.V6} {
				var left []allowlist.Entry
				for _, e := range *family {
					e.Holders = slices.DeleteFunc(slices.Clone(e.Holders), func(h allowlist.Holder) bool { return slices.Contains(without, h.Lease) })
					if len(e.Holders) > 0 {
						left = append(left, e)
					}
				}
				*family = left
			}
			return s
		}
		mustApply(t, target, fits(over), 3)
		for _, id := range over { // who came later takes nobody's room
			if before := target.Over(leased(t, nil, lines[:index(id)+1]...)); !slices.Contains(before, id) {
				t.Fatalf("seed %d: with those before it alone there is room for %s", seed, id)
			}
		}
	}
}

func index(id string) (n int) {
	_, _ = fmt.Sscanf(id, "l%d", &n)
	return n
}

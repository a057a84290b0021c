package accesslevel

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/accesslevel/acmtest"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/platform/fault"
)

// spoilt is what another hand may do to our levels, and what it reads as then. The set is ana at home and ben in the café.
var spoilt = map[string]struct {
	edit   func(level *acm.AccessLevel)
	level  string // edge_00 unless it says otherwise
	reads  string // the prefixes; "" for home and café
	torn   string
	stands bool // Remove of what it reads as has nothing to take away
}{
	"addresses lost": {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].IpSubnetworks = nil }, reads: "[0.0.0.0/0 " + cafe + " ::/0]", torn: "names no address"},
	"member lost":    {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].Members = nil }, torn: "not as they were last written"},
	"another member": {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].Members[0] = "user:eve@x.example" }, torn: "not as they were last written"},
	"a second member": {edit: func(l *acm.AccessLevel) {
		l.Basic.Conditions[0].Members = append(l.Basic.Conditions[0].Members, "user:eve@x.example")
	}, torn: "not one person"},
	"a robot":             {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].Members = []string{"serviceAccount:r@x.example"} }, torn: "not one person"},
	"end lost":            {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].RequiredAccessLevels = nil }, torn: "does not end by itself"},
	"another end":         {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].RequiredAccessLevels[0] = policy + "/accessLevels/x" }, torn: "does not end by itself"},
	"ends later":          {level: "end", edit: func(l *acm.AccessLevel) { l.Custom = custom(expression(4e9)) }, torn: "does not end by itself"},
	"never ends":          {level: "end", edit: func(l *acm.AccessLevel) { l.Custom = custom("true") }, torn: "does not end by itself"},
	"end without a time":  {level: "end", edit: func(l *acm.AccessLevel) { l.Custom, l.Basic = nil, &acm.BasicLevel{} }, torn: "does not end by itself"},
	"negated":             {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].Negate = true }, reads: "[0.0.0.0/0 " + cafe + " ::/0]", torn: "negated"},
	"wider":               {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].IpSubnetworks[0] = "81.2.0.0/16" }, reads: "[81.2.0.0/16 " + cafe + "]", torn: "wider than may be"},
	"host bits":           {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].IpSubnetworks[0] = "81.2.69.142/24" }, reads: "[81.2.69.0/24 " + cafe + "]", torn: "not spelled"},
	"no mask":             {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].IpSubnetworks[0] = "81.2.69.142" }, torn: "not spelled"},
	"no address at all":   {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].IpSubnetworks[0] = "home" }, reads: "[0.0.0.0/0 " + cafe + " ::/0]", torn: "not spelled"},
	"another address":     {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].IpSubnetworks[0] = "81.2.69.1/32" }, reads: "[81.2.69.1/32 " + cafe + "]", torn: "not as they were last written"},
	"a region":            {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].Regions = []string{"DE"} }, torn: "asks for more"},
	"a device":            {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].DevicePolicy = &acm.DevicePolicy{} }, torn: "asks for more"},
	"a network":           {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].VpcNetworkSources = []*acm.VpcNetworkSource{{}} }, torn: "asks for more"},
	"all must be met":     {edit: func(l *acm.AccessLevel) { l.Basic.CombiningFunction = "AND" }, torn: "must all be met"},
	"condition lost":      {edit: func(l *acm.AccessLevel) { l.Basic.Conditions = l.Basic.Conditions[1:] }, reads: "[" + cafe + "]", torn: "not as they were last written"},
	"a null condition":    {edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0] = nil }, reads: "[0.0.0.0/0 " + cafe + " ::/0]", torn: "names no address"},
	"no conditions":       {edit: func(l *acm.AccessLevel) { l.Basic.Conditions = nil }, reads: "[0.0.0.0/0 ::/0]", torn: "no list of conditions"},
	"a custom level":      {edit: func(l *acm.AccessLevel) { l.Basic, l.Custom = nil, custom("true") }, reads: "[0.0.0.0/0 ::/0]", torn: "no list of conditions"},
	"a level of its own":  {level: "edge_01", edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].IpSubnetworks[0] = six }, reads: "[" + home + " " + cafe + "]", torn: "not as they were last written", stands: true},
	"an open empty level": {level: "edge_01", edit: func(l *acm.AccessLevel) { l.Basic.Conditions[0].IpSubnetworks = nil }, reads: "[" + home + " " + cafe + "]", torn: "names no address", stands: true},
}

// TestTorn: whatever another hand did, it reads as torn and as no less than what it lets in, Remove takes it away and Apply
// makes it right.
func TestTorn(t *testing.T) {
	t.Parallel()
	for name, c := range spoilt {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, 2)
			target := f.open(2)
			good := set(t, "ana "+home, "ben "+cafe)
			mustApply(t, target, good, 1)
			level := map[string]string{"": "edge_00", "end": fmt.Sprintf("edge_until_%d", targettest.Until.Unix())}[c.level]
			if level == "" {
				level = c.level
			}
			before, err := target.Read(t.Context())
			must(t, err)
			f.edit(level, c.edit)
			seen, err := target.Read(t.Context())
			must(t, err)
			want := c.reads
			if want == "" {
				want = "[" + home + " " + cafe + "]"
			}
			if fmt.Sprint(ordered(seen.Prefixes)) != fmt.Sprint(ordered(prefixes(t, want))) || !strings.Contains(seen.Torn, c.torn) || seen.Holds(good) || seen.Etag == before.Etag {
				t.Errorf("reads %v, torn %q, etag moved %t; want %s and %q", seen.Prefixes, seen.Torn, seen.Etag != before.Etag, want, c.torn)
			}
			f.honest(t, seen)
			if !c.stands {
				must(t, f.open(2).Remove(t.Context(), seen.Prefixes))
				shut, err := target.Read(t.Context())
				must(t, err)
				if len(shut.Prefixes) != 0 {
					t.Errorf("after all was taken away it reads %v", shut.Prefixes)
				}
				f.honest(t, shut)
			}
			mustApply(t, target, good, 2)
			f.honest(t, allowlist.Observed{Prefixes: good.Prefixes()})
		})
	}
}

func prefixes(t *testing.T, text string) (all []netip.Prefix) {
	t.Helper()
	for _, one := range strings.Fields(strings.Trim(text, "[]")) {
		all = append(all, netip.MustParsePrefix(one))
	}
	return all
}

func ordered(all []netip.Prefix) []netip.Prefix {
	return slices.SortedFunc(slices.Values(all), netip.Prefix.Compare)
}

// honest asks from everywhere as everybody: nobody is let in from where nothing was read.
func (f *fake) honest(t *testing.T, seen allowlist.Observed) {
	t.Helper()
	for _, from := range []string{"81.2.69.142", "81.2.69.1", "81.2.69.200", "81.2.1.1", "92.40.1.7", "203.1.2.3", "192.0.2.1", "2a02:8109:9340:1234::1", "2a00::1"} {
		addr := netip.MustParseAddr(from)
		for _, who := range []string{"", "ana@x.example", "ben@x.example", "eve@x.example"} {
			said := slices.ContainsFunc(seen.Prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
			if f.safely(request{who, addr, morning.Add(time.Minute)}) && !said {
				t.Errorf("%q is let in from %s, which is not in %v", who, from, seen.Prefixes)
			}
		}
	}
}

// safely is admits for levels that the service itself would not have taken: they are not asked.
func (f *fake) safely(r request) bool {
	f.Mu.Lock()
	for _, level := range f.Levels {
		if f.Wrong(*level) != "" {
			f.Mu.Unlock()
			return false
		}
	}
	f.Mu.Unlock()
	return f.admits(r)
}

// TestDescriptions: one level that lost its description takes nothing from what the others say; all of them do.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	target := f.open(1)
	good := set(t, "ana "+home, "ben "+cafe)
	mustApply(t, target, good, 7)
	last, err := target.Read(t.Context())
	must(t, err)
	for i, torn := range []string{"", "never written"} {
		f.edit(fmt.Sprintf("edge_%02d", i), func(l *acm.AccessLevel) { l.Description += " by hand" })
		seen, err := target.Read(t.Context())
		if err != nil || seen.Torn != torn || seen.Holds(good) != (i == 0) || seen.Etag == last.Etag {
			t.Errorf("%d descriptions lost: torn %q, holds %t, etag moved %t, %v", i+1, seen.Torn, seen.Holds(good), seen.Etag != last.Etag, err)
		}
		last = seen
	}
	mustApply(t, target, good, 8)
}

// TestConflict: somebody writes between our look and our hand. What she wrote stands, and nothing more is written.
func TestConflict(t *testing.T) {
	t.Parallel()
	f := newFake(t, 3)
	target := f.open(1)
	mustApply(t, target, set(t, "ana "+home, "ben "+cafe), 1)
	w := write(t, target, 2)
	before := len(f.Sent)
	f.Trouble = func(r *http.Request, _ int) func(http.ResponseWriter) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/edge_01") {
			level := *f.Levels[policy+"/accessLevels/edge_01"]
			level.Description = "hers"
			f.Levels[level.Name] = &level
		}
		return nil
	}
	err := target.Apply(t.Context(), set(t, "cy "+home, "dee "+cafe, "eve "+six), w)
	if !fault.Is(err, fault.Conflict) || len(f.Sent) != before+1 || f.Levels[policy+"/accessLevels/edge_01"].Description != "hers" {
		t.Errorf("%v after %d writes", err, len(f.Sent)-before)
	}
}

// TestRemoveNeedsNothing: the levels of Terraform, never written, and one of them opened by hand, with no end level there.
func TestRemoveNeedsNothing(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	target := f.open(2)
	seen, err := target.Read(t.Context())
	if err != nil || seen.Torn != "never written" || len(seen.Prefixes) != 0 {
		t.Fatalf("fresh levels read %v, torn %q, %v", seen.Prefixes, seen.Torn, err)
	}
	f.edit("edge_01", func(l *acm.AccessLevel) { l.Basic.Conditions[0].IpSubnetworks[0] = home })
	must(t, target.Remove(t.Context(), []netip.Prefix{netip.MustParsePrefix(home)}))
	if n := len(f.Sent); n != 1 || f.admits(request{"", netip.MustParseAddr("81.2.69.142"), morning}) {
		t.Errorf("%d writes, or still open", n)
	}
	// One level that cannot be written keeps no other one open.
	f.edit("edge_00", func(l *acm.AccessLevel) { l.Basic.Conditions[0].IpSubnetworks[0] = home })
	f.edit("edge_01", func(l *acm.AccessLevel) { l.Basic.Conditions[0].IpSubnetworks[0] = cafe })
	f.Trouble = func(r *http.Request, _ int) func(http.ResponseWriter) {
		if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/edge_00") {
			return func(w http.ResponseWriter) { acmtest.Refuse(w, 503, "later") }
		}
		return nil
	}
	if err := target.Remove(t.Context(), prefixes(t, home+" "+cafe)); !fault.Is(err, fault.Transient) {
		t.Errorf("error %v", err)
	}
	if seen, err = target.Read(t.Context()); err != nil || fmt.Sprint(seen.Prefixes) != "["+home+"]" {
		t.Errorf("reads %v, %v", seen.Prefixes, err)
	}
}

package cloudarmor

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/platform/fault"
)

// holds says that the target reads as the set, whole.
func holds(t *testing.T, target *Target, s allowlist.Set) {
	t.Helper()
	if seen, err := target.Read(t.Context()); err != nil || !seen.Holds(s) {
		t.Fatalf("reads %v, torn %q, %v; want %v", seen.Prefixes, seen.Torn, err, s.Prefixes())
	}
}

// TestOnlyOurRules: rules of others stay as they are through everything, and ours come and go between from and to.
func TestOnlyOurRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.Put(999, "deny(403)", "9.9.9.9/32")
	w.Put(1010, "allow", "81.2.69.142/32")
	w.Set(5, `{"action":"deny(502)","match":{"expr":{"expression":"evaluatePreconfiguredWaf('sqli-v33-stable')"}}}`)
	before := w.Policy()
	target := w.open(t, 0, nil)
	for _, s := range []allowlist.Set{many(0, 25, 0, 12), many(20, 30, 5, 1), many(0, 0, 0, 40), {}} {
		if err := apply(t, target, s); err != nil {
			t.Fatal(err)
		}
		holds(t, target, s)
	}
	after := w.Policy()
	for i, r := range after.Rules {
		if len(after.Rules) != len(before.Rules) || view(r) != view(before.Rules[i]) {
			t.Fatalf("others have %s", view(r))
		}
	}
}

// TestWritesAtTheWire: of many leases one that comes or goes is one write, and a rule nobody is left in is taken away.
func TestWritesAtTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	target := w.open(t, 0, nil)
	for _, row := range []struct {
		s      allowlist.Set
		writes string
	}{
		{many(0, 20, 0, 5), "[addRule 1000 addRule 1001 addRule 1002]"}, {many(0, 19, 0, 5), "[patchRule 1001]"}, {many(0, 19, 0, 6), "[patchRule 1002]"},
		{many(0, 10, 0, 6), "[removeRule 1001]"}, {many(0, 10, 0, 0), "[removeRule 1002]"}, {many(0, 10, 0, 0), "[]"}, {many(0, 11, 0, 0), "[addRule 1001]"}, {allowlist.Set{}, "[removeRule 1000 removeRule 1001]"},
	} {
		w.Writes = nil
		if err := apply(t, target, row.s); err != nil || fmt.Sprint(w.Writes) != row.writes {
			t.Fatalf("%d entries: %v, %v; want %s", row.s.Len(), w.Writes, err, row.writes)
		}
	}
}

// TestStrangersAmongOurs: whatever stands between from and to and is not ours lets in what it lets in, and is put right.
func TestStrangersAmongOurs(t *testing.T) {
	t.Parallel()
	s := set("81.2.69.142/32", "2a02:8109:9340:1234::/64")
	for name, stranger := range map[string]string{
		"everybody":    one(0, "allow", "", "*"),
		"expression":   expression(0, "allow"),
		"empty list":   one(0, "allow", ""),
		"a throttle":   one(0, "throttle", "", "203.1.2.3/32"),
		"a neighbour":  one(0, "allow", "", "203.1.2.3/32"),
		"a denial":     one(0, "deny(403)", "", "81.2.69.142/32"),
		"a preview":    one(0, "allow", `,"preview":true`, "81.2.69.142/32"),
		"both at once": one(0, "allow", "", "81.2.69.142/32", "2a02:8109:9340:1234::/64"),
	} {
		for _, priority := range []int64{1000, 1009} {
			w := newWorld(t, "")
			target := w.open(t, 0, nil)
			if err := apply(t, target, s); err != nil {
				t.Fatal(err)
			}
			before, _ := target.Read(t.Context())
			w.Set(priority, stranger)
			seen, err := target.Read(t.Context())
			if err != nil || seen.Holds(s) || seen.Etag == before.Etag {
				t.Errorf("%s at %d reads as ours: %+v, %v", name, priority, seen, err)
			}
			stray := netip.MustParseAddr("203.1.2.3")
			if said := slices.ContainsFunc(seen.Prefixes, func(p netip.Prefix) bool { return p.Contains(stray) }); admits(w.Policy(), stray) && !said {
				t.Errorf("%s at %d lets a stranger in and reads %v", name, priority, seen.Prefixes)
			}
			if err := target.Apply(t.Context(), s, allowlist.Write{Etag: before.Etag}); !fault.Is(err, fault.Conflict) {
				t.Errorf("%s at %d: what was read before it counts: %v", name, priority, err)
			}
			if err := apply(t, target, s); err != nil {
				t.Errorf("%s at %d: %v", name, priority, err)
			}
			holds(t, target, s)
			if admits(w.Policy(), stray) || !admits(w.Policy(), netip.MustParseAddr("81.2.69.142")) {
				t.Errorf("%s at %d is not put right", name, priority)
			}
		}
	}
}

// TestOpenPolicy: a default rule that does not deny lets in everybody; nothing is written, and whoever reads is told what to do.
func TestOpenPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	target := w.open(t, 0, nil)
	w.Put(lastPriority, "allow", "*")
	for _, s := range []allowlist.Set{{}, set("81.2.69.142/32")} {
		err := apply(t, target, s)
		e, _ := errors.AsType[*fault.Error](err)
		if !fault.Is(err, fault.Misconfigured) || e.Code != "policy_open" || !strings.Contains(e.Next, "default rule") || len(w.Writes) > 0 {
			t.Errorf("%d entries: %v, wrote %v", s.Len(), err, w.Writes)
		}
	}
	if seen, err := target.Read(t.Context()); err != nil || seen.Torn == "" || !slices.Equal(seen.Prefixes, everyone) || seen.Holds(allowlist.Set{}) {
		t.Errorf("reads as %+v, %v", seen, err)
	}
}

// TestQuota: what the project's quota leaves is the capacity, as it was last read; without any there is no room, and the
// next step is said.
func TestQuota(t *testing.T) {
	t.Parallel()
	for _, region := range []string{"", "europe-west9"} {
		w := newWorld(t, region)
		target := w.open(t, 0, nil)
		capacity := func(limit, used, want int) {
			t.Helper()
			w.Mu.Lock()
			w.Limit, w.Used = limit, used
			w.Mu.Unlock()
			if _, err := target.Read(t.Context()); err != nil || target.Limits().Capacity != want {
				t.Errorf("%d of %d used: capacity %d, %v; want %d", used, limit, target.Limits().Capacity, err, want)
			}
		}
		if target.Limits().Capacity != 100 {
			t.Errorf("before anything is read: %d", target.Limits().Capacity)
		}
		capacity(1000, 100, 100) // ten rules are set aside
		capacity(103, 100, 20)   // the default rule is one of them
		capacity(102, 100, 10)
		capacity(103, 100, 20)
		if err := apply(t, target, many(0, 10, 0, 1)); err != nil {
			t.Error(err)
		}
		capacity(103, 100, 20) // ours are counted once
		w.Set(1005, expression(0, "allow"))
		capacity(104, 100, 30) // what stands in their place too
		for name, row := range map[string]struct{ limit, used int }{"none left": {50, 100}, "no quota": {0, 0}} {
			if err := apply(t, target, allowlist.Set{}); err != nil {
				t.Error(err)
			}
			capacity(row.limit, row.used, 1)
			w.Writes = nil
			for n := 1; n < 3; n++ {
				err := apply(t, target, many(0, n, 0, 0))
				e, _ := errors.AsType[*fault.Error](err)
				if !fault.Is(err, fault.Exhausted) || !strings.Contains(e.Next, "quota") || len(w.Writes) > 0 {
					t.Errorf("%s, %d entries: %v, wrote %v", name, n, err, w.Writes)
				}
			}
		}
		capacity(1000, 0, 100)
		w.Failing = func(r *http.Request) (int, string) {
			if strings.Contains(r.URL.Path, "securityPolicies") {
				return 0, ""
			}
			return http.StatusForbidden, "forbidden"
		}
		capacity(3, 0, 100) // it may not be read: the last known stays
	}
}

// TestDeclaredCapacity: the policy folder may declare less than there is room for.
func TestDeclaredCapacity(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	target := w.open(t, 5, nil)
	if err := apply(t, target, many(0, 5, 0, 0)); err != nil {
		t.Error(err)
	}
	if err := apply(t, target, many(0, 3, 0, 3)); !fault.Is(err, fault.Exhausted) {
		t.Errorf("six: %v", err)
	}
	holds(t, target, many(0, 5, 0, 0))
}

// TestPermissions: each method asks for what the table says, and for nothing else.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for region, table := range map[string]map[string][]string{"": Permissions, "europe-west9": RegionalPermissions} {
		w := newWorld(t, region)
		asked := &recorder{seen: map[string]bool{}}
		target := w.open(t, 0, asked)
		seen, err := target.Read(t.Context())
		asked.expect(t, "Target.Read", table, err)
		err = target.Apply(t.Context(), many(0, 11, 0, 1), allowlist.Write{Etag: seen.Etag})
		asked.expect(t, "Target.Apply", table, err)
		err = target.Remove(t.Context(), many(0, 11, 0, 1).Prefixes())
		asked.expect(t, "Target.Remove", table, err)
		if len(table) != 3 {
			t.Errorf("the table is %v", table)
		}
	}
}

type recorder struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	prefix, verb := "compute.", ".get"
	if strings.HasSuffix(req.URL.Path, "Rule") {
		verb = ".update"
	}
	name := "projects"
	regional := strings.Contains(req.URL.Path, "/regions/")
	switch {
	case strings.Contains(req.URL.Path, "/operations/"):
		name = map[bool]string{true: "regionOperations", false: "globalOperations"}[regional]
	case strings.Contains(req.URL.Path, "/securityPolicies/"):
		name = map[bool]string{true: "regionSecurityPolicies", false: "securityPolicies"}[regional]
	case regional:
		name = "regions"
	}
	r.mu.Lock()
	r.seen[prefix+name+verb] = true
	r.mu.Unlock()
	return http.DefaultTransport.RoundTrip(req)
}

func (r *recorder) expect(t *testing.T, method string, table map[string][]string, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if asked := slices.Sorted(maps.Keys(r.seen)); !slices.Equal(asked, table[method]) {
		t.Errorf("%s asks for %v, the table says %v", method, asked, table[method])
	}
	clear(r.seen)
}

package vpcfirewall

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/platform/fault"
)

// numbered is a set of n IPv4 addresses from the given one.
func numbered(from, n int) allowlist.Set {
	var texts []string
	for i := from; i < from+n; i++ {
		texts = append(texts, fmt.Sprintf("81.%d.%d.%d/32", 2+i>>16, i>>8&255, i&255))
	}
	return targettest.Make(texts...)
}

func numbered6(n int) allowlist.Set {
	var texts []string
	for i := range n {
		texts = append(texts, fmt.Sprintf("2a02:8109:9340:%x::/64", i+1))
	}
	return targettest.Make(texts...)
}

// TestEveryEditIsSeen changes a rule in ways a person might. What is ours is put right by the next Apply; what is Terraform's stays torn.
func TestEveryEditIsSeen(t *testing.T) {
	t.Parallel()
	tcp := func(ports ...string) []*compute.FirewallAllowed {
		return []*compute.FirewallAllowed{{IPProtocol: "tcp", Ports: ports}}
	}
	for name, c := range map[string]struct {
		rule  string
		edit  func(r *compute.Firewall)
		torn  string
		more  []string // let in beside the set
		fewer bool     // some of the set is not let in
		stays bool     // not for us to mend
	}{
		"everyone":             {"edge-v4-00", func(r *compute.Firewall) { r.SourceRanges = []string{"0.0.0.0/0"} }, "too wide", []string{"0.0.0.0/0"}, true, false},
		"everyone, IPv6":       {"edge-v6-00", func(r *compute.Firewall) { r.SourceRanges = []string{"::/0"} }, "too wide", []string{"::/0"}, true, false},
		"no source":            {"edge-v4-00", func(r *compute.Firewall) { r.SourceRanges = nil }, "names no source", []string{"0.0.0.0/0", "::/0"}, true, false},
		"wide":                 {"edge-v4-00", func(r *compute.Firewall) { r.SourceRanges = append(r.SourceRanges, "81.0.0.0/8") }, "too wide", []string{"81.0.0.0/8"}, false, false},
		"host bits":            {"edge-v4-00", func(r *compute.Firewall) { r.SourceRanges = append(r.SourceRanges, "92.40.1.7/24") }, "host bits", []string{"92.40.1.0/24"}, false, false},
		"unreadable":           {"edge-v4-00", func(r *compute.Firewall) { r.SourceRanges = append(r.SourceRanges, "all") }, "cannot be read", nil, false, false},
		"other family":         {"edge-v4-00", func(r *compute.Firewall) { r.SourceRanges = append(r.SourceRanges, "2a02::/64") }, "other family", []string{"2a02::/64"}, false, false},
		"mapped":               {"edge-v6-00", func(r *compute.Firewall) { r.SourceRanges = append(r.SourceRanges, "::ffff:92.40.1.7/128") }, "other family", []string{"::ffff:92.40.1.7/128"}, false, false},
		"one more":             {"edge-v4-01", func(r *compute.Firewall) { r.SourceRanges, r.Disabled = []string{"92.40.1.7/32"}, false }, "", []string{"92.40.1.7/32"}, false, false},
		"enabled and empty":    {"edge-v4-01", func(r *compute.Firewall) { r.Disabled = false }, "", []string{"192.0.2.1/32"}, false, false},
		"disabled":             {"edge-v4-00", func(r *compute.Firewall) { r.Disabled = true }, "is disabled and holds", nil, true, false},
		"disabled, everyone":   {"edge-v4-01", func(r *compute.Firewall) { r.SourceRanges = []string{"0.0.0.0/0"} }, "is disabled and holds", nil, false, false},
		"disabled, no list":    {"edge-v4-01", func(r *compute.Firewall) { r.SourceRanges = nil }, "is disabled and holds", nil, false, false},
		"disabled, unreadable": {"edge-v4-01", func(r *compute.Firewall) { r.SourceRanges = append(r.SourceRanges, "all") }, "is disabled and holds", nil, false, false},
		"allows nothing":       {"edge-v4-00", func(r *compute.Firewall) { r.Allowed = nil }, "does not allow", nil, true, true},
		"allows and denies":    {"edge-v4-00", func(r *compute.Firewall) { r.Denied = []*compute.FirewallDenied{{IPProtocol: "udp"}} }, "does not allow", nil, false, true},
		"egress":               {"edge-v4-00", func(r *compute.Firewall) { r.Direction = "EGRESS" }, "is not for ingress", nil, true, true},
		"denies":               {"edge-v4-00", func(r *compute.Firewall) { r.Denied, r.Allowed = []*compute.FirewallDenied{{IPProtocol: "tcp"}}, nil }, "does not allow", nil, true, true},
		"tags":                 {"edge-v4-00", func(r *compute.Firewall) { r.SourceTags = []string{"batch"} }, "by tag or account", nil, false, true},
		"tags alone":           {"edge-v4-00", func(r *compute.Firewall) { r.SourceTags, r.SourceRanges = []string{"batch"}, nil }, "by tag or account", nil, true, true},
		"accounts":             {"edge-v4-01", func(r *compute.Firewall) { r.SourceServiceAccounts = []string{"a@b.example"} }, "by tag or account", nil, false, true},
		"no priority":          {"edge-v4-01", func(r *compute.Firewall) { r.Priority = 0 }, "has no priority", nil, false, true},
		"other priority":       {"edge-v6-00", func(r *compute.Firewall) { r.Priority = 901 }, "differs from edge-v4-00 in its priority", nil, false, true},
		"other network":        {"edge-v6-01", func(r *compute.Firewall) { r.Network = "x" }, "in its network", nil, false, true},
		"other tags":           {"edge-v4-01", func(r *compute.Firewall) { r.TargetTags = nil }, "in its targets", nil, false, true},
		"other accounts":       {"edge-v4-01", func(r *compute.Firewall) { r.TargetServiceAccounts = []string{"a@b.example"} }, "in its targets", nil, false, true},
		"other port":           {"edge-v6-01", func(r *compute.Firewall) { r.Allowed = tcp("443", "22") }, "differs from edge-v6-00 in what it allows", nil, false, true},
		"other destination":    {"edge-v4-01", func(r *compute.Firewall) { r.DestinationRanges = []string{"10.0.0.0/8"} }, "in what it allows", nil, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVPC(t, 2)
			target := v.door(t, 4, 8, nil)
			set := targettest.Make("81.2.69.142/32", "2a02:8109:9340:1234::/64")
			mustApply(t, target, set)
			before := read(t, target)
			v.Edit(c.rule, c.edit)
			seen := read(t, target)
			if !strings.Contains(seen.Torn, c.torn) || c.torn == "" != (seen.Torn == "") || seen.Etag == before.Etag || seen.Holds(set) {
				t.Errorf("reads as %+v, want torn %q", seen, c.torn)
			}
			if err := target.Apply(t.Context(), set, allowlist.Write{Etag: before.Etag}); !fault.Is(err, fault.Conflict) {
				t.Errorf("applying on the reading before: %v", err)
			}
			for _, p := range seen.Prefixes {
				if !slices.Contains(set.Prefixes(), p) && !slices.Contains(c.more, p.String()) {
					t.Errorf("lets in %s", p)
				}
			}
			for _, text := range c.more {
				if !slices.Contains(seen.Prefixes, netip.MustParsePrefix(text)) {
					t.Errorf("does not read as letting in %s: %v", text, seen.Prefixes)
				}
			}
			if fewer := slices.ContainsFunc(set.Prefixes(), func(p netip.Prefix) bool { return !slices.Contains(seen.Prefixes, p) }); fewer != c.fewer {
				t.Errorf("lets in %v", seen.Prefixes)
			}
			if err := apply(t, target, set); err != nil {
				t.Fatal(err)
			}
			if mended := read(t, target); mended.Holds(set) == c.stays {
				t.Errorf("after applying it reads as %+v", mended)
			}
		})
	}
}

// TestOtherSpelling: the service may order and spell a list otherwise than it was sent.
func TestOtherSpelling(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 1)
	target := v.door(t, 4, 4, nil)
	set := targettest.Make("81.2.69.142/32", "92.40.1.7/32", "2a02:8109:9340:1234::/64")
	mustApply(t, target, set)
	before := read(t, target)
	v.Edit("edge-v4-00", func(r *compute.Firewall) {
		r.SourceRanges = []string{"92.40.1.7/32", "81.2.69.142/32"}
		r.Description = "x"
	})
	if seen := read(t, target); seen.Etag != before.Etag {
		t.Error("another order is another etag")
	}
	v.Edit("edge-v4-00", func(r *compute.Firewall) { r.SourceRanges = []string{"92.40.1.7", "81.2.69.142"} })
	v.Edit("edge-v6-00", func(r *compute.Firewall) { r.SourceRanges = []string{"2a02:8109:9340:1234:0:0:0:0/64"} })
	if seen := read(t, target); !seen.Holds(set) {
		t.Errorf("another spelling reads as %+v", seen)
	}
}

// TestRoom: how many the rules hold is learnt from the rules; a family that is full is named, and nothing is written.
func TestRoom(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 2)
	delete(v.Rules, "edge-v6-01")
	v.Add(&compute.Firewall{Name: "edge-v4-100", Priority: 900, Disabled: true, SourceRanges: []string{"192.0.2.1/32"}, TargetTags: []string{"web"},
		Allowed: []*compute.FirewallAllowed{{IPProtocol: "tcp", Ports: []string{"443"}}}})
	for _, other := range []string{"edge-v4-1", "edge-v4-0a", "edge-v5-00", "edge-v4-0001", "edge-v4", "edges-v4-00"} {
		v.Add(&compute.Firewall{Name: other, Disabled: true})
	}
	target := v.door(t, 4, 0, nil)
	if got := target.Limits(); got.Capacity != DefaultCapacity || got.Every != 5*time.Second {
		t.Errorf("limits before reading: %+v", got)
	}
	six := numbered(0, 12)
	six.V6 = numbered6(5).V6
	err := target.Apply(t.Context(), six, allowlist.Write{Etag: v.etag(t)})
	if !fault.Is(err, fault.Exhausted) || !strings.Contains(err.Error(), "5 entries of v6, its 1 rules hold 4") || len(v.Patches) != 0 {
		t.Errorf("five in one rule of four: %v; written %v", err, v.Patches)
	}
	if got := target.Limits().Capacity; got != 4 {
		t.Errorf("the smaller family holds 4, the limit is %d", got)
	}
	if got := v.door(t, 4, 3, nil); read(t, got).Torn != "" || got.Limits().Capacity != 3 {
		t.Errorf("declared 3, the limit is %d", got.Limits().Capacity)
	}
	for _, rule := range []string{"edge-v6-00", "edge-v4-00"} {
		delete(v.Rules, rule)
		if _, err := target.Read(t.Context()); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "edge-v") {
			t.Errorf("without %s: %v", rule, err)
		}
		v.Shells(1)
		delete(v.Rules, "edge-v4-01")
		delete(v.Rules, "edge-v4-100")
	}
}

// TestOneLease: five thousand leases over twenty rules; one that comes or goes is one write, and no change is none.
func TestOneLease(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 20)
	v.PerMinute = 30
	target := v.door(t, DefaultSize, 5001, nil)
	steps := []struct {
		set    allowlist.Set
		writes int
	}{{numbered(0, 5000), 20}, {numbered(0, 5000), 0}, {numbered(0, 5001), 1}, {numbered(0, 5000), 1}, {numbered(1, 5000), 1}, {allowlist.Set{}, 20}}
	for i, step := range steps {
		if err := v.Clock.Set(v.Clock.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		v.Patches, v.Calls = nil, map[string]int{}
		mustApply(t, target, step.set)
		if len(v.Patches) != step.writes {
			t.Errorf("step %d: %d writes, want %d", i, len(v.Patches), step.writes)
		}
		if v.Calls["list"] > 3 || v.Calls["get"] != step.writes {
			t.Errorf("step %d: asked %v", i, v.Calls)
		}
	}
}

// TestOpen reads the URL.
func TestOpen(t *testing.T) {
	t.Parallel()
	long := "vpcfirewall:acme-live/" + strings.Repeat("a", 56)
	for url, size := range map[string]int{
		"vpcfirewall:acme-live/edge": 256, "vpcfirewall:acme-live/edge?size=1": 1, "vpcfirewall:acme.example:live/e?size=5000": 5000, long[:len(long)-1]: 256,
		"vpcfirewall:acme-live": 0, "vpcfirewall:/edge": 0, "vpcfirewall:acme-live/": 0, "vpcfirewall:acme-live/edge?size=0": 0, "vpcfirewall:acme-live/edge?size=5001": 0,
		"vpcfirewall:acme-live/edge?size=x": 0, "vpcfirewall:acme-live/edge?sizes=3": 0, "vpcfirewall:acme-live/edge?size=3&size=4": 0, "vpcfirewall:acme-live/edge?size=3&x=1": 0,
		"vpcfirewall:acme-live/Edge": 0, "vpcfirewall:acme-live/edge-": 0, "vpcfirewall:acme-live/edge/x": 0, "vpcfirewall:acme-live/edge#x": 0, "vpcfirewall://acme-live/edge": 0,
		"vpcfirewall:../edge": 0, "vpcfirewall:acme-live/edge?%zz": 0, long: 0,
	} {
		target, err := allowlist.Targets.Open(t.Context(), url, allowlist.Options{Name: "vpc"})
		if size == 0 {
			if !fault.Is(err, fault.Misconfigured) {
				t.Errorf("%s: %v", url, err)
			}
			continue
		}
		if err != nil || target.Name() != "vpc" || target.(*Target).size != size {
			t.Errorf("%s: %+v, %v", url, target, err)
		}
	}
	if _, err := New("acme-live", "edge", 1, allowlist.Options{Capacity: -1}, Dial); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a negative capacity: %v", err)
	}
	a, _ := New("acme-live", "edge", 1, allowlist.Options{}, Dial)
	b, _ := New("acme-live", "edge", 2, allowlist.Options{}, Dial)
	c, _ := New("acme-live", "edge2", 2, allowlist.Options{}, Dial)
	d, _ := New("acme-test", "edge", 1, allowlist.Options{}, Dial)
	if a.turn != b.turn || a.turn == c.turn || a.turn == d.turn {
		t.Error("two handles on the same rules take no turns, or two doors do")
	}
}

// TestPages: a list of many pages is read whole; one that never ends, changes on the way or is cut short is not believed.
func TestPages(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 1)
	for i := range 350 {
		v.Add(&compute.Firewall{Name: fmt.Sprintf("a%d", i), TargetTags: []string{"db"}})
	}
	target := v.door(t, 4, 4, nil)
	if seen := read(t, target); v.Calls["list"] != 8 || seen.Torn != "" {
		t.Errorf("%d pages, %+v", v.Calls["list"], seen)
	}
	const shells = `{"name":"edge-v4-00"},{"name":"edge-v6-00"}`
	for name, page := range map[string]string{
		"endless":     `{"nextPageToken":"x"}`,
		"twice":       `{"items":[{"name":"edge-v4-00"},` + shells + `]}`,
		"nameless":    `{"items":[{},` + shells + `]}`,
		"null":        `{"items":[null,` + shells + `]}`,
		"incomplete":  `{"items":[` + shells + `],"warning":{"code":"UNREACHABLE"}}`,
		"HTML":        `<html>81.2.69.142</html>`,
		"cut":         `{"items":[` + shells,
		"other shape": `{"items":{"name":"81.2.69.142"}}`,
		"huge":        `{"kind":"` + strings.Repeat("x", googledoor.MostOfAnswer) + `","items":[` + shells + `]}`,
	} {
		v.Answer = func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, page); return true }
		_, err := target.Read(t.Context())
		if !fault.Is(err, fault.Transient) || strings.Contains(err.Error(), "81.2") || name == "twice" && !strings.Contains(err.Error(), "the list changed") {
			t.Errorf("%s: %v", name, err)
		}
	}
	v.Answer = func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, `{}`); return true }
	if _, err := target.Read(t.Context()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("no rule at all: %v", err)
	}
	v.Answer = func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, `{"items":[`+shells+`],"warning":{"code":"NO_RESULTS_ON_PAGE"}}`)
		return true
	}
	if _, err := target.Read(t.Context()); err != nil {
		t.Errorf("an empty page is no gap: %v", err)
	}
}

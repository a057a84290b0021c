package accesslevel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
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
)

var morning = targettest.Until.Add(-time.Hour)

// account knows everybody whose name does not begin with "no".
func account(person string) (string, bool) {
	return person + "@x.example", !strings.HasPrefix(person, "no")
}

// open returns a handle on the levels of a fake, two conditions to a level so that a small set is several levels.
func (f *fake) open(size int, wrap ...func(http.RoundTripper) http.RoundTripper) *Target {
	f.T.Helper()
	client := *f.Server.Client()
	for _, w := range wrap {
		client.Transport = w(client.Transport)
	}
	t, err := New(policy, "edge", allowlist.Options{Name: "door", Capacity: targettest.Capacity, Clock: f.Clock, Account: account},
		func(context.Context) (*http.Client, error) { return &client, nil }, f.Server.URL)
	if err != nil {
		f.T.Fatal(err)
	}
	t.size, t.pause = size, func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return t
}

// world shows a fake to the suite.
type world struct {
	*fake
	size  int
	apart bool // each address is another person's
}

// crowd gives each prefix of a set to another person.
type crowd struct{ *Target }

func (c crowd) Apply(ctx context.Context, s allowlist.Set, w allowlist.Write) error {
	for _, family := range []*[]allowlist.Entry{&s.V4, &s.V6} {
		*family = slices.Clone(*family)
		for i, e := range *family {
			(*family)[i].Holders = slices.Clone(e.Holders)
			for j := range e.Holders {
				(*family)[i].Holders[j].Person = tenant(e.Prefix)
			}
		}
	}
	return c.Target.Apply(ctx, s, w)
}

func tenant(p netip.Prefix) string {
	return "p-" + strings.NewReplacer(":", "-", "/", "-").Replace(p.String())
}

func (w world) target(t *Target) allowlist.Target {
	if w.apart {
		return crowd{t}
	}
	return t
}

func (w world) Open(*testing.T) allowlist.Target { return w.target(w.open(w.size)) }

func (w world) Dying(_ *testing.T, n int) allowlist.Target {
	return w.target(w.open(w.size, func(next http.RoundTripper) http.RoundTripper { return &mortal{next: next, left: n - 1} }))
}

// mortal dies before a write.
type mortal struct {
	next http.RoundTripper
	left int
	dead bool
}

func (m *mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		m.left--
	}
	if m.dead = m.dead || m.left < 0; m.dead {
		return nil, errors.New("the process is dead")
	}
	return m.next.RoundTrip(r)
}

func (w world) Admits(_ *testing.T, addr netip.Addr) []bool {
	who := "ana"
	if w.apart {
		bits := 32
		if addr.Is6() {
			bits = 64
		}
		p, _ := addr.Prefix(bits)
		who = tenant(p)
	}
	return []bool{w.admits(request{who + "@x.example", addr, w.Clock.Now()})}
}

func (w world) Foreign(_ *testing.T, p netip.Prefix) {
	w.edit("edge_00", func(level *acm.AccessLevel) {
		level.Basic.Conditions = append(level.Basic.Conditions, &acm.Condition{IpSubnetworks: []string{p.String()}})
	})
}

func (world) Atomic() bool { return false }

// edit changes a level behind everybody's back.
func (f *fake) edit(short string, change func(level *acm.AccessLevel)) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	name := policy + "/accessLevels/" + short
	one := *f.Levels[name]
	if one.Basic != nil {
		basic := *one.Basic
		basic.Conditions = nil
		for _, c := range one.Basic.Conditions {
			copied := *c
			basic.Conditions = append(basic.Conditions, &copied)
		}
		one.Basic = &basic
	}
	change(&one)
	f.Levels[name] = &one
}

func TestTarget(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]world{
		"one person":             {size: 2},
		"everybody for herself":  {size: 1, apart: true},
		"two persons to a level": {size: 2, apart: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			targettest.Run(t, func(t *testing.T) targettest.World {
				one := w
				one.fake = newFake(t, targettest.Capacity/w.size)
				return one
			})
		})
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"accesslevel:accessPolicies/4711/edge":                true,
		"accesslevel:accessPolicies/4711/e_1":                 true,
		"accesslevel:accessPolicies/4711/":                    false,
		"accesslevel:accessPolicies/live/edge":                false,
		"accesslevel:accessPolicies/4711/../edge":             false,
		"accesslevel:accessPolicies/4711/1edge":               false,
		"accesslevel:accessPolicies/4711/edge?size=3":         false,
		"accesslevel://accessPolicies/4711/edge":              false,
		"accesslevel:organizations/1/edge":                    false,
		"accesslevel:accessPolicies/4711/edge-1":              false,
		"accesslevel:accessPolicies/1/" + longName:            true,
		"accesslevel:accessPolicies/1/x" + longName:           false,
		"accesslevel:accessPolicies/4711/accessLevels/edge":   false,
		"accesslevel:accessPolicies/123456789012345678901/es": false,
	} {
		got, err := allowlist.Targets.Open(t.Context(), text, allowlist.Options{Name: "door", Capacity: 7})
		if ok != (err == nil) || err != nil && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", text, err)
		}
		if ok && (got.Name() != "door" || got.Limits() != allowlist.Limits{Capacity: 7, Every: 15 * time.Second}) {
			t.Errorf("%s: %s, %+v", text, got.Name(), got.Limits())
		}
	}
	if n := len(longName + "_until_" + "253402300799"); n != 50 {
		t.Errorf("the longest name of a level is %d characters", n)
	}
	if _, err := New(policy, "edge", allowlist.Options{Capacity: -1}, nil, ""); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a capacity below zero: %v", err)
	}
	if got, err := open(&url.URL{Scheme: "accesslevel", Opaque: "accessPolicies/1/edge"}, allowlist.Options{}); err != nil || got.Limits().Capacity != DefaultCapacity {
		t.Errorf("without a capacity: %v, %v", got, err)
	}
}

// TestOwns: what the audit log may name when it is about this door.
func TestOwns(t *testing.T) {
	t.Parallel()
	target := newFake(t, 1).open(1)
	const service = "//accesscontextmanager.googleapis.com/"
	for asset, want := range map[string]bool{
		service + policy: true,
		service + policy + "/accessLevels/edge_00":          true,
		service + policy + "/accessLevels/edge_100":         true,
		service + policy + "/accessLevels/edge_until_0":     true,
		service + policy + "/accessLevels/edge_until_17725": true,
		service + policy + "/accessLevels/edge":             false, // who requires it is for Terraform
		service + policy + "/accessLevels/edge_x":           false,
		service + policy + "/accessLevels/edge_until_01":    false,
		service + policy + "/accessLevels/edge_until_x_00":  false,
		service + policy + "/servicePerimeters/edge_00":     false,
		service + policy + "1":                              false,
		service + policy + "1/accessLevels/edge_00":         false,
		"//compute.googleapis.com/" + policy:                false,
		policy + "/accessLevels/edge_00":                    false,
		"":                                                  false,
	} {
		if target.Owns(asset) != want {
			t.Errorf("%q: owned %t", asset, !want)
		}
	}
}

const longName = "abcdefghijabcdefghijabcdefghi_2"

// set is what leases of these people and these sites make: "person prefix", "person prefix hours" or "! prefix hours" for a site.
func set(t testing.TB, lines ...string) allowlist.Set {
	t.Helper()
	var leases []lease.Lease
	var sites []access.Fixed
	for i, line := range lines {
		var person, prefix string
		hours := 0
		if n, err := fmt.Sscanf(line, "%s %s %d", &person, &prefix, &hours); err != nil && n < 2 {
			t.Fatal(err)
		}
		until, p := targettest.Until.Add(time.Duration(hours)*time.Hour), netip.MustParsePrefix(prefix)
		if person == "!" {
			sites = append(sites, access.Fixed{Name: fmt.Sprintf("site%d", i), Prefix: p, Until: until})
			continue
		}
		leases = append(leases, lease.Lease{ID: fmt.Sprintf("lease-%d-%s", i, line), Person: person, Prefix: p, State: lease.Received, Ends: until})
	}
	return allowlist.Desired(leases, sites, morning)
}

// apply applies as a reconciler does.
func apply(t testing.TB, target *Target, s allowlist.Set, fence int64) error {
	t.Helper()
	seen, err := target.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return target.Apply(t.Context(), s, allowlist.Write{Fence: fence, Etag: seen.Etag})
}

func mustApply(t testing.TB, target *Target, s allowlist.Set, fence int64) {
	t.Helper()
	if err := apply(t, target, s, fence); err != nil {
		t.Fatal(err)
	}
	if seen, err := target.Read(t.Context()); err != nil || !seen.Holds(s) {
		t.Fatalf("reads %v, torn %q, %v; want %v", seen.Prefixes, seen.Torn, err, s.Prefixes())
	}
}

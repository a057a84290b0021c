package cloudarmor

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/api/compute/v1"
	"google.golang.org/api/option"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/platform/fault"
)

// world is one policy, global or regional.
type world struct {
	*fake
	server string
	query  string
}

func newWorld(t testing.TB, region string) world {
	where, query := "global", "from=1000&to=1009"
	if region != "" {
		where, query = "regions/"+region, query+"&region="+region
	}
	f, server := newFake(t, where)
	return world{f, server.URL, query}
}

// open returns a target whose requests go through via, or straight where it is nil.
func (w world) open(t testing.TB, capacity int, via http.RoundTripper) *Target {
	t.Helper()
	u := &url.URL{Scheme: "cloudarmor", Opaque: "shop/edge", RawQuery: w.query}
	target, err := New(u, allowlist.Options{Name: "edge", Capacity: capacity}, func(ctx context.Context) (*compute.Service, error) {
		return compute.NewService(ctx, option.WithHTTPClient(googledoor.Guard(&http.Client{Transport: via})), option.WithEndpoint(w.server))
	})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func (w world) Open(t *testing.T) allowlist.Target { return w.open(t, targettest.Capacity, nil) }

func (w world) Dying(t *testing.T, n int) allowlist.Target {
	return w.open(t, targettest.Capacity, &dying{n: int64(n), counts: func(r *http.Request) bool {
		return r.Method == http.MethodPost && !strings.HasSuffix(r.URL.Path, "/wait")
	}})
}

// dying is the network of a process that dies before its n-th request of those that count.
type dying struct {
	n, seen int64
	counts  func(*http.Request) bool
}

func (d *dying) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.counts(r) && atomic.AddInt64(&d.seen, 1) >= d.n || atomic.LoadInt64(&d.seen) >= d.n {
		return nil, errors.New("killed")
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (w world) Admits(_ *testing.T, addr netip.Addr) []bool { return []bool{admits(w.Policy(), addr)} }

func (w world) Foreign(_ *testing.T, p netip.Prefix) { w.Put(1007, "allow", p.String()) }

func (world) Atomic() bool { return false }

func TestTarget(t *testing.T) {
	t.Parallel()
	for name, region := range map[string]string{"global": "", "regional": "europe-west9"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			targettest.Run(t, func(t *testing.T) targettest.World { return newWorld(t, region) })
		})
	}
}

func set(prefixes ...string) allowlist.Set { return targettest.Make(prefixes...) }

func apply(t testing.TB, target *Target, s allowlist.Set) error {
	t.Helper()
	seen, err := target.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return target.Apply(t.Context(), s, allowlist.Write{Etag: seen.Etag})
}

func TestNew(t *testing.T) {
	t.Parallel()
	target, err := allowlist.Targets.Open(t.Context(), "cloudarmor:shop/edge?from=1000&to=1999", allowlist.Options{Name: "door"})
	if err != nil || target.Name() != "door" || target.Limits() != (allowlist.Limits{Capacity: 10000, Every: every}) {
		t.Fatalf("opened %+v, %v", target, err)
	}
	target, err = allowlist.Targets.Open(t.Context(), "cloudarmor:example.com:shop/edge?from=1&to=2147483646&region=europe-west9", allowlist.Options{Capacity: 7})
	if !fault.Is(err, fault.Misconfigured) {
		t.Errorf("two thousand million rules: %v, %v", target, err)
	}
	target, err = allowlist.Targets.Open(t.Context(), "cloudarmor:example.com:shop/edge?from=1&to=5000&region=europe-west9", allowlist.Options{Capacity: 7})
	if err != nil || target.Limits().Capacity != 7 {
		t.Errorf("declared are 7: %+v, %v", target, err)
	}
	for _, bad := range []string{
		"shop", "shop/", "/edge", "shop/edge/x", "//shop/edge", "shop/Edge", "sh%20op/edge", "shop/edge", "shop/edge?from=1000", "shop/edge?to=1000",
		"shop/edge?from=0&to=9", "shop/edge?from=9&to=8", "shop/edge?from=-1&to=8", "shop/edge?from=1&to=x", "shop/edge?from=2147483640&to=2147483647", "shop/edge?from=1&to=5001",
		"shop/edge?from=1&to=9&size=3", "shop/edge?from=1&to=9&to=10", "shop/edge?from=1&to=9&region=", "shop/edge?from=1&to=9&region=eu/../x", "shop/edge?from=1&to=9#x", "shop/edge?from=1&to=9&%zz",
	} {
		if target, err := allowlist.Targets.Open(t.Context(), "cloudarmor:"+bad, allowlist.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s opens %+v, %v", bad, target, err)
		}
	}
	if _, err := allowlist.Targets.Open(t.Context(), "cloudarmor:shop/edge?from=1&to=9", allowlist.Options{Capacity: -1}); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a negative capacity: %v", err)
	}
}

// TestOwns: what the audit log may name when it is about this door.
func TestOwns(t *testing.T) {
	t.Parallel()
	const compute = "//compute.googleapis.com/"
	wide, near := newWorld(t, "").open(t, 0, nil), newWorld(t, "europe-west9").open(t, 0, nil)
	for asset, want := range map[string][2]bool{
		compute + "projects/shop/global/securityPolicies/edge":                        {true, false},
		compute + "projects/shop/regions/europe-west9/securityPolicies/edge":          {false, true},
		compute + "projects/shop/regions/europe-west1/securityPolicies/edge":          {},
		compute + "projects/shop/global/securityPolicies/edge2":                       {},
		compute + "projects/shop/global/securityPolicies/edge/x":                      {},
		compute + "projects/shop/global/securityPolicies":                             {},
		compute + "projects/shop/global/firewalls/edge":                               {},
		compute + "projects/shops/global/securityPolicies/edge":                       {},
		"projects/shop/global/securityPolicies/edge":                                  {},
		"//networksecurity.googleapis.com/projects/shop/global/securityPolicies/edge": {},
		"": {},
	} {
		if got := [2]bool{wide.Owns(asset), near.Owns(asset)}; got != want {
			t.Errorf("%q: owned %v, want %v", asset, got, want)
		}
	}
}

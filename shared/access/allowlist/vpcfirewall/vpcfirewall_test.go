package vpcfirewall

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/compute/v1"
	"google.golang.org/api/option"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/platform/fault"
)

// door opens the rules named edge; through replaces how requests travel, nil for the network.
func (v *vpc) door(t testing.TB, size, capacity int, through func(next http.RoundTripper) http.RoundTripper) *Target {
	t.Helper()
	dial := func(ctx context.Context) (*compute.Service, error) {
		client := *v.Server.Client()
		if through != nil {
			client.Transport = through(client.Transport)
		}
		return service(ctx, googledoor.Guard(&client), option.WithEndpoint(v.Server.URL))
	}
	target, err := New(project, "edge", size, allowlist.Options{Name: "vpc", Capacity: capacity}, dial)
	if err != nil {
		t.Fatal(err)
	}
	target.turn = make(chan struct{}, 1) // tests run side by side on networks of their own
	return target
}

// world has room for Capacity entries of each family, in three rules.
type world struct {
	*vpc
	turn chan struct{}
}

func newWorld(t *testing.T) targettest.World {
	return world{newVPC(t, 3), make(chan struct{}, 1)}
}

func (w world) open(t *testing.T, through func(http.RoundTripper) http.RoundTripper) *Target {
	w.Settle()
	target := w.door(t, targettest.Capacity/3, targettest.Capacity, through)
	target.turn = w.turn
	return target
}

func (w world) Open(t *testing.T) allowlist.Target { return w.open(t, nil) }

func (w world) Dying(t *testing.T, n int) allowlist.Target {
	return w.open(t, func(next http.RoundTripper) http.RoundTripper { return &dying{next: next, left: n - 1} })
}

func (w world) Admits(t *testing.T, addr netip.Addr) []bool {
	w.Settle()
	return []bool{w.VPC.Admits(addr)}
}

func (w world) Foreign(t *testing.T, p netip.Prefix) {
	w.Edit("edge-v4-01", func(r *compute.Firewall) {
		r.SourceRanges, r.Disabled = append(slices.Clone(r.SourceRanges), p.String()), false
	})
}

func (world) Atomic() bool { return false }

// dying travels until so many writes were made; after that nothing does. With lost, the last write arrives and its answer does not.
type dying struct {
	next http.RoundTripper
	left int
	lost bool
	dead bool
}

func (d *dying) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPatch {
		if d.left--; d.left < 0 && !d.dead {
			d.dead = true
			if d.lost {
				if answer, err := d.next.RoundTrip(r); err == nil {
					answer.Body.Close()
				}
			}
		}
	}
	if d.dead {
		return nil, errors.New("killed")
	}
	return d.next.RoundTrip(r)
}

func TestTarget(t *testing.T) {
	t.Parallel()
	targettest.Run(t, newWorld)
}

func read(t testing.TB, target *Target) allowlist.Observed {
	t.Helper()
	seen, err := target.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func apply(t testing.TB, target *Target, s allowlist.Set) error {
	t.Helper()
	return target.Apply(t.Context(), s, allowlist.Write{Etag: read(t, target).Etag})
}

func mustApply(t testing.TB, target *Target, s allowlist.Set) {
	t.Helper()
	if err := apply(t, target, s); err != nil {
		t.Fatal(err)
	}
	if seen := read(t, target); !seen.Holds(s) {
		t.Fatalf("holds %d entries, torn %q, want %d", len(seen.Prefixes), seen.Torn, s.Len())
	}
}

// TestKilledAfterAWrite: the service took the n-th write, and nobody heard so.
func TestKilledAfterAWrite(t *testing.T) {
	t.Parallel()
	old, next := numbered(0, 10), numbered(8, 10)
	for n := 0; ; n++ {
		w := newWorld(t).(world)
		mustApply(t, w.open(t, nil), old)
		died := &dying{left: n, lost: true}
		err := apply(t, w.open(t, func(next http.RoundTripper) http.RoundTripper { died.next = next; return died }), next)
		for _, p := range read(t, w.open(t, nil)).Prefixes {
			if !slices.Contains(old.Prefixes(), p) && !slices.Contains(next.Prefixes(), p) {
				t.Errorf("killed after write %d: %s is let in", n, p)
			}
		}
		mustApply(t, w.open(t, nil), next)
		if err == nil {
			if n < 2 {
				t.Errorf("%d writes are all there are to be killed after", n)
			}
			return
		}
	}
}

// TestTakesFirst: who loses an address does not keep it because a write that adds one fails before.
func TestTakesFirst(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 3)
	target := v.door(t, 4, 12, nil)
	mustApply(t, target, numbered(0, 6)) // 00 is full, 01 holds two
	mustApply(t, target, numbered(1, 5)) // 00 has a gap
	v.Patches = nil
	s := numbered(1, 4) // 01 loses one, 00 gains one
	s.V4 = append(s.V4, numbered(20, 1).V4...)
	mustApply(t, target, s)
	if want := []string{"edge-v4-01", "edge-v4-00"}; !slices.Equal(v.Patches, want) {
		t.Errorf("written: %v, want %v", v.Patches, want)
	}
}

// TestNested: a site and an address in it, at its very beginning, are two entries.
func TestNested(t *testing.T) {
	t.Parallel()
	target := newVPC(t, 1).door(t, 4, 4, nil)
	mustApply(t, target, targettest.Make("81.2.69.0/24", "81.2.69.0/32", "2a02:8109:9340::/48", "2a02:8109:9340::/64"))
}

// TestAnotherProcess: a rule that somebody else wrote since it was read is not written over, and nothing after it.
func TestAnotherProcess(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 3)
	target := v.door(t, 4, 12, nil)
	mustApply(t, target, numbered(0, 12))
	etag := read(t, target).Etag
	v.Patches = nil
	v.Before = func(r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "edge-v4-01") {
			v.Edit("edge-v4-01", func(r *compute.Firewall) { r.SourceRanges = []string{"81.2.69.200/32"} })
		}
	}
	if err := target.Apply(t.Context(), allowlist.Set{}, allowlist.Write{Etag: etag}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a rule changed since it was read: %v", err)
	}
	if !slices.Equal(v.Patches, []string{"edge-v4-00"}) {
		t.Errorf("written: %v", v.Patches)
	}
	v.Before = nil
	v.Settle()
	mustApply(t, target, allowlist.Set{})
}

// TestLateReading: a list that lags once says nothing that was not so, and what was written is seen by the next.
func TestLateReading(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 3)
	target := v.door(t, 4, 12, nil)
	mustApply(t, target, numbered(0, 3))
	old := map[string]*compute.Firewall{}
	for name, r := range v.Rules {
		rule := *r
		old[name] = &rule
	}
	mustApply(t, target, numbered(2, 3))
	v.Stale = old
	late := read(t, target)
	if !late.Holds(numbered(0, 3)) {
		t.Fatalf("the list does not lag: %v", late.Prefixes)
	}
	if err := target.Apply(t.Context(), numbered(0, 2), allowlist.Write{Etag: late.Etag}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a decision on a late reading: %v", err)
	}
	if seen := read(t, target); !seen.Holds(numbered(2, 3)) {
		t.Errorf("reads as %v", seen.Prefixes)
	}
}

// TestPermissions: each method needs what the table says, and no more.
func TestPermissions(t *testing.T) {
	t.Parallel()
	s := numbered(0, 3)
	v := newVPC(t, 1)
	for method, list := range Permissions {
		call := map[string]func(*Target) error{
			"Target.Read":   func(d *Target) error { _, err := d.Read(t.Context()); return err },
			"Target.Apply":  func(d *Target) error { return d.Apply(t.Context(), s, allowlist.Write{Etag: v.etag(t)}) },
			"Target.Remove": func(d *Target) error { return d.Remove(t.Context(), s.Prefixes()) },
		}[method]
		for i := range len(list) + 1 {
			v.Rights = nil
			mustApply(t, v.door(t, 4, 4, nil), map[string]allowlist.Set{"Target.Remove": s}[method])
			v.Rights = map[string]bool{}
			for j, p := range list {
				v.Rights[p] = j != i
			}
			err := call(v.door(t, 4, 4, nil))
			if i == len(list) && err != nil {
				t.Errorf("%s with all of the table: %v", method, err)
			}
			if i < len(list) && !fault.Is(err, fault.Denied) {
				t.Errorf("%s without %s: %v", method, list[i], err)
			}
			v.Settle()
		}
	}
}

func (v *vpc) etag(t *testing.T) string {
	rights := v.Rights
	v.Rights = nil
	defer func() { v.Rights = rights }()
	return read(t, v.door(t, 4, 4, nil)).Etag
}

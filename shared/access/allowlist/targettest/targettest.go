// Package targettest is the suite every allow-list target passes, against the real thing or a fake that speaks at the
// wire. It looks at a target twice: through Read, and through the eyes of its readers, who decide about connections.
package targettest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
)

// Capacity is the number of entries a World's target must have.
const Capacity = 12

// World is one enforcement point, made afresh for each test.
type World interface {
	// Open returns a handle on the target with Capacity; each call is another writer.
	Open(t *testing.T) allowlist.Target
	// Dying returns a handle whose process dies just before its n-th effect on the outside (1 is the first): that
	// effect and all later ones do not happen and return an error.
	Dying(t *testing.T, n int) allowlist.Target
	// Admits asks each reader that enforces on its own whether addr may come in.
	Admits(t *testing.T, addr netip.Addr) []bool
	// Foreign lets p in behind our back.
	Foreign(t *testing.T, p netip.Prefix)
	// Atomic reports whether one reader sees the old set or the new one and nothing between, even after a crash.
	// A target of several rules cannot; it must then read as torn or differ from both, and admit nothing foreign.
	Atomic() bool
}

// Run runs the suite; make returns a world in which nothing was ever applied.
func Run(t *testing.T, make func(t *testing.T) World) {
	for name, test := range map[string]func(*testing.T, World){
		"whole sets converge":          converges,
		"an empty set shuts the door":  empties,
		"the same set twice":           repeats,
		"a stale fence is refused":     staleFence,
		"a stale etag is refused":      staleEtag,
		"two writers, one wins":        twoWriters,
		"foreign entries are restored": foreign,
		"too many entries are refused": oversize,
		"invalid sets are refused":     invalid,
		"killed between steps":         killed,
		"a cancelled call":             cancelled,
		"removals":                     removals,
		"a killed removal":             killedRemoval,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, make(t))
		})
	}
}

// Until is the end of every entry made by Make.
var Until = time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC)

// Make returns the set of the given prefixes, each held by one lease.
func Make(prefixes ...string) allowlist.Set {
	var leases []lease.Lease
	for _, text := range prefixes {
		leases = append(leases, lease.Lease{ID: "lease-of-" + text, Person: "ana", Prefix: netip.MustParsePrefix(text),
			State: lease.Received, Ends: Until})
	}
	return allowlist.Desired(leases, nil, Until.Add(-time.Hour))
}

var (
	one   = Make("81.2.69.142/32", "92.40.1.7/32", "2a02:8109:9340:1234::/64")
	two   = Make("81.2.69.142/32", "81.2.69.150/32", "2a02:8109:9340:9999::/64", "2a00:1450:4001:81b::/64")
	none  = allowlist.Set{}
	other = "203.1.2.3" // in no set
)

func probes() []netip.Addr {
	addrs := []netip.Addr{netip.MustParseAddr(other), netip.MustParseAddr("2a02:8109:ffff::1")}
	for _, s := range []allowlist.Set{one, two} {
		for _, p := range s.Prefixes() {
			if addr := p.Addr().Next(); p.Contains(addr) {
				addrs = append(addrs, addr)
			}
			addrs = append(addrs, p.Addr())
		}
	}
	return addrs
}

// apply applies with a fresh etag, as a reconciler does.
func apply(ctx context.Context, target allowlist.Target, s allowlist.Set, fence int64) error {
	seen, err := target.Read(ctx)
	if err != nil {
		return fmt.Errorf("reading before applying: %w", err)
	}
	return target.Apply(ctx, s, allowlist.Write{Fence: fence, Etag: seen.Etag})
}

func mustApply(t *testing.T, target allowlist.Target, s allowlist.Set, fence int64) {
	t.Helper()
	if err := apply(t.Context(), target, s, fence); err != nil {
		t.Fatalf("applying: %v", err)
	}
}

func read(t *testing.T, target allowlist.Target) allowlist.Observed {
	t.Helper()
	seen, err := target.Read(t.Context())
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return seen
}

// expect says that Read and every reader agree with the set.
func expect(t *testing.T, w World, s allowlist.Set) {
	t.Helper()
	seen := read(t, w.Open(t))
	if !seen.Holds(s) {
		t.Fatalf("read back %v (torn: %q, digest %s); want %v (digest %s)", seen.Prefixes, seen.Torn, seen.Digest,
			s.Prefixes(), s.Digest())
	}
	for i, reader := range readers(t, w) {
		if want := view(s); reader != want {
			t.Fatalf("reader %d admits %s, want %s", i, reader, want)
		}
	}
}

// held says that what is let in is what the set lets in, whoever wrote it.
func held(t *testing.T, w World, s allowlist.Set) {
	t.Helper()
	if seen := read(t, w.Open(t)); !slices.Equal(seen.Prefixes, s.Prefixes()) {
		t.Fatalf("read back %v, want %v", seen.Prefixes, s.Prefixes())
	}
	for i, reader := range readers(t, w) {
		if want := view(s); reader != want {
			t.Fatalf("reader %d admits %s, want %s", i, reader, want)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// view is what a reader of s answers to the probes, as text.
func view(s allowlist.Set) string {
	var b strings.Builder
	for _, addr := range probes() {
		in := slices.ContainsFunc(s.Prefixes(), func(p netip.Prefix) bool { return p.Contains(addr) })
		fmt.Fprintf(&b, "%s=%t ", addr, in)
	}
	return b.String()
}

func readers(t *testing.T, w World) []string {
	t.Helper()
	var views []string
	for _, addr := range probes() {
		for i, in := range w.Admits(t, addr) {
			if i == len(views) {
				views = append(views, "")
			}
			views[i] += fmt.Sprintf("%s=%t ", addr, in)
		}
	}
	return views
}

func refused(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("error %v is of kind %q, want %s", err, fault.KindOf(err), kind)
	}
}

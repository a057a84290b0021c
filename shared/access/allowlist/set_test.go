package allowlist

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
)

var (
	morning = time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)
	night   = time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC)
)

func held(id, person, prefix string, ends time.Time) lease.Lease {
	return lease.Lease{ID: id, Person: person, Prefix: netip.MustParsePrefix(prefix), Family: lease.FamilyOf(netip.MustParsePrefix(prefix)),
		State: lease.Received, Started: morning, Ends: ends, Open: true}
}

func TestDesired(t *testing.T) {
	t.Parallel()
	ended := held("l5", "eve", "81.2.69.9/32", night)
	ended.State = lease.Ended
	leases := []lease.Lease{
		held("l1", "ana", "92.40.1.7/32", night),
		held("l2", "ben", "81.2.69.142/32", night),
		held("l3", "ana", "81.2.69.142/32", night.Add(time.Hour)), // the same home, another zone
		held("l4", "ana", "2a02:8109:9340:1234::/64", night),
		ended,
		held("l6", "eve", "81.2.69.8/32", morning), // over
	}
	sites := []access.Fixed{
		{Name: "office", Prefix: netip.MustParsePrefix("81.2.70.0/24"), Until: night.Add(240 * time.Hour)},
		{Name: "everyone", Prefix: netip.MustParsePrefix("0.0.0.0/0"), Until: night},
		{Name: "no prefix", Until: night},
		{Name: "old office", Prefix: netip.MustParsePrefix("81.2.71.0/24"), Until: morning},
		{Name: "home of ana and ben", Prefix: netip.MustParsePrefix("81.2.69.142/32"), Until: night.Add(time.Minute)},
	}
	set := Desired(leases, sites, morning)
	var got []string
	for _, e := range set.Entries() {
		got = append(got, e.Prefix.String())
	}
	want := []string{"81.2.69.142/32", "81.2.70.0/24", "92.40.1.7/32", "2a02:8109:9340:1234::/64"}
	if !slices.Equal(got, want) || len(set.V6) != 1 {
		t.Fatalf("desired %v (%d IPv6), want %v", got, len(set.V6), want)
	}
	shared := set.V4[0]
	if len(shared.Holders) != 2 || !shared.Until.Equal(night.Add(time.Hour)) || shared.Site == "" {
		t.Errorf("two holders and a site: %+v", shared)
	}
	if office := set.V4[1]; len(office.Holders) != 0 || office.Site != "office" {
		t.Errorf("a site alone: %+v", office)
	}
	if err := set.Check(Limits{Capacity: 4}); err != nil {
		t.Error(err)
	}
	if err := set.Check(Limits{Capacity: 3}); !fault.Is(err, fault.Exhausted) {
		t.Errorf("over capacity: %v", err)
	}
}

// TestDesiredDoesNotDependOnOrder shuffles a crowd and expects the same set, byte for byte.
func TestDesiredDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var leases []lease.Lease
	for i := range 300 {
		addr := netip.AddrFrom4([4]byte{81, 2, byte(random.IntN(2)), byte(random.IntN(100))})
		leases = append(leases, held(string(rune('a'+i%26))+addr.String(), "p", netip.PrefixFrom(addr, 32).String(), night))
	}
	want := Desired(leases, nil, morning)
	for range 20 {
		random.Shuffle(len(leases), func(i, j int) { leases[i], leases[j] = leases[j], leases[i] })
		if got := Desired(leases, nil, morning); got.Digest() != want.Digest() {
			t.Fatal("another order gives another digest")
		}
	}
}

func TestDigestTellsSetsApart(t *testing.T) {
	t.Parallel()
	base := []lease.Lease{held("l1", "ana", "81.2.69.142/32", night)}
	seen := map[string]string{}
	for name, set := range map[string]Set{
		"empty":         {},
		"one":           Desired(base, nil, morning),
		"later":         Desired([]lease.Lease{held("l1", "ana", "81.2.69.142/32", night.Add(time.Hour))}, nil, morning),
		"other lease":   Desired([]lease.Lease{held("l2", "ana", "81.2.69.142/32", night)}, nil, morning),
		"second holder": Desired(append(base, held("l2", "ben", "81.2.69.142/32", night)), nil, morning),
		"as a site":     Desired(nil, []access.Fixed{{Name: "x", Prefix: base[0].Prefix, Until: night}}, morning),
		"other prefix":  Desired([]lease.Lease{held("l1", "ana", "81.2.69.143/32", night)}, nil, morning),
	} {
		if other, taken := seen[set.Digest()]; taken {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		seen[set.Digest()] = name
	}
}

func TestOverflow(t *testing.T) {
	t.Parallel()
	at := func(minutes int, id, prefix string) lease.Lease {
		l := held(id, id, prefix, night)
		l.Started = morning.Add(time.Duration(minutes) * time.Minute)
		return l
	}
	leases := []lease.Lease{
		at(5, "newest", "81.2.69.5/32"), at(1, "first", "81.2.69.1/32"), at(4, "shares", "81.2.69.1/32"),
		at(2, "second", "2a02:8109:9340:1234::/64"), at(3, "third", "81.2.69.3/32"), at(0, "over", "81.2.69.9/32"),
	}
	leases[5].Ends = morning
	site := []access.Fixed{{Name: "office", Prefix: netip.MustParsePrefix("81.2.70.0/24"), Until: night}}
	for _, c := range []struct {
		capacity int
		sites    []access.Fixed
		want     []string
	}{
		{0, nil, nil}, {4, nil, nil}, {3, nil, []string{"newest"}}, {3, site, []string{"third", "newest"}},
		{1, nil, []string{"second", "third", "newest"}}, {1, site, []string{"first", "second", "third", "shares", "newest"}},
	} {
		var got []string
		for _, l := range Overflow(leases, c.sites, c.capacity, morning.Add(10*time.Minute)) {
			got = append(got, l.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("capacity %d, %d sites: over are %v, want %v", c.capacity, len(c.sites), got, c.want)
		}
	}
}

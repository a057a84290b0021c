package listing

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

func book(t *testing.T, sites ...Site) *Book {
	t.Helper()
	s, err := memory.New(store.Options{Schema: store.Schema{Collection()}, Clock: clock.NewManual(noon)})
	if err != nil {
		t.Fatal(err)
	}
	return &Book{Store: s, Sites: sites}
}

func change(id, prefix string, from, until time.Duration) Change {
	return Change{Lease: id, Prefix: netip.MustParsePrefix(prefix), From: noon.Add(from), Until: noon.Add(until)}
}

// TestListed: an address is listed from its registration to its end, whatever the order of the messages, and no other is.
func TestListed(t *testing.T) {
	t.Parallel()
	changes := []Change{
		change("a", "81.2.69.142/32", -4*time.Hour, 11*time.Hour),
		change("a", "81.2.69.142/32", -4*time.Hour, -time.Hour), // ended early
		change("b", "81.2.69.142/32", time.Hour, 11*time.Hour),
		change("c", "2001:db8:1:2::/64", -time.Hour, 11*time.Hour),
		change("c", "2001:db8:1:2::/64", -time.Hour, 11*time.Hour),
	}
	asked := map[string]bool{
		"81.2.69.142 -5h": false, "81.2.69.142 -4h": true, "81.2.69.142 -61m": true, "81.2.69.142 -1h": false, "81.2.69.142 59m": false,
		"81.2.69.142 1h": true, "81.2.69.142 11h": false, "81.2.69.143 2h": false, "2001:db8:1:2:3::4 0s": true, "2001:db8:1:3::1 0s": false,
		"::ffff:81.2.69.142 1h": true, "192.0.2.9 0s": true, "192.0.2.9 1h": false, "198.51.100.1 99h": true, "private 0s": false, " 0s": false,
	}
	for seed := range 20 {
		b := book(t, Site{netip.MustParsePrefix("192.0.2.0/24"), noon.Add(time.Hour)}, Site{Prefix: netip.MustParsePrefix("198.51.100.1/32")})
		rand.New(rand.NewPCG(1, uint64(seed))).Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
		for _, c := range changes {
			if err := b.Take(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Refresh(t.Context(), noon); err != nil {
			t.Fatal(err)
		}
		for question, want := range asked {
			var ip, after string
			if n, _ := fmt.Sscanf(question, "%s %s", &ip, &after); n == 1 {
				ip, after = "", ip
			}
			d, err := time.ParseDuration(after)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := b.Listed(t.Context(), ip, noon.Add(d)); err != nil || got != want {
				t.Errorf("seed %d: %q listed: %v, %v", seed, question, got, err)
			}
		}
	}
}

// TestFresh: what was read is believed for a while, but for what came since; what was never read is no answer.
func TestFresh(t *testing.T) {
	t.Parallel()
	b := book(t)
	if _, err := b.Listed(t.Context(), "192.0.2.1", noon); !fault.Is(err, fault.Transient) {
		t.Errorf("not read yet: %v", err)
	}
	listed := func(now time.Time) bool {
		if err := b.Refresh(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		got, err := b.Listed(t.Context(), "192.0.2.1", noon)
		return got && err == nil
	}
	other := &Book{Store: b.Store}
	if listed(noon) {
		t.Error("listed before anything came")
	}
	if err := other.Take(t.Context(), change("a", "192.0.2.1/32", 0, time.Hour)); err != nil {
		t.Fatal(err)
	}
	if listed(noon.Add(fresh - 1)) {
		t.Error("read again at once")
	}
	if !listed(noon.Add(fresh)) {
		t.Error("not read again")
	}
	if err := b.Take(t.Context(), change("a", "192.0.2.1/32", 0, 0)); err != nil {
		t.Fatal(err)
	}
	if listed(noon.Add(fresh)) {
		t.Error("what came by itself is not known")
	}
}

// TestMany: more registrations than one query returns, all ending at midnight.
func TestMany(t *testing.T) {
	t.Parallel()
	b := book(t)
	const n = store.MaxQueryResults + 5
	for i := range n {
		if err := b.Take(t.Context(), change(fmt.Sprint("l", i), fmt.Sprintf("10.0.%d.%d/32", i/256, i%256), 0, time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Refresh(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if got, err := b.Listed(t.Context(), fmt.Sprintf("10.0.%d.%d", i/256, i%256), noon); err != nil || !got {
			t.Fatalf("%d: %v, %v", i, got, err)
		}
	}
}

func TestTakeRefuses(t *testing.T) {
	t.Parallel()
	b := book(t)
	for name, c := range map[string]Change{
		"nothing": {}, "no lease": change("", "192.0.2.1/32", 0, 1), "not masked": change("a", "192.0.2.1/24", 0, 1), "backwards": change("a", "192.0.2.1/32", 1, 0),
	} {
		if err := b.Take(t.Context(), c); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

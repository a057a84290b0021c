package targettest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/platform/fault"
)

func converges(t *testing.T, w World) {
	target := w.Open(t)
	if target.Name() == "" || target.Limits().Capacity != Capacity {
		t.Fatalf("target %q has capacity %d, want a name and %d", target.Name(), target.Limits().Capacity, Capacity)
	}
	for i, s := range []allowlist.Set{one, two, one, none, two} {
		mustApply(t, target, s, int64(i+1))
		expect(t, w, s)
	}
}

func empties(t *testing.T, w World) {
	target := w.Open(t)
	mustApply(t, target, none, 1)
	expect(t, w, none)
	mustApply(t, target, one, 2)
	mustApply(t, target, none, 3)
	expect(t, w, none)
}

func repeats(t *testing.T, w World) {
	target := w.Open(t)
	mustApply(t, target, one, 1)
	mustApply(t, target, one, 1)
	expect(t, w, one)
	if a, b := read(t, target), read(t, w.Open(t)); a.Etag != b.Etag {
		t.Fatalf("etag moved from %q to %q without a write", a.Etag, b.Etag)
	}
}

func staleFence(t *testing.T, w World) {
	target := w.Open(t)
	mustApply(t, target, one, 5)
	if seen := read(t, target); seen.Fence == 0 && seen.Etag != "" {
		return // it remembers no fence; its etag keeps writers apart
	}
	refused(t, apply(t.Context(), w.Open(t), two, 4), fault.Conflict)
	expect(t, w, one)
}

func staleEtag(t *testing.T, w World) {
	first, second := w.Open(t), w.Open(t)
	mustApply(t, first, none, 1)
	seen := read(t, first)
	if seen.Etag == "" {
		return // its fence keeps writers apart
	}
	mustApply(t, second, two, 1)
	refused(t, first.Apply(t.Context(), one, allowlist.Write{Fence: 1, Etag: seen.Etag}), fault.Conflict)
	expect(t, w, two)
}

func twoWriters(t *testing.T, w World) {
	mustApply(t, w.Open(t), none, 1)
	sets := []allowlist.Set{one, two}
	errs := make([]error, len(sets))
	seen := read(t, w.Open(t))
	var wait sync.WaitGroup
	for i, s := range sets {
		target := w.Open(t)
		wait.Go(func() {
			errs[i] = target.Apply(context.Background(), s, allowlist.Write{Fence: int64(i + 2), Etag: seen.Etag})
		})
	}
	wait.Wait()
	won := slices.Index(errs, nil)
	if won < 0 {
		t.Fatalf("nobody won: %v", errs)
	}
	if seen.Etag == "" { // apart by fence only: the higher one has the last word
		won = len(sets) - 1
	} else {
		refused(t, errs[1-won], fault.Conflict)
	}
	expect(t, w, sets[won])
}

func foreign(t *testing.T, w World) {
	target := w.Open(t)
	mustApply(t, target, one, 1)
	before := read(t, target)
	intruder := netip.MustParsePrefix(other + "/32")
	w.Foreign(t, intruder)
	seen := read(t, target)
	if seen.Holds(one) {
		t.Fatal("a foreign entry reads as if it were not there")
	}
	if before.Etag != "" {
		if seen.Etag == before.Etag {
			t.Fatal("a foreign entry does not change the etag")
		}
		refused(t, target.Apply(t.Context(), two, allowlist.Write{Fence: 1, Etag: before.Etag}), fault.Conflict)
	}
	mustApply(t, target, one, 1)
	expect(t, w, one)
}

func oversize(t *testing.T, w World) {
	target := w.Open(t)
	mustApply(t, target, one, 1)
	var prefixes []string
	for i := range Capacity {
		prefixes = append(prefixes, fmt.Sprintf("81.2.70.%d/32", i))
	}
	full := Make(prefixes...)
	refused(t, apply(t.Context(), target, Make(append(prefixes, "2a02:8109:9340:1::/64")...), 2), fault.Exhausted)
	expect(t, w, one)
	mustApply(t, target, full, 3)
	expect(t, w, full)
}

func invalid(t *testing.T, w World) {
	target := w.Open(t)
	mustApply(t, target, one, 1)
	entry := func(text string) allowlist.Entry {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		return allowlist.Entry{Prefix: p, Until: Until, Site: "test"}
	}
	v4 := func(texts ...string) (s allowlist.Set) {
		for _, text := range texts {
			s.V4 = append(s.V4, entry(text))
		}
		return s
	}
	nobody := v4("81.2.69.1/32")
	nobody.V4[0].Site = ""
	for name, bad := range map[string]allowlist.Set{
		"everyone, IPv4": v4("0.0.0.0/0"),
		"everyone, IPv6": {V6: []allowlist.Entry{entry("::/0")}},
		"wide, IPv4":     v4("81.2.0.0/16"),
		"wide, IPv6":     {V6: []allowlist.Entry{entry("2a02::/32")}},
		"host bits":      v4("81.2.69.1/24"),
		"mapped":         {V6: []allowlist.Entry{entry("::ffff:81.2.69.1/128")}},
		"other family":   {V6: []allowlist.Entry{entry("81.2.69.1/32")}},
		"unsorted":       v4("81.2.69.2/32", "81.2.69.1/32"),
		"twice":          v4("81.2.69.1/32", "81.2.69.1/32"),
		"no prefix":      {V4: []allowlist.Entry{{Until: Until, Site: "test"}}},
		"held by nobody": nobody,
	} {
		if err := apply(t.Context(), target, bad, 2); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: error %v is of kind %q, want invalid", name, err, fault.KindOf(err))
		}
	}
	expect(t, w, one)
}

func killed(t *testing.T, w World) {
	mustApply(t, w.Open(t), one, 1)
	fence := int64(1)
	for n := 1; ; n++ {
		fence++
		if apply(t.Context(), w.Dying(t, n), two, fence) == nil {
			if n == 1 {
				t.Fatal("a target that died before its first effect reports success")
			}
			expect(t, w, two)
			return
		}
		between(t, w, n)
		fence++
		mustApply(t, w.Open(t), one, fence)
		expect(t, w, one)
	}
}

// between looks at a world whose writer died on the way from one to two.
func between(t *testing.T, w World, n int) {
	t.Helper()
	seen := read(t, w.Open(t))
	if w.Atomic() {
		if p := seen.Prefixes; !slices.Equal(p, one.Prefixes()) && !slices.Equal(p, two.Prefixes()) {
			t.Fatalf("killed before effect %d: reads %v, neither old nor new", n, p)
		}
	}
	for i, reader := range readers(t, w) {
		if w.Atomic() && reader != view(one) && reader != view(two) {
			t.Fatalf("killed before effect %d: reader %d admits %s, neither old nor new", n, i, reader)
		}
		if seen.Holds(two) && reader != view(two) || seen.Holds(one) && reader != view(one) {
			t.Fatalf("killed before effect %d: reads as whole, but reader %d admits %s", n, i, reader)
		}
	}
	for _, addr := range probes()[:2] {
		if slices.Contains(w.Admits(t, addr), true) {
			t.Fatalf("killed before effect %d: a stranger is let in", n)
		}
	}
}

func cancelled(t *testing.T, w World) {
	target := w.Open(t)
	mustApply(t, target, one, 1)
	seen := read(t, target)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := target.Apply(ctx, two, allowlist.Write{Fence: 2, Etag: seen.Etag}); err == nil {
		t.Fatal("a cancelled call reports success")
	}
	expect(t, w, one)
}

func removals(t *testing.T, w World) {
	target := w.Open(t)
	mustApply(t, target, two, 1)
	all := two.Prefixes()
	left := Make(all[0].String(), all[2].String())
	for range 2 { // the second finds nothing to take
		must(t, w.Open(t).Remove(t.Context(), []netip.Prefix{all[1], all[3], netip.MustParsePrefix(other + "/32")}))
		held(t, w, left)
	}
	must(t, w.Open(t).Remove(t.Context(), nil))
	held(t, w, left)
	must(t, w.Open(t).Remove(t.Context(), all))
	held(t, w, none)
	mustApply(t, target, two, 2)
	expect(t, w, two)
	w.Foreign(t, netip.MustParsePrefix(other+"/32"))
	must(t, w.Open(t).Remove(t.Context(), []netip.Prefix{netip.MustParsePrefix(other + "/32")}))
	for i, in := range w.Admits(t, netip.MustParseAddr(other)) {
		if in {
			t.Fatalf("reader %d lets in what was taken away", i)
		}
	}
}

func killedRemoval(t *testing.T, w World) {
	for n := 1; ; n++ {
		mustApply(t, w.Open(t), two, int64(n))
		died := w.Dying(t, n).Remove(t.Context(), two.Prefixes()) != nil
		for _, addr := range probes()[:2] {
			if slices.Contains(w.Admits(t, addr), true) {
				t.Fatalf("killed before effect %d of a removal: a stranger is let in", n)
			}
		}
		must(t, w.Open(t).Remove(t.Context(), two.Prefixes()))
		held(t, w, none)
		if !died {
			return
		}
	}
}

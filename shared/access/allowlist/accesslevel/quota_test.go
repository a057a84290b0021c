package accesslevel

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/platform/fault"
)

// people are n people, each at an address of her own.
func people(t testing.TB, n int) allowlist.Set {
	t.Helper()
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf("p%d 81.%d.%d.%d/32", i, 4+i>>16, i>>8&255, i&255))
	}
	return set(t, lines...)
}

// converge applies until it is done, waiting as long as the door asks. It returns how often it tried.
func converge(t testing.TB, f *fake, target *Target, s allowlist.Set, fence int64) int {
	t.Helper()
	for tries := 1; ; tries++ {
		err := apply(t, target, s, fence)
		if err == nil {
			return tries
		}
		e, ok := errors.AsType[*fault.Error](err)
		if !ok || e.Kind != fault.Exhausted || e.RetryAfter <= 0 || e.RetryAfter > time.Minute || tries > 50 {
			t.Fatal(err)
		}
		must(t, f.Clock.Set(f.Clock.Now().Add(e.RetryAfter)))
	}
}

// TestFiveThousand: the quota is never overrun on the way, and one lease more or less is one write.
func TestFiveThousand(t *testing.T) {
	t.Parallel()
	f := newFake(t, 130)
	target := f.open(mostConditions)
	target.options.Capacity = 6000
	all := people(t, 5000)
	if tries := converge(t, f, target, all, 1); tries != 5 { // 132 writes, 30 a minute
		t.Errorf("it took %d tries", tries)
	}
	for i, s := range []allowlist.Set{all, {V4: all.V4[1:]}, {V4: all.V4[2:]}, {V4: all.V4[1:]}} {
		must(t, f.Clock.Set(f.Clock.Now().Add(time.Minute)))
		before := len(f.Sent)
		mustApply(t, target, s, int64(i+2))
		if n := len(f.Sent) - before; n != min(i, 1) {
			t.Errorf("change %d: %d writes", i, n)
		}
	}
	if f.admits(request{"p0@x.example", all.V4[0].Prefix.Addr(), morning}) || !f.admits(request{"p1@x.example", all.V4[1].Prefix.Addr(), morning}) {
		t.Error("the wrong one is let in")
	}
}

// TestMorning: 200 people register within ten minutes, and a run is never sooner than Limits.Every: less than half the quota.
func TestMorning(t *testing.T) {
	t.Parallel()
	f := newFake(t, 6)
	target := f.open(mostConditions)
	target.options.Capacity = 6000
	all := people(t, 200)
	most := 0
	for at := time.Duration(0); at <= 10*time.Minute; at += target.Limits().Every {
		must(t, f.Clock.Set(morning.Add(at)))
		mustApply(t, target, allowlist.Set{V4: all.V4[:200*at/(10*time.Minute)]}, int64(at))
		most = max(most, len(f.Writes))
	}
	if most > 12 { // the first minute fills the end levels and six shells that Terraform made
		t.Errorf("%d writes in a minute", most)
	}
}

// TestPace: when the writes of a minute are used up, what opens waits and what shuts is done.
func TestPace(t *testing.T) {
	t.Parallel()
	f := newFake(t, 20)
	target := f.open(1)
	target.options.Capacity = 6000
	all := people(t, 25).V4
	converge(t, f, target, allowlist.Set{V4: all[:20]}, 1)
	must(t, f.Clock.Set(f.Clock.Now().Add(2*time.Minute)))
	converge(t, f, target, allowlist.Set{V4: all[:15]}, 2) // there is room now beside those who go next
	must(t, f.Clock.Set(f.Clock.Now().Add(2*time.Minute)))
	next := allowlist.Set{V4: slices.Concat(all[5:15], all[20:])} // five go and five come
	for range 26 {                                                // of 30; an end is there already
		must(t, target.writes.spend(f.Clock.Now(), true))
	}
	err := apply(t, target, next, 3)
	if e, ok := errors.AsType[*fault.Error](err); !ok || e.Kind != fault.Exhausted || e.RetryAfter != time.Minute {
		t.Fatalf("no writes left: %v", err)
	}
	in := func(from, to int) (n int) {
		for i := from; i < to; i++ {
			if f.admits(request{fmt.Sprintf("p%d@x.example", i), all[i].Prefix.Addr(), morning}) {
				n++
			}
		}
		return n
	}
	if gone, stay := in(0, 5), in(5, 15); gone != 0 || stay != 10 {
		t.Errorf("%d of five who go are let in, and %d of ten who stay", gone, stay)
	}
	if !errors.Is(err, allowlist.ErrPart) {
		t.Errorf("some was written: %v", err)
	}
	if seen, err := target.Read(t.Context()); err != nil || seen.Torn == "" {
		t.Errorf("half written reads as whole, %v", err)
	}
	// To shut is never a matter of our own share.
	must(t, target.Remove(t.Context(), allowlist.Set{V4: all[:5]}.Prefixes()))
	if n := in(0, 5); n != 0 {
		t.Errorf("%d are still let in after they were taken away", n)
	}
	converge(t, f, target, next, 4)
}

// TestRoom: what the levels have no room for is refused, and nothing is written but what takes away.
func TestRoom(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	target := f.open(2)
	mustApply(t, target, allowlist.Set{}, 1)
	mustApply(t, target, people(t, 4), 1)
	before := len(f.Sent)
	if f.Levels[target.end(0)] == nil {
		t.Error("the level that nobody meets was deleted while no level is empty")
	}
	if got := target.Limits().Capacity; got != targettest.Capacity {
		t.Errorf("capacity %d with four places, declared are %d", got, targettest.Capacity)
	}
	if err := apply(t, target, people(t, 5), 2); !fault.Is(err, fault.Exhausted) || len(f.Sent) != before {
		t.Errorf("five in four places: %v", err)
	}
	// Four addresses are not above the capacity, but two people at one of them are five conditions.
	if err := apply(t, target, set(t, "a "+home, "b "+home, "c "+cafe, "d "+six, "e 81.2.69.9/32"), 2); !fault.Is(err, fault.Exhausted) || len(f.Sent) != before+2 {
		t.Errorf("five other people in four places: %v", err)
	}
	if seen, err := target.Read(t.Context()); err != nil || len(seen.Prefixes) > 0 {
		t.Errorf("those before them are still there: %v, %v", seen.Prefixes, err)
	}
	before = len(f.Sent)
	for i := range 496 {
		name := fmt.Sprintf("%s/accessLevels/theirs%d", policy, i)
		f.Levels[name] = &acm.AccessLevel{Name: name}
	}
	if err := apply(t, target, set(t, "a "+home+" 5"), 2); !fault.Is(err, fault.Exhausted) || len(f.Sent) != before {
		t.Errorf("no room for another level: %v", err)
	}
	mustApply(t, target, set(t, "a "+home), 2) // its end is there already
}

// TestManyAddresses: more addresses of one holder than a condition takes are several conditions, in places of their own.
func TestManyAddresses(t *testing.T) {
	t.Parallel()
	f := newFake(t, 12)
	target := f.open(mostConditions)
	target.options.Capacity = 6000
	var lines []string
	for _, text := range addresses(450) {
		lines = append(lines, "! "+text)
	}
	mustApply(t, target, set(t, lines...), 1)
	if n := len(f.Levels[policy+"/accessLevels/edge_00"].Basic.Conditions); n != 3 {
		t.Errorf("450 sites are %d conditions", n)
	}
	before := len(f.Sent)
	mustApply(t, target, set(t, lines[1:]...), 2)
	if n := len(f.Sent) - before; n != 1 {
		t.Errorf("one site less took %d writes", n)
	}
}

// TestHundredLevels: the levels are in the order of their numbers.
func TestHundredLevels(t *testing.T) {
	t.Parallel()
	f := newFake(t, 102)
	v, err := f.open(1).list(t.Context())
	must(t, err)
	if got := v.shells[100].Name; got != policy+"/accessLevels/edge_100" || len(v.shells) != 102 {
		t.Errorf("of %d levels, number 100 is %s", len(v.shells), got)
	}
}

// BenchmarkApply is one lease more at a door with 5,000, the requests to a server on this machine among it.
func BenchmarkApply(b *testing.B) {
	f := newFake(b, 130)
	target := f.open(mostConditions)
	target.options.Capacity = 6000
	all := people(b, 5001)
	start := time.Now()
	tries := converge(b, f, target, allowlist.Set{V4: all.V4[:5000]}, 1)
	b.Logf("from nothing to 5,000: %d tries over %s, %d writes, %s here", tries, f.Clock.Now().Sub(morning), len(f.Sent), time.Since(start).Round(time.Millisecond))
	n := int64(1)
	for b.Loop() {
		b.StopTimer()
		must(b, f.Clock.Set(f.Clock.Now().Add(target.Limits().Every)))
		n++
		b.StartTimer()
		if err := apply(b, target, allowlist.Set{V4: all.V4[:5000+n%2]}, n); err != nil {
			b.Fatal(err)
		}
	}
	if f.Clock.Now().After(targettest.Until.AddDate(1, 0, 0)) {
		b.Fatal("the leases have ended")
	}
}

// TestSuspendedInTheRush: newcomers whose ends use up the writes of the minute keep nobody at the door who has to go.
func TestSuspendedInTheRush(t *testing.T) {
	t.Parallel()
	f := newFake(t, 8)
	target := f.open(mostConditions)
	target.options.Capacity = 6000
	before := people(t, 1)
	mustApply(t, target, before, 1)
	must(t, f.Clock.Set(f.Clock.Now().Add(2*time.Minute)))
	rush := people(t, 61).V4[1:]
	for i := range rush { // each has her own end, minutes apart
		for j := range rush[i].Holders {
			rush[i].Holders[j].Until = rush[i].Holders[j].Until.Add(time.Duration(i) * time.Minute)
		}
		rush[i].Until = rush[i].Until.Add(time.Duration(i) * time.Minute)
	}
	if err := apply(t, target, allowlist.Set{V4: rush}, 2); !fault.Is(err, fault.Exhausted) || !errors.Is(err, allowlist.ErrPart) {
		t.Fatalf("sixty ends in a minute: %v", err)
	}
	if f.admits(request{"p0@x.example", before.V4[0].Prefix.Addr(), f.Clock.Now()}) {
		t.Error("who was suspended is let in")
	}
}

// TestEndsTogether: who registers in the same minute shares an end, and it is never later than hers.
func TestEndsTogether(t *testing.T) {
	t.Parallel()
	f := newFake(t, 6)
	target := f.open(mostConditions)
	target.options.Capacity = 100
	rush := people(t, 40).V4
	at := morning.Add(7 * time.Hour)
	for i := range rush {
		rush[i].Until = at.Add(time.Duration(i) * time.Second)
		for j := range rush[i].Holders {
			rush[i].Holders[j].Until = rush[i].Until
		}
	}
	mustApply(t, target, allowlist.Set{V4: rush}, 1)
	ends := 0
	for _, level := range f.Levels {
		if level.Custom != nil {
			ends++
		}
	}
	if ends > 2 {
		t.Errorf("%d levels for one end", ends)
	}
	if who := rush[0].Prefix.Addr(); !f.admits(request{"p0@x.example", who, at.Add(-time.Second)}) || f.admits(request{"p0@x.example", who, at}) {
		t.Error("she is let in for too long, or not long enough")
	}
}

// TestTakenAwayByUs: what Remove took away is no other hand's; what another hand did before stays seen.
func TestTakenAwayByUs(t *testing.T) {
	t.Parallel()
	f := newFake(t, 4)
	target := f.open(2)
	all := people(t, 6)
	mustApply(t, target, all, 1)
	must(t, target.Remove(t.Context(), []netip.Prefix{all.V4[0].Prefix, all.V4[5].Prefix}))
	seen, err := target.Read(t.Context())
	if err != nil || seen.Torn != "" || len(seen.Prefixes) != 4 || seen.Holds(all) || seen.Holds(allowlist.Set{V4: all.V4[1:5]}) {
		t.Errorf("after two were taken away it reads as %+v, %v", seen, err)
	}
	mustApply(t, target, all, 2)
	f.Trouble = func(req *http.Request, _ int) func(http.ResponseWriter) {
		if req.Method == http.MethodPatch && strings.Contains(req.URL.Path, "edge_02") {
			return func(w http.ResponseWriter) { http.Error(w, "{}", http.StatusForbidden) }
		}
		return nil
	}
	if err := target.Remove(t.Context(), []netip.Prefix{all.V4[0].Prefix, all.V4[5].Prefix}); err == nil {
		t.Error("a level that cannot be written is no error")
	}
	f.Trouble = nil
	if seen, err := target.Read(t.Context()); err != nil || seen.Torn != "" {
		t.Errorf("half of it was taken away, and it reads as somebody else's: %+v, %v", seen, err)
	}
	mustApply(t, target, all, 3)
	f.edit("edge_01", func(level *acm.AccessLevel) { level.Basic.Conditions[0].Members = []string{"user:eve@x.example"} })
	must(t, target.Remove(t.Context(), []netip.Prefix{all.V4[0].Prefix}))
	if seen, err := target.Read(t.Context()); err != nil || seen.Torn == "" {
		t.Errorf("another hand is not seen any more: %+v, %v", seen, err)
	}
}

// TestEndsWithSeconds: levels that were written with ends to the second lose nobody to the first Apply that has no writes left.
func TestEndsWithSeconds(t *testing.T) {
	t.Parallel()
	f := newFake(t, 4)
	target := f.open(mostConditions)
	all := people(t, 5)
	mustApply(t, target, all, 1)
	later := targettest.Until.Add(37 * time.Second)
	f.Mu.Lock()
	f.Levels[target.end(later.Unix())] = &acm.AccessLevel{Name: target.end(later.Unix()), Custom: custom(expression(later.Unix()))}
	f.Mu.Unlock()
	f.edit("edge_00", func(level *acm.AccessLevel) {
		for _, c := range level.Basic.Conditions {
			c.RequiredAccessLevels = []string{target.end(later.Unix())}
		}
	})
	for i := range all.V4 {
		all.V4[i].Until = later
		for j := range all.V4[i].Holders {
			all.V4[i].Holders[j].Until = later
		}
	}
	for range writesAMinute {
		must(t, target.writes.spend(f.Clock.Now(), false))
	}
	if err := apply(t, target, all, 2); !fault.Is(err, fault.Exhausted) {
		t.Fatalf("no writes are left: %v", err)
	}
	for i, e := range all.V4 {
		if !f.admits(request{fmt.Sprintf("p%d@x.example", i), e.Prefix.Addr(), f.Clock.Now()}) {
			t.Errorf("p%d is not let in any more", i)
		}
	}
}

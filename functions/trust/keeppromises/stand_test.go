package keeppromises

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
)

// TestStand: whatever enters the log and wherever the clock goes, what was kept from an earlier minute is what would be
// computed.
func TestStand(t *testing.T) {
	t.Parallel()
	register := promise.Register{V: promise.Version, Promises: []promise.Promise{
		{ID: "A", KeptBy: []promise.Keeper{{Mechanism: policy.Records, Refs: []string{"tls"}}}},
		{ID: "B", MaxAge: "PT30M", KeptBy: []promise.Keeper{{Mechanism: policy.Probe, Refs: []string{"door"}}}},
	}}
	kept, turned := 0, 0
	for seed := range require.Seeds(25) {
		random := rand.New(rand.NewPCG(uint64(seed), 3))
		k := &keeppromises{ledger: promise.NewLedger(register)}
		now, last := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC), ""
		for n := range 200 {
			switch random.IntN(12) {
			case 0:
				now = now.Add(-time.Duration(random.IntN(20)) * time.Minute)
			case 1:
				now = now.Add(time.Duration(random.IntN(48)) * time.Hour)
			case 2, 3:
				control := []string{"tls", "door", promise.LogControl}[random.IntN(3)]
				r := record.New([]record.Kind{record.Run, record.Observation, record.Finding}[random.IntN(3)], control, fmt.Sprint(n), "A", "B")
				r.Source.Observed, r.Source.Collected = now, now.Add(time.Duration(random.IntN(10))*time.Minute)
				r.Run, r.Population = int64(n+1), &record.Population{Expected: 1, Seen: 1}
				r.Result.State = []record.State{record.Kept, record.Broken}[random.IntN(2)]
				must(t, k.ledger.Add(k.ledger.Size(), r))
			case 4:
				k.ledger = promise.NewLedger(register)
			default:
				now = now.Add(time.Duration(random.IntN(180)) * time.Second)
			}
			got, want := k.stand(now), promise.Stand(k.ledger, now).Digest
			if got != want {
				t.Fatalf("seed %d, step %d: at %s the digest of %s is told", seed, n, now, k.standing.at)
			}
			if k.standing.at != now {
				kept++
			}
			if got != last {
				turned++
			}
			last = got
		}
	}
	if kept < 100 || turned < 100 {
		t.Errorf("%d times nothing was computed, %d times something had turned: the test shows little", kept, turned)
	}
}

// TestPacked: pieces come back as they were, on either side of the size from which they are compressed.
func TestPacked(t *testing.T) {
	t.Parallel()
	k, made := &keeppromises{}, map[string][]byte{}
	for _, size := range []int{0, 1, 255, 256, small - 1, small, small + 1, 60_000, 70_000} {
		made[fmt.Sprint(size)] = bytes.Repeat([]byte("ledger, "), size/8+1)[:size]
	}
	for range 2 { // the tables are used again
		packed := k.packed(maps.All(made))
		if back := maps.Collect(unpacked(packed)); !maps.EqualFunc(back, made, bytes.Equal) {
			t.Errorf("%d pieces come back otherwise", len(back))
		}
		if n := len(packed["70000"]); n > 1000 {
			t.Errorf("a large piece takes %d bytes", n)
		}
	}
}

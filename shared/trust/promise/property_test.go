package promise_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
)

var controls = map[string][]string{
	"watch-exports": nil, "database-exposure": nil, "otp-gate": {"O1"}, "tls": nil,
}

// random tells four hours in which anything may go wrong, by controls that keep their cadence: a run every quarter
// hour that expires before the one after the next is due, and measurements that all count equally long.
func random(r *rand.Rand, reg promise.Register) []record.Record {
	s := &story{}
	chance := func(percent int) bool { return r.IntN(100) < percent }
	spoil := func(c *record.Record) {
		switch {
		case chance(4):
			c.Population = &record.Population{Expected: 5, Seen: 4}
		case chance(4):
			c.Result.State = record.Broken
		case chance(4):
			c.Result.State = record.Undetermined
		case chance(4) && c.Result.Metric != "":
			c.Result.Value = c.Result.Limit + 1
		}
	}
	page := func(at time.Time) { s.add(record.Page, promise.PageControl, at).Result.State = record.Pass }
	for quarter := -16; quarter < 0; quarter++ {
		at := start.Add(time.Duration(quarter)*15*time.Minute + time.Minute)
		for _, control := range slices.Sorted(maps.Keys(controls)) {
			spoil(s.run(control, at, controls[control]...))
			if chance(3) {
				s.records = s.records[:len(s.records)-1] // lost on its way
			}
		}
		for _, id := range []string{"W1", "M1", "R1", "A1", "O1", "F1"} {
			if chance(20) {
				spoil(s.observe([]string{"tls", "otp-gate", "database-exposure"}[r.IntN(3)], at, id))
			}
			if chance(2) {
				found := *s.wrong("tls", at, id)
				if chance(60) {
					spoil(s.closes(record.Remediation, "tls", at.Add(time.Minute), found))
				}
			}
			if chance(1) {
				s.waive(at, at.Add(time.Duration(r.IntN(5))*time.Hour+time.Minute), 1+r.IntN(2), id)
			}
			if chance(2) {
				drill := s.add(record.Drill, "tls", at, id)
				drill.Result.State = record.Pass
				spoil(drill)
			}
		}
		page(at.Add(time.Minute))
		if s.seal(at.Add(2 * time.Minute)); chance(3) {
			s.records = s.records[:len(s.records)-1] // the log stood still
		}
	}
	if chance(80) {
		spoil(s.sign(reg, "S1", start.AddDate(0, -r.IntN(14), 0)))
	}
	if chance(80) {
		done := s.add(record.Review, "review-access", start.AddDate(0, -r.IntN(5), 0), "D1")
		done.Result.State = record.Kept
		spoil(done)
	}
	if chance(3) {
		s.add(record.Gap, promise.LogControl, start.Add(-time.Hour), "A1")
	}
	// Relays overtake each other, and a record may come twice.
	for i := range s.records {
		j := min(len(s.records)-1, i+r.IntN(8))
		s.records[i], s.records[j] = s.records[j], s.records[i]
		if chance(1) {
			s.records = append(s.records, s.records[i])
		}
	}
	return s.records
}

// against reports whether a record itself says that something is wrong, or that it could not be told.
func against(r record.Record) bool {
	whole := r.Population == nil || r.Population.Errors == 0 && r.Population.Seen >= r.Population.Expected
	good := slices.Contains([]record.State{"", record.Kept, record.Pass, record.Attested, record.Inherited, record.Excepted}, r.Result.State)
	return r.Kind == record.Finding || r.Kind == record.Gap || !whole || !good || r.Result.Op == "<=" && r.Result.Value > r.Result.Limit
}

// TestRemoval: where controls keep their cadence, taking away any record that does not itself speak against a
// promise turns no promise to kept that was not: not by hiding a run, a closing, a waiver, a drill or a measurement.
// What speaks against a promise can be missing only if the log was changed, which its root shows.
func TestRemoval(t *testing.T) {
	t.Parallel()
	reg := register()
	kept := 0
	for seed := range require.Seeds(25) {
		records := slices.DeleteFunc(random(rand.New(rand.NewPCG(uint64(seed), 7)), reg), func(r record.Record) bool { return r.Kind == record.Page })
		before := states(fold(t, reg, records), start)
		for i, r := range records {
			if against(r) {
				continue
			}
			for id, state := range states(fill(reg, slices.Delete(slices.Clone(records), i, i+1)), start) {
				if state == "kept" && before[id] != "kept" {
					t.Fatalf("seed %d: %s is %s, and kept without record %d: %+v", seed, id, before[id], i, r)
				}
			}
		}
		for _, state := range before {
			if state == "kept" {
				kept++
			}
		}
	}
	if kept == 0 {
		t.Error("nothing was ever kept: the test shows nothing")
	}
}

// fill folds records that are known to be well formed.
func fill(reg promise.Register, records []record.Record) *promise.Ledger {
	l := promise.NewLedger(reg)
	for i, r := range records {
		if err := l.Add(int64(i), r); err != nil {
			panic(err)
		}
	}
	return l
}

// TestSilence: when nothing more is recorded, nothing that runs by itself stays kept, and nothing becomes kept.
func TestSilence(t *testing.T) {
	t.Parallel()
	reg := register()
	for seed := range require.Seeds(25) {
		l := fill(reg, random(rand.New(rand.NewPCG(uint64(seed), 8)), reg))
		before := states(l, start)
		for _, later := range []time.Duration{time.Minute, 20 * time.Minute, time.Hour, 30 * 24 * time.Hour, 800 * 24 * time.Hour} {
			for id, state := range states(l, start.Add(later)) {
				// A waiver or the healing of a gap may end, but then the silence is older.
				if state == "kept" && before[id] != "kept" {
					t.Fatalf("seed %d: %s is %s, and kept %s later", seed, id, before[id], later)
				}
				if later >= time.Hour && (state == "kept" || state == "attested" || state == "inherited") {
					t.Fatalf("seed %d: %s is %s after %s of silence", seed, id, state, later)
				}
			}
		}
	}
}

// TestKeptNeedsProof reads the records a second time: whatever is kept has, for each of its mechanisms, a live run
// that counted everything, no open finding, and no newest measurement that is bad.
func TestKeptNeedsProof(t *testing.T) {
	t.Parallel()
	reg := register()
	for seed := range require.Seeds(50) {
		records := random(rand.New(rand.NewPCG(uint64(seed), 9)), reg)
		sound(t, reg, records, states(fill(reg, records), start), fmt.Sprint("seed ", seed))
		alive(t, records, states(fill(reg, records), start))
	}
}

// alive: nothing is known to hold unless the log gave a sign of life.
func alive(t *testing.T, records []record.Record, states map[string]string) {
	t.Helper()
	if slices.ContainsFunc(records, func(r record.Record) bool {
		return r.Kind == record.Run && r.Control == promise.LogControl && start.Sub(r.Source.Observed) < log.Interval+log.Grace
	}) {
		return
	}
	for id, state := range states {
		if !strings.HasPrefix(state, "unknown") && !strings.HasPrefix(state, "broken") {
			t.Fatalf("%s is %s, and the log stands still", id, state)
		}
	}
}

func sound(t *testing.T, reg promise.Register, records []record.Record, states map[string]string, where string) {
	t.Helper()
	for _, p := range reg.Promises {
		if states[p.ID] != "kept" || p.KeptBy[0].Mechanism == policy.Rollup || p.KeptBy[0].Mechanism == policy.Duty {
			continue
		}
		family := []string{p.ID, p.SameAs}
		for _, other := range reg.Promises {
			if other.SameAs == p.ID || p.SameAs != "" && other.SameAs == p.SameAs {
				family = append(family, other.ID)
			}
		}
		names := func(r record.Record) bool {
			return slices.ContainsFunc(r.Promises, func(id string) bool { return slices.Contains(family, id) })
		}
		closed := map[string]bool{}
		for _, r := range records {
			for _, ref := range r.Refs {
				closed[r.Control+ref.ID] = closed[r.Control+ref.ID] || !against(r)
			}
		}
		for _, r := range records {
			if r.Kind == record.Finding && names(r) && !closed[r.Control+r.ID()] {
				t.Fatalf("%s: %s is kept with an open finding", where, p.ID)
			}
		}
		for _, k := range p.KeptBy {
			alive := slices.ContainsFunc(records, func(r record.Record) bool {
				return r.Kind == record.Run && r.Control == k.Refs[0] && (len(r.Promises) == 0 || names(r)) &&
					start.Before(r.Expires) && r.Population != nil && !against(r)
			})
			if !alive {
				t.Fatalf("%s: %s is kept, and %s is not alive", where, p.ID, k.Refs[0])
			}
			var newest record.Record
			for _, r := range records {
				if r.Kind == record.Observation && r.Control == k.Refs[0] && names(r) && r.Source.Observed.After(newest.Source.Observed) {
					newest = r
				}
			}
			if newest.Kind != "" && against(newest) {
				t.Fatalf("%s: %s is kept although last measured %+v", where, p.ID, newest.Result)
			}
		}
	}
}

// TestOrder: in whatever order the log took the records, the states are the same.
func TestOrder(t *testing.T) {
	t.Parallel()
	reg := register()
	for seed := range require.Seeds(25) {
		r := rand.New(rand.NewPCG(uint64(seed), 10))
		records := slices.DeleteFunc(random(r, reg), func(r record.Record) bool { return r.Kind == record.Page })
		want := states(fill(reg, records), start)
		for range 5 {
			r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
			if diff := cmp.Diff(want, states(fill(reg, records), start)); diff != "" {
				t.Fatalf("seed %d: in another order (-want +got):\n%s", seed, diff)
			}
		}
	}
}

// TestRestore: stopped anywhere and taken up from its pieces, a ledger ends with the same bytes; so does a store
// that took only what changed.
func TestRestore(t *testing.T) {
	t.Parallel()
	reg := register()
	for seed := range require.Seeds(25) {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		records := random(r, reg)
		whole := fill(reg, records)
		l, stored := promise.NewLedger(reg), map[string][]byte{}
		for i, rec := range records {
			if err := l.Add(int64(i), rec); err != nil {
				t.Fatal(err)
			}
			if r.IntN(10) > 0 {
				continue
			}
			maps.Insert(stored, l.Changed())
			l.Stored()
			var err error
			if l, err = promise.Restore(reg, maps.All(stored)); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		maps.Insert(stored, l.Changed())
		if diff := cmp.Diff(maps.Collect(whole.Pieces()), stored); diff != "" {
			t.Fatalf("seed %d: (-whole +restored):\n%s", seed, diff)
		}
		a, b := promise.Snap(whole, "o", l.Size(), "r", start), promise.Snap(l, "o", l.Size(), "r", start)
		if !bytes.Equal(a.Canonical(), b.Canonical()) {
			t.Fatalf("seed %d: two pages", seed)
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	reg := register()
	pieces := maps.Collect(fill(reg, good(reg).records).Pieces())
	other := reg
	other.Policy = "another"
	changed := func(change func(map[string][]byte)) map[string][]byte {
		p := maps.Clone(pieces)
		change(p)
		return p
	}
	for name, c := range map[string]struct {
		reg    promise.Register
		pieces map[string][]byte
		want   fault.Kind
	}{
		"another register": {other, pieces, fault.Misconfigured},
		"a piece missing":  {reg, changed(func(p map[string][]byte) { delete(p, "promise-R1") }), fault.Invalid},
		"no heads":         {reg, changed(func(p map[string][]byte) { delete(p, "heads") }), fault.Invalid},
		"one too many":     {reg, changed(func(p map[string][]byte) { p["promise-X9"] = p["promise-R1"] }), fault.Invalid},
		"swapped":          {reg, changed(func(p map[string][]byte) { p["promise-R1"] = p["promise-A1"] }), fault.Invalid},
		"cut":              {reg, changed(func(p map[string][]byte) { p["promise-R1"] = p["promise-R1"][:9] }), fault.Invalid},
		"heads of nothing": {reg, changed(func(p map[string][]byte) { p["heads"] = []byte(`{"v":1}`) }), fault.Invalid},
	} {
		if _, err := promise.Restore(c.reg, maps.All(c.pieces)); !fault.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	l := promise.NewLedger(reg)
	if err := l.Add(1, good(reg).records[0]); !fault.Is(err, fault.Conflict) || l.Size() != 0 {
		t.Errorf("a leaf left out: %v", err)
	}
}

// FuzzLedger tells stories chosen by bytes: no panic, nothing kept without proof, and the same after a restart.
func FuzzLedger(f *testing.F) {
	f.Add([]byte("a story of four hours"), int64(0))
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 200, 201, 255}, int64(3600))
	f.Fuzz(func(t *testing.T, choices []byte, seconds int64) {
		reg := register()
		s := &story{}
		kinds := []record.Kind{record.Run, record.Observation, record.Finding, record.Waiver, record.Drill, record.Gap, record.Attestation, record.Review, record.Remediation, record.Case, record.Page}
		results := []record.State{"", record.Kept, record.Broken, record.Unknown, record.Exempt, record.Inherited}
		names := []string{"tls", "otp-gate", "watch-exports", "statement", "trust-page", "iso-27001", promise.LogControl}
		for i := 0; i+4 < len(choices) && i < 500; i += 5 {
			c := choices[i:]
			kind := kinds[int(c[0])%len(kinds)]
			r := s.add(kind, names[int(c[1])%len(names)], start.Add(-time.Duration(c[2])*time.Minute), reg.Promises[int(c[3])%len(reg.Promises)].ID)
			r.Result.State, r.Run = results[int(c[4])%len(results)], int64(c[4]>>4)
			r.Population = &record.Population{Expected: 2, Seen: int64(c[3] % 3), Errors: int64(c[2] % 2)}
			r.Expires = start.Add(time.Duration(int(c[0])-100) * time.Hour)
			if n := len(s.records); n > 1 {
				r.Refs = []record.Ref{{Rel: "closes", ID: s.records[int(c[2])%(n-1)].ID()}}
			}
		}
		l := fill(reg, s.records)
		got := states(l, start)
		alive(t, s.records, got)
		sound(t, reg, slices.DeleteFunc(slices.Clone(s.records), func(r record.Record) bool { return r.Kind == record.Observation }), got, "fuzz")
		now := start.Add(time.Duration(seconds%1e9) * time.Second)
		again, err := promise.Restore(reg, l.Pieces())
		if err != nil || !bytes.Equal(promise.Snap(l, "o", 1, "r", now).Canonical(), promise.Snap(again, "o", 1, "r", now).Canonical()) {
			t.Fatalf("restored, it is another: %v", err)
		}
	})
}

// FuzzRestore: a damaged store is refused or read, never a panic.
func FuzzRestore(f *testing.F) {
	reg := register()
	pieces := maps.Collect(fill(reg, random(rand.New(rand.NewPCG(1, 1)), reg)).Pieces())
	f.Add("heads", pieces["heads"])
	f.Add("promise-W1", pieces["promise-W1"])
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		p := maps.Clone(pieces)
		p[name] = data
		if l, err := promise.Restore(reg, maps.All(p)); err == nil {
			promise.Snap(l, "o", 1, "r", start).Canonical()
			if err := l.Add(l.Size(), good(reg).records[0]); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzReadRegister: what is read is what is written.
func FuzzReadRegister(f *testing.F) {
	f.Add(register().Canonical())
	f.Add([]byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := promise.ReadRegister(data)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(r.Canonical(), data) {
			t.Fatalf("read\n%s\nwritten\n%s", data, r.Canonical())
		}
		promise.Snap(promise.NewLedger(r), "o", 0, "", start)
	})
}

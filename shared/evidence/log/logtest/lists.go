package logtest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/platform/fault"
)

func lists(t *testing.T, s stores) {
	all := []string{"a-b", "a.b", "a0", "a/b", "a/b-c/d", "a/bb", "ids/2026-11-21T09", "tile/0/000", "tile/0/000.p/5", "tile/0/001", "tile/1/000", "B", "_", "a_"}
	made := map[string]int64{}
	for _, name := range all {
		made[name] = create(t, s.one, name, name)
	}
	tests := []struct{ prefix, after string }{
		{"", ""}, {"a", ""}, {"a/", ""}, {"a/b", ""}, {"a/b-", ""}, {"tile/0/", ""}, {"tile/0/000", ""}, {"tile/0/000.p/", ""}, {"none", ""}, {"tile/", "tile/0/000"},
		{"", "a/b"}, {"", "a/bb"}, {"", "a/b-c"}, {"", "a0"}, {"", "zzz"}, {"a", "B"}, {"a/", "tile"}, {"tile", "tile/0/000.p"}, {"ids/", "ids/2026-11-21T08"},
	}
	for _, test := range tests {
		var expected []string
		for _, name := range sorted(all) {
			if len(name) >= len(test.prefix) && name[:len(test.prefix)] == test.prefix && name > test.after {
				expected = append(expected, name)
			}
		}
		for _, limit := range []int{1, 3, 100} {
			listed, err := s.two.List(t.Context(), test.prefix, test.after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if part := expected[:min(limit, len(expected))]; !slices.Equal(names(listed), part) {
				t.Errorf("prefix %q after %q limit %d: %q, want %q", test.prefix, test.after, limit, names(listed), part)
			}
			for _, l := range listed {
				if l.Generation != made[l.Name] || l.Size != int64(len(l.Name)) || l.Created.IsZero() {
					t.Errorf("%+v, want generation %d and the size of its name", l, made[l.Name])
				}
			}
		}
	}
}

func pages(t *testing.T, s stores) {
	var all []string
	for i := range 25 {
		name := fmt.Sprintf("inbox/%02d", i)
		create(t, s.one, name, "x")
		all = append(all, name)
	}
	var got []string
	for after := ""; ; {
		listed, err := s.two.List(t.Context(), "inbox/", after, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(listed) == 0 {
			break
		}
		got = append(got, names(listed)...)
		after = got[len(got)-1]
	}
	if !slices.Equal(got, all) {
		t.Errorf("%q", got)
	}
}

func oneCreator(t *testing.T, s stores) {
	for round := range 5 {
		name := fmt.Sprint("tile/", round)
		won := race(8, s, func(i int, o log.Objects) error {
			_, err := o.Create(t.Context(), name, fmt.Appendf(nil, "by %d", i))
			return err
		})
		got, err := s.one.Get(t.Context(), name)
		if winners := won[""]; err != nil || len(winners) != 1 || len(won[fault.Conflict]) != 7 || string(got.Data) != fmt.Sprintf("by %d", winners[0]) {
			t.Errorf("outcomes %v, kept %q, %v", won, got.Data, err)
		}
	}
}

func counted(t *testing.T, s stores) {
	const each = 6
	create(t, s.one, "head", "")
	won := race(4, s, func(_ int, o log.Objects) error {
		for done := 0; done < each; {
			now, err := o.Get(t.Context(), "head")
			if err != nil {
				return err
			}
			switch _, err := o.Swap(t.Context(), "head", append(now.Data, 'x'), now.Generation); {
			case err == nil:
				done++
			case !fault.Is(err, fault.Conflict):
				return err
			}
		}
		return nil
	})
	if got, err := s.one.Get(t.Context(), "head"); err != nil || len(got.Data) != 4*each || len(won[""]) != 4 {
		t.Errorf("%d of %d swaps are there, %v, outcomes %v", len(got.Data), 4*each, err, won)
	}
}

func deleteRace(t *testing.T, s stores) {
	for round := range 5 {
		name := fmt.Sprint("staging/", round)
		generation := create(t, s.one, name, "old")
		won := race(2, s, func(i int, o log.Objects) error {
			if i == 0 {
				return o.Delete(t.Context(), name, generation)
			}
			_, err := o.Swap(t.Context(), name, []byte("new"), generation)
			return err
		})
		_, err := s.one.Get(t.Context(), name)
		if len(won[""]) != 1 || len(won[fault.Conflict]) != 1 || fault.Is(err, fault.NotFound) != (won[""][0] == 0) {
			t.Errorf("outcomes %v, afterwards %v", won, err)
		}
	}
}

func listDuring(t *testing.T, s stores) {
	create(t, s.one, "inbox/000", "x")
	create(t, s.one, "inbox/999", "x")
	race(3, s, func(i int, o log.Objects) error {
		for j := range 10 {
			name := fmt.Sprintf("inbox/%d%02d", i+1, j)
			switch i {
			case 0, 1:
				if err := o.Delete(t.Context(), name, create(t, o, name, "x")); err != nil {
					t.Errorf("deleting %s: %v", name, err)
				}
			case 2:
				listed, err := o.List(t.Context(), "inbox/", "", 100)
				if got := names(listed); err != nil || len(got) < 2 || got[0] != "inbox/000" || got[len(got)-1] != "inbox/999" || !slices.IsSorted(got) {
					t.Errorf("%q, %v", got, err)
				}
			}
		}
		return nil
	})
}

// race runs do n times at once, by turns on the two handles, and returns who ended with which kind of error.
func race(n int, s stores, do func(i int, o log.Objects) error) map[fault.Kind][]int {
	var all sync.WaitGroup
	var mu sync.Mutex
	outcomes := map[fault.Kind][]int{}
	for i := range n {
		all.Go(func() {
			o := s.one
			if i%2 == 1 {
				o = s.two
			}
			err := do(i, o)
			kind := fault.KindOf(err)
			if err != nil && kind == "" {
				kind = "none"
			}
			mu.Lock()
			defer mu.Unlock()
			outcomes[kind] = append(outcomes[kind], i)
		})
	}
	all.Wait()
	return outcomes
}

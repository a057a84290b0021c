// Package logtest is the suite every store of the evidence log passes.
//
// It promises that stores behave alike on what a log relies on: creation once, replacement and deletion of one
// generation only, lists in order, and one winner among rivals. It does not pull the plug: that a driver survives
// a crash is for the driver's own tests.
package logtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/platform/fault"
)

// Fresh makes an empty store and returns how it is opened; every call of open gives another handle on the same
// store, as two processes have. The suite closes the handles.
type Fresh func(t testing.TB) (open func() log.Objects)

// Run runs the suite.
func Run(t *testing.T, fresh Fresh) {
	tests := map[string]func(t *testing.T, s stores){
		"creates once":             creates,
		"swaps a generation":       swaps,
		"swaps what is not there":  swapsNothing,
		"deletes a generation":     deletes,
		"made again":               madeAgain,
		"lists":                    lists,
		"lists in pages":           pages,
		"keeps bytes":              keepsBytes,
		"refuses names":            refusesNames,
		"cancelled":                cancelled,
		"data is a copy":           copies,
		"one creator wins":         oneCreator,
		"swaps are counted":        counted,
		"deletes and swaps race":   deleteRace,
		"a list during the writes": listDuring,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := fresh(t)
			test(t, stores{handle(t, open), handle(t, open)})
		})
	}
	t.Run("carries a log", func(t *testing.T) {
		t.Parallel()
		carries(t, fresh)
	})
}

// stores are two handles on one store.
type stores struct{ one, two log.Objects }

func handle(t *testing.T, open func() log.Objects) log.Objects {
	o := open()
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return o
}

func create(t *testing.T, o log.Objects, name, data string) int64 {
	t.Helper()
	generation, err := o.Create(t.Context(), name, []byte(data))
	if err != nil || generation == 0 {
		t.Fatalf("creating %s: generation %d, %v", name, generation, err)
	}
	return generation
}

func expect(t *testing.T, o log.Objects, name, data string, generation int64) {
	t.Helper()
	got, err := o.Get(t.Context(), name)
	if err != nil || string(got.Data) != data || got.Generation != generation {
		t.Errorf("%s: %q of %d (%v), want %q of %d", name, got.Data, got.Generation, err, data, generation)
	}
}

func absent(t *testing.T, o log.Objects, name string) {
	t.Helper()
	if got, err := o.Get(t.Context(), name); !fault.Is(err, fault.NotFound) {
		t.Errorf("%s: %q, %v; want NotFound", name, got.Data, err)
	}
}

func want(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("error %v, want %s", err, kind)
	}
}

func creates(t *testing.T, s stores) {
	absent(t, s.one, "tile/0/000")
	generation := create(t, s.one, "tile/0/000", "first")
	expect(t, s.two, "tile/0/000", "first", generation)
	for _, data := range []string{"first", "other"} {
		_, err := s.two.Create(t.Context(), "tile/0/000", []byte(data))
		want(t, err, fault.Conflict)
	}
	expect(t, s.one, "tile/0/000", "first", generation)
	create(t, s.one, "tile/0/000.p/7", "beside it")
	create(t, s.two, "tile/0/x001/234", "deeper")
}

func swaps(t *testing.T, s stores) {
	old := create(t, s.one, "head", "0")
	for i := 1; i < 6; i++ {
		next, err := s.two.Swap(t.Context(), "head", fmt.Append(nil, i), old)
		if err != nil || next == 0 || next == old {
			t.Fatalf("swap %d: generation %d after %d, %v", i, next, old, err)
		}
		_, err = s.one.Swap(t.Context(), "head", []byte("late"), old)
		want(t, err, fault.Conflict)
		_, err = s.one.Swap(t.Context(), "head", []byte("late"), 0)
		want(t, err, fault.Conflict)
		expect(t, s.one, "head", fmt.Sprint(i), next)
		old = next
	}
}

func swapsNothing(t *testing.T, s stores) {
	gone := create(t, s.one, "other", "x")
	if err := s.one.Delete(t.Context(), "other", gone); err != nil {
		t.Fatal(err)
	}
	_, err := s.one.Swap(t.Context(), "other", []byte("y"), gone)
	want(t, err, fault.Conflict)
	absent(t, s.two, "other")
	generation, err := s.one.Swap(t.Context(), "head", []byte("0"), 0)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, s.two, "head", "0", generation)
}

func deletes(t *testing.T, s stores) {
	first := create(t, s.one, "staging/1", "a")
	second, err := s.one.Swap(t.Context(), "staging/1", []byte("b"), first)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []int64{first, 0} { // 0 is nobody's generation
		want(t, s.two.Delete(t.Context(), "staging/1", other), fault.Conflict)
		expect(t, s.one, "staging/1", "b", second)
	}
	for range 2 { // the second time it is gone
		if err := s.two.Delete(t.Context(), "staging/1", second); err != nil {
			t.Fatal(err)
		}
		absent(t, s.one, "staging/1")
	}
	if err := s.one.Delete(t.Context(), "never/was", second); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
}

func madeAgain(t *testing.T, s stores) {
	old := create(t, s.one, "a", "first")
	if err := s.one.Delete(t.Context(), "a", old); err != nil {
		t.Fatal(err)
	}
	fresh := create(t, s.two, "a", "second")
	if fresh == old {
		t.Fatal("a generation was given to another content")
	}
	want(t, s.one.Delete(t.Context(), "a", old), fault.Conflict)
	expect(t, s.one, "a", "second", fresh)
}

func keepsBytes(t *testing.T, s stores) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for i, data := range []string{string(all), "\n", strings.Repeat(string(all), 4096)} {
		name := fmt.Sprint("data-", i)
		expect(t, s.two, name, data, create(t, s.one, name, data))
	}
}

func refusesNames(t *testing.T, s stores) {
	long := strings.Repeat("x", 100)
	for _, name := range []string{"", ".", "..", "/a", "a/", "a//b", "a/./b", "../a", "a/../b", ".hidden", "a/.b", "a b", "a\x00", "é", "a\\b", "a:b", long + "/" + long + "/" + long} {
		_, err := s.one.Get(t.Context(), name)
		want(t, err, fault.Invalid)
		_, err = s.one.Create(t.Context(), name, []byte("x"))
		want(t, err, fault.Invalid)
		_, err = s.one.Swap(t.Context(), name, []byte("x"), 0)
		want(t, err, fault.Invalid)
		want(t, s.one.Delete(t.Context(), name, 1), fault.Invalid)
	}
	if listed, err := s.one.List(t.Context(), "", "", 10); err != nil || len(listed) > 0 {
		t.Errorf("%v, %v", listed, err)
	}
}

func cancelled(t *testing.T, s stores) {
	generation := create(t, s.one, "a", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.one.Get(ctx, "a")
	want(t, err, fault.Transient)
	_, err = s.one.Create(ctx, "b", []byte("x"))
	want(t, err, fault.Transient)
	_, err = s.one.Swap(ctx, "a", []byte("y"), generation)
	want(t, err, fault.Transient)
	want(t, s.one.Delete(ctx, "a", generation), fault.Transient)
	_, err = s.one.List(ctx, "", "", 10)
	want(t, err, fault.Transient)
	expect(t, s.two, "a", "x", generation)
}

func copies(t *testing.T, s stores) {
	data := []byte("given")
	generation, err := s.one.Create(t.Context(), "a", data)
	if err != nil {
		t.Fatal(err)
	}
	copy(data, "XXXXX")
	got, err := s.one.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	copy(got.Data, "YYYYY")
	expect(t, s.one, "a", "given", generation)
}

func names(listed []log.Listed) []string {
	var all []string
	for _, l := range listed {
		all = append(all, l.Name)
	}
	return all
}

func sorted(all []string) []string { return slices.Sorted(slices.Values(all)) }

// Package statetest is the suite every source of a Terraform state passes. It is for tests; nothing deployed links it.
package statetest

import (
	"errors"
	"strconv"
	"testing"

	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/platform/fault"
)

// World is a state that is not there yet.
type World struct {
	Source diff.Source
	Write  func(state string) // puts a state in place, or another in its place
	Lock   func(held bool)
}

// State returns a state with this many buckets.
func State(buckets int) string {
	out := `{"version":4,"serial":` + strconv.Itoa(buckets) + `,"lineage":"l","resources":[{"mode":"managed","type":"google_storage_bucket","name":"b","instances":[`
	for i := range buckets {
		if i > 0 {
			out += ","
		}
		out += `{"index_key":` + strconv.Itoa(i) + `,"attributes":{"name":"b` + strconv.Itoa(i) + `"}}`
	}
	return out + `]}]}`
}

// Read reads everything there is.
func Read(t testing.TB, s diff.Source) (diff.Desired, diff.State) {
	t.Helper()
	state, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d, err := diff.Read(state.Data)
	if err := errors.Join(err, state.Data.Close()); err != nil {
		t.Fatal(err)
	}
	return d, state
}

// Run runs the suite.
func Run(t *testing.T, open func(t *testing.T) World) {
	t.Run("none is not an empty one", func(t *testing.T) {
		w := open(t)
		if _, err := w.Source.Open(t.Context()); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}
	})
	t.Run("each change has a version", func(t *testing.T) {
		w := open(t)
		seen := map[string]bool{}
		for n := 1; n < 4; n++ {
			w.Write(State(n))
			d, first := Read(t, w.Source)
			_, again := Read(t, w.Source)
			if len(d.Resources) != n || first.Version == "" || first.Version != again.Version || seen[first.Version] {
				t.Errorf("%d resources, versions %q and %q", len(d.Resources), first.Version, again.Version)
			}
			seen[first.Version] = true
		}
	})
	t.Run("what is read is one version", func(t *testing.T) {
		w := open(t)
		w.Write(State(1))
		state, err := w.Source.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.Write(State(200))
		d, err := diff.Read(state.Data)
		if err := errors.Join(err, state.Data.Close()); err != nil || len(d.Resources) != 1 {
			t.Errorf("%d resources, %v", len(d.Resources), err)
		}
	})
	t.Run("a lock is told", func(t *testing.T) {
		w := open(t)
		w.Write(State(1))
		for _, held := range []bool{false, true, false} {
			w.Lock(held)
			if _, state := Read(t, w.Source); state.Applying != held {
				t.Errorf("applying is %v, the lock is held: %v", state.Applying, held)
			}
		}
	})
}

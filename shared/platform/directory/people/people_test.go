package people_test

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/directory/directorytest"
	"ostiary.internal/shared/platform/directory/people"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
	"ostiary.internal/shared/platform/store/memory"
)

func policy(context.Context) ([]string, error) {
	return []string{"Jane.Doe@labelsync.example", directorytest.Joe, "not an address"}, nil
}

func options(clk clock.Clock) store.Options {
	return store.Options{Schema: store.Schema{people.Collection()}, Clock: clk}
}

// fragile is a store that can be made to fail.
type fragile struct {
	store.Store
	broken atomic.Bool
}

func (f *fragile) Get(ctx context.Context, collection, id string, into any) error {
	if f.broken.Load() {
		return fault.New(fault.Transient, "reading a document: the disk is away")
	}
	return f.Store.Get(ctx, collection, id, into)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	directorytest.Run(t, func(t *testing.T) *directorytest.Bench {
		clk := clock.NewManual(directorytest.Start)
		s, err := memory.New(options(clk))
		if err != nil {
			t.Fatal(err)
		}
		weak := &fragile{Store: s}
		o := directory.Options{Clock: clk, People: policy, Store: weak}
		d, err := directory.Drivers.Open(t.Context(), "policy:", o)
		if err != nil {
			t.Fatal(err)
		}
		return &directorytest.Bench{
			Directory: d, Clock: clk, Break: weak.broken.Store,
			// The changes go through another instance: the store is what they share.
			Set: func(t *testing.T, email string, s directorytest.State) { set(t, newDirectory(t, o), email, s) },
		}
	})
}

func newDirectory(t *testing.T, o directory.Options) *people.Directory {
	t.Helper()
	d, err := people.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func set(t *testing.T, d *people.Directory, email string, s directorytest.State) {
	t.Helper()
	for _, c := range []struct {
		on      bool
		yes, no people.Change
	}{
		{s.Suspended, people.Suspend, people.Unsuspend}, {s.NoTwoStep, people.TwoStepOff, people.TwoStepOn},
		{s.Absent, people.Remove, people.Restore},
	} {
		change := c.no
		if c.on {
			change = c.yes
		}
		for range 2 { // the same change again is harmless
			if err := d.Change(t.Context(), email, change); err != nil {
				t.Fatalf("Change %s: %v", change, err)
			}
		}
	}
}

// Changes outlive the process.
func TestDurable(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(directorytest.Start)
	path := filepath.Join(t.TempDir(), "ostiary.db")
	session := func(use func(d *people.Directory)) {
		s, err := bolt.Open(path, "access", options(clk))
		if err != nil {
			t.Fatal(err)
		}
		use(newDirectory(t, directory.Options{Clock: clk, People: policy, Store: s}))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	session(func(d *people.Directory) {
		set(t, d, directorytest.Jane, directorytest.State{Suspended: true, NoTwoStep: true})
		set(t, d, directorytest.Joe, directorytest.State{Absent: true})
	})
	session(func(d *people.Directory) {
		got, err := d.List(t.Context())
		want := []people.State{
			{Email: directorytest.Jane, Suspended: true}, {Email: directorytest.Joe, TwoStep: true, Removed: true},
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("List = %+v, %v; want %+v", got, err, want)
		}
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(directorytest.Start)
	s, err := memory.New(options(clk))
	if err != nil {
		t.Fatal(err)
	}
	good := directory.Options{Clock: clk, People: policy, Store: s}
	d := newDirectory(t, good)
	if err := d.Change(t.Context(), directorytest.Jane, "promote"); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown change: %v, want invalid", err)
	}
	for _, email := range []string{"nobody@labelsync.example", "", "not an address"} {
		if err := d.Change(t.Context(), email, people.Suspend); !fault.Is(err, fault.NotFound) {
			t.Errorf("a change of %q: %v, want not-found", email, err)
		}
	}
	unreadable := good
	unreadable.People = func(context.Context) ([]string, error) {
		return nil, fault.New(fault.Misconfigured, "reading people.yaml")
	}
	if _, err := newDirectory(t, unreadable).Lookup(t.Context(), directorytest.Jane, 0); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("Lookup without a policy: %v, want misconfigured", err)
	}
	for _, raw := range []string{"policy:people.yaml", "policy://host", "policy:?x=1", "policy:///people.yaml"} {
		if _, err := directory.Drivers.Open(t.Context(), raw, good); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("opening %s: %v, want misconfigured", raw, err)
		}
	}
	for _, o := range []directory.Options{{People: policy, Store: s}, {Clock: clk, Store: s}, {Clock: clk, People: policy}} {
		if _, err := directory.Drivers.Open(t.Context(), "policy:", o); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("opening with an option missing: %v, want misconfigured", err)
		}
	}
}

// TestPeopleChange: whoever joins or leaves the policy is known, or not, at the next look-up, at whatever place of the list.
func TestPeopleChange(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(directorytest.Start)
	s, err := memory.New(options(clk))
	if err != nil {
		t.Fatal(err)
	}
	list := []string{directorytest.Jane}
	d := newDirectory(t, directory.Options{Clock: clk, Store: s, People: func(context.Context) ([]string, error) { return list, nil }})
	look := func(email string, known bool) {
		t.Helper()
		if _, err := d.Lookup(t.Context(), email, 0); (err == nil) != known || err != nil && !fault.Is(err, fault.NotFound) {
			t.Errorf("looking %s up: %v", email, err)
		}
	}
	look(directorytest.Jane, true)
	look(directorytest.Joe, false)
	list = []string{directorytest.Joe}
	look(directorytest.Joe, true)
	look(directorytest.Jane, false)
	list[0] = "JANE.DOE@labelsync.example" // the caller's own list, changed in place
	look(directorytest.Jane, true)
	look(directorytest.Joe, false)
	list = nil
	look(directorytest.Jane, false)
}

// BenchmarkLookup: one person among a thousand.
func BenchmarkLookup(b *testing.B) {
	clk := clock.NewManual(directorytest.Start)
	s, err := memory.New(options(clk))
	if err != nil {
		b.Fatal(err)
	}
	var list []string
	for n := range 1000 {
		list = append(list, fmt.Sprintf("person-%04d@labelsync.example", n))
	}
	d, err := people.New(directory.Options{Clock: clk, Store: s, People: func(context.Context) ([]string, error) { return list, nil }})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := d.Lookup(b.Context(), list[900], 0); err != nil {
			b.Fatal(err)
		}
	}
}

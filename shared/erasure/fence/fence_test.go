package fence_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/fence"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
)

var (
	noon = time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)
	uid  = func(value string) fence.ID { return fence.ID{Kind: "uid", Value: value} }
)

// down is a store that answers nothing once it is broken.
type down struct {
	store.Store
	broken error
}

func (d *down) Get(ctx context.Context, collection, id string, into any) error {
	if d.broken != nil {
		return d.broken
	}
	return d.Store.Get(ctx, collection, id, into)
}

// fenced is a fence an hour after u1 of acme and all of globex were erased.
func fenced(t *testing.T) (*fence.Fence, *down) {
	t.Helper()
	clk := clock.NewManual(noon.Add(time.Hour))
	kept, err := memory.New(store.Options{Schema: store.Schema{ledger.Collection()}, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	s := &down{Store: kept}
	book, err := ledger.New(s, ledger.LeastKeep, ledger.Key{Version: "1", Secret: bytes.Repeat([]byte{7}, ledger.LeastKey)})
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []ledger.Subject{{Tenant: "acme", Role: datamap.Controller, Kind: "uid", ID: "u1"}, {Tenant: "globex", Kind: ledger.Whole, ID: "globex"}} {
		if err := book.Add(t.Context(), gone, noon); err != nil {
			t.Fatal(err)
		}
	}
	return fence.New(book, clk), s
}

func TestCheck(t *testing.T) {
	t.Parallel()
	before, after := noon.Add(-time.Second), noon.Add(time.Second)
	for _, c := range []struct {
		name   string
		made   time.Time
		tenant string
		role   datamap.Role
		ids    []fence.ID
		kind   fault.Kind // "" for may be written
	}{
		{"her data of before", before, "acme", datamap.Controller, []fence.ID{uid("u1")}, fault.Denied},
		{"by her second id", before, "acme", datamap.Controller, []fence.ID{{Kind: "customer_id", Value: "c9"}, uid("u1")}, fault.Denied},
		{"her new account", after, "acme", datamap.Controller, []fence.ID{uid("u1")}, ""},
		{"her neighbour", before, "acme", datamap.Controller, []fence.ID{uid("u10")}, ""},
		{"the same id at another customer", before, "initech", datamap.Controller, []fence.ID{uid("u1")}, ""},
		{"the same text as another kind of id", before, "acme", datamap.Controller, []fence.ID{{Kind: "customer_id", Value: "u1"}}, ""},
		{"anybody of an account that closed", before, "globex", datamap.Controller, []fence.ID{uid("u7")}, fault.Denied},
		{"anybody of an account that came back", after, "globex", datamap.Controller, []fence.ID{uid("u7")}, ""},
		{"what a customer of ours answers for", before, "acme", datamap.Processor, []fence.ID{uid("u1")}, ""},
		{"of an account that closed too", before, "globex", datamap.Processor, []fence.ID{uid("u7")}, fault.Denied},
		{"nobody says in whose data", before, "acme", "", []fence.ID{uid("u10")}, fault.Invalid},
		{"nobody knows whose", before, "acme", datamap.Controller, nil, fault.Invalid},
		{"an empty id", before, "acme", datamap.Controller, []fence.ID{uid("")}, fault.Invalid},
		{"an address", before, "acme", datamap.Controller, []fence.ID{{Kind: "email", Value: "ana@acme.example"}}, fault.Invalid},
		{"an address beside an id that stands", before, "acme", datamap.Controller, []fence.ID{uid("u10"), {Kind: "email", Value: "ana@acme.example"}}, fault.Invalid},
		{"no tenant", before, "", datamap.Controller, []fence.ID{uid("u1")}, fault.Invalid},
		{"no time", time.Time{}, "acme", datamap.Controller, []fence.ID{uid("u10")}, fault.Invalid},
		{"a clock a little ahead", noon.Add(time.Hour + fence.Ahead), "acme", datamap.Controller, []fence.ID{uid("u1")}, ""},
		{"a time to come", noon.Add(time.Hour + fence.Ahead + time.Second), "acme", datamap.Controller, []fence.ID{uid("u1")}, fault.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, _ := fenced(t)
			err := f.Check(t.Context(), c.made, c.tenant, c.role, c.ids...)
			if (err == nil) != (c.kind == "") || fault.KindOf(err) != c.kind || fence.Erased(err) != (c.kind == fault.Denied) {
				t.Errorf("%v, erased %v, want %q", err, fence.Erased(err), c.kind)
			}
			if err != nil && (strings.Contains(err.Error(), "u1") || strings.Contains(err.Error(), "@")) {
				t.Errorf("the error names her: %v", err)
			}
		})
	}
}

// TestNoAnswerIsNo: whatever is the matter with the ledger, nothing may be written, and nothing is to be dropped either.
func TestNoAnswerIsNo(t *testing.T) {
	t.Parallel()
	for _, broken := range []error{fault.New(fault.Transient, "no line"), fault.New(fault.Denied, "no right"), fault.New(fault.Misconfigured, "no database"), errors.New("anything"), context.Canceled} {
		f, s := fenced(t)
		s.broken = broken
		for _, id := range []string{"u1", "u10"} {
			if err := f.Check(t.Context(), noon.Add(-time.Second), "acme", datamap.Controller, uid(id)); err == nil || fence.Erased(err) {
				t.Errorf("%v: %s may be written, or is said to be erased: %v", broken, id, err)
			}
		}
	}
}

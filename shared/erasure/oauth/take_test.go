package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// counted is a store that counts what it hands out.
type counted struct {
	erasure.Store
	items *atomic.Int64
	blind bool // it finds nothing by name
}

func (c counted) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	if c.blind && q.Match.Kind == erasure.MatchRef {
		return erasure.Page{}, fault.New(fault.Invalid, "finding: not by name")
	}
	page, err := c.Store.Find(ctx, q, cursor, limit)
	c.items.Add(int64(len(page.Items)))
	return page, err
}

// sealing counts what is sealed.
type sealing struct {
	seal.Keys
	n atomic.Int64
}

func (s *sealing) Wrap(ctx context.Context, dataKey, bound []byte) ([]byte, string, error) {
	s.n.Add(1)
	return s.Keys.Wrap(ctx, dataKey, bound)
}

// TestTakeReads: of many connections those that are asked for by name are read and no others, and what is kept already is not
// sealed again; a store that finds nothing by name is read through.
func TestTakeReads(t *testing.T) {
	t.Parallel()
	for _, blind := range []bool{false, true} {
		w, items := newWorld(t), &atomic.Int64{}
		keys := &sealing{Keys: w.Service.Keys}
		w.Service.Keys = keys
		open := w.Eraser
		w.Eraser = func(ctx context.Context, url string) (erasure.Store, error) {
			s, err := open(ctx, url)
			return counted{s, items, blind}, err
		}
		for i := range 240 {
			w.connect("a", fmt.Sprintf("c%03d", i), "u1", "zoom", fmt.Sprintf("t%03d", i), "x")
		}
		c := w.cut("r1", "a", "u1")
		for i := range 150 {
			c.Only = append(c.Only, fmt.Sprintf("tenants/a/connections#c%03d", i))
		}
		want := int64(150)
		if blind {
			want = 240
		}
		for again := range 2 {
			items.Store(0)
			keys.n.Store(0)
			taken, err := w.Take(t.Context(), c, w.Clock.Now())
			if err != nil || taken != 150*(1-again) || items.Load() != want || keys.n.Load() != int64(150*(1-again)) {
				t.Errorf("blind %t, time %d: %d taken, %d read, %d sealed, %v", blind, again, taken, items.Load(), keys.n.Load(), err)
			}
		}
	}
}

// TestTakeInTime: it stops when the time is over, says so, and the next call gets further, as what is kept goes out of the product.
func TestTakeInTime(t *testing.T) {
	t.Parallel()
	w, calls := newWorld(t), 0
	for i := range 120 {
		w.connect("a", fmt.Sprintf("c%03d", i), "u1", "zoom", fmt.Sprintf("t%03d", i), "x")
	}
	c := w.cut("r1", "a", "u1")
	c.Over = func() bool { calls++; return calls > 1 }
	for n, want := range []int{50, 50, 20} {
		if calls = 0; n == 2 {
			c.Over = nil
		}
		taken, err := w.Take(t.Context(), c, w.Clock.Now())
		if taken != want || (n < 2) != errors.Is(err, oauth.ErrUnfinished) || n == 2 && err != nil {
			t.Fatalf("time %d: %d taken, %v", n, taken, err)
		}
		if err := w.work(); err != nil {
			t.Fatal(err)
		}
	}
}

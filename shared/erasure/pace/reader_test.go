package pace

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// shelf is a store of personal data that answers at once.
type shelf struct {
	erasure.Reader
	pages int // that Values and Group take
	meter bool
	err   error
}

func (s *shelf) Find(context.Context, erasure.Query, string, int) (erasure.Page, error) {
	return erasure.Page{Items: make([]erasure.Item, erasure.MaxPage)}, s.err
}

func (s *shelf) walk(ctx context.Context) error {
	for range s.pages {
		if !s.meter {
			break
		}
		if err := erasure.Metered(ctx, erasure.MaxPage); err != nil {
			return err
		}
	}
	return s.err
}

func (s *shelf) Values(ctx context.Context, _ erasure.Query, _ string, limit int) ([]string, error) {
	return make([]string, limit), s.walk(ctx)
}

func (s *shelf) Group(ctx context.Context, _ erasure.Query, _ []string) (int, error) {
	return 1, s.walk(ctx)
}

func (s *shelf) Places(context.Context, int) ([]string, error) { return make([]string, 100), s.err }

// TestReader: questions that are no pages of a walk take their time as these do, by what they read.
func TestReader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		items int // of one question
		ask   func(ctx context.Context, r erasure.Reader) error
	}{
		"pages": {erasure.MaxPage, func(ctx context.Context, r erasure.Reader) error {
			_, err := r.Find(ctx, erasure.Query{}, "", 300)
			return err
		}},
		"values": {10 * erasure.MaxPage, func(ctx context.Context, r erasure.Reader) error {
			_, err := r.Values(ctx, erasure.Query{}, "f", 1)
			return err
		}},
		"groups": {10 * erasure.MaxPage, func(ctx context.Context, r erasure.Reader) error {
			_, err := r.Group(ctx, erasure.Query{}, nil)
			return err
		}},
		"places": {100, func(ctx context.Context, r erasure.Reader) error { _, err := r.Places(ctx, 100); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const rate, seconds = 500, 60
				p := New(newShop(t).store, clock.System{}, rate)
				r, begun := p.Reader(&shelf{pages: 10, meter: true}, url), time.Now()
				for range rate * seconds / c.items {
					if err := c.ask(t.Context(), r); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(begun); took < (seconds-4)*time.Second || took > (seconds+4)*time.Second {
					t.Errorf("%d items at %d a second took %s", rate*seconds, rate, took)
				}
			})
		})
	}
}

// TestReaderRests: a store that wants rest has it; one that holds too many values does not ask for any.
func TestReaderRests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New(newShop(t).store, clock.System{}, 500)
		s := &shelf{err: fault.New(fault.Exhausted, "more than one value")}
		r, begun := p.Reader(s, url), time.Now()
		for range 2 {
			if _, err := r.Values(t.Context(), erasure.Query{}, "f", 1); !fault.Is(err, fault.Exhausted) {
				t.Error(err)
			}
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("it rests for %s", took)
		}
		s.err = &fault.Error{Kind: fault.Exhausted, RetryAfter: 20 * time.Second, Err: errors.New("too much")}
		if _, err := r.Find(t.Context(), erasure.Query{}, "", 1); !fault.Is(err, fault.Exhausted) {
			t.Error(err)
		}
		s.err, begun = nil, time.Now()
		if _, err := r.Places(t.Context(), 100); err != nil || time.Since(begun) < 19*time.Second {
			t.Errorf("asked again after %s, %v", time.Since(begun), err)
		}
		s.err = &fault.Error{Kind: fault.Exhausted, RetryAfter: time.Hour, Err: errors.New("too much")}
		_, _ = r.Find(t.Context(), erasure.Query{}, "", 1)
		if _, err := r.Places(t.Context(), 100); !fault.Is(err, fault.Transient) {
			t.Errorf("of an hour's rest: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Places(ctx, 100); err == nil {
			t.Error("a call that was given up is made")
		}
	})
}

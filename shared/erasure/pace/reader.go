package pace

import (
	"context"
	"errors"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// patient is how long a question waits for its turn.
const patient = time.Minute

// Reader is a store, by its URL, that is asked within its pace: for whatever is no page of a walk that waits and counts for
// itself. A question that would have to wait too long is Transient.
func (p *Pace) Reader(of erasure.Reader, url string) erasure.Reader { return reader{of, p, url} }

type reader struct {
	erasure.Reader
	pace *Pace
	url  string
}

// Find implements erasure.Reader.
func (r reader) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (page erasure.Page, err error) {
	err = r.ask(ctx, func(ctx context.Context) (int, error) {
		page, err = r.Reader.Find(ctx, q, cursor, limit)
		return len(page.Items), err
	})
	return page, err
}

// Values implements erasure.Reader.
func (r reader) Values(ctx context.Context, q erasure.Query, field string, limit int) (values []string, err error) {
	err = r.ask(ctx, func(ctx context.Context) (int, error) {
		values, err = r.Reader.Values(ctx, q, field, limit)
		return len(values), err
	})
	return values, err
}

// Group implements erasure.Reader.
func (r reader) Group(ctx context.Context, q erasure.Query, fields []string) (smallest int, err error) {
	err = r.ask(ctx, func(ctx context.Context) (int, error) {
		smallest, err = r.Reader.Group(ctx, q, fields)
		return 1, err
	})
	return smallest, err
}

// Places implements erasure.Reader.
func (r reader) Places(ctx context.Context, limit int) (places []string, err error) {
	err = r.ask(ctx, func(ctx context.Context) (int, error) {
		places, err = r.Reader.Places(ctx, limit)
		return len(places), err
	})
	return places, err
}

// ask waits for its turn, and for one before each further page that the answer takes. Of who does not meter them the answer
// itself counts.
func (r reader) ask(ctx context.Context, do func(ctx context.Context) (items int, err error)) error {
	if err := r.turn(ctx); err != nil {
		return err
	}
	inHand, metered := true, false
	items, err := do(erasure.WithMeter(ctx, func(ctx context.Context, items int) error {
		r.pace.End(r.url)
		r.pace.Spent(r.url, items)
		err := r.turn(ctx)
		inHand, metered = err == nil, true
		return err
	}))
	if inHand {
		r.pace.End(r.url)
	}
	if !metered {
		r.pace.Spent(r.url, items)
	}
	// A store's word for wanting rest says for how long; too many values are not it.
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Kind == fault.Exhausted && e.RetryAfter > 0 {
		return errors.Join(err, r.pace.Exhausted(ctx, r.url, err))
	}
	return err
}

func (r reader) turn(ctx context.Context) error {
	begins, err := r.pace.Wait(ctx, r.url, patient)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case !begins:
		return fault.New(fault.Transient, "asking a store: it is left alone for a while")
	}
	return nil
}

package erasure

import "context"

// metered is the key of a context's meter.
type metered struct{}

// WithMeter has whoever reads many items for one answer (Values, Group) tell how many after each page of them. The meter may
// take its time; an error of its ends the call.
func WithMeter(ctx context.Context, meter func(ctx context.Context, items int) error) context.Context {
	return context.WithValue(ctx, metered{}, meter)
}

// Metered tells the context's meter, if it has one, that a page of so many items was read. Readers call it between the pages
// that one answer takes.
func Metered(ctx context.Context, items int) error {
	meter, has := ctx.Value(metered{}).(func(context.Context, int) error)
	if !has {
		return nil
	}
	return meter(context.WithValue(ctx, metered{}, nil), items)
}

package run

import (
	"context"
	"errors"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
)

// errElsewhere says that a store is in a region in which this deployment does not work. No other try reaches it.
var errElsewhere = fault.New(fault.Misconfigured, "asking a store: it is in a region in which this deployment does not work")

// elsewhere is why an entry was not searched whose data is in another region.
const elsewhere = request.Region

// missing is why a look-up was not made. Of an entry in another region that is what is said of the entry itself: a person who
// says what was done there has answered both.
func missing(err error) string {
	if errors.Is(err, errElsewhere) {
		return elsewhere
	}
	return "lookup_" + word(err)
}

// done reports whether a person has said what was done there.
func (w *walk) done(entry string) bool {
	return request.Open{Entry: entry, Why: elsewhere}.Settled(w.job.Reviewed)
}

// within opens no store of another region, whoever asks for one.
func (c Config) within() Config {
	reader, eraser, m := c.Reader, c.Eraser, c.Map
	c.Reader = func(ctx context.Context, url string) (erasure.Reader, error) {
		if m.Elsewhere(url) {
			return nil, errElsewhere
		}
		return reader(ctx, url)
	}
	if eraser == nil {
		return c
	}
	c.Eraser = func(ctx context.Context, url string) (erasure.Store, error) {
		if m.Elsewhere(url) {
			return nil, errElsewhere
		}
		return eraser(ctx, url)
	}
	return c
}

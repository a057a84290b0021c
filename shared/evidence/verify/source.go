package verify

import (
	"context"
	"strings"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// Stores reads a log in its own stores: the tiles from one, the checkpoint from the other. It has none of the other
// files of a bundle.
func Stores(tiles, head log.Objects) Source { return stores{tiles, head} }

type stores struct{ tiles, head log.Objects }

func (s stores) Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	var data []byte
	var err error
	switch {
	case name == CheckpointFile:
		data, err = log.Head(s.head)(ctx)
	case strings.HasPrefix(name, "tile/"):
		var o log.Object
		o, err = s.tiles.Get(ctx, name)
		data = o.Data
	default:
		err = fault.New(fault.NotFound, "reading %s: a log's stores do not have it", name)
	}
	if err == nil && int64(len(data)) > limit {
		return nil, fault.New(fault.Invalid, "reading %s: larger than %d bytes", name, limit)
	}
	return data, err
}

func (stores) List(context.Context, string) ([]string, error) { return nil, nil }

// Reader proves single things about the log in a bundle, from its tiles: that it extends an earlier size, that it holds
// a record. signed is the checkpoint every proof starts from.
func Reader(src Source, signed []byte, trust sign.Trust) *log.Reader {
	return log.NewReader(readOnly{src}, func(context.Context) ([]byte, error) { return signed, nil }, trust)
}

// readOnly is a bundle as a store of tiles.
type readOnly struct{ Source }

func (r readOnly) Get(ctx context.Context, name string) (log.Object, error) {
	data, err := r.Read(ctx, name, maxEntries)
	return log.Object{Data: data, Generation: 1}, err
}

func (readOnly) Create(context.Context, string, []byte) (int64, error) { return 0, errReadOnly() }

func (readOnly) Swap(context.Context, string, []byte, int64) (int64, error) { return 0, errReadOnly() }

func (readOnly) Delete(context.Context, string, int64) error { return errReadOnly() }

func (readOnly) List(context.Context, string, string, int) ([]log.Listed, error) {
	return nil, errReadOnly()
}

func (readOnly) Close() error { return nil }

func errReadOnly() error { return fault.New(fault.Denied, "a bundle is only read") }

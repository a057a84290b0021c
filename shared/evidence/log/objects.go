package log

import (
	"context"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
)

// Objects is one bucket, or a prefix in one, where a log keeps its parts. Names are slash-separated segments of
// letters, digits and . _ -. It is safe for concurrent use, by several processes too. Every method may be Transient;
// a write that was may have been done.
type Objects interface {
	// Get returns an object. NotFound when there is none; Invalid when it is there and its bytes can never be had as they
	// were handed in: there are too many, or they would have to be unpacked.
	Get(ctx context.Context, name string) (Object, error)
	// Create makes an object that must not exist, durably. Conflict when it does, whatever it holds.
	Create(ctx context.Context, name string, data []byte) (generation int64, err error)
	// Swap replaces the object of a generation, durably; 0 means that it must not exist. Conflict when another
	// generation is there.
	Swap(ctx context.Context, name string, data []byte, generation int64) (made int64, err error)
	// Delete removes the object of a generation. One that is gone is no error; another generation is Conflict. Denied when
	// nobody may, or not the caller.
	Delete(ctx context.Context, name string, generation int64) error
	// List returns up to limit objects whose names begin with prefix and follow after, by name.
	List(ctx context.Context, prefix, after string, limit int) ([]Listed, error)
	Close() error
}

// Object is what is stored under a name. Generation is never 0, and never given to another content of that name.
type Object struct {
	Data       []byte
	Generation int64
}

// Listed is an object in a list.
type Listed struct {
	Name       string
	Generation int64
	Size       int64     // bytes
	Created    time.Time // of this generation
	Held       bool      // it cannot be deleted before somebody releases it
	Sealed     bool      // it lies under a key that its maker chose, so that nobody else can count on reading it
}

// Options are what every driver receives.
type Options struct{ Clock clock.Clock }

// Stores opens stores by URL: folder:DIR, memory:NAME, gs://BUCKET/PREFIX.
var Stores = driver.NewRegistry[Options, Objects]("evidence log")

package erasure

import (
	"context"
	"io"

	"ostiary.internal/shared/platform/driver"
)

// Listers opens what tells which stores there are, mapped or not: firestore://PROJECT (its databases), gcs://PROJECT (its
// buckets), and the URL of a PostgreSQL database for the others of its server.
var Listers = driver.NewRegistry[Options, Lister]("stores there are")

// Lister lists stores. It is safe for concurrent use. Errors are those of Reader.
type Lister interface {
	// Stores returns the URLs of stores as Bare has them, sorted. At most limit; more is Exhausted. What cannot be listed as a
	// whole is an error, never a part.
	Stores(ctx context.Context, limit int) ([]string, error)

	io.Closer
}

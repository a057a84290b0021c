package scan

import (
	"context"

	"ostiary.internal/shared/platform/store"
)

// StatusOf says how much is known, and how old it is, to who only reads the database.
func StatusOf(ctx context.Context, s store.Store) (Status, error) {
	return (&Service{Config: Config{Store: s}}).Status(ctx)
}

package log

import (
	"context"
	"fmt"

	"ostiary.internal/shared/evidence/sign"
)

// Checkpoint is a signed statement how far the log goes, and who signed it: Origin, Size, Root, Keys, Witnesses.
type Checkpoint struct {
	sign.Verified
	Signed []byte // the signed note, as it was published
}

// Names of objects in the head store.
const (
	headName       = "head"
	checkpointName = "checkpoint"
)

// Head returns the function by which a Reader gets the newest checkpoint out of the head store. NotFound as long as
// none was published.
func Head(objects Objects) func(ctx context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		o, err := objects.Get(ctx, checkpointName)
		if err != nil {
			return nil, fmt.Errorf("reading the newest checkpoint: %w", err)
		}
		return o.Data, nil
	}
}

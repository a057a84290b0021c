package allowlist

import (
	"context"
	"fmt"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// room is when some target had no room for somebody.
type room struct {
	V    int       `json:"v"`
	Full time.Time `json:"full"`
}

const (
	roomDocument = "=room"         // no target has such a name
	roomLife     = 2 * time.Minute // whoever keeps the doors looks each minute
)

func (r *Reconciler) sayFull(ctx context.Context, now time.Time) error {
	err := r.Store.Tx(ctx, func(tx store.Tx) error { return tx.Put(reconciles, roomDocument, room{V: 1, Full: now}) })
	if err != nil {
		return fmt.Errorf("saying that the list is full: %w", err)
	}
	return nil
}

// Full reports whether a run of the last minutes had no room for somebody at some target: nobody new is to be let in until a run
// has. It reads the database a Reconciler writes.
func Full(ctx context.Context, s store.Store, now time.Time) (bool, error) {
	var said room
	err := s.Get(ctx, reconciles, roomDocument, &said)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading whether the list is full: %w", err)
	}
	return now.Sub(said.Full) < roomLife, nil
}

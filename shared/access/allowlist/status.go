package allowlist

import (
	"context"
	"fmt"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Condition is what can be said of a target without asking it. It is shown and stored in answers, hence a string.
type Condition string

// The conditions.
const (
	Unseen  Condition = "unknown" // no run has come to it
	Pending Condition = "pending" // decided, not yet read back
	Failing Condition = "failing" // it refused or could not be read back; tried again within a minute
	Synced  Condition = "synced"  // held what was decided when it was last looked at
)

// Status is what the last runs left of one target.
type Status struct {
	Name    string    `json:"name"`
	State   Condition `json:"state"`
	Entries int       `json:"entries"` // as last read back
}

// Status returns the condition of every target, in the order of Config.Targets. It asks the store, not the targets.
func (r *Reconciler) Status(ctx context.Context) ([]Status, error) {
	found := make([]Status, 0, len(r.Targets))
	for _, t := range r.Targets {
		st, err := r.state(ctx, t)
		if err != nil {
			return nil, err
		}
		found = append(found, Status{Name: t.Name(), State: st.condition(), Entries: st.Entries})
	}
	return found, nil
}

func (st state) condition() Condition {
	switch {
	case st.Failures > 0:
		return Failing
	case st.Pending:
		return Pending
	case st.Done == "":
		return Unseen
	}
	return Synced
}

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

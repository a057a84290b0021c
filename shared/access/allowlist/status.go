package allowlist

import "context"

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

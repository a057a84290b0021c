package declarebreach

import (
	"time"

	"ostiary.internal/shared/calendar"
)

// NewAction is something a review came to.
type NewAction struct {
	What  string       `json:"what" required:"true"`
	Owner string       `json:"owner" required:"true" doc:"id in people.yaml"`
	By    calendar.Day `json:"by" required:"true"`
}

// Action is something a review came to, as it stands.
type Action struct {
	N       int          `json:"n"`
	What    string       `json:"what"`
	Owner   string       `json:"owner"`
	By      calendar.Day `json:"by"`
	Overdue bool         `json:"overdue,omitempty"`
	Done    time.Time    `json:"done,omitzero"`
	DoneBy  string       `json:"done_by,omitempty"`
	Note    string       `json:"note,omitempty"`
}

// Done says that an action was done.
type Done struct {
	Action int    `json:"action" required:"true" doc:"its number"`
	Note   string `json:"note,omitempty"`
}

// Preservation keeps a case beyond its time, or not any more: both by two.
type Preservation struct {
	Keep   bool         `json:"keep" required:"true"`
	Reason string       `json:"reason,omitempty" doc:"needed of the first of the two"`
	Until  calendar.Day `json:"until,omitzero" doc:"when people ask whether it is still needed; it does not end by itself"`
}

// Hold keeps a case from being deleted.
type Hold struct {
	By     string       `json:"by"`
	Second string       `json:"second,omitempty" doc:"left out: it waits for a second person, and keeps the case meanwhile"`
	At     time.Time    `json:"at"`
	Reason string       `json:"reason"`
	Until  calendar.Day `json:"until"`
	LiftBy string       `json:"lift_by,omitempty" doc:"who proposed to lift it"`
	Lift   string       `json:"lift_reason,omitempty"`
}

// Signal is something a detection said about the case.
type Signal struct {
	At   time.Time `json:"at"`
	Text string    `json:"text,omitempty"`
}

// Lesson is what a finished review came to.
type Lesson struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

package request

import "slices"

// Show is which of the requests that wait for an answer a list holds. It is stored with each of them.
type Show string

// The lists. A request stands in ShowOpen and in those that fit it.
const (
	ShowOpen    Show = ""        // all
	ShowDesk    Show = "desk"    // it waits for the desk
	ShowOverdue Show = "overdue" // the last day of the answer has passed
	ShowPerson  Show = "person"  // somebody has to prove who she is
	ShowUnknown Show = "unknown" // and the directory does not have her
	ShowWork    Show = "work"    // it goes on by itself
)

// What a request may wait for from the desk.
const (
	waitsSecond   = "second"
	waitsApproval = "approve"
	waitsOwner    = "owner"
	waitsOpen     = "open"
	waitsUnread   = "unread" // a store could not be asked whether it holds the person
	waitsExport   = "export"
	waitsLetter   = "letter"
)

// Wants is what a request waits for from the desk.
func (r Request) Wants() (all []string) {
	if r.Proposed != nil {
		all = append(all, waitsSecond)
	}
	switch {
	case r.State == AwaitingApproval:
		all = append(all, waitsApproval)
	case r.State == Blocked && r.Why == LastOwner:
		all = append(all, waitsOwner)
	case r.State == Blocked || r.State == Partial:
		all = append(all, waitsOpen)
	case (r.State == Received || r.State == IdentityPending) && slices.Contains(r.Doubts, Blind):
		all = append(all, waitsUnread)
	}
	if exporting := r.Export && r.Exported.IsZero(); exporting && r.State == Approved {
		all = append(all, waitsExport)
	}
	if len(r.Lost) > 0 && r.Closed.IsZero() {
		all = append(all, waitsLetter)
	}
	return all
}

// shown notes in which lists a request stands.
func (d *deciding) shown() {
	d.Desk, d.Shown = d.Open && len(d.Wants()) > 0, ""
	switch {
	case d.State == IdentityPending && !d.Known && d.Kind == Person:
		d.Shown = ShowUnknown
	case !d.Desk && slices.Contains([]State{Received, Planning, Approved, Executing, Verifying}, d.State):
		d.Shown = ShowWork
	}
}

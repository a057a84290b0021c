package requesterasure

import (
	"ostiary.internal/shared/calendar"
)

// NewRequest asks for somebody to be forgotten.
type NewRequest struct {
	Email    string `json:"email,omitempty" doc:"of whom; left out by who is signed in and asks for herself"`
	Tenant   string `json:"tenant" required:"true" doc:"id, name or domain of the organisation"`
	Kind     string `json:"kind,omitempty" enum:"erasure,account" doc:"left out: erasure, the data of one person; account: everything of the organisation"`
	Language string `json:"language,omitempty" enum:"en,fr,de"`
	UID      string `json:"uid,omitempty" doc:"of whom, as the product names people; with a sign-in only"`
	Mandate  string `json:"mandate,omitempty" doc:"an agent's reference of her mandate; the person herself confirms"`
	Export   bool   `json:"export,omitempty" doc:"a copy goes to the person first"`
}

// Taken is the answer to whoever asked, alike for people the company knows and for others.
type Taken struct {
	ID     string       `json:"id"`
	Number string       `json:"number" doc:"what people name the request by"`
	State  string       `json:"state"`
	Due    calendar.Day `json:"due" doc:"last day of the answer, until 24:00 where the company is"`
	Secret string       `json:"secret" doc:"shows the state in the header Request-Secret; shown here once. What was found is for the person alone, who has the code from her mail"`
	// Unsearched does not say whether the address is on file: whoever asks learns nothing by it.
	Unsearched []string `json:"unsearched,omitempty" doc:"email where an address was named beside an id: nobody has checked that both are of one person, so it is searched for only if it is the one on file; otherwise it takes a request of its own"`
}

// Code proves something. Its code counts before the header Request-Secret, its secret where that is not sent.
type Code struct {
	Code   string `json:"code,omitempty" doc:"from the mail"`
	Secret string `json:"secret,omitempty" doc:"in place of both, what showed the request when it was asked for"`
}

package acceptdrift

import "time"

// Finding is one difference between what was promised, or what Terraform wants, and what there is.
type Finding struct {
	ID       string      `json:"id"`
	State    string      `json:"state" enum:"settling,open,accepted,healed,dropped"`
	Class    string      `json:"class" enum:"forbidden,changed,missing,unmanaged,extra,stale-desired,self-drift"`
	What     string      `json:"what" doc:"the assertion, with a promise where that sets parameters of its own; or the address in Terraform and the field"`
	Says     string      `json:"says,omitempty" doc:"what is wrong and what to do, in the reader's language"`
	Asset    string      `json:"asset,omitempty" doc:"full name of the resource; left out for the company as a whole"`
	Severity string      `json:"severity" enum:"info,low,medium,high,critical"`
	Loosened bool        `json:"loosened" doc:"more can be done, or less is kept, than was wanted"`
	Holds    string      `json:"holds,omitempty" enum:"personal,secret" doc:"what the resource holds, for which the severity is one step graver"`
	Promises []string    `json:"promises"`
	Want     string      `json:"want,omitempty"`
	Got      string      `json:"got,omitempty"`
	First    time.Time   `json:"first"`
	Opened   time.Time   `json:"opened,omitzero"`
	Seen     time.Time   `json:"seen" doc:"when it was seen so last"`
	Ended    time.Time   `json:"ended,omitzero"`
	Unknown  time.Time   `json:"unknown_since,omitzero" doc:"since when nobody can tell"`
	Actors   []Actor     `json:"actors,omitempty" doc:"who may have done it, likeliest first"`
	Proposed *Acceptance `json:"proposed,omitempty" doc:"waits for a second person"`
	Accepted *Acceptance `json:"accepted,omitempty"`
	Repair   string      `json:"repair,omitempty" doc:"a command that would put it right; nothing is repaired by itself"`
	Code     string      `json:"code,omitempty" doc:"what would have to stand in Terraform for it to be wanted"`
	Steps    []Step      `json:"steps,omitempty" doc:"of one finding alone"`
}

// Actor is who may have made the change.
type Actor struct {
	Person     string    `json:"person,omitempty" doc:"id in people.yaml"`
	Chain      []string  `json:"chain,omitempty" doc:"everybody the call went through, first caller first"`
	Kind       string    `json:"kind" enum:"human,service,agent,unknown"`
	Method     string    `json:"method,omitempty"`
	Agent      string    `json:"user_agent,omitempty"`
	Ticket     string    `json:"ticket,omitempty"`
	At         time.Time `json:"at,omitzero"`
	Entry      string    `json:"entry,omitempty" doc:"of the log"`
	Planned    bool      `json:"planned,omitempty" doc:"the deployer, and Terraform wants it so"`
	Suspicious bool      `json:"suspicious,omitempty" doc:"the deployer, and Terraform does not"`
	Why        string    `json:"why,omitempty" enum:"stream_off,before_retention,no_entry,hidden" doc:"why nobody can say who"`
	Asked      []Asked   `json:"asked,omitempty" doc:"what the call asked for that was not so before"`
	Unasked    string    `json:"unasked,omitempty" enum:"not_logged,too_long,same,left_out" doc:"why there is nothing, or not all, of it"`
}

// Asked is one field of what a call asked for. *** stands for a value that nobody is shown, hmac: for one that may be compared.
type Asked struct {
	Field  string `json:"field"`
	Was    string `json:"was,omitempty" doc:"left out for nothing"`
	Now    string `json:"now,omitempty"`
	Unsure bool   `json:"unsure,omitempty" doc:"what it was, or whether it was another, is not known"`
}

// Acceptance is a value that may be as it is for a while.
type Acceptance struct {
	By     string    `json:"by"`
	Second string    `json:"second,omitempty"`
	Ticket string    `json:"ticket,omitempty"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until"`
}

// Step is something that happened to a finding.
type Step struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	By     string    `json:"by,omitempty"`
	Words  string    `json:"words,omitempty"`
	Ticket string    `json:"ticket,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// Accept accepts the value a finding has now, or the one that is given, and no other.
type Accept struct {
	Reason string    `json:"reason,omitempty" doc:"why it may be so until then; the second person may leave it out"`
	Ticket string    `json:"ticket,omitempty"`
	Until  time.Time `json:"until" required:"true" doc:"RFC 3339; at most 30 days ahead for what is high or critical, 180 for the rest"`
	Got    *string   `json:"got,omitempty" doc:"the value that was looked at; left out: the one there is"`
}

// Findings is a page of a list.
type Findings struct {
	Findings []Finding `json:"findings"`
	Next     string    `json:"next,omitempty" doc:"give it as after for the page that follows"`
}

// Status is how much is known of what there is and of what Terraform wants, and how old it is.
type Status struct {
	Began      time.Time   `json:"began,omitzero" doc:"the newest list of everything that was whole"`
	Ended      time.Time   `json:"ended,omitzero"`
	Running    bool        `json:"running" doc:"another is under way"`
	Late       bool        `json:"late" doc:"it is too old to say anything of now, or there is none"`
	Places     []Place     `json:"places"`
	States     []State     `json:"states" doc:"of Terraform"`
	Assertions []Assertion `json:"assertions"`
	Gaps       []Gap       `json:"gaps" doc:"what nobody compares with Terraform: neither equal nor another"`
	Doubts     []Doubt     `json:"doubts" doc:"of what nobody could tell whether it is as Terraform wants it"`
	More       int         `json:"more" doc:"gaps and doubts beyond those"`
}

// Place is what is known of one part of the list.
type Place struct {
	Place  string    `json:"place"`
	Facts  string    `json:"facts"`
	Assets int       `json:"assets"`
	Read   time.Time `json:"read,omitzero"`
	Failed string    `json:"failed,omitempty" doc:"why nothing can be said of it"`
	Lost   []string  `json:"lost,omitempty" doc:"types of which there was something and suddenly is nothing"`
	Unread []string  `json:"unread,omitempty" doc:"why some could not be read"`
}

// State is one of Terraform's that was to be read.
type State struct {
	Name      string    `json:"name"`
	Resources int       `json:"resources"`
	Read      time.Time `json:"read,omitzero"`
	Failed    string    `json:"failed,omitempty" doc:"why it cannot be read now"`
	Unknown   bool      `json:"unknown,omitempty" doc:"that is so for too long to say anything of now"`
	Locked    time.Time `json:"locked_since,omitzero" doc:"its lock is held; after an hour somebody left it behind"`
}

// Assertion is what the last look found about one assertion, in things it looks at.
type Assertion struct {
	Assertion    string   `json:"assertion"`
	Expected     int64    `json:"expected"`
	Out          int64    `json:"out_of_order"`
	Undetermined int64    `json:"undetermined"`
	Untold       []Untold `json:"untold,omitempty" doc:"the first of those that could not be told"`
}

// Untold is something an assertion could not tell about.
type Untold struct {
	Asset   string `json:"asset,omitempty" doc:"left out for the company as a whole"`
	Promise string `json:"promise,omitempty"`
	Why     string `json:"why" enum:"field,type,asset,place,members,behind,unread,old,other"`
	About   string `json:"about,omitempty"`
}

// Gap is a type of Terraform, or a field of one, that nobody compares.
type Gap struct {
	Type  string `json:"type"`
	Field string `json:"field,omitempty"`
	Count int    `json:"count"`
}

// Doubt is a resource of Terraform of which nobody could tell.
type Doubt struct {
	Address string `json:"address,omitempty"`
	Asset   string `json:"asset,omitempty"`
	Field   string `json:"field,omitempty"`
	Why     string `json:"why"`
}

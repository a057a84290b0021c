package decideerasure

import (
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
)

// Listing is one page of the list.
type Listing struct {
	Requests []Listed `json:"requests"`
	Next     string   `json:"next,omitempty" doc:"where the next page begins: give it back as after"`
}

// Listed is one request in the list.
type Listed struct {
	ID       string       `json:"id"`
	Number   string       `json:"number"`
	State    string       `json:"state"`
	Why      string       `json:"why,omitempty"`
	Kind     string       `json:"kind" enum:"erasure,account"`
	Tenant   string       `json:"tenant"`
	Channel  string       `json:"channel" enum:"product,page,mail,letter,opendsr"`
	Received time.Time    `json:"received"`
	Due      calendar.Day `json:"due"`
	Overdue  bool         `json:"overdue"`
	Late     bool         `json:"late" doc:"the company's own target has passed"`
	Open     bool         `json:"open" doc:"waits for an answer"`
	Waits    []string     `json:"waits,omitempty" doc:"what it waits for from the desk: approve, second, owner, open, unread (a store could not be asked whether it holds the person), export, letter"`
}

// Whole is one request, with everything the desk may see of it.
type Whole struct {
	Listed
	Conservative calendar.Day         `json:"due_conservative"`
	NoticeBy     calendar.Day         `json:"notice_by" doc:"of an extension"`
	Warning      string               `json:"warning,omitempty"`
	Requester    string               `json:"requester"`
	Proof        string               `json:"proof,omitempty"`
	Proved       time.Time            `json:"proved,omitzero"`
	Identifiers  []request.Identifier `json:"identifiers,omitempty" doc:"as long as the request is open"`
	Reply        string               `json:"reply,omitempty"`
	Mandate      string               `json:"mandate,omitempty"`
	Text         string               `json:"text,omitempty"`
	Language     string               `json:"language"`
	Entered      string               `json:"entered_by,omitempty"`
	Doubts       []string             `json:"doubts,omitempty" doc:"why a person has to look"`
	PlanDigest   string               `json:"plan_digest,omitempty" doc:"give it back with an approval"`
	Plan         []Row                `json:"plan,omitempty"`
	Share        int                  `json:"share_percent,omitempty" doc:"of the organisation's items"`
	Unmapped     int64                `json:"unmapped,omitempty" doc:"places in no data map"`
	Progress     *Progress            `json:"progress,omitempty"`
	Totals       request.Totals       `json:"totals"`
	Searches     int                  `json:"searches" doc:"since it was erased"`
	NextSearch   time.Time            `json:"next_search,omitzero"`
	LookBy       calendar.Day         `json:"look_by,omitzero" doc:"last day for what only a person can judge"`
	OpenEntries  []request.Open       `json:"open_entries,omitempty"`
	Answers      []request.Answer     `json:"answers,omitempty" doc:"what people said of what no search can tell"`
	Kept         []request.Kept       `json:"kept,omitempty"`
	Holds        []request.Hold       `json:"holds,omitempty"`
	Proposed     *request.Proposed    `json:"proposed,omitempty" doc:"waits for a second person"`
	Refusal      *request.Refusal     `json:"refusal,omitempty"`
	Extended     *request.Extension   `json:"extended,omitempty"`
	Approved     string               `json:"approved_by,omitempty"`
	ApprovedAt   time.Time            `json:"approved_at,omitzero"`
	After        time.Time            `json:"not_before,omitzero"`
	Export       bool                 `json:"export,omitempty" doc:"a copy goes to the person first"`
	Handed       calendar.Day         `json:"handed,omitzero" doc:"on which she got it, as handed_by said"`
	HandedBy     string               `json:"handed_by,omitempty"`
	Linked       []string             `json:"linked,omitempty"`
	Of           string               `json:"counts_as,omitempty" doc:"the request that counts in its place"`
	Lost         []string             `json:"letters_lost,omitempty"`
}

// Row is one entry of a plan, in numbers.
type Row struct {
	Entry     string       `json:"entry"`
	Found     int64        `json:"found"`
	Delete    int64        `json:"delete"`
	Anonymise int64        `json:"anonymise"`
	Kept      int64        `json:"kept" doc:"by a ground of the data map or a hold"`
	Held      int64        `json:"held" doc:"the store refuses"`
	Review    int64        `json:"review" doc:"a person has to look"`
	Foreign   int64        `json:"foreign" doc:"of another organisation, untouched"`
	Ground    string       `json:"ground,omitempty"`
	Until     calendar.Day `json:"until,omitzero"`
	Why       string       `json:"unreachable,omitempty" doc:"why it could not be searched"`
}

// Progress is how far the engine has come with what it does now.
type Progress struct {
	Phase  string `json:"phase" enum:"planning,executing,verifying,sweeping" doc:"sweeping: what a search found left or late is erased"`
	Search int    `json:"search,omitempty" doc:"of verifying: which search"`
	Steps  int    `json:"steps" doc:"of planning: at most so many"`
	Done   int    `json:"done"`
	Found  int64  `json:"found" doc:"items met so far, of planning and verifying"`
	Erased int64  `json:"erased" doc:"and made anonymous, of executing and sweeping in this run"`
}

// Parties is what has to be settled with third parties by hand; those to look at first in front.
type Parties struct {
	Connections []Party `json:"connections"`
	Notices     []Party `json:"notices"`
}

// Party is one connection to be ended at a provider, or one recipient to be told or heard from.
type Party struct {
	ID    string    `json:"id"`
	Party string    `json:"party" doc:"id of the provider or the recipient in the data map"`
	Name  string    `json:"name"`
	Where string    `json:"where,omitempty" doc:"page on which it can be done"`
	State string    `json:"state"`
	Why   string    `json:"why,omitempty" doc:"a word: what stands in the way"`
	Due   time.Time `json:"due,omitzero" doc:"when it is late"`
	Late  bool      `json:"late"`
	Waits bool      `json:"waits" doc:"for the recipient's answer: nobody has to do anything yet"`
}

// Settled says what became of it.
type Settled struct {
	Outcome string `json:"outcome" required:"true" doc:"of a connection: revoked, gone, shared or failed; of a notice: acknowledged, impossible or disproportionate"`
}

// Approval approves a plan.
type Approval struct {
	PlanDigest string `json:"plan_digest" required:"true"`
}

// NewHold keeps something; a second person says the same.
type NewHold struct {
	Entry    string       `json:"entry" required:"true" doc:"of the data map"`
	Fields   []string     `json:"fields,omitempty" doc:"none: the whole items"`
	Ground   string       `json:"ground" required:"true" enum:"art17-3-a,art17-3-b,art17-3-c,art17-3-d,art17-3-e,statute"`
	Citation string       `json:"citation,omitempty" doc:"with art17-3-b and statute"`
	Until    calendar.Day `json:"until" required:"true" doc:"last day, YYYY-MM-DD"`
}

// Released ends a hold.
type Released struct {
	Hold string `json:"hold" required:"true" doc:"its id"`
}

// Refusal refuses a request; a second person says the same.
type Refusal struct {
	Ground   string `json:"ground" required:"true" enum:"art17-3-a,art17-3-b,art17-3-c,art17-3-d,art17-3-e,statute,art12-5,art17-1"`
	Citation string `json:"citation,omitempty"`
}

// PassedOn passes a request on.
type PassedOn struct {
	Tenant string `json:"tenant" required:"true" doc:"whose data it may concern: its contact is written to"`
}

// Handed says that a person got the copy of her data she had asked for.
type Handed struct {
	On calendar.Day `json:"on,omitzero" doc:"YYYY-MM-DD; left out, with the whole body or not: today"`
}

// Extension takes two further months.
type Extension struct {
	Reason string `json:"reason" required:"true" enum:"complexity,number"`
}

// Reviewed says that somebody has looked at items only a person can judge, or has found out what no search can tell.
type Reviewed struct {
	Entry string `json:"entry" required:"true"`
	Items int64  `json:"items" required:"true"`
	Why   string `json:"why,omitempty" enum:"letters,group,region"` // of what no search can tell: as it stands open
	Set   string `json:"set,omitempty" doc:"which items, as open_entries or the plan has it; left out: those found, unless others were found since"`
	// Reference is an id and names nobody: it stands in the receipt.
	Reference string `json:"reference,omitempty" doc:"with region: id of what was done there, such as the request or receipt of the other deployment"`
}

// Letter is a request that came by letter or mail.
type Letter struct {
	Channel  string    `json:"channel,omitempty" enum:"mail,letter" doc:"left out with eml: mail"`
	Received time.Time `json:"received,omitzero" doc:"when it arrived, RFC 3339; with eml it is read from there"`
	Tenant   string    `json:"tenant" required:"true"`
	Kind     string    `json:"kind,omitempty" enum:"erasure,account"`
	Email    string    `json:"email,omitempty" doc:"of the person, as she gave it"`
	Reply    string    `json:"reply,omitempty" doc:"where she wrote from"`
	Text     string    `json:"text,omitempty"`
	EML      string    `json:"eml,omitempty" doc:"the mail itself (RFC 5322)"`
	Language string    `json:"language,omitempty" enum:"en,fr,de"`
	Export   bool      `json:"export,omitempty"`
	Mandate  string    `json:"mandate,omitempty"`
}

// Entered is the answer to whoever entered one.
type Entered struct {
	ID     string       `json:"id"`
	Number string       `json:"number"`
	State  string       `json:"state"`
	Due    calendar.Day `json:"due"`
}

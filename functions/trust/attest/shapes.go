package attest

import "time"

// Duty is one task of a duty: what is owed, and how far it has come.
type Duty struct {
	ID       string    `json:"id" doc:"of the task; the duty's own id for one of the company"`
	Duty     string    `json:"duty" doc:"id in duties.yaml"`
	What     string    `json:"what"`
	State    string    `json:"state" enum:"open,done,reviewed,overdue,refused,withdrawn,lapsed"`
	Cycle    int       `json:"cycle" doc:"counts from 1; give it back with what you say, and nothing is said about another time"`
	Due      time.Time `json:"due"`
	Valid    time.Time `json:"valid_until,omitzero" doc:"until when the promises are proven"`
	Person   string    `json:"person,omitempty" doc:"whom it is about: id in people.yaml"`
	Asker    string    `json:"asked_by,omitempty"`
	About    string    `json:"about,omitempty" doc:"what was asked for"`
	Owner    string    `json:"owner_role"`
	Second   string    `json:"second_role,omitempty"`
	Evidence []string  `json:"evidence" doc:"types it needs, each with what it has to be about behind it where that is fixed"`
	Missing  []string  `json:"missing_evidence,omitempty"`
	Failed   []string  `json:"failed_evidence,omitempty" doc:"whose newest says that something is out of order"`
	Late     bool      `json:"late,omitempty" doc:"it was due before somebody's first day, and came after it"`
	Files    bool      `json:"files_document" doc:"whoever does it names the document that is put on file"`
	Document *Document `json:"document,omitempty" doc:"that was put on file this time"`
	DoneBy   string    `json:"done_by,omitempty"`
	DoneAt   time.Time `json:"done_at,omitzero"`
	Ref      string    `json:"reference,omitempty"`
	Reviewer string    `json:"reviewed_by,omitempty" doc:"who approved or refused it"`
	Promises []string  `json:"promises"`
	MayDo    bool      `json:"may_do"`
	MayCheck bool      `json:"may_review"`
	MayTurn  bool      `json:"may_refuse"`
	MayDrop  bool      `json:"may_withdraw"`
}

// Document is a certificate or report that was put on file.
type Document struct {
	Issuer string    `json:"issuer"`
	Number string    `json:"number"`
	Until  time.Time `json:"valid_until" doc:"first instant at which it no longer counts"`
}

// Word says that a duty is done. The body may be left out, but where a document is put on file.
type Word struct {
	Ref    string `json:"reference,omitempty" doc:"a ticket or document; never a name"`
	Cycle  int    `json:"cycle,omitempty" doc:"as listed; left out: the present one"`
	Issuer string `json:"issuer,omitempty" doc:"of the document that is put on file; needed where files_document"`
	Number string `json:"number,omitempty" doc:"of the document, or its name, without spaces; needed where files_document"`
	Until  string `json:"valid_until,omitempty" doc:"as it stands on the document: YYYY-MM-DD, that day included, or RFC 3339; at most 5 years ahead; needed where files_document"`
}

// Review is the second person's verdict. The body may be left out.
type Review struct {
	Verdict string `json:"verdict,omitempty" enum:"approved,returned,refused" doc:"left out: approved; refused is for what somebody asked for"`
	Cycle   int    `json:"cycle,omitempty"`
}

// Withdraw takes back what was asked for. The body may be left out.
type Withdraw struct {
	Cycle int `json:"cycle,omitempty"`
}

// Ask asks for something.
type Ask struct {
	About string `json:"about" required:"true" doc:"what is asked for, in one line; its name as its maker and scanners write it"`
}

// Sign signs a promise's text.
type Sign struct {
	Promise string `json:"promise" required:"true"`
	Text    string `json:"text_hash" required:"true" doc:"sha256 of the text in all its languages, as listed"`
	Until   string `json:"valid_until" required:"true" doc:"YYYY-MM-DD, that day included, or RFC 3339; at most 366 days ahead"`
}

// Statement is a promise that people sign, and the newest signature.
type Statement struct {
	Promise string            `json:"promise"`
	Text    map[string]string `json:"text" doc:"by language"`
	Hash    string            `json:"text_hash" doc:"of the text in force; of the text signed in the answer to a signature"`
	Roles   []string          `json:"roles" doc:"of which one signs"`
	State   string            `json:"state" enum:"missing,in-force,expired,text-changed"`
	Role    string            `json:"role,omitempty" doc:"in which it was signed"`
	Signed  time.Time         `json:"signed,omitzero"`
	Until   time.Time         `json:"valid_until,omitzero"`
	Record  string            `json:"record,omitempty" doc:"id of the evidence"`
	MaySign bool              `json:"may_sign"`
}

// NewWaiver asks for an exception.
type NewWaiver struct {
	Promise string `json:"promise" required:"true"`
	Reason  string `json:"reason" required:"true" enum:"migration,supplier-outage,planned-work,incident,legal-requirement,false-alarm,accepted-risk"`
	Until   string `json:"until" required:"true" doc:"YYYY-MM-DD, that day included, or RFC 3339; at most 90 days ahead"`
	Note    string `json:"note,omitempty" doc:"for the second person; never in evidence"`
}

// Waiver is one exception.
type Waiver struct {
	ID       string    `json:"id"`
	Promise  string    `json:"promise"`
	Reason   string    `json:"reason"`
	Note     string    `json:"note,omitempty"`
	Until    time.Time `json:"until"`
	State    string    `json:"state" enum:"asked,approved,ended"`
	Asker    string    `json:"asked_by"`
	Asked    time.Time `json:"asked"`
	Approver string    `json:"approved_by,omitempty"`
	Ender    string    `json:"ended_by,omitempty"`
	Ended    time.Time `json:"ended,omitzero"`
	Record   string    `json:"record,omitempty" doc:"id of the evidence"`
}

// Package page holds the pages of the trust control that people sign in to: what they owe, what they review, sign and
// except. It knows what a page shows; the functions know where that comes from.
package page

import (
	"embed"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
)

//go:embed attest/templates attest/texts attest/assets
var attest embed.FS

// NewAttest returns the pages of duties, statements and exceptions as the given function serves them.
func NewAttest(function string) *shell.Shell { return shell.In(function, attest, "attest") }

// Item is one thing in a list.
type Item struct {
	Path   string // of its page
	What   string // in the policy's words
	Lang   string // of What; "" when it is not known
	State  string // key of a text: state.open, ...
	Bad    bool   // overdue, ended or changed
	Due    string // "" where nothing is due
	Until  string // until when it counts; "" where it does not
	Person string // whom it is about
	About  string // what was asked for
	Asker  string
}

// Choice is one entry of a list.
type Choice struct {
	Value, Label string
}

// Overview is the first page: what waits for the person, then everything else.
type Overview struct {
	Done                     string // key of a text that says what was done
	Problem                  *staffed.Trouble
	Do, Review, Sign, Others []Item
	Approve                  int      // exceptions that wait for her
	Ask                      []Choice // duties people ask for
	MayLook                  bool     // at exceptions
}

// Idle reports whether nothing waits for the person.
func (o Overview) Idle() bool { return len(o.Do)+len(o.Review)+len(o.Sign)+o.Approve == 0 }

// Duty is the page of one task.
type Duty struct {
	Item
	Problem  *staffed.Trouble
	Promises []staffed.Sentence
	Owner    string     // key of the role that does it
	Second   string     // key of the role that reviews; "" for nobody
	Evidence []Evidence // what it needs from machines and has not got
	Failed   []Evidence // what machines say is out of order
	Late     bool       // it came after somebody's first day
	Refused  bool       // by Reviewer
	By, At   string     // who did it and when; By "" for machines
	// Issuer, Number and Ends are of the document that was put on file, or the first two as filled in.
	Issuer, Number, Ends string
	Filed                *Dates // of the field for its end; nil where none is put on file
	Ref                  string
	Reviewer             string
	Cycle                int
	MayDo                bool
	MayReview            bool
	MayRefuse            bool
	MayWithdraw          bool
	Own                  bool // it is her own matter
}

// Evidence is one piece of machine evidence.
type Evidence struct {
	Type  string // key of a text
	About string // what it has to be about; "" for whatever it is about
}

// Dates are those of a form's field.
type Dates struct {
	Least, Most, Chosen string
}

// Ask is the page on which something is asked for.
type Ask struct {
	Item
	Problem *staffed.Trouble
	About   string
}

// Statements is the list of promises that people sign.
type Statements struct {
	Mine, Others []Item
}

// Sign is the page on which a promise is signed.
type Sign struct {
	Problem   *staffed.Trouble
	ID        string
	Sentences []staffed.Sentence
	Hash      string
	Roles     []string // keys
	State     string   // key
	Bad       bool
	SignedBy  string // key of the role; "" for nobody yet
	SignedOn  string
	Until     string // of the statement there is
	MaySign   bool
	Least     string // dates of the form
	Most      string
	Chosen    string
}

// Waivers is the page of exceptions.
type Waivers struct {
	Done                string
	Problem             *staffed.Trouble
	Waiting, InForce    []Waiver
	MayDecide           bool
	Promises, Reasons   []Choice // reasons: keys of texts
	Promise, Reason     string   // as chosen in a form that was refused
	Note, Until         string
	Least, Most, Chosen string
}

// Waiver is one exception.
type Waiver struct {
	ID, Reason, Note, Until, Asker, Approver string // Reason: key of a text
	Sentence                                 staffed.Sentence
	Mine                                     bool // asked for by the person who looks
}

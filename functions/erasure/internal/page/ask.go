package page

import (
	"time"

	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/erasure/request"
)

// Ask is the form in which somebody asks.
type Ask struct {
	Company                       string
	Problem                       *staffed.Trouble
	Email, Tenant, Kind, Language string // as filled in
	Export                        bool
	Languages                     []Choice // labels are text
}

// Proof is the page on which somebody types number and code, or where her link leads.
type Proof struct {
	Company      string
	Problem      *staffed.Trouble
	Number, Code string
	Confirming   bool // the code proves who asked; else it shows how far the request has come
}

// Sent says that a mail is on its way. It is the same for people the company knows and for others.
type Sent struct {
	Number string // "" where the address of the page does not say
	Again  bool   // another mail was asked for
}

// Follow is how far a request has come.
type Follow struct {
	Problem      *staffed.Trouble
	Done         string // key of what was done just now
	Number, Code string // the code is sent back by the page's forms
	State, Said  string // keys
	Ground       string // why it was refused
	Due          string
	Extended     bool
	Received     string
	First        string // number of the request that counts
	After        string // until when an account can be kept
	Erased       int64
	Steps        []Step
	Kept         []Kept
	Backups      []Backup
	Recipients   []Recipient
	Remedies     string
	MayCancel    bool
	MayClose     bool // the last owner may have the account closed
	Signed       bool // the receipt can be had
	Apart        bool // somebody else asked for her: what belongs to no organisation is left alone
	Beside       bool // an address that was named beside an id is not searched for
	Proving      bool // waits for the proof
}

// Progress says where a step stands. It is never told by colour alone.
type Progress string

// Where a step may stand.
const (
	Behind Progress = "done"
	Now    Progress = "now"
	Ahead  Progress = "wait"
	Never  Progress = "never" // the request ended before
)

// Step is one step of a request.
type Step struct {
	Name  string // key
	State Progress
	Word  string // key: how it stands, in words
	When  string // of one that is done, or that has its day
	Below []Step
}

// Kept is what stays.
type Kept struct {
	What  string
	Items int64
	Why   string // in the reader's language
	Until string
}

// Backup is a class of backups and the day on which it has forgotten.
type Backup struct{ Class, By string }

// Recipient is somebody who was given her data and is told of its erasure (GDPR article 19).
type Recipient struct {
	Name    string
	Outcome string // key
	At      string
}

// Told writes times and days for one reader.
type Told struct {
	Moment func(time.Time) string
}

// NewSteps draws the way of a request as whoever looks may see it.
func NewSteps(v request.View, told Told) []Step {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return told.Moment(t)
	}
	reached := reach(v)
	steps := []Step{{Name: "step.received", When: at(v.Received)}, {Name: "step.identity", When: at(v.Proved)}, {Name: "step.searched"}, {Name: "step.erased", When: at(v.Executed)}, {Name: "step.verified"}}
	for i := range steps {
		switch {
		case i < reached:
			steps[i].State = Behind
		case over(v.State):
			steps[i].State = Never
		case i == reached:
			steps[i].State = Now
		default:
			steps[i].State = Ahead
		}
	}
	for i := range steps {
		if steps[i].State != Behind {
			steps[i].When = "" // of a run before this one
		}
		steps[i].Word = "progress." + string(steps[i].State)
		if word := waiting(v.State); word != "" && steps[i].State == Now {
			steps[i].Word = word
		}
	}
	steps[len(steps)-1].Below = searches(v, at)
	return steps
}

// waiting is the key of what a request waits for, where the present step is not under way.
func waiting(s request.State) string {
	switch s {
	case request.Received, request.IdentityPending:
		return "progress.you"
	case request.AwaitingApproval, request.Approved:
		return "progress.next"
	case request.Blocked, request.Partial:
		return "progress.stuck"
	}
	return ""
}

// over reports whether a request ended without being carried out.
func over(s request.State) bool {
	switch s {
	case request.NotEstablished, request.Cancelled, request.Rejected, request.Forwarding, request.Forwarded:
		return true
	}
	return false
}

// reach is how many of the five steps lie behind.
func reach(v request.View) int {
	switch v.State {
	case request.Received, request.IdentityPending:
		return 1
	case request.Planning, request.Blocked:
		return 2
	case request.AwaitingApproval, request.Approved, request.Executing, request.Partial:
		return 3
	case request.Verifying:
		return 4
	case request.Completed, request.Retained:
		if v.Passed < len(request.Passes()) {
			return 4
		}
		return 5
	}
	if !v.Proved.IsZero() {
		return 2
	}
	return 1
}

// searchNames are the keys of the searches after the erasing, in the order of request.Passes.
var searchNames = []string{"search.0", "search.1", "search.2", "search.3", "search.4"}

// searches are those after the erasing. Before it nobody knows their days.
func searches(v request.View, at func(time.Time) string) (all []Step) {
	if over(v.State) {
		return nil
	}
	for i, after := range request.Passes() {
		s := Step{Name: searchNames[i], State: Ahead}
		switch {
		case i < v.Passed:
			s.State = Behind
		case i == v.Passed && v.State == request.Verifying:
			s.State = Now
		}
		switch {
		case v.Ran.IsZero():
		case i == v.Passed && !v.Next.IsZero():
			s.When = at(v.Next)
		default:
			s.When = at(v.Ran.Add(after))
		}
		s.Word = "progress." + string(s.State)
		all = append(all, s)
	}
	return all
}

// Package page holds the pages of the watch control that people sign in to: what they explain, what they review, and which
// alarms two people agreed to expect. It knows what a page shows; the functions know where that comes from.
package page

import (
	"embed"
	"time"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
)

//go:embed justify/templates justify/texts justify/assets
var justify embed.FS

// NewJustify returns the pages of episodes and exceptions as the given function serves them.
func NewJustify(function string) *shell.Shell { return shell.In(function, justify, "justify") }

// Item is one episode in a list.
type Item struct {
	Path     string
	What     string // what happened
	Next     string // what to do about it
	Severity string // key
	State    string // key
	Bad      bool
	Who      string // whom it concerns; "" for nobody known
	When     string
	Due      string // "" where nothing is waited for
	Rule     string
}

// Overview is the first page.
type Overview struct {
	Done                             string // key of a text that says what was done
	Explain, Review, Others, Settled []Item
	MayLook                          bool // at exceptions
	Waiting                          int  // exceptions that wait for her
}

// Idle reports whether nothing waits for the person.
func (o Overview) Idle() bool { return len(o.Explain)+len(o.Review)+o.Waiting == 0 }

// Choice is one entry of a list.
type Choice struct {
	Value, Label string
}

// Episode is the page of one.
type Episode struct {
	Item
	Problem   *staffed.Trouble
	Question  int
	Reason    string // key; "" before an answer
	Words     string
	Ticket    string
	Answered  string // who and when
	Verdict   string // key
	Reviewed  string
	Note      string
	Cause     string // key; "" for no suspicion
	Closed    string
	Seen      []Seen
	More      int // seen beyond those
	Line      *Timeline
	Promises  []staffed.Sentence
	Reasons   []Choice
	MayAnswer bool
	MayReview bool
	Unsure    bool // the rule could not tell
	Own       bool // hers, so that she does not review it
	Mine      bool // it is about the reader
	Revision  string
	Breach    string // key of the text that leads to breaches; "" for none
	BreachAt  string // where it leads
	Form      Form   // as filled in
}

// few are how many of what was seen stand open on the page: what to do about it comes next, on a phone too.
const few = 3

// Latest is the end of what was seen.
func (e Episode) Latest() []Seen { return e.Seen[max(0, len(e.Seen)-few):] }

// Earlier is what was seen before that.
func (e Episode) Earlier() []Seen { return e.Seen[:max(0, len(e.Seen)-few)] }

// Form is what somebody typed before a refusal.
type Form struct {
	Reason, Words, Ticket, Note string
}

// Seen is one thing that was seen.
type Seen struct {
	When, Where, Did, On, Outcome, From, Agent, Who string
	Chain, Change, Values                           []string
	Count                                           int
	Unsure                                          string
	New                                             bool // part of the present question, and not of the one before
}

// Exceptions is the page of suppressions and change windows.
type Exceptions struct {
	Done                                                      string
	Problem                                                   *staffed.Trouble
	Waiting, InForce, Ended                                   []Exception
	MayDecide                                                 bool
	Rules, Reasons                                            []Choice
	Kind, Rule, Actor, Resource, Method, Reason, Ticket, Note string // as filled in
	From, Until, Least, Most                                  string
}

// Exception is one of them.
type Exception struct {
	ID, Kind, Rule, Actor, Resource, Method, Reason, Note, Ticket, From, Until, Asker, Approver string // Kind, Reason: keys
	Used                                                                                        int
	Mine                                                                                        bool
}

// Timeline is a picture of when things were seen: from the first to the last, in thousandths of the way.
type Timeline struct {
	Dots        []int
	First, Last string
}

// NewTimeline draws times, which are in order; nil for less than two.
func NewTimeline(at []time.Time, write func(time.Time) string) *Timeline {
	if len(at) < 2 || !at[0].Before(at[len(at)-1]) {
		return nil
	}
	first, whole := at[0], at[len(at)-1].Sub(at[0])
	line := &Timeline{First: write(first), Last: write(at[len(at)-1])}
	last := -1
	for _, t := range at {
		if x := int(float64(t.Sub(first)) / float64(whole) * 1000); x != last {
			line.Dots, last = append(line.Dots, x), x
		}
	}
	return line
}

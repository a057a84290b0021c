// Package page holds the pages of the drift control: what is out of order, what was wanted and what there is side by side, and
// what people accept for a while. It knows what a page shows; the functions know where that comes from.
package page

import (
	"embed"
	"slices"
	"strings"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/platform/veil"
)

//go:embed accept/templates accept/texts accept/assets
var accept embed.FS

// New returns the pages as the given function serves them.
func New(function string) *shell.Shell { return shell.In(function, accept, "accept") }

// Item is one finding in a list.
type Item struct {
	Path     string
	What     string // what is wrong, a sentence; "" where Class says it of Name
	Class    string // key
	Name     string // of the thing, short enough for a title
	On       string // what people call the thing; "" for the company
	Field    string // of Terraform, with its address
	Severity string // key
	Grave    bool
	State    string // key
	Who      string // may have done it; "" for nobody known
	When     string
	Until    string // of an acceptance
	Unknown  string // since when nobody can tell
}

// Overview is the first page.
type Overview struct {
	Done                     string // key of a text that says what was done
	Asked                    []Item // wait for the reader as the second person
	Open, Settling, Accepted []Item
	Ended, Dropped           []Item // in order again; promised no more
	More                     bool   // than are shown
	Bars                     []Bar
	Look                     *Look
}

// Quiet reports whether nothing is out of order.
func (o Overview) Quiet() bool { return len(o.Asked)+len(o.Open)+len(o.Settling) == 0 }

// Bar is how many open findings have a severity, drawn to scale: Width in hundredths.
type Bar struct {
	Severity string // key
	Count    int
	Width    int
	Grave    bool
}

// Bars draws counts, which are in the order of the page.
func Bars(severities []string, counts map[string]int) (bars []Bar) {
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	for i, s := range severities {
		if n := counts[s]; n > 0 {
			bars = append(bars, Bar{Severity: "severity." + s, Count: n, Width: max(2, n*100/most), Grave: i < 2})
		}
	}
	return bars
}

// Look is the last look at everything.
type Look struct {
	At     string // when the list was whole; "" before the first
	Count  string // how many things were read
	Late   bool   // it is too old to say anything of now
	Blind  []Blind
	Untold []Untold
	Doubts []Reason // of what Terraform wants
	Gaps   []string // what nobody compares with it
	More   int      // doubts and gaps beyond those
}

// Whole reports whether all could be told that somebody promised, or wants.
func (l *Look) Whole() bool { return !l.Late && len(l.Blind)+len(l.Untold)+len(l.Doubts) == 0 }

// Unsure is how many things it is that nobody can tell about, each assertion counted once.
func (l *Look) Unsure() int { return len(l.Untold) + len(l.Doubts) }

// Blind is a place, or a state of Terraform, that could not be read.
type Blind struct {
	Name  string
	Why   string   // key
	Since string   // when it was read last; "" for never
	So    string   // key: what follows; ""
	More  []string // what of it
}

// Untold is an assertion that could not tell of everything it looks at.
type Untold struct {
	Name      string
	Promises  []staffed.Sentence
	Count, Of int
	Reasons   []Reason // the first
}

// Reason is why nobody could tell about something.
type Reason struct {
	Name  string
	Why   string // key
	About string // what was not read
}

// Detail is the page of one finding.
type Detail struct {
	Item
	Problem  *staffed.Trouble
	Beside   []Row
	Cut      bool   // one side is longer than what is kept of it
	Advice   string // what to do, in words; ""
	Void     string // key: why what was accepted is not any more; ""
	Holds    string // key: what the asset holds, for which it is graver; ""
	Since    string
	Opened   string
	Seen     string
	Ended    string
	Actors   []Actor
	Proposed *Acceptance
	Accepted *Acceptance
	Promises []staffed.Sentence
	Repair   string // the command that would put it right
	Code     string // what would have to stand in Terraform for it to be wanted
	Asset    Long   // in full
	Steps    []Step

	MayAccept bool // the reader, now
	Second    bool // she would be the second
	Two       bool // two have to agree
	Own       bool // she may have done it
	MayRevoke bool
	Got       string // what she accepts
	Form      Form
	Least     string
	Most      string
	MostDay   string // as people write it
}

// Tall reports whether the difference takes so much room that what follows would be far away.
func (d Detail) Tall() bool {
	n := 0
	for _, r := range d.Beside {
		n += 1 + max(len(r.Want.Text), len(r.Got.Text))/60
	}
	return n > 16
}

// Form is what somebody typed before a refusal.
type Form struct{ Reason, Ticket, Until string }

// Actor is who may have done it.
type Actor struct {
	Name, Kind, Method, When, Agent, Ticket, Entry, Why string // Kind, Why: keys
	Through                                             []string
	Mark                                                string // key: planned, suspicious; or ""
	Asked                                               []Asked
	Unasked                                             string // key of why there is nothing, or not all, of it; or ""
}

// Asked is a field of what a call asked for, beside what it was before.
type Asked struct {
	Field, Was, Now Long
	Unsure          bool // what it was is not known any more
}

// Hidden reports whether some value of what was asked for is shown to nobody.
func (a Actor) Hidden() bool {
	return slices.ContainsFunc(a.Asked, func(c Asked) bool { return strings.Contains(string(c.Was+c.Now), veil.Hidden) })
}

// Acceptance is one as people read it.
type Acceptance struct{ By, Second, Reason, Ticket, Until, At string }

// Step is something that was done.
type Step struct{ When, What, By, Words, Ticket, Until string } // What: key

// Package page holds the pages of the drift control: what is out of order, what was wanted and what there is side by side, and
// what people accept for a while. It knows what a page shows; the functions know where that comes from.
package page

import (
	"embed"
	"io/fs"
	"slices"
	"strings"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
)

//go:embed accept/templates accept/texts accept/assets
var accept embed.FS

// New returns the pages as the given function serves them.
func New(function string) *shell.Shell {
	files, err := fs.Sub(accept, "accept")
	if err != nil {
		panic("page: " + err.Error()) // the name is fixed
	}
	return shell.New(function, files)
}

// Item is one finding in a list.
type Item struct {
	Path     string
	What     string // what is wrong, a sentence; "" where Class says it
	Class    string // key
	On       string // what people call the thing; "" for the company
	Field    string // of Terraform, with its address
	Severity string // key
	State    string // key
	Bad      bool
	Who      string // may have done it; "" for nobody known
	When     string
	Until    string // of an acceptance
	Unknown  string // since when nobody can tell
}

// Overview is the first page.
type Overview struct {
	Done                            string // key of a text that says what was done
	Asked                           []Item // wait for the reader as the second person
	Open, Settling, Accepted, Ended []Item
	More                            bool // than are shown
	Bars                            []Bar
	Look                            *Look
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
	At    string // when the list was whole; "" before the first
	Count string // how many things were read
	Blind []string
	Late  bool // it is too old to say anything of now
}

// Detail is the page of one finding.
type Detail struct {
	Item
	Problem  *staffed.Trouble
	Beside   []Row
	Opened   string
	Seen     string
	Ended    string
	Actors   []Actor
	Proposed *Acceptance
	Accepted *Acceptance
	Promises []staffed.Sentence
	Repair   string // the command that would put it right
	Code     string // what would have to stand in Terraform for it to be wanted
	Asset    string // in full
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
}

// Form is what somebody typed before a refusal.
type Form struct{ Reason, Ticket, Until string }

// Actor is who may have done it.
type Actor struct {
	Name, Kind, Method, When, Agent, Ticket, Entry, Why string // Kind, Why: keys
	Through                                             []string
	Mark                                                string // key: planned, suspicious; or ""
}

// Acceptance is one as people read it.
type Acceptance struct{ By, Second, Reason, Ticket, Until, At string }

// Step is something that was done.
type Step struct{ When, What, By, Words, Ticket, Until string } // What: key

// Row is a line of what is wanted and of what there is; one of both may be missing.
type Row struct {
	Want, Got Cell
}

// Cell is one side of a row. Other: the other side has no such line.
type Cell struct {
	Text         string
	Other, Empty bool
}

// most is how many lines a side shows.
const most = 200

// Beside puts what is wanted and what there is side by side: lines that both have in one row, the others in the order they
// come. An empty text is nothing.
func Beside(want, got string) (rows []Row) {
	left, right := lines(want), lines(got)
	for i, j := 0, 0; i < len(left) || j < len(right); {
		switch {
		case i < len(left) && j < len(right) && left[i] == right[j]:
			rows = append(rows, Row{Cell{Text: left[i]}, Cell{Text: right[j]}})
			i, j = i+1, j+1
		case i < len(left) && j < len(right) && !slices.Contains(right[j:], left[i]) && !slices.Contains(left[i:], right[j]):
			rows = append(rows, Row{Cell{Text: left[i], Other: true}, Cell{Text: right[j], Other: true}})
			i, j = i+1, j+1
		case i < len(left) && (j == len(right) || !slices.Contains(right[j:], left[i])):
			rows = append(rows, Row{Cell{Text: left[i], Other: true}, Cell{Empty: true}})
			i++
		default:
			rows = append(rows, Row{Cell{Empty: true}, Cell{Text: right[j], Other: true}})
			j++
		}
	}
	return rows
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	all := strings.Split(text, "\n")
	if len(all) > most {
		all = append(all[:most:most], "…")
	}
	return all
}

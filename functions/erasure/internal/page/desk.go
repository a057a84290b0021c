package page

import (
	"ostiary.internal/functions/internal/staffed"
)

// Desk is the list of requests.
type Desk struct {
	Done    string // key of a text that says what was done
	Heading string // key
	Shows   []Show
	State   string   // the one that is chosen
	States  []Choice // labels are keys
	Items   []Item
	Next    string // path of the page behind this one
}

// Show is one way to filter the list.
type Show struct {
	Value, Label string // label is a key
	Count        int    // -1: nobody counts
	More         bool   // and more
	Chosen       bool
}

// Item is one request in the list.
type Item struct {
	ID, Number  string
	Anchor      string // the number as letters to staff have it
	State       string // key
	Kind        string // key
	Tenant      string
	Due, Came   string
	Overdue     bool
	Days        int      // until it is due; only where Soon
	Soon        bool     // within ten days
	Late        bool     // the company's own target has passed
	Wants       []string // keys: what it waits for from the desk
	Second      bool     // a decision waits for a second person
	Reopened    bool
	NotAnswered bool // has its due day still ahead of it
}

// File is the page of one request.
type File struct {
	Done    string
	Problem *staffed.Trouble
	Item
	Clocks   []Clock
	Warning  string
	Channel  string // key
	Who      string // key: in what capacity
	Proof    string // key; "" before there is one
	Proved   string
	Given    []Given
	Reply    string
	Mandate  string
	Text     string
	Gone     bool // what was given is destroyed
	Language string
	Why      string // key
	Doubts   []string
	Lost     []string
	Plan     *Plan
	Progress *Progressed
	Totals   *Totals
	Open     []Opened
	Answered []Answered
	Holds    []Hold
	Proposed *Proposed
	Refusal  *Ground
	Extended string // key of the reason
	Linked   []Link
	Of       []Link // at most one
	Decided  string // who approved and when
	May      May
	Entries  []Choice // of the data map, for holds; labels are text
	Tenants  []Choice // to pass a request on to; labels are text
	Holding  []Choice
	Refusing []Choice
	Form     map[string]string // as filled in
	Least    string            // of days
	Today    string
	Since    string // the day on which the request came
}

// Link leads to another request.
type Link struct{ ID, Number string }

// Clock is a day that counts.
type Clock struct {
	Name string // key
	Day  string
	Over bool
}

// Given is what the person gave to be found.
type Given struct {
	Kind, Value string
	Verified    bool
}

// Plan is what was found, entry by entry, in numbers.
type Plan struct {
	Digest  string
	Rows    []Row
	Share   int
	Missing int64 // places nobody has mapped
	Theirs  bool
	Total   Row
	Some    bool // without Rows: Total tells it in numbers alone
}

// Row is one entry of a plan.
type Row struct {
	Entry                                         string
	Found, Delete, Anonymise, Kept, Review, Other int64
	Held                                          int64  // the store refuses
	Ground, Until                                 string // of what stays, in the reader's language
	Why                                           string // key: it could not be searched
}

// Noted reports whether there is more to say of an entry than numbers.
func (r Row) Noted() bool { return r.Ground+r.Until+r.Why != "" || r.Held+r.Other > 0 }

// Progressed is how far the engine has come with what it does now.
type Progressed struct {
	Phase, Bar string // keys
	Done, Of   int    // steps
	Erases     bool   // else it searches
	Erased     int64
	Found      int64
	Rows       []Row
}

// Totals are counts over all runs.
type Totals struct {
	Erased, Anonymised, Gone, Left int64
	Searches                       int
	Next                           string
}

// Opened is an entry that could not be erased.
type Opened struct {
	Entry, Why string // Why: key
	Review     int64  // items a person has to look at
	Set        string // which
	Seen       bool   // somebody has
	Asks       string // a word: what a person has to find out by hand; "" nothing
	What, Go   string // of Asks: keys
	Items      int64  // of Asks
}

// Answered is what a person said of an entry, for which no search tells it.
type Answered struct {
	Entry, By, At string
	Said          string // key
	Reference     string // "" none
}

// Hold keeps something.
type Hold struct {
	ID, Entry, Fields, Ground, Until, By, Second string
}

// Ground is a reason in law, in the reader's language, and who gave it.
type Ground struct{ Words, By, Second string }

// Proposed is a decision that waits for a second person.
type Proposed struct {
	What   string // key
	By, At string
	Mine   bool // the reader proposed it
	Hold   *Hold
	Refuse *Ground
	Fields map[string]string // what the second person's form sends back
	Action string            // hold or reject
}

// May is what the reader may decide now. Why a decision is not hers the page says.
type May struct {
	Approve, Hold, Reject, Extend, Exported, Settle, Resume, Review, PassOn, GiveUp bool
	Entered                                                                         bool // by her: somebody else decides
	Own                                                                             bool // it is about her
}

// Enter is the form for a letter or mail.
type Enter struct {
	Problem *staffed.Trouble
	Tenants []Choice // labels are text
	Form    map[string]string
	Most    string // latest time of arrival
}

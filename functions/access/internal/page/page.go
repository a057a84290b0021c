// Package page holds the pages of the access control: the morning page, enrolment, recovery and the resets that
// two people decide together.
package page

import (
	"embed"
	"html/template"
	"time"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/access/lease"
)

//go:embed templates texts assets
var files embed.FS

// New returns the pages as the given function serves them.
func New(function string) *shell.Shell { return shell.New(function, files) }

// Morning is what the morning page shows.
type Morning struct {
	Today     string // the calendar day where the person is
	Until     string // local end of what is registered now
	Place     string // of the person's time zone
	Address   string // observed; "" when it is not known
	Problem   *Trouble
	Enrolled  bool // has an authenticator that works
	Digits    int  // of the code to type
	StepLeft  int  // seconds until the authenticator shows the next code; 0 for one without a clock
	Last      string
	Leases    []Lease
	Key       string // idempotency key of the form
	Watch     bool   // something is still on its way: look again
	NearEnd   int    // minutes until the end of the day when there are few; 0 otherwise
	MayDecide bool   // may open the security desk
}

// Lease is one registered address as the page shows it.
type Lease struct {
	ID     string
	Prefix string
	Ends   string
	State  lease.State
	Here   bool // it is the address this page was opened from
}

// Received, Applied and Working say how far a registration has come.
func (l Lease) Received() bool { return l.State != lease.Failed }

// Applied reports whether the address was read back from every door.
func (l Lease) Applied() bool { return l.State == lease.Confirmed || l.State == lease.Working }

// Working reports whether a door has let this address through.
func (l Lease) Working() bool { return l.State == lease.Working }

// Trouble is a refusal as a page shows it.
type Trouble struct {
	Detail, Next string
}

// Enrolment is what the enrolment page shows.
type Enrolment struct {
	Authenticators []Authenticator
	Max            int
	RecoveryLeft   int // unused recovery codes
	Problem        *Trouble
	New            *Fresh    // just made: shown once
	Codes          []string  // recovery codes just made: shown once
	Done           string    // key of a text that says what was done
	Token          string    // enrol token carried from a recovery to the form
	NeedsOld       bool      // adding one takes a code of another
	Now            time.Time // of the server, shown where clocks disagree
	MayDecide      bool
}

// Authenticator is one enrolled authenticator as the page lists it.
type Authenticator struct {
	ID, Name, Kind, State, Since string
	Drift                        int // whole steps
}

// Fresh is a new authenticator before its first code: what the person's app needs, shown once.
type Fresh struct {
	ID, Name string
	QR       template.HTML // SVG made in this process
	URI      template.URL  // otpauth: opens the app when the page is on the phone itself
	Key      string        // in groups of four
	Minutes  int           // until it is dropped
	NeedsOld bool
	Token    string
}

// Desk is what the security desk shows.
type Desk struct {
	Resets  []Reset
	People  []Choice
	Problem *Trouble
	Done    string
	Link    string // enrolment link just made: shown once
	Code    string
}

// Choice is one entry of a list.
type Choice struct {
	Value, Label string
}

// Reset is one asked-for reset.
type Reset struct {
	ID, Person, Reason, Asker, Since string
	Mine                             bool // asked by, or concerning, the person who looks: another must decide
}

// Package page holds the pages of the access control: the morning page, enrolment, recovery and the resets that
// two people decide together. It knows what a page shows; the functions know where that comes from.
package page

import (
	"embed"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/web"
)

//go:embed templates texts assets
var files embed.FS

// New returns the pages as the given function serves them.
func New(function string) *shell.Shell { return shell.New(function, files) }

// Trouble is a refusal as a page shows it.
type Trouble struct {
	Code, Detail, Next string
	At                 string // the form it belongs to; "" for the page
	Wait               int    // seconds until trying again makes sense; 0 when at once
}

// NewTrouble shows p, in the reader's language already, at one form of the page.
func NewTrouble(p web.Problem, at string) *Trouble {
	return &Trouble{Code: p.Code, Detail: p.Detail, Next: p.Next, At: at, Wait: Seconds(p.RetryAfter)}
}

// Is reports whether the trouble belongs to a form.
func (t *Trouble) Is(at string) bool { return t != nil && t.At == at }

// Morning is what the morning page shows.
type Morning struct {
	Today     string // the calendar day where the person is
	Until     string // local end of what is registered now
	Place     string // of the person's time zone
	Address   string // observed; "" when it is not known
	Usual     bool   // Address was registered before, in the last 30 days
	Last      string // the address registered last; "" for none in the last 30 days
	Problem   *Trouble
	Done      string // key of a text that says what was done
	Closed    string // key of a text that says why nothing is registered at this hour
	DayEnd    string // for that text
	Enrolled  bool   // has an authenticator that works
	Overdue   bool   // one had to be replaced by now, and registers nothing any more
	Renew     bool   // one must be replaced soon
	Ended     bool   // had one, and has none any more
	Locked    bool   // no code is looked at any more
	Wait      int    // seconds until a code is looked at again; 0 when at once
	Tries     int    // wrong codes since the last success
	Digits    int    // of the code to type; 0 when the authenticators differ
	StepLeft  int    // seconds until the authenticator shows the next code; 0 for one without a clock
	Key       string // idempotency key of the form
	Here      *Lease // of the address this page was opened from; nil when it is not registered
	Others    []Lease
	NearEnd   int      // minutes until the end of the day when there are few; 0 otherwise
	Pair      *Pair    // the other address of this device may be brought now; nil otherwise
	Beacons   []string // URLs behind the doors that this device may test
	Moved     string   // another address this browser registered, which the next registration takes the place of; "" for none
	Replaces  string   // id of that lease
	Changes   int      // addresses registered today, when there are many; 0 otherwise
	Limit     int      // of them, before a human looks
	Shows     *Device  // this device shows a code, for another one to let it in
	Approve   *Device  // the device that is about to be let in, instead of this one
	Refresh   int      // seconds after which a browser without scripts looks again; 0 for never
	MayDecide bool     // may open the security desk
	MayRead   bool     // may read the register of a day
	Network   Network  // of Address
}

// Form reports whether the page asks for a code.
func (m Morning) Form() bool {
	return m.Enrolled && m.Address != "" && !m.Network.Refused && !m.Locked && m.Closed == "" && (m.Here == nil || m.Here.State == lease.Failed)
}

// Proves reports whether the page asks for a code to let another device in.
func (m Morning) Proves() bool { return m.Enrolled && !m.Locked && m.Closed == "" }

// Clock writes seconds as people read a countdown: "0:29".
func (m Morning) Clock() string { return Clock(m.Wait) }

// Lease is one registered address as the page shows it.
type Lease struct {
	ID      string
	Address string
	Ends    string
	State   lease.State
	Tested  bool    // Working by the word of the device itself
	Network Network // of Address
	Also    []Lease // the other addresses of the same device
}

// Pair is what the page sends to bring this device's address of the other family.
type Pair struct {
	URL, API string // for a form, for a script
	Token    string
}

// Device is another device of the person, or this one as another one sees it.
type Device struct {
	Code    string
	Address string
	Usual   bool    // the address was registered before
	Same    bool    // it is this device's address too
	Minutes int     // until the code is over
	Network Network // of Address
}

// Applied reports whether the address was read back from every door.
func (l Lease) Applied() bool { return l.State == lease.Confirmed || l.State == lease.Working }

// Working reports whether a door has let this address through.
func (l Lease) Working() bool { return l.State == lease.Working }

// Failed reports whether no door will ever let it through.
func (l Lease) Failed() bool { return l.State == lease.Failed }

// Word is the key of the text that says how far the lease has come.
func (l Lease) Word() string {
	switch {
	case l.State == lease.Written:
		return "said." + string(lease.Received) // the difference tells a person nothing
	case l.State == lease.Working && l.Tested:
		return "said.tested"
	}
	return "said." + string(l.State)
}

// Enrolment is what the enrolment page shows.
type Enrolment struct {
	Authenticators []Authenticator
	Full           bool    // no more may be added
	RecoveryLeft   int     // unused recovery codes
	MayRenew       bool    // has an app whose code makes new ones
	Resets         []Reset // of all of this person's, waiting for a decision
	Problem        *Trouble
	New            *Fresh   // just made: shown once
	Codes          []string // recovery codes just made: shown once
	Done           string   // key of a text that says what was done
	Token          string   // enrol token carried from a recovery to the form
	NeedsToken     bool     // had authenticators, has none: a token is the only way on
	Changing       string   // id of the authenticator whose forms are open
	Renew          string   // id of the authenticator that must be replaced first
	MayDecide      bool
}

// First reports whether this is the person's first authenticator.
func (e Enrolment) First() bool { return len(e.Authenticators) == 0 && !e.NeedsToken }

// Replaced reports whether the form to add one begins with this one as what the new one replaces.
func (e Enrolment) Replaced(id string) bool {
	return id == e.Renew || e.Token != "" && len(e.Authenticators) == 1
}

// Suggested is what the next authenticator may be called: the usual name, with a number behind it where one that stays is called
// so already.
func (e Enrolment) Suggested(usual string) string {
	name := usual
	for n := 2; slices.ContainsFunc(e.Authenticators, func(a Authenticator) bool { return !e.Replaced(a.ID) && strings.EqualFold(a.Name, name) }); n++ {
		name = usual + " " + strconv.Itoa(n)
	}
	return name
}

// Authenticator is one enrolled authenticator as the page lists it.
type Authenticator struct {
	ID, Name, Kind, Since string
	Drift                 int    // whole steps
	Assigned              bool   // a hardware token that waits for its first two codes
	Until                 string // day from which it registers nothing; "" for none
	Overdue               bool   // that day has come
}

// Fresh is a new authenticator before its first code: what the person's app needs, shown once. Without Key the
// secret was shown before, and only the code is asked for.
type Fresh struct {
	ID, Name string
	QR       template.HTML // SVG made in this process
	URI      template.URL  // otpauth: opens the app when the page is on the phone itself
	Key      string        // in groups of four
	Digits   int           // of its codes; 0 where that is not known
	Minutes  int           // until it is dropped
	NeedsOld bool
}

// Desk is what the security desk shows.
type Desk struct {
	Resets  []Reset
	People  []Choice
	Problem *Trouble
	Done    string
	Email   string // as chosen in a form that was refused
	Reason  string // as typed in it
	Link    string // enrolment link just made: shown once
	Code    string // the same to be typed
	For     string // the person it is for
	Until   string // local end of its life

	Rollovers []Rollover // of everybody, not done
	Rollover  string     // id of the one that its form begins: the form sent twice is one rollover
	Whose     *Person    // the page is about this person alone
}

// Choice is one entry of a list.
type Choice struct {
	Value, Label string
}

// Reset is one asked-for reset.
type Reset struct {
	ID, Person, Reason, Asker, Since string
	From                             string // earliest approval, while that is still to come
	Mine                             bool   // asked by, or concerning, the person who looks: another must decide
}

// AtCode reports whether a refusal is about the code that was typed, and so belongs beside its field.
func AtCode(code string) bool { return strings.HasPrefix(code, "otp_") || code == "form_expired" }

// Package lease keeps who may come in from which address today. A lease binds one person to one observed prefix
// until the end of the person's local day; every registration proves possession of an authenticator anew.
//
// It promises that a lease never outlives its day, never begins in the future, never comes back once ended, and that
// a registration and the code it consumed stand or fall in one transaction. It does not open any door itself: the
// packages under allowlist carry the set of live leases to the targets, and tell this package how far they got.
package lease

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/access/network"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Topic carries a Change whenever the set of live leases has changed.
const Topic = "lease.changed"

// Change is what the message about a lease says: from where somebody, unnamed, may come in, and how long. Changes of one
// lease may arrive in any order and twice: the earliest end is the right one.
type Change struct {
	Lease  string       `json:"lease"`
	Prefix netip.Prefix `json:"prefix"`
	From   time.Time    `json:"from"`
	Until  time.Time    `json:"until"`
}

// Names of the collections.
const (
	leases        = "leases"
	registrations = "registrations"
)

// Collection declares the leases and the outcomes of registrations by idempotency key.
func Collection() []store.Collection {
	return []store.Collection{
		{Name: leases, Expires: true, Indexes: []store.Index{{"person", "until"}, {"prefix", "until"}, {"open"}, {"date"}}},
		{Name: registrations, Expires: true},
	}
}

// State says how far a lease has come. It is stored, hence a string.
type State string

// A lease moves downwards only, but for one case: one that a target lost returns to Received, because nobody may
// read "confirmed" while the door is shut. Ended and Failed are final.
const (
	Received  State = "received"  // registered; no target holds it yet
	Written   State = "written"   // every target accepted it; not yet read back
	Confirmed State = "confirmed" // read back from every target
	Working   State = "working"   // the person came in through it
	Ended     State = "ended"     // Why says how
	Failed    State = "failed"    // never enforced, and never will be; Why says the reason
)

var next = map[State][]State{
	Received:  {Written, Ended, Failed},
	Written:   {Confirmed, Received, Ended, Failed},
	Confirmed: {Working, Received, Ended},
	Working:   {Received, Ended},
}

// Final reports whether nothing follows s.
func (s State) Final() bool { return s == Ended || s == Failed }

// Why is the reason for an end or a failure. It is stored, hence a string; "" while the lease lives.
type Why string

// The reasons.
const (
	Expired   Why = "expired"       // the day was over
	Done      Why = "done"          // the person said so
	Replaced  Why = "replaced"      // a newer device of the person took its place
	Suspended Why = "suspended"     // the account is suspended, gone, or without 2-step verification
	Withdrawn Why = "withdrawn"     // the person is no longer on the approved list
	Reset     Why = "reset"         // the one-time passwords were reset
	Lost      Why = "lost"          // a device was reported lost
	NoRoom    Why = "capacity_full" // the targets hold no more entries
)

// Family is an address family. It is stored, hence a string.
type Family string

// The families.
const (
	IPv4 Family = "ipv4"
	IPv6 Family = "ipv6"
)

// FamilyOf returns the family of a prefix.
func FamilyOf(p netip.Prefix) Family {
	if p.Addr().Is4() {
		return IPv4
	}
	return IPv6
}

// Retention is how long a lease is kept after its day, so that "usual or new" and yesterday's address can be shown
// and a removal that took days is still recorded. The lasting register is the evidence, which names nobody.
const Retention = 30 * 24 * time.Hour

// earthly is how much later than in UTC a day ends where it ends last.
const earthly = 12 * time.Hour

// expiry is when all leases of a date go: Retention after the date was over everywhere. One of them that ended sooner is kept
// as long, so that a register of the date is whole or there is none.
func expiry(date string, ends time.Time) time.Time {
	day, err := calendar.ParseDay(date)
	if err != nil {
		return ends.Add(Retention)
	}
	return day.End(time.UTC).Add(earthly + Retention)
}

// Earliest is the first date of people's zones whose leases are kept at now.
func Earliest(now time.Time) calendar.Day {
	return calendar.Date(now.Add(-earthly-Retention), time.UTC)
}

// Lease is one person's admission from one prefix for the rest of one local day. All times are UTC.
type Lease struct {
	V          int          `json:"v"`
	ID         string       `json:"id"` // from person, prefix, date and generation, keyed with the account's salt
	Person     string       `json:"person"`
	Prefix     netip.Prefix `json:"prefix"` // canonical: IPv4 /32 or IPv6 /64
	Family     Family       `json:"family"`
	Date       string       `json:"date"`       // YYYY-MM-DD in Zone
	Generation int          `json:"generation"` // 1; one more after each end on the same day
	Started    time.Time    `json:"started"`
	Ends       time.Time    `json:"ends"`  // as promised at registration; an early end does not change it
	Until      int64        `json:"until"` // Ends in unix microseconds, for queries
	Zone       string       `json:"zone"`
	TZData     string       `json:"tzdata"` // the zone data Ends was computed with
	State      State        `json:"state"`
	Why        Why          `json:"why,omitempty"`
	Root       string       `json:"root,omitempty"`     // of the other address of a device: the id of the one that a code registered
	Replaces   string       `json:"replaces,omitempty"` // id of the lease of the same device that ends once this one is confirmed
	Tested     bool         `json:"tested,omitempty"`   // Working by the word of the device itself; no door has told

	Network   network.Kind `json:"network,omitempty"`   // of the prefix, when it was registered; "" where no list knows it
	Elsewhere bool         `json:"elsewhere,omitempty"` // the code was typed on another device
	TwoStep   string       `json:"two_step,omitempty"`  // what may be said of 2-step verification at the sign-in: "used" or "enforced"

	Marks Marks `json:"marks"`

	// Of the present spell at the targets: a lease that one of them lost begins anew.
	WrittenAt   time.Time `json:"written_at,omitzero"`
	ConfirmedAt time.Time `json:"confirmed_at,omitzero"`
	WorkingAt   time.Time `json:"working_at,omitzero"`
	// What was so once stays so, whatever a target loses later.
	FirstConfirmed time.Time `json:"first_confirmed,omitzero"`
	FirstWorking   time.Time `json:"first_working,omitzero"`
	FirstTested    bool      `json:"first_tested,omitempty"` // FirstWorking is by the word of the device itself

	EndedAt   time.Time `json:"ended_at,omitzero"`   // also of a failure
	RemovedAt time.Time `json:"removed_at,omitzero"` // read back: no target counts it any more
	Open      bool      `json:"open"`                // true until RemovedAt is known
	Expires   time.Time `json:"expires"`             // when the document itself goes, with all others of Date
}

// Device names the device a lease is for: its addresses of both families are leases of their own, which end together.
func (l Lease) Device() string { return cmp.Or(l.Root, l.ID) }

// Live reports whether the lease admits at now. Expiry is evaluated here, at each read, whatever is stored.
func (l Lease) Live(now time.Time) bool { return !l.State.Final() && now.Before(l.Ends) }

// InOrder reports whether the lease ends when leases may: by the end of the local day it began on.
func (l Lease) InOrder() bool {
	zone, err := time.LoadLocation(l.Zone)
	return err == nil && !l.Ends.After(calendar.EndOfDay(l.Started, zone)) && l.Ends.Sub(l.Started) <= maxLongLife
}

// At returns the lease as it stands at now: one whose day is over reads as ended.
func (l Lease) At(now time.Time) Lease {
	if !l.State.Final() && !now.Before(l.Ends) {
		l.State, l.Why, l.EndedAt = Ended, Expired, l.Ends
	}
	return l
}

// Left returns how long the lease still lasts at now; 0 once it is over. A page says so when little is left,
// because nothing can be registered beyond the end of the day.
func (l Lease) Left(now time.Time) time.Duration {
	if !l.Live(now) {
		return 0
	}
	return l.Ends.Sub(now)
}

// To moves the lease to a state at the given time. why is needed for Ended and Failed and must be empty otherwise.
// A step the life of a lease does not have is a Conflict and changes nothing.
func (l Lease) To(state State, why Why, at time.Time) (Lease, error) {
	if !slices.Contains(next[l.State], state) {
		return l, fault.New(fault.Conflict, "moving lease %s from %s to %s", l.ID, l.State, state)
	}
	if state.Final() != (why != "") {
		return l, fmt.Errorf("moving lease %s to %s with reason %q", l.ID, state, why)
	}
	switch state {
	case Received:
		l.WrittenAt, l.ConfirmedAt, l.WorkingAt, l.Tested = time.Time{}, time.Time{}, time.Time{}, false
	case Written:
		l.WrittenAt = at
	case Confirmed:
		if l.ConfirmedAt = at; l.FirstConfirmed.IsZero() {
			l.FirstConfirmed = at
		}
	case Working:
		if l.WorkingAt = at; l.FirstWorking.IsZero() {
			l.FirstWorking = at
		}
	case Ended, Failed:
		l.EndedAt = at
	}
	l.State, l.Why = state, why
	return l, nil
}

// Close marks an ended or failed lease as gone from every target.
func (l Lease) Close(at time.Time) (Lease, error) {
	if !l.State.Final() {
		return l, fault.New(fault.Conflict, "closing lease %s, which is %s", l.ID, l.State)
	}
	l.Open, l.RemovedAt = false, at
	return l, nil
}

// ByAge orders leases from the oldest to the newest, those of one instant by id.
func ByAge(a, b Lease) int {
	return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.ID, b.ID))
}

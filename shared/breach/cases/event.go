package cases

import (
	"slices"
	"time"

	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/calendar"
)

// What says what happened to a case. It stands in records.
type What string

// The events.
const (
	Declare   What = "declare"
	Triage    What = "triage"   // of a suspicion: what it is
	Describe  What = "tracks"   // whose data is concerned, and how much of it
	Timed     What = "times"    // an instant other than awareness is known now
	MoveAware What = "aware"    // the instant of awareness was another
	Rate      What = "score"    // a score
	Answer    What = "decide"   // whether somebody is told
	File      What = "file"     // a report was made on an authority's portal
	Promise   What = "promise"  // something is promised by an instant
	Keep      What = "keep"     // and was done
	Told      What = "told"     // tenants have our notice
	Untold    What = "untold"   // what seemed to have reached tenants did not
	Map       What = "mapped"   // whose some of the affected domains and accounts are
	Channel   What = "channels" // some may be read or forged by somebody else, or no longer
	Ack       What = "ack"      // somebody on the ladder answers
	Close     What = "close"
	Reopen    What = "reopen"
	Unheard   What = "unheard"   // a message of a call failed for good
	Work      What = "work"      // somebody is at it elsewhere, such as at a notice: nobody has to be called again
	Did       What = "action"    // what a review came to was done
	Preserve  What = "hold"      // the case is kept beyond its time, or not any more
	Review    What = "review"    // the case was looked back at
	Ticked    What = "tick"      // time has passed
	Suspect   What = "suspected" // a detection says more
	Over      What = "over"      // of an exercise alone: its time is up
	Complete  What = "details"   // what the register asks for beside is known now
	Withdraw  What = "withdraw"  // a report was taken back on the authority's portal, or stands
)

// Events returns all events but Declare, which begins a case.
func Events() []What {
	return []What{Triage, Describe, Timed, MoveAware, Rate, Answer, File, Promise, Keep, Told, Untold, Map, Channel, Ack, Unheard, Work, Close, Reopen, Review, Did, Preserve, Complete, Withdraw, Suspect, Ticked}
}

// Result is what a triage found.
type Result string

// The results. That it is no breach is a decision, by two.
const (
	Likely    Result = "likely"     // reasonable certainty is enough (EDPB guidelines 9/2022)
	Confirmed Result = "confirmed"  //
	NotEnough Result = "not_enough" // facts: the investigation goes on
)

// Event is one event with what belongs to it. Texts are numbers in the case's private part, where they are already.
type Event struct {
	What What
	By   Actor // none for detections, notices and the clock

	Breach   bool     // of Declare: it is one; else a suspicion
	Exercise bool     // of Declare
	Source   string   // of Declare by a detection
	Signal   string   // of Declare and Suspect by a detection: what it calls this
	About    []string // of Declare and Suspect by a detection: whose own matter it may be
	Empty    []string // steps of the ladder with nobody to be called now
	Nobody   []string // tenants at which nobody is named to be told now
	Times    Times    // of Declare and Timed: those that are not zero
	Tracks   []Track  // of Declare and Describe, and of Suspect
	Unmapped int      // of Declare and Describe: so many domains and accounts more belong to nobody known; of Map: so many fewer
	Named    int      // of Map: text, their names
	Text     int      // summary, reason, reference
	Result   Result   // of Triage
	Owner    string   // of Triage: who has the next step; "" for who says it
	ToDo     int      // of Triage: text, the next step; of NotEnough it is needed
	Details  Details  // of Declare and Complete: what is said
	As       Role     // of MoveAware: Processor for what was known as a processor alone
	At       time.Time
	Input    severity.Input // of Rate
	Subject  string         // of Answer: SA, Persons, Breach, Tenants, a track, or a clock of IsReport
	Yes      bool           // of Answer; of Preserve: it is kept; of Withdraw: it was taken back
	Incident bool           // of Answer of Breach: something happened, and to no personal data
	// Exception is the letter of article 34(3) of the GDPR, of Answer "no" to Persons where it rests on one: a, b or c.
	Exception string
	Pending   []Pending            // of Close: what its notices wait for
	Again     calendar.Day         // of Answer no and Preserve: when it is looked at again; of Answer zero for the usual time
	Clock     string               // of File
	Late      int                  // of File: text, reasons of the delay
	Wrong     int                  // of File: text, why the time on record is not that of the report
	Further   bool                 // of File: one more report of a clock that takes several
	Name      string               // of Promise and Keep
	Noted     bool                 // of Keep: a notice did it, at At where it is given
	Tenant    string               // of Told: one, at At
	Arrivals  map[string]time.Time // of Told: several at once, each at its time; of Untold: whom it concerns
	Channels  []string             // of Channel: those that are compromised now
	Step      string               // of Ack
	Code      string               // of Ack: digest of a code somebody typed, in place of Step
	Call      int64                // of Unheard: Ladder.At of the call
	Message   string               // of Unheard: which of its messages
	Fresh     string               // digest of the code that a call of this event carries
	Actions   []Action             // of Review
	Action    int                  // of Did: its number, from 1
}

// Do says what follows from an event.
type Do string

// What follows.
const (
	DoRecord  Do = "record"  // evidence that a step was taken
	DoFinding Do = "finding" // evidence that something is out of order
	DoHeal    Do = "heal"    // and that it is in order again
	DoPage    Do = "page"    // those of a step of the ladder, until one answers
	DoAlarm   Do = "alarm"   // of a clock, to whoever decides
	DoTell    Do = "tell"    // people who decide: something waits for them
	DoStand   Do = "stand_down"
	DoAction  Do = "action" // who has to do something by a day
	DoOwner   Do = "owner"  // who has the next step of a case
	DoReach   Do = "reach"  // people, who find somebody to be told at a tenant
	DoRefuse  Do = "refuse" // the event, of which something is kept all the same
	DoDuty    Do = "duty"   // something a person has to do by a day
)

// Effect is what follows from an event beside the new case.
type Effect struct {
	Do     Do
	Step   string // of records and messages: which
	Clock  string // of alarms
	More   int    // of alarms: so many tenants more have the same clock
	Mark   int    // of alarms: percent
	Hours  int    // of alarms: whole hours overdue
	Missed []int  // of alarms: marks that passed unsaid
	Action int    // of reminders: number of the action
	But    string // of tells: not this person
	By     calendar.Day
}

// The subjects of decisions beside tracks.
const (
	SA      = "sa"      // the supervisory authority is told
	Persons = "persons" // the persons are told
	Breach  = "breach"  // it is one; "no" ends the case
	Tenants = "tenants" // every tenant nobody has decided about yet, all at once
)

// Reserved reports whether an id means something else to a case than a tenant.
func Reserved(id string) bool {
	return slices.Contains([]string{Own, SA, Persons, Breach, Tenants}, id)
}

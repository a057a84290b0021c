package declarebreach

import (
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/calendar"
)

// Declaration declares a breach or a suspicion. Whatever is not known is left out.
type Declaration struct {
	Client   string    `json:"client_id" required:"true" doc:"the declarer's own id of it, at most 128 bytes: sent again, it is the same case"`
	Kind     string    `json:"kind" required:"true" enum:"breach,suspicion"`
	From     time.Time `json:"occurred_from,omitzero" doc:"RFC 3339 with an offset"`
	To       time.Time `json:"occurred_to,omitzero"`
	Detected time.Time `json:"detected_at,omitzero" doc:"left out: now"`
	Summary  string    `json:"summary" required:"true" doc:"what happened, in a few words"`
	Tenants  []string  `json:"tenants,omitempty" doc:"whose data: ids or names in tenants.yaml, and own for what the company itself decides about"`
	Affected []string  `json:"affected,omitempty" doc:"domains or addresses that are affected: each counts for the tenant it belongs to"`
	Exercise bool      `json:"exercise,omitempty" doc:"never changed afterwards"`
	Details  *Details  `json:"details,omitempty" doc:"what the register asks for beside, as far as it is known"`
}

// Declared is the answer to whoever declared.
type Declared struct {
	ID       string        `json:"id"`
	Number   string        `json:"number" doc:"what people say; stands for the id in every path"`
	State    string        `json:"state" enum:"suspected,open,closed"`
	Exercise bool          `json:"exercise"`
	Clocks   []clock.Clock `json:"clocks"`
	Unmapped []string      `json:"unmapped,omitempty" doc:"of affected: what belongs to no known tenant"`
	Page     string        `json:"page"`
}

// Listing is one page of the list.
type Listing struct {
	Breaches []Listed `json:"breaches"`
	Next     string   `json:"next,omitempty" doc:"where the next page begins: give it back as after"`
}

// Listed is one case in the list.
type Listed struct {
	ID       string       `json:"id"`
	Number   string       `json:"number"`
	State    string       `json:"state" enum:"suspected,open,closed"`
	Ending   string       `json:"ending,omitempty" enum:"handled,not_a_breach,time_up"`
	Exercise bool         `json:"exercise"`
	Declared time.Time    `json:"declared"`
	By       string       `json:"declared_by,omitempty"`
	Source   string       `json:"source,omitempty" doc:"of a detection"`
	Aware    time.Time    `json:"aware_at,omitzero"`
	Tenants  *int         `json:"tenants,omitempty"`
	Level    string       `json:"level,omitempty" enum:"low,medium,high,very_high"`
	Acked    *bool        `json:"acknowledged,omitempty"`
	Overdue  string       `json:"overdue,omitempty" enum:"clock,review,withdrawal"`
	Nearest  *clock.Clock `json:"nearest,omitempty" doc:"the running clock that ends first"`
	Waits    []string     `json:"waits,omitempty" doc:"what it waits for: ack, triage, tracks, unmapped, contact, score, second, decide, notice, file, review, withdraw, action"`
}

// Whole is one case, with everything the desk may see of it. Who declared it, or does what its review came to, and may not
// look at cases, reads its number, its state, and what is her own: the rest is left out.
type Whole struct {
	Listed
	Summary   string              `json:"summary,omitempty"`
	Times     Times               `json:"times,omitzero"`
	Moves     []Move              `json:"awareness,omitempty" doc:"how the instant of awareness came about, oldest first"`
	Moving    *Move               `json:"awareness_proposed,omitempty" doc:"waits for a second person"`
	Tracks    []Track             `json:"tracks,omitzero"`
	Unmapped  *int                `json:"unmapped,omitempty" doc:"affected domains and accounts that belong to no known tenant"`
	Score     *Scored             `json:"score,omitempty"`
	Decisions []Decision          `json:"decisions,omitzero"`
	Undecided []string            `json:"undecided,omitzero"`
	Filed     map[string]Filed    `json:"filed,omitempty"`
	Promises  map[string]Promised `json:"promises,omitempty"`
	Ladder    Ladder              `json:"ladder,omitzero"`
	Clocks    []clock.Clock       `json:"clocks,omitzero"`
	Channels  []string            `json:"compromised,omitempty" doc:"channels that carry nothing of this case any more"`
	Details   Details             `json:"details,omitzero" doc:"what the register asks for beside"`
	Triage    *Triaged            `json:"triage,omitempty" doc:"what was found of the suspicion"`
	Incident  bool                `json:"incident,omitempty" doc:"of not_a_breach: something happened, and to no personal data"`
	Closed    time.Time           `json:"closed,omitzero"`
	ClosedBy  string              `json:"closed_by,omitempty"`
	Review    calendar.Day        `json:"review_by,omitzero"`
	Reviewed  time.Time           `json:"reviewed,omitzero"`
	Lessons   string              `json:"lessons,omitempty"`
	Actions   []Action            `json:"actions,omitempty" doc:"of the reviews"`
	Hold      *Hold               `json:"hold,omitempty" doc:"keeps the case beyond its time"`
	Expires   time.Time           `json:"expires,omitzero" doc:"of a closed case: when it is deleted"`
	Signals   []Signal            `json:"signals,omitempty" doc:"what the detection said, oldest first"`
	Rated     []Scored            `json:"scored_before,omitempty" doc:"earlier scores, oldest first"`
	Reviews   []Lesson            `json:"reviewed_before,omitempty" doc:"reviews before the case was opened again"`
	NotMapped []string            `json:"not_mapped,omitempty" doc:"affected, and of no known tenant"`
	Key       string              `json:"evidence_key,omitempty" doc:"salt of the commitments by which evidence names the case, its tenants, recipients and texts"`
}

// Times are the instants of a breach, kept apart. One left out is not known.
type Times struct {
	From          time.Time `json:"occurred_from,omitzero"`
	To            time.Time `json:"occurred_to,omitzero"`
	Detected      time.Time `json:"detected_at,omitzero"`
	Investigating time.Time `json:"investigating_since,omitzero"`
	Aware         time.Time `json:"aware_at,omitzero"`
	Processor     time.Time `json:"processor_aware_at,omitzero" doc:"as a processor; left out: with aware_at"`
	Classified    time.Time `json:"classified_at,omitzero"`
	Contained     time.Time `json:"contained_at,omitzero"`
}

// Move is a change of the instant of awareness.
type Move struct {
	As     string    `json:"as,omitempty" enum:"processor" doc:"left out: of the company"`
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to"`
	By     string    `json:"by"`
	Second string    `json:"second,omitempty"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// Count is a number of people or records, and how far it is known.
type Count struct {
	N   int64  `json:"n,omitempty" doc:"of exact and estimate"`
	How string `json:"how" required:"true" enum:"exact,estimate,unknown,not_applicable"`
	Why string `json:"reason,omitempty" doc:"of not_applicable, which has to have one"`
}

// Track is whose data is concerned.
type Track struct {
	ID      string    `json:"id" doc:"own, or an id in tenants.yaml"`
	Name    string    `json:"name"`
	Role    string    `json:"role" enum:"controller,processor"`
	People  Count     `json:"people"`
	Records Count     `json:"records"`
	Told    time.Time `json:"told,omitzero"`
	Earlier []Recount `json:"earlier,omitempty" doc:"what was said of the counts before, oldest first"`
}

// Scored is a score as it stands in a case.
type Scored struct {
	severity.Score
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Reasons string    `json:"reasons,omitempty"`
}

// Decision is whether somebody is told.
type Decision struct {
	Subject  string       `json:"subject" doc:"sa, persons, breach, a tenant, or the id of a legal clock: whether it applies"`
	Answer   string       `json:"answer" enum:"yes,no"`
	Reason   string       `json:"reason,omitempty"`
	By       string       `json:"by"`
	At       time.Time    `json:"at"`
	Second   string       `json:"second,omitempty" doc:"left out: it waits for a second person"`
	Agreed   string       `json:"second_reason,omitempty" doc:"what the second wrote"`
	Settled  time.Time    `json:"settled,omitzero"`
	Again    calendar.Day `json:"again,omitzero" doc:"of a no: when it is looked at again"`
	Incident bool         `json:"incident,omitempty" doc:"of a no to breach: something happened, and to no personal data"`
	Letter   string       `json:"exception,omitempty" doc:"of a no to persons: the letter of article 34(3) of the GDPR it rests on"`
	Below    bool         `json:"below,omitempty" doc:"less than score or triggers speak for: one of the two is the data protection officer"`
	Replaced string       `json:"replaced,omitempty" enum:"withdrawn,decided,score" doc:"why it counts no more"`
}

// Filed is a report to an authority, made by a person on its portal.
type Filed struct {
	At        time.Time  `json:"at"`
	By        string     `json:"by"`
	Reference string     `json:"reference,omitempty"`
	Late      string     `json:"late_reasons,omitempty"`
	Wrong     string     `json:"wrong,omitempty" doc:"of an earlier one: why it was not so"`
	Earlier   []Filed    `json:"earlier,omitempty" doc:"reports before this one, and those noted wrongly; oldest first"`
	Withdrawn *Withdrawn `json:"withdrawn,omitempty" doc:"after the case turned out to be no breach"`
}

// Promised is what was promised by an instant.
type Promised struct {
	By   time.Time `json:"by"`
	Kept time.Time `json:"kept,omitzero"`
}

// Ladder is who was called, and who answered.
type Ladder struct {
	Step   string    `json:"step,omitempty" doc:"called last"`
	Called time.Time `json:"called,omitzero"`
	Calls  int       `json:"calls"`
	Paged  []string  `json:"paged,omitempty" doc:"steps called since the last answer"`
	Acked  time.Time `json:"acked,omitzero"`
	AckBy  string    `json:"ack_by,omitempty"`
	Nobody bool      `json:"nobody,omitempty" doc:"all steps were called in vain"`
}

// Triage says what was found of a suspicion.
type Triage struct {
	Result string    `json:"result" required:"true" enum:"likely,confirmed,not_enough" doc:"likely and confirmed make it a breach; that it is none is decided by two: decide breach, no"`
	At     time.Time `json:"at,omitzero" doc:"since when somebody was reasonably certain; left out: now"`
	Reason string    `json:"reason,omitempty"`
	Next   string    `json:"next,omitempty" doc:"the next step; needed of not_enough"`
	Owner  string    `json:"owner,omitempty" doc:"id in people.yaml of who has it; left out: you"`
}

// Tracks says whose data is concerned, and how much of it. None is taken away by leaving it out.
type Tracks struct {
	Tracks   []NewTrack `json:"tracks,omitempty"`
	Affected []string   `json:"affected,omitempty" doc:"domains or addresses: each counts for the tenant it belongs to"`
}

// Mapping says whose some of the affected domains and accounts are: a tenant's, or nobody's.
type Mapping struct {
	Names  []string `json:"names" required:"true" doc:"as the case lists them"`
	Reason string   `json:"reason" required:"true" doc:"whose they are, and how that is known"`
}

// NewTrack is whose data, and how much of it.
type NewTrack struct {
	ID      string `json:"id" required:"true" doc:"own, or an id or a name in tenants.yaml"`
	People  *Count `json:"people,omitempty" doc:"left out: what is known of it stays"`
	Records *Count `json:"records,omitempty" doc:"left out: what is known of it stays"`
}

// NewTimes are instants that are known now. Awareness has a call of its own.
type NewTimes struct {
	From       time.Time `json:"occurred_from,omitzero"`
	To         time.Time `json:"occurred_to,omitzero"`
	Detected   time.Time `json:"detected_at,omitzero"`
	Classified time.Time `json:"classified_at,omitzero" doc:"as a major incident"`
	Contained  time.Time `json:"contained_at,omitzero"`
}

// Aware moves the instant of awareness: earlier at once, later by two.
type Aware struct {
	At     time.Time `json:"at" required:"true" doc:"RFC 3339 with an offset"`
	As     string    `json:"as,omitempty" enum:"processor" doc:"what was known as a processor alone: it starts the clocks of tenants; left out: the company, and of both where they are not apart"`
	Reason string    `json:"reason,omitempty" doc:"needed for a later one, and for an earlier one of who declared and decides nothing"`
}

// Answer is what one person thinks of a subject; the second person's word decides.
type Answer struct {
	Subject string       `json:"subject" required:"true" doc:"sa, persons, a tenant, tenants for all nobody decided about yet, a clock of a law: whether it applies; or breach: that it is none"`
	Answer  string       `json:"answer" required:"true" enum:"yes,no"`
	Reason  string       `json:"reason,omitempty" doc:"needed for a no"`
	Again   calendar.Day `json:"again,omitzero" doc:"of a no: when it is looked at again"`
	Letter  string       `json:"exception,omitempty" enum:"a,b,c" doc:"of a no to persons: the letter of article 34(3) of the GDPR it rests on"`
	// Of a no to breach.
	Incident bool `json:"incident,omitempty" doc:"of a no to breach: something happened, and to no personal data"`
}

// Filing notes a report that somebody made on an authority's portal.
type Filing struct {
	Clock     string    `json:"clock" required:"true" doc:"which of the case's legal clocks it meets"`
	At        time.Time `json:"at" required:"true" doc:"on the authority's receipt"`
	Reference string    `json:"reference,omitempty"`
	Late      string    `json:"late_reasons,omitempty" doc:"needed after the clock has run out (GDPR, article 33(1))"`
	// Of a clock that has a report on record.
	Correction string `json:"correction,omitempty" doc:"why the time on record is not that of the report: this one takes its place, and the other is kept"`
	Further    bool   `json:"further,omitempty" doc:"one more report, where the law takes several"`
}

// Promise is something to be done by an instant.
type Promise struct {
	Name   string    `json:"name" required:"true" doc:"short; letters, digits and hyphens. next-update is when customers hear of it again: the next notice says it, the update after that, or the last report, keeps it once it has reached all of them"`
	By     time.Time `json:"by" required:"true"`
	Reason string    `json:"reason,omitempty" doc:"needed to move one"`
}

// Keep says that something promised was done.
type Keep struct {
	Name string `json:"name" required:"true"`
}

// Ack answers a call.
type Ack struct {
	Step string `json:"step,omitempty" doc:"of the ladder, as the message says; left out: your own"`
	Code string `json:"code,omitempty" doc:"of the last text message, in place of the step; it counts once, and for whoever was called alone"`
}

// Reason opens a case again.
type Reason struct {
	Reason string `json:"reason" required:"true"`
}

// Lessons ends the review of a case.
type Lessons struct {
	Text    string      `json:"text" required:"true" doc:"what happened, what worked, what did not"`
	Actions []NewAction `json:"actions,omitempty" doc:"who does what by when"`
}

// Channels are those that may be read or forged by somebody else: all there are now, in place of what was said before.
type Channels struct {
	Channels []string `json:"channels" required:"true" enum:"mail,webhook,chat,sms" doc:"none: all are sound again"`
	Reason   string   `json:"reason" doc:"where one is sound again: how that is known"`
}

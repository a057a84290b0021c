// Package episode makes of what rules find one alarm an episode, and asks for a justification.
//
// # Episodes
//
// The hits of one rule about one group, in order of event time, fall into runs: in a run no two neighbours are further
// apart than the gap. The gap is the rule's quiet period, and at least as long as a hit may come late. A run is an
// episode. Of a rule that asks who acted, each who acted has runs of her own, whatever the rule groups by. Hits that a suppression or a change window covers belong to none.
//
// The package promises that whatever the order in which entries come, however often, and wherever a process dies, the
// alarms that went out are those of somebody who reads all entries once, in order of event time: one for each run, with
// all hits of the run as its members. An entry counts as in time when it comes within Lateness of its event time, or, of
// the logs of Workspace, within WorkspaceLateness.
//
// An alarm goes out with the first hit of a run to arrive, with one exception. A hit that begins a new run shortly after
// another one is held while an entry can still come, in time, that joins the two: Lateness after the earlier run's quiet
// period at most. It then joins the earlier episode, or has an alarm of its own. Of an entry later than that, the hit
// joins the episode it is next to, or, where there is none, has an alarm of its own: never silence. Where it would join
// two episodes that had their alarms both stay.
//
// An episode closes when nothing of it can come any more. What comes after is another episode, with another alarm. The
// id of an episode derives from rule, group and the time of the hit that began it; it grants nothing.
//
// The parts of an entry that was too large for one are one entry, which comes with its last part. Where parts do not come
// within Lateness of the first to arrive, what there is of it is judged then: a rule that needs what is missing cannot tell.
// What is stored of parts is deleted with that judgement.
//
// Of an episode with more than MaxMembers hits the further ones are seen in steps of a sixteenth of the gap.
//
// # Justification
//
// Who acted is asked, or her manager answers for her; for a program, a stranger or nobody known, security does. Somebody
// else reviews the answer. A refusal, "it was not me", silence past the deadline and an answer that nobody reviews for as
// long again make a suspicion of it; at half of the time there is a reminder. An answer covers the members that were there
// when it was given: what comes later is a new question.
//
// Of what asks nobody, one person of security, dpo or owner settles the alarm; where it is high or critical one answers
// and another reviews. From medium severity on it has a deadline too, and is a suspicion past it.
//
// # Limits
//
// It does not judge entries, package rule does; it sends nothing, messages leave with the transaction; what people write
// stays in the store, and evidence holds codes, times and commitments.
package episode

import "time"

// Control is the name under which the evidence speaks of episodes, beside the names of the rules, under which their runs
// stand.
const Control = "watch"

// Topics of what the control tells other controls. Their payloads are Suspicion, Suspended and Changed.
const (
	TopicSuspicion = "suspicion.opened"
	TopicSuspended = "person.suspended"
	TopicChanged   = "asset.changed"
)

// Lateness is how long after its event time an entry may come and still change nothing of what went out; one of the logs
// of Workspace, which Google writes with hours of delay, WorkspaceLateness. MaxMembers is how many hits of an episode are
// told apart, and MaxTenants of how many customers it remembers that it is about them.
const (
	Lateness          = 10 * time.Minute
	WorkspaceLateness = 6 * time.Hour
	MaxMembers        = 1000
	MaxTenants        = 1000
)

// How long things are kept: an explained episode, the personal fields of its members, the mark of an entry.
const (
	kept         = 400 * 24 * time.Hour
	keptPersonal = 90 * 24 * time.Hour
	keptMark     = 32 * 24 * time.Hour // a topic that is replayed goes back 31 days
)

// Version is the version of the stored shapes.
const Version = 1

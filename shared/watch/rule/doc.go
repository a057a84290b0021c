// Package rule turns rules/*.yaml of a policy into findings about log entries. One file holds one rule, named as the
// file without .yaml:
//
//	match:                        # which entries; any of the list
//	  - service: [secretmanager.googleapis.com]   # exact; left out: every service
//	    method: [accesssecretversion]             # end of the method, in any case, without version: "firewalls.insert", "*key"
//	    stream: [data_access]                     # left out: every stream
//	    outcome: [ok, denied]                     # left out: every outcome
//	when: actor.kind == "human" && live(project)  # CEL; left out: every matching entry
//	group: [actor.key, app.tenant]                # CEL texts: what belongs together; left out: [actor.key]
//	window:                                       # left out: every entry that matches is a hit
//	  kind: distinct                              # count, distinct, first-seen, sequence, absence, budget
//	  of: app.user                                # CEL text that is told apart: distinct, first-seen, budget
//	  at_least: 3                                 # count, distinct
//	  at_most: 1                                  # budget: for each opening
//	  within: PT15M                               # both ends belong to it
//	  learn: P7D                                  # first-seen: a group is judged once it is known for so long
//	  settle: PT10M                               # first-seen, absence, budget: how long late entries are waited for
//	  other: {match: [...], when: ..., group: [...]}   # sequence: what came before; absence: what must follow; budget: what opens
//	alarm:
//	  class: impersonation                        # what sort of thing it is; rules share classes
//	  severity: critical
//	  text: {en: ..., fr: ..., de: ...}
//	  cases: [{when: ..., severity: low}]         # the first that is true replaces the severity
//	  justify: actor                              # actor, none (the default): each who acted has an alarm of her own, whatever group says
//	  deadline: PT4H                              # to answer; default four hours, one hour when critical
//	  quiet: PT1H                                 # an episode closes after it; default one hour, or within when longer
//	  shadow: true                                # recorded, nobody is told
//	promises: [D36]
//	tests:                                        # at least one that alarms and one that does not
//	  - name: three customers' users in a quarter of an hour
//	    base: {protoPayload: {...}}               # laid under every entry
//	    listed: [192.0.2.0/24]                    # the live allow-list
//	    tickets: true                             # the company's logs say which tickets are open
//	    entries: [{timestamp: ..., protoPayload: {...}}]   # log entries; insertId, logName, timestamp are filled in
//	    alarms: 1                                 # hits, each once
//
// Variables and functions of CEL are listed in vocabulary.go; tests run in a company of their own, see [Fixture].
//
// The package promises that an entry delivered twice, late within the time to settle, or in any order leads to the same
// hits, by ID, as one sequential reading; that an expression that cannot be evaluated is a hit of verdict
// undetermined, never silence; that where a service logs the whole policy of a thing and no earlier one is known, a rule that
// would mind any of it were it new is a hit of that verdict too; and that one entry costs bounded time. Time is event time, truncated to a microsecond.
// Distinct and first-seen see time in steps of within/900, at least a second, so that what repeats is stored once.
//
// Of a long-running operation the first entry says what was asked for and by whom, and the last often the name alone. A
// rule that looks at more than the last one has is judged by the first; where that was not seen, within a week before and
// ten minutes after, the last is a hit of verdict undetermined. The two are one hit, whomever they name. That an operation
// began is remembered only where a rule without a window matches its first entry.
//
// The parts of an entry that was too large for one are judged as one entry, once; whoever reads the log puts them together
// (auditlog.Join). Where some are missing, a rule that needs what they may hold is a hit of verdict undetermined, and the
// policy that was set counts as not known.
//
// What stands, the policy of a thing or the state of a ticket, is what earlier entries told that came before: an entry that
// comes later and is older changes nothing of what was judged, but is told where the two together may hide a change. A
// ticket counts as what is known of it when the entry comes.
//
// It does not promise an alarm of what a stream that is off would have told ([Set.Needs] says which streams), or to
// take back a hit when an entry comes later than the time to settle. A group with [Crowd] members in a window is
// a hit of its own and is counted no further. Alarms, justifications and suppressions belong to package episode.
package rule

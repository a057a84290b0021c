package intake

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/policy"
)

// data is what an event of one type carries.
type data interface {
	named() []string
	// report says what the event means. at is when it happened. Errors are refusals: members that contradict each other.
	report(at time.Time) (report, error)
}

// kind is one event type: what it carries, which checks it feeds, and how long it counts for a promise that does not
// say.
type kind struct {
	doc    string
	data   func() data
	checks map[string]feed
	lasts  time.Duration
	by     string   // label and parameter that say of what sort an event is
	member string   // of the data that holds it, where that has another name
	limits []string // parameters of a promise that such an event can measure, or be chosen by
	// pace are parameters that say how often such an event is due: it counts twice as long at most.
	pace []string
}

// feed says which events of a type feed a check.
type feed struct {
	of    []string // of these sorts; none: of any
	named bool     // only for promises the event names: a suite or scan of one sort says nothing of the others
}

// just is a feed by events that name their promises, of the sorts.
func just(of ...string) feed { return feed{of, true} }

// suits reports whether an event of a sort feeds a check of a promise. A promise that chooses the sort itself does so by
// a parameter, which limits the event.
func (k kind) suits(check string, p policy.Promise, sort string) bool {
	_, chosen := p.Params[k.by]
	of := k.checks[check].of
	return chosen || len(of) == 0 || slices.Contains(of, sort)
}

// Sort is the member of an event's data that says of what sort it is, and what it has to say to feed a check of a
// promise; both are "" where any will do.
func Sort(eventType, check string, p policy.Promise) (member, sort string) {
	k := kinds[eventType]
	of := k.checks[check].of
	if chosen, there := p.Params[k.by]; there {
		of = chosen.Values
	}
	if len(of) == 0 {
		return "", ""
	}
	return cmp.Or(k.member, k.by), of[0]
}

// targets is the parameter that says what a probe of ours looks at: it limits no event.
const targets = "targets"

// paces reports whether a parameter sets no number that an event has to measure.
func (k kind) paces(param string) bool {
	return param == targets || slices.Contains(k.pace, param) && !slices.Contains(k.limits, param)
}

// lacks are the parameters of a promise that no event of the kind says anything about, sorted.
func (k kind) lacks(params map[string]policy.Param) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(params)), func(name string) bool { return k.paces(name) || slices.Contains(k.limits, name) })
}

const day = 24 * time.Hour

// numbers are the parameters that the member measured names.
var numbers = []string{"cost", "dup_nonce", "fields", "hits", "min_len", "overlap", "roles"}

// kinds are the event types of the policy's sources. The checks are names that promises refer to by "records"; a duty
// says itself which types it needs.
var kinds = map[string]kind{
	"build.tested": {
		doc: "One run of one automated test suite.", data: func() data { return new(BuildTested) }, lasts: 35 * day,
		checks: map[string]feed{
			"ci-evidence": {}, "api-auth-probe": just("api-auth-probe"), "ingest-schema": just("ingest-schema"), "role-matrix-probe": just("role-matrix-probe"), "tenant-isolation": just("tenant-isolation"),
		},
		by: "suite", limits: append([]string{"after_live", "suite", "within"}, numbers...), pace: []string{"probe"},
	},
	"build.scanned": {
		doc: "One analysis of source code, dependencies, an image, or for secrets.", data: func() data { return new(BuildScanned) }, lasts: 35 * day,
		checks: map[string]feed{"ci-evidence": {}, "vuln-scan": {of: []string{"code", "dependencies", "image"}}}, by: "scope", limits: []string{"lag", "scope"},
	},
	"release.deployed": {
		doc: "One deployment of one digest.", data: func() data { return new(ReleaseDeployed) }, lasts: 35 * day, checks: map[string]feed{"ci-evidence": {}, "release-train": {}},
		limits: []string{"before_live", "cadence", "image_age", "order", "sprint", "window"},
	},
	"backup.completed": {
		doc: "The state of the backups of all stores.", data: func() data { return new(BackupCompleted) }, lasts: 25 * time.Hour,
		checks: map[string]feed{"backup-freshness": {}, "replica-regions": {}}, limits: []string{"age", "lag", "offsite", "regions", "rpo", "size_off"},
	},
	"backup.restored": {
		doc: "One restore, in a drill or in earnest.", data: func() data { return new(BackupRestored) }, lasts: 366 * day, checks: map[string]feed{"dr-drill": {}},
		limits: []string{"rpo", "rto"},
	},
	"training.completed": {doc: "One person finished one course.", data: func() data { return new(TrainingCompleted) }},
	"person.screened":    {doc: "One person was screened.", data: func() data { return new(PersonScreened) }},
	"person.nda":         {doc: "One person signed the non-disclosure agreement.", data: func() data { return new(PersonNDA) }},
	"scan.finished": {
		doc: "One scan from inside or outside, or a grade that others give.", data: func() data { return new(ScanFinished) }, lasts: 8 * day,
		checks: map[string]feed{
			"claim-watch": {of: []string{"reputation", "content"}}, "vuln-scan": {of: []string{"vulnerability"}},
			"audit-trail-check": just("audit-trail"), "credential-format": just("credentials"), "dlp-sample": just("personal-data"), edgeProtection: just("intrusion"),
			"ingest-schema": just("schema"), "log-immutability": just("log-lock"), "marketing-disjoint": just("marketing"), "oauth-scopes": just("oauth"),
			"password-policy-probe": just("passwords"), "tenant-isolation": just("tenants"), "tls-probe": just("tls"),
		},
		by: "kind", limits: append([]string{"content", "coverage", "delay", "drill", "fix_critical", "grade", "kind", "scopes"}, numbers...), pace: []string{"age", "drill", "heartbeat"},
	},
	"pentest.report": {
		doc: "One report of a penetration test or audit.", data: func() data { return new(PentestReport) }, lasts: 366 * day, checks: map[string]feed{"pentest": {}},
	},
	"review.done": {
		doc: "One review that a tool led a person through.", data: func() data { return new(ReviewDone) }, lasts: 366 * day,
		checks: map[string]feed{"review": {}, "people-register": just("acknowledgements"), "vendor-register": just("agreements")},
		by:     "subject", member: "review", limits: []string{"ack", "subject"},
	},
	"endpoint.report": {
		doc: "The state of all devices that people work on.", data: func() data { return new(EndpointReport) }, lasts: 8 * day, checks: map[string]feed{"endpoint-fleet": {}},
		limits: []string{"coverage"},
	},
	"uptime.report": {
		doc: "What one outside monitor measured over a time.", data: func() data { return new(UptimeReport) }, lasts: 25 * time.Hour,
		checks: map[string]feed{"claim-watch": {}, "uptime-slo": {}, alertRoute: just()}, limits: []string{"ack", "age", "drill", "slo"},
	},
}

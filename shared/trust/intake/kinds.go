package intake

import (
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
	checks []string
	lasts  time.Duration
	named  []string // checks it feeds only for promises the event names: a suite or scan of one kind says nothing of the others
	limits []string // parameters of a promise that such an event can measure, or be chosen by
	// pace are parameters that say how often such an event is due: it counts twice as long at most.
	pace []string
}

// targets is the parameter that says what a probe of ours looks at: it limits no event.
const targets = "targets"

// paces reports whether a parameter sets no number that an event has to measure.
func (k kind) paces(param string) bool { return param == targets || slices.Contains(k.pace, param) }

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
		checks: []string{"ci-evidence"}, named: []string{"api-auth-probe", "ingest-schema", "role-matrix-probe", "tenant-isolation"},
		limits: append([]string{"suite", "within"}, numbers...), pace: []string{"probe"},
	},
	"build.scanned": {
		doc: "One analysis of source code, dependencies, an image, or for secrets.", data: func() data { return new(BuildScanned) }, lasts: 35 * day,
		checks: []string{"ci-evidence", "vuln-scan"}, limits: []string{"lag", "scope"},
	},
	"release.deployed": {
		doc: "One deployment of one digest.", data: func() data { return new(ReleaseDeployed) }, lasts: 35 * day, checks: []string{"ci-evidence", "release-train"},
		limits: []string{"cadence", "image_age", "order", "sprint", "window"},
	},
	"backup.completed": {
		doc: "The state of the backups of all stores.", data: func() data { return new(BackupCompleted) }, lasts: 25 * time.Hour,
		checks: []string{"backup-freshness", "replica-regions"}, limits: []string{"age", "lag", "offsite", "regions", "rpo"},
	},
	"backup.restored": {
		doc: "One restore, in a drill or in earnest.", data: func() data { return new(BackupRestored) }, lasts: 366 * day, checks: []string{"dr-drill"},
		limits: []string{"rpo", "rto"},
	},
	"training.completed": {doc: "One person finished one course.", data: func() data { return new(TrainingCompleted) }},
	"person.screened":    {doc: "One person was screened.", data: func() data { return new(PersonScreened) }},
	"person.nda":         {doc: "One person signed the non-disclosure agreement.", data: func() data { return new(PersonNDA) }},
	"scan.finished": {
		doc: "One scan from inside or outside, or a grade that others give.", data: func() data { return new(ScanFinished) }, lasts: 8 * day,
		checks: []string{"claim-watch", "vuln-scan"},
		named: []string{"audit-trail-check", "credential-format", "dlp-sample", "edge-protection", "ingest-schema", "log-immutability", "marketing-disjoint",
			"oauth-scopes", "password-policy-probe", "tenant-isolation", "tls-probe"},
		limits: append([]string{"content", "coverage", "fix_critical", "grade", "scopes"}, numbers...), pace: []string{"age", "drill", "heartbeat"},
	},
	"pentest.report": {
		doc: "One report of a penetration test or audit.", data: func() data { return new(PentestReport) }, lasts: 366 * day, checks: []string{"pentest"},
	},
	"review.done": {doc: "One review that a tool led a person through.", data: func() data { return new(ReviewDone) }, lasts: 366 * day, checks: []string{"review"}},
	"endpoint.report": {
		doc: "The state of all devices that people work on.", data: func() data { return new(EndpointReport) }, lasts: 8 * day, checks: []string{"endpoint-fleet"},
		limits: []string{"coverage"},
	},
	"uptime.report": {
		doc: "What one outside monitor measured over a time.", data: func() data { return new(UptimeReport) }, lasts: 25 * time.Hour,
		checks: []string{"claim-watch", "uptime-slo"}, named: []string{alertRoute}, limits: []string{"ack", "age", "drill", "slo"},
	},
}

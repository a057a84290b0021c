// Package auditlog reads entries of Google Cloud's logs and gives them one normal form, whatever way they came: as a
// CloudEvent of Eventarc, as a Pub/Sub push of a log sink, as a line of an export, or as an application's own log.
//
// It promises that the same entry decodes to the same Entry and the same ID by every way; that a key it does not know
// is never an error; that what it could not make out is named in Entry.Gaps, or is an error that says what and never
// holds the content; that a method, an asset and a delegation chain read alike for every service.
//
// It does not judge: whether an entry is in order is for rules to say. It keeps no state but in a Folder, reads no
// clock, and calls nobody. It does not know the previous IAM policy of a resource: where a service logs none of the
// change, Delta.Full says that only the whole policy is known, and Delta.Since compares it with one that is remembered.
package auditlog

import (
	"encoding/json"
	"time"
)

// Kind tells audit logs from all others. Kinds are stored, hence strings.
type Kind string

const (
	Audit       Kind = "audit"       // one of Google's audit streams
	Application Kind = "application" // anything else: an application's own log
)

// Stream is the log an entry was written to. It is empty when an audit entry names no log.
type Stream string

const (
	Activity           Stream = "activity"            // Admin Activity: always on
	DataAccess         Stream = "data_access"         // Data Access: off by default, but for BigQuery
	SystemEvent        Stream = "system_event"        // Google's own systems
	PolicyDenied       Stream = "policy"              // refused by a security policy, such as a service perimeter
	AccessTransparency Stream = "access_transparency" // Google's staff
	ApplicationLog     Stream = "application"         // not an audit log
)

// Entry is one log entry in normal form.
type Entry struct {
	ID     string // hash of log name, timestamp and insertId, all three: insertId alone is not unique
	Kind   Kind
	Stream Stream

	LogName      string // projects/P/logs/cloudaudit.googleapis.com/activity: without the percent-encoding
	Project      string // id where one is known, else number; "" for folders and organizations
	Folder       string // number
	Organization string // number
	Time         time.Time
	Received     time.Time // zero when not said
	Severity     string    // DEFAULT when not said

	Service  string // as logged, such as secretmanager.googleapis.com
	Method   string // as logged
	Verb     string // see Verb
	Resource string // resourceName as logged
	Type     string // resource.type, such as gce_firewall_rule
	Asset    string // full name of the thing acted on, one for all ways to write it: //SERVICE/projects/ID/...

	Actor       Actor
	Outcome     Outcome
	Permissions []Permission
	Operation   Operation
	Split       Split

	IP       string // as logged: also "private", "gce-internal-ip" or ""
	Agent    string // user agent; the caller wrote it
	Location string // of the resource; several are joined by ","
	Reason   string // requestMetadata.requestAttributes.reason: the caller's own justification

	Labels         map[string]string // labels of the entry
	ResourceLabels map[string]string // labels of the monitored resource
	App            App               // of an application's log, by its Mapping
	Ignored        bool              // a line of a mixed log that no mapping calls its own

	// Sub-trees, valid JSON or nil, not decoded: most rules need none. They share the bytes given to Decode.
	Request, Response, Metadata, ServiceData json.RawMessage
	PolicyViolation, OriginalState           json.RawMessage
	Payload                                  json.RawMessage // protoPayload or jsonPayload whole

	// Gaps names what an entry should have and has not, or has unreadable: "timestamp", "insertId", "serviceName",
	// "methodName", "logName", or of an application's log "actor", "user", "tenant", "action", "reason", "time".
	Gaps []string
}

// Permission is one permission that was asked for. Google leaves "granted" out when it was denied.
type Permission struct {
	Name     string
	Resource string
	Type     string // ADMIN_READ, ADMIN_WRITE, DATA_READ, DATA_WRITE, or ""
	Granted  bool
}

// Operation ties the entries of one long-running operation together. ID is "" for a call that ended at once.
type Operation struct {
	ID, Producer string
	First, Last  bool
}

// Split ties the parts of an entry together that was too large for one. UID is "" for an entry in one piece, also for
// one that Join made of all its parts.
type Split struct {
	UID   string
	Index int
	Total int
}

// App is what an application's own log says, by its Mapping.
type App struct {
	User   string // whom or what was acted on or acted as
	Tenant string // the customer's organisation
	Action string
	Ticket string
	Reason string
	Event  TicketEvent
}

// TicketEvent says what became of App.Ticket by the entry.
type TicketEvent string

const (
	NoTicketEvent TicketEvent = ""
	TicketOpened  TicketEvent = "opened" // for the first time, or again
	TicketClosed  TicketEvent = "closed"
)

// Missing reports whether Gaps names what.
func (e Entry) Missing(what string) bool {
	for _, gap := range e.Gaps {
		if gap == what {
			return true
		}
	}
	return false
}

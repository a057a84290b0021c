// Package manifest reads a function's function.json: the one place that says how a function is reached, what it
// may do and what it needs. Go, Terraform and the README's table read the same file.
package manifest

import (
	"fmt"
	"slices"
	"strings"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/web/strictjson"
)

// Callers says who reaches a function. A function has callers of exactly one kind; ingress and invoker follow.
type Callers string

const (
	Staff   Callers = "staff"   // load balancer and IAP; the assertion is verified in the function
	Public  Callers = "public"  // load balancer and Cloud Armor; nobody, until the function's own proof
	Service Callers = "service" // IAM checked the token; the address must be among the policy's services
	Machine Callers = "machine" // pushes and schedules of our own invoker account
)

// TriggerKind says what wakes a function.
type TriggerKind string

const (
	HTTP     TriggerKind = "http"
	Topic    TriggerKind = "topic"
	Schedule TriggerKind = "schedule"
	Eventarc TriggerKind = "eventarc"
)

// Trigger is one way a function is woken.
type Trigger struct {
	Kind   TriggerKind `json:"kind"`
	Topic  string      `json:"topic,omitempty"`  // of kind topic
	Filter string      `json:"filter,omitempty"` // of kind topic: a Pub/Sub filter expression
	Cron   string      `json:"cron,omitempty"`   // of kind schedule: five fields, UTC
	Type   string      `json:"type,omitempty"`   // of kind eventarc: the CloudEvent type
}

// Permission is one IAM permission and the resource it applies to: database:CONTROL, database:vault or database:ledger, topic:NAME,
// key:NAME, signing-key:NAME, secret:NAME, bucket:NAME, project, directory or assets (whatever lies in the places that are looked at);
// and of what the company's data map names,
// data:firestore (its databases), data:gcs (its buckets), data:project (where those lie), data:secrets-read and data:secrets-erase (those in the URLs of
// its stores, for the account that reads and for the one that erases).
type Permission struct {
	Permission string `json:"permission"`
	Resource   string `json:"resource"`
}

// Function is the manifest of one function.
type Function struct {
	Name        string        `json:"name"`
	Control     string        `json:"control"`
	EntryPoint  string        `json:"entry_point"`
	Summary     string        `json:"summary"` // one sentence for people; the README's table shows it
	Callers     Callers       `json:"callers"`
	Triggers    []Trigger     `json:"triggers"`
	MemoryMiB   int           `json:"memory_mib"`
	TimeoutS    int           `json:"timeout_s"`
	Concurrency int           `json:"concurrency"`
	Instances   int           `json:"max_instances"`
	Permissions []Permission  `json:"permissions"`
	Environment []string      `json:"environment"`        // names the function reads, beyond those all functions read
	Secrets     []string      `json:"secrets"`            // names in the secret store
	Publishes   []string      `json:"publishes"`          // topics
	Evidence    *record.Scope `json:"evidence,omitempty"` // what it may put on record; none, where it may not write to the inbox
	Sweeps      []string      `json:"sweeps,omitempty"`   // functions of its control: what a crash left of their records it hands in, into their places
	Freshness   string        `json:"freshness"`          // Go duration: silence longer than this raises an alert; "" for none
	Checks      []string      `json:"checks"`             // the checks it keeps promises by
}

// depth is how far a manifest's values are nested.
const depth = 4

// Parse reads a manifest strictly, as Terraform does: names are spelled exactly, none is unknown or there twice. It
// checks what it says.
func Parse(data []byte) (Function, error) {
	var f Function
	if _, err := strictjson.Decode(data, depth, &f); err != nil {
		return f, fmt.Errorf("reading manifest: %w", err)
	}
	if err := f.check(); err != nil {
		return f, fmt.Errorf("manifest of %q: %w", f.Name, err)
	}
	return f, nil
}

// Topics returns the topics that wake the function.
func (f Function) Topics() []string {
	return f.triggers(Topic, func(t Trigger) string { return t.Topic })
}

// EventTypes returns the CloudEvent types of declared Eventarc triggers.
func (f Function) EventTypes() []string {
	return f.triggers(Eventarc, func(t Trigger) string { return t.Type })
}

// Crons returns the schedules that wake the function.
func (f Function) Crons() []string {
	return f.triggers(Schedule, func(t Trigger) string { return t.Cron })
}

// ReadsSecrets reports whether the function reads any secret: by its name, or one that the company's data map names.
func (f Function) ReadsSecrets() bool {
	return len(f.Secrets) > 0 || slices.ContainsFunc(f.Permissions, func(p Permission) bool { return strings.HasPrefix(p.Resource, "data:secrets-") })
}

// Reads reports whether the function reads an environment variable.
func (f Function) Reads(variable string) bool { return slices.Contains(f.Environment, variable) }

func (f Function) triggers(kind TriggerKind, value func(Trigger) string) []string {
	var found []string
	for _, t := range f.Triggers {
		if t.Kind == kind {
			found = append(found, value(t))
		}
	}
	return found
}

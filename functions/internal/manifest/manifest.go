// Package manifest reads a function's function.json: the one place that says how a function is reached, what it
// may do and what it needs. Go, Terraform and the README's table read the same file.
package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"
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

// Permission is one IAM permission and the resource it applies to: database:CONTROL, topic:NAME, key:NAME,
// secret:NAME, bucket:NAME, project or directory.
type Permission struct {
	Permission string `json:"permission"`
	Resource   string `json:"resource"`
}

// Function is the manifest of one function.
type Function struct {
	Name        string       `json:"name"`
	Control     string       `json:"control"`
	EntryPoint  string       `json:"entry_point"`
	Summary     string       `json:"summary"` // one sentence for people; the README's table shows it
	Callers     Callers      `json:"callers"`
	Triggers    []Trigger    `json:"triggers"`
	MemoryMiB   int          `json:"memory_mib"`
	TimeoutS    int          `json:"timeout_s"`
	Concurrency int          `json:"concurrency"`
	Instances   int          `json:"max_instances"`
	Permissions []Permission `json:"permissions"`
	Environment []string     `json:"environment"` // names the function reads, beyond those all functions read
	Secrets     []string     `json:"secrets"`     // names in the secret store
	Publishes   []string     `json:"publishes"`   // topics
	Freshness   string       `json:"freshness"`   // Go duration: silence longer than this raises an alert; "" for none
	Checks      []string     `json:"checks"`      // the checks it keeps promises by
}

var (
	controls = []string{"access", "erasure", "breach", "watch", "drift", "trust"}
	name     = regexp.MustCompile(`^[a-z]{3,25}$`)
)

// Parse reads a manifest strictly and checks it.
func Parse(data []byte) (Function, error) {
	var f Function
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("reading manifest: %w", err)
	}
	if err := f.check(); err != nil {
		return f, fmt.Errorf("manifest of %q: %w", f.Name, err)
	}
	return f, nil
}

func (f Function) check() error {
	switch {
	case !name.MatchString(f.Name) || f.EntryPoint != f.Name:
		return fmt.Errorf("name and entry point must be the same 3 to 25 lower-case letters")
	case !slices.Contains(controls, f.Control):
		return fmt.Errorf("control %q is not one of %v", f.Control, controls)
	case !slices.Contains([]Callers{Staff, Public, Service, Machine}, f.Callers):
		return fmt.Errorf("callers %q are not one of staff, public, service, machine", f.Callers)
	case f.Summary == "":
		return fmt.Errorf("summary is missing")
	case f.MemoryMiB < 128 || f.MemoryMiB > 4096, f.TimeoutS < 1 || f.TimeoutS > 540, f.Concurrency < 1 || f.Concurrency > 250, f.Instances < 1 || f.Instances > 100:
		return fmt.Errorf("memory, time-out, concurrency or instances out of bounds")
	case len(f.Triggers) == 0:
		return fmt.Errorf("triggers are missing")
	}
	if f.Freshness != "" {
		if _, err := time.ParseDuration(f.Freshness); err != nil {
			return fmt.Errorf("freshness: %w", err)
		}
	}
	for _, t := range f.Triggers {
		if err := f.checkTrigger(t); err != nil {
			return err
		}
	}
	return nil
}

func (f Function) checkTrigger(t Trigger) error {
	if (t.Kind == HTTP) == (f.Callers == Machine) {
		return fmt.Errorf("callers %s do not go with a trigger of kind %s", f.Callers, t.Kind)
	}
	need := map[TriggerKind]string{Topic: t.Topic, Schedule: t.Cron, Eventarc: t.Type, HTTP: "-"}
	if need[t.Kind] == "" {
		return fmt.Errorf("trigger of kind %q lacks its topic, cron or type", t.Kind)
	}
	return nil
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

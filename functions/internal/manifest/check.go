package manifest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/bus"
)

var (
	controls = []string{"access", "erasure", "breach", "watch", "drift", "trust"}

	nameForm       = regexp.MustCompile(`^[a-z]{3,25}$`) // account ids end at 30 characters, and begin with "fn-" and "in-"
	resourceForm   = regexp.MustCompile(`^((database|topic|key|signing-key|secret|bucket|data|door):[a-z][a-z0-9.-]{0,99}|project|directory|assets)$`)
	permissionForm = regexp.MustCompile(`^([a-z]+\.[a-zA-Z]+\.[a-zA-Z]+|https://www\.googleapis\.com/auth/[a-z.]+)$`)
	variableForm   = regexp.MustCompile(`^OSTIARY_[A-Z][A-Z_]*$`)
	secretForm     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,99}$`)
	cronForm       = regexp.MustCompile(`^([0-9*,/-]+ ){4}[0-9*,/-]+$`)
	wordForm       = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
)

// What a function publishes, and the secrets it reads, come with exactly one permission each.
const (
	mayPublish = "pubsub.topics.publish"
	mayAccess  = "secretmanager.versions.access"
)

// Who may create in the inbox of the evidence log says what it puts on record.
const (
	mayCreate = "storage.objects.create"
	inbox     = "evidence-inbox"
)

// clientAddress is the variable that every function reads whose callers come over the network.
const clientAddress = "OSTIARY_CLIENT_ADDRESS"

// shared are the databases that are no control's: those functions use one that read its variable. The evidence vault is of
// several controls; the ledger of who was erased is outside of all backups; the watchdog's is in another region.
var shared = map[string]string{"vault": "OSTIARY_VAULT", "ledger": "OSTIARY_LEDGER", "watchdog": "OSTIARY_WATCHDOG"}

func (f Function) check() error {
	switch {
	case !nameForm.MatchString(f.Name) || f.EntryPoint != f.Name:
		return fmt.Errorf("name and entry point must be the same 3 to 25 lower-case letters")
	case !slices.Contains(controls, f.Control):
		return fmt.Errorf("control %q is not one of %v", f.Control, controls)
	case !slices.Contains([]Callers{Staff, Public, Service, Machine}, f.Callers):
		return fmt.Errorf("callers %q are not one of staff, public, service, machine", f.Callers)
	case strings.TrimSpace(f.Summary) == "" || strings.ContainsAny(f.Summary, "|\r\n") || !strings.HasSuffix(f.Summary, "."):
		return fmt.Errorf("summary is not one sentence in one line, fit for a table")
	case f.MemoryMiB < 128 || f.MemoryMiB > 4096, f.TimeoutS < 1 || f.TimeoutS > 540, f.Concurrency < 1 || f.Concurrency > 250, f.Instances < 1 || f.Instances > 100:
		return fmt.Errorf("memory, time-out, concurrency or instances out of bounds")
	}
	if f.Freshness != "" {
		if d, err := time.ParseDuration(f.Freshness); err != nil || d < time.Minute {
			return fmt.Errorf("freshness %q is not a duration of a minute or more", f.Freshness)
		}
	}
	for _, check := range []func() error{f.checkTriggers, f.checkLists, f.checkPermissions} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (f Function) checkTriggers() error {
	if len(f.Triggers) == 0 {
		return fmt.Errorf("triggers are missing")
	}
	for i, t := range f.Triggers {
		if (t.Kind == HTTP) == (f.Callers == Machine) {
			return fmt.Errorf("callers %s do not go with a trigger of kind %q", f.Callers, t.Kind)
		}
		if slices.Contains(f.Triggers[:i], t) {
			return fmt.Errorf("a trigger of kind %q is there twice", t.Kind)
		}
		whole := false
		switch alone := (Trigger{Kind: t.Kind}); t.Kind {
		case HTTP:
			whole = t == alone
		case Topic:
			alone.Topic, alone.Filter = t.Topic, t.Filter
			_, err := bus.ParseFilter(t.Filter)
			whole = t == alone && err == nil && bus.ValidName(t.Topic) && bus.ValidName(bus.Subscription(f.Name, t.Topic))
		case Schedule:
			alone.Cron = t.Cron
			whole = t == alone && cronForm.MatchString(t.Cron)
		case Eventarc:
			alone.Type = t.Type
			whole = t == alone && t.Type != ""
		}
		if !whole {
			return fmt.Errorf("trigger of kind %q lacks its topic, cron or type, or says more than its kind does", t.Kind)
		}
	}
	if topics := f.Topics(); len(slices.Compact(slices.Sorted(slices.Values(topics)))) != len(topics) {
		return fmt.Errorf("a topic wakes the function twice")
	}
	return nil
}

func (f Function) checkLists() error {
	for _, list := range []struct {
		name   string
		values []string
		form   *regexp.Regexp
	}{{"environment", f.Environment, variableForm}, {"secrets", f.Secrets, secretForm}, {"checks", f.Checks, wordForm}} {
		for i, value := range list.values {
			if !list.form.MatchString(value) || slices.Contains(list.values[:i], value) {
				return fmt.Errorf("%s: %q is malformed, or there twice", list.name, value)
			}
		}
	}
	if len(f.Checks) == 0 {
		return fmt.Errorf("checks are missing: a function keeps at least one promise")
	}
	if f.Reads(clientAddress) == (f.Callers == Machine) {
		return fmt.Errorf("callers %s, but %s is read: %v", f.Callers, clientAddress, f.Reads(clientAddress))
	}
	return nil
}

func (f Function) checkPermissions() error {
	may := map[string][]string{} // permission -> names it is held on
	for i, p := range f.Permissions {
		if !permissionForm.MatchString(p.Permission) || !resourceForm.MatchString(p.Resource) || slices.Contains(f.Permissions[:i], p) {
			return fmt.Errorf("permission %q on %q is malformed, or there twice", p.Permission, p.Resource)
		}
		kind, name, _ := strings.Cut(p.Resource, ":")
		own := name == f.Control || f.Reads(shared[name])
		if kind == "data" {
			continue // whose names only a company's data map tells
		}
		if kind == "database" && !own {
			return fmt.Errorf("permission %q on the database of another control, %s", p.Permission, name)
		}
		may[p.Permission] = append(may[p.Permission], name)
	}
	if writes := slices.Contains(may[mayCreate], inbox); writes != (f.Evidence != nil) {
		return fmt.Errorf("evidence: what the function may write is said: %v; that it may write: %v", f.Evidence != nil, writes)
	}
	if f.Evidence != nil {
		if err := f.Evidence.Check(); err != nil {
			return fmt.Errorf("evidence: %w", err)
		}
	}
	for i, name := range f.Sweeps {
		if f.Evidence == nil || len(f.Crons()) == 0 || !nameForm.MatchString(name) || name == f.Name || slices.Contains(f.Sweeps[:i], name) {
			return fmt.Errorf("sweeps: %q is malformed, there twice or the function itself, or this one has no schedule or writes no evidence", name)
		}
	}
	for permission, names := range map[string][]string{mayPublish: f.Publishes, mayAccess: f.Secrets} {
		if want, have := slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(may[permission])); !slices.Equal(want, have) {
			return fmt.Errorf("%s is held on %v, and used on %v", permission, have, want)
		}
	}
	return nil
}

package auditlog

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"
)

// Mapping says where an application's log holds what. Each path is dotted, from the root of the log entry, such as
// "jsonPayload.actor.email"; an empty one means the log does not say. Audit logs need none.
type Mapping struct {
	Log     string // only entries whose log name ends in this; "" for every application log
	When    string // path: of a mixed log only entries that have something there are its own; "" for all of them
	Service string // name of the application, becomes Entry.Service
	Actor   string // path of who acted: an e-mail address, or another name
	User    string // path of whom or what was acted on, or acted as
	Tenant  string // path of the customer's organisation
	Action  string // path of what was done; also becomes Entry.Method
	Ticket  string // path
	Reason  string // path
	Time    string // path, of an RFC 3339 time; the entry's own timestamp otherwise
	Target  string // path, becomes Entry.Resource
	IP      string // path
	Outcome string // path, of ok, denied, failed or partial, or of a boolean: whether it went well

	// Opened and Closed are the actions by which the log says that the ticket of the entry was opened, and closed.
	Opened, Closed []string

	Assumed bool // nobody says that the log has these paths: a missing reason is no gap
}

// mapped fills an application's entry by the mapping of its log that finds most of who acted and what was done; the
// earlier one when they find the same. An error says that neither stands in a log whose mapping says where both do; of a
// mixed log that is said of the mapping's own lines only.
func mapped(all []Mapping, e *Entry, f *fields) error {
	best, most, named, mixed := *e, -1, false, false
	for _, m := range all {
		if !strings.HasSuffix(e.LogName, m.Log) {
			continue
		}
		if m.When != "" && !present(f, m.When) {
			mixed = true
			continue
		}
		one, found := *e, 0
		one.Gaps = slices.Clone(e.Gaps)
		m.apply(&one, f)
		if one.App.Action != "" {
			found += 2 // no rule about applications wants an entry that names no action
		}
		if one.Actor.Subject != "" {
			found++
		}
		if found > most {
			best, most = one, found
		}
		named = named || m.Log != "" && m.Actor != "" && m.Action != ""
	}
	if most == 0 && named {
		return errors.New("neither who acted nor what was done stands where the mapping of the log says")
	}
	if most < 0 {
		Mapping{}.apply(&best, f)
	}
	*e = best
	e.Ignored = mixed && most <= 0
	return nil
}

// apply fills what the mapping knows of an application's entry.
func (m Mapping) apply(e *Entry, f *fields) {
	e.Service = m.Service
	get := func(path, gap string) string {
		if path == "" {
			return ""
		}
		s := at(f, path)
		if s == "" && gap != "" {
			e.Gaps = append(e.Gaps, gap)
		}
		return s
	}
	e.Actor = applicationActor(get(m.Actor, "actor"))
	e.App = App{
		User: spelled(get(m.User, "user")), Tenant: spelled(get(m.Tenant, "tenant")), Action: get(m.Action, "action"),
		Ticket: reference(get(m.Ticket, "")), Reason: get(m.Reason, ""),
	}
	if e.App.Ticket != "" {
		e.App.Event = m.event(e.App.Action)
	}
	if m.Reason != "" && e.App.Reason == "" && !m.Assumed {
		e.Gaps = append(e.Gaps, "reason")
	}
	e.Method, e.Verb = e.App.Action, Verb(e.App.Action)
	if e.Resource = get(m.Target, ""); e.Resource != "" && m.Service != "" {
		e.Asset = "//" + m.Service + "/" + strings.TrimLeft(e.Resource, "/")
	}
	if ip := get(m.IP, ""); ip != "" {
		e.IP = ip
	}
	if when := get(m.Time, "time"); when != "" {
		if t, ok := instant(when); ok {
			e.Time = t
		} else {
			e.Gaps = append(e.Gaps, "time")
		}
	}
	e.Outcome = applicationOutcome(get(m.Outcome, ""))
}

// event says what an action does to the ticket of its entry.
func (m Mapping) event(action string) TicketEvent {
	switch {
	case slices.Contains(m.Opened, action):
		return TicketOpened
	case slices.Contains(m.Closed, action):
		return TicketClosed
	}
	return NoTicketEvent
}

// spelled gives an address or a domain its one spelling. Other names are the application's own: case may matter.
func spelled(name string) string {
	name = strings.TrimSpace(name)
	if strings.ContainsAny(name, "@.") {
		return Small(name)
	}
	return name
}

// reference returns what names a ticket: letters, digits and what joins them, with a number in it other than 0. What
// people write to fill a field, such as none, n/a, tbd or -, is no ticket.
func reference(ticket string) string {
	ticket = strings.TrimSpace(ticket)
	if !strings.ContainsAny(ticket, "123456789") || strings.ContainsFunc(ticket, unicode.IsSpace) {
		return ""
	}
	return ticket
}

func applicationActor(name string) Actor {
	name = strings.TrimSpace(name)
	if name == "" {
		return Actor{Kind: Unknown, Key: string(Unknown)}
	}
	a := Actor{Kind: Unknown, Subject: name}
	if strings.Contains(name, "@") {
		a.Email = Small(name)
		a.Kind = emailKind(a.Email)
	}
	a.Key = a.key("")
	return a
}

func applicationOutcome(said string) Outcome {
	switch strings.ToLower(said) {
	case "ok", "true", "success", "succeeded", "allowed":
		return Outcome{Result: OK}
	case "denied", "refused", "forbidden":
		return Outcome{Result: Denied, Code: codePermissionDenied}
	case "failed", "false", "failure", "error":
		return Outcome{Result: Failed}
	case "partial":
		return Outcome{Result: Partial}
	}
	return Outcome{Result: Unclear}
}

// at returns the scalar at a dotted path, "" when there is none. A name that itself holds dots is found too: the
// longest name wins, as label names do hold them.
func at(f *fields, path string) string {
	root, rest, _ := strings.Cut(path, ".")
	switch root {
	case "jsonPayload", "protoPayload":
		return descend(f.payload, rest)
	case "textPayload":
		return descend(f.payload, "")
	case "labels":
		return f.labels[rest]
	case "resource":
		if name, ok := strings.CutPrefix(rest, "labels."); ok {
			return f.resourceLabels[name]
		}
		return f.resourceType
	case "insertId":
		return f.insertID
	}
	return ""
}

// present reports whether there is anything at a dotted path, a list or an object too.
func present(f *fields, path string) bool {
	if root, rest, _ := strings.Cut(path, "."); root == "jsonPayload" || root == "protoPayload" {
		return reaches(f.payload, rest)
	}
	return at(f, path) != ""
}

func reaches(raw json.RawMessage, path string) (found bool) {
	if path == "" {
		return true
	}
	members(raw, func(key string, value json.RawMessage) {
		rest, ok := strings.CutPrefix(path, key)
		found = found || ok && value != nil && (rest == "" || rest[0] == '.') && reaches(value, strings.TrimPrefix(rest, "."))
	})
	return found
}

func descend(raw json.RawMessage, path string) (found string) {
	c := lenient(raw)
	if path == "" {
		if b := c.peek(); b == '{' || b == '[' || b == 0 {
			return ""
		}
		return c.scalar("")
	}
	if c.peek() != '{' {
		return ""
	}
	longest := -1
	c.object("", func(key string) {
		value := c.raw()
		rest, ok := strings.CutPrefix(path, key)
		if !ok || value == nil || rest != "" && rest[0] != '.' || len(key) <= longest {
			return
		}
		if s := descend(value, strings.TrimPrefix(rest, ".")); s != "" {
			found, longest = s, len(key)
		}
	})
	return found
}

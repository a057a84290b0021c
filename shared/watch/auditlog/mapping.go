package auditlog

import (
	"encoding/json"
	"strings"
)

// Mapping says where an application's log holds what. Each path is dotted, from the root of the log entry, such as
// "jsonPayload.actor.email"; an empty one means the log does not say. Audit logs need none.
type Mapping struct {
	Log     string // only entries whose log name ends in this; "" for every application log
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
}

// mappingOf returns the first mapping for a log; one that says nothing when there is none.
func mappingOf(all []Mapping, log string) Mapping {
	for _, m := range all {
		if strings.HasSuffix(log, m.Log) {
			return m
		}
	}
	return Mapping{}
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
		User: get(m.User, "user"), Tenant: get(m.Tenant, "tenant"), Action: get(m.Action, "action"),
		Ticket: get(m.Ticket, ""), Reason: get(m.Reason, ""),
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

func applicationActor(name string) Actor {
	if name == "" {
		return Actor{Kind: Unknown, Key: string(Unknown)}
	}
	a := Actor{Kind: Unknown, Subject: name}
	if strings.Contains(name, "@") {
		a.Email = strings.ToLower(name)
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

package episode

import (
	"bytes"
	"encoding/json"

	"ostiary.internal/shared/platform/veil"
	"ostiary.internal/shared/watch/auditlog"
)

// Call is what a call asked for: a change of who may use the asset, a line each, or the body of the request. What may be a
// secret is taken out of it before it leaves the control: its name is told, and never its value.
type Call struct {
	Body    json.RawMessage `json:"body,omitempty"`
	Added   []string        `json:"added,omitempty"` // role, member, and the condition in braces
	Removed []string        `json:"removed,omitempty"`
	Whole   bool            `json:"whole,omitempty"` // Added is everybody who may use it from now on
	Cut     bool            `json:"cut,omitempty"`   // there was more than is told
}

// Bounds of what is told of a request, in bytes.
const (
	maxRequest = 24 << 10
	maxBody    = 256 << 10 // of what is read of it: no log holds more
)

// requested is what a call asked for; nil where the log does not say.
func requested(e *auditlog.Entry) *Call {
	if d, is := e.IAMDelta(); is {
		return access(d)
	}
	if len(e.Request) > maxBody {
		return &Call{Cut: true}
	}
	var body map[string]any
	d := json.NewDecoder(bytes.NewReader(e.Request))
	d.UseNumber()
	if d.Decode(&body) != nil || len(body) == 0 {
		return nil
	}
	text, err := json.Marshal(veil.Veil{}.Over("", body))
	if err != nil || len(text) > maxRequest {
		return &Call{Cut: true}
	}
	return &Call{Body: text}
}

// access is a change of who may use an asset, as much of it as is told.
func access(d auditlog.Delta) *Call {
	r, room := &Call{Whole: d.Full}, maxRequest
	take := func(into *[]string, line string) {
		if room -= len(line); room < 0 {
			r.Cut = true
			return
		}
		*into = append(*into, line)
	}
	for _, b := range d.Added {
		take(&r.Added, bound(b))
	}
	for _, b := range d.Removed {
		take(&r.Removed, bound(b))
	}
	for _, p := range d.PermissionsAdded {
		take(&r.Added, p)
	}
	for _, p := range d.PermissionsRemoved {
		take(&r.Removed, p)
	}
	for _, a := range d.Audit {
		switch {
		case d.Full: // what is logged is no member: it is told where it changes alone
		case a.Removed:
			take(&r.Removed, logged(a))
		default:
			take(&r.Added, logged(a))
		}
	}
	if r.Cut && r.Whole {
		// Half of a policy would read as if the other half were taken away.
		return &Call{Cut: true}
	}
	return r
}

func bound(b auditlog.Binding) string {
	line := b.Role + " " + b.Member
	if b.Condition != "" {
		line += " {" + b.Condition + "}"
	}
	return line
}

func logged(a auditlog.AuditChange) string {
	line := "log of " + a.Service + " " + a.LogType
	if a.Exempted != "" {
		line += " but of " + a.Exempted
	}
	return line
}

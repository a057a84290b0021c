package rule

import (
	"encoding/json"
	"regexp"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

// FirstUnseen is why the last entry of an operation is undetermined: what was asked for, and often by whom, only the
// first one says.
const FirstUnseen = "it is the end of a call whose beginning was not seen: what was asked for cannot be told"

// begunKept is how long it is remembered that an operation began. The end of one that takes longer is undetermined.
const begunKept = 7 * 24 * time.Hour

// begunRule is the rule of members that say that an operation began: no file is called so.
const begunRule = ""

// What an expression asks that only the first entry of an operation has, and how the call ended.
var (
	asksContent = regexp.MustCompile(`\b(request|response|metadata|metadata_keys|service_data|payload|ranges|delta|blinding|unsure|permissions|denied)\b`)
	asksOutcome = regexp.MustCompile(`\boutcome\b`)
)

// operation names what a rule finds of a call: of an operation once, whichever of its entries tells of it. An
// application may call anything an operation, such as a session.
func operation(r *compiled, key string, e *auditlog.Entry) string {
	if e.Kind == auditlog.Audit {
		key = ""
	}
	return identity(r.Name, "operation", key, e.Service, e.Project, e.Operation.Producer, e.Operation.ID)
}

// opening and closing tell the entries of an operation of which there are two.
func opening(e *auditlog.Entry) bool { return halved(e) && e.Operation.First }
func closing(e *auditlog.Entry) bool { return halved(e) && e.Operation.Last }

func halved(e *auditlog.Entry) bool {
	return e.Kind == auditlog.Audit && e.Operation.ID != "" && e.Operation.First != e.Operation.Last
}

// leaves reports whether an entry ends an operation and has not what the rule looks at. Its first entry was judged by it;
// what only the end can tell is how the call ended, for a rule that asks that.
func (r *compiled) leaves(side *selection, e *auditlog.Entry) bool {
	if r.Window.Kind != Single || !closing(e) || e.Part() || !nobody(e) && !(r.asksContent && bare(e)) {
		return false
	}
	if e.Outcome.Result == auditlog.OK {
		return true
	}
	accepted := *e
	accepted.Outcome.Result = auditlog.OK
	return !r.asksOutcome && side.accepts(&accepted)
}

func nobody(e *auditlog.Entry) bool { return e.Actor.Email == "" && e.Actor.Subject == "" }

// bare reports whether an entry says nothing of what was asked for, or of what it changed.
func bare(e *auditlog.Entry) bool {
	for _, raw := range []json.RawMessage{e.Request, e.Metadata, e.ServiceData} {
		var has map[string]json.RawMessage
		if len(raw) == 0 || json.Unmarshal(raw, &has) != nil {
			continue
		}
		if delete(has, "@type"); len(has) > 0 {
			return false
		}
	}
	return true
}

// begun remembers that an operation began.
func (t *turn) begun() {
	e := t.v.e
	if t.started || !opening(e) {
		return
	}
	t.started = true
	key := identity("operation", e.OperationKey())
	t.adds = append(t.adds, Member{V: 1, ID: identity("begun", key), Rule: begunRule, Key: key, Time: t.at,
		Expires: later(t.now, t.at).Add(begunKept + 24*time.Hour), Subject: Subject{Entry: e.ID}})
}

// waits remembers the end of an operation until its beginning, which may come after it, must have come.
func (t *turn) waits(r *compiled, s Subject) {
	s.Doubt = FirstUnseen
	due := later(t.now, t.at).Add(lateness)
	t.adds = append(t.adds, Member{V: 1, ID: operation(r, joined(s.Group), t.v.e), Rule: r.Name, Key: joined(s.Group),
		Value: identity("operation", t.v.e.OperationKey()), Time: t.at, Due: due, Expires: due.Add(24 * time.Hour), Subject: s})
}

// unbegun is what the query asks for of the beginning of the operation that a member ends.
func unbegun(m Member) Query {
	return Query{Rule: begunRule, Key: m.Value, From: m.Time.Add(-begunKept), To: m.Time.Add(lateness), Limit: 1}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

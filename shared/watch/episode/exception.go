package episode

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/rule"
)

// ExceptionKind tells suppressions from change windows. It is stored.
type ExceptionKind string

const (
	Suppression  ExceptionKind = "suppression"
	ChangeWindow ExceptionKind = "change"
)

// MostException is how long an exception lasts at most, AskLife how long it waits for a second person.
const (
	MostException = 90 * 24 * time.Hour
	AskLife       = 7 * 24 * time.Hour
)

// Scope is what an exception covers; empty fields cover everything. Actor is an e-mail address; Resource and Method are as
// logged, a Resource may be the beginning of names with their first two parts, such as projects/shop/, followed by "*".
type Scope struct {
	Rule     string `json:"rule,omitempty"`
	Actor    string `json:"actor,omitempty"`
	Resource string `json:"resource,omitempty"`
	Method   string `json:"method,omitempty"`
}

// Exception is a suppression or a change window, as it is stored. It counts for what happens from From on and before
// Until, once it is approved; never for what happened before.
type Exception struct {
	V        int           `json:"v"`
	ID       string        `json:"id"`
	Kind     ExceptionKind `json:"kind"`
	Rule     string        `json:"rule"` // Scope.Rule, or "*"
	Scope    Scope         `json:"scope"`
	Reason   string        `json:"reason"`
	Note     string        `json:"note,omitempty"` // in the asker's words; never in evidence
	Ticket   string        `json:"ticket,omitempty"`
	From     time.Time     `json:"from"`
	Until    time.Time     `json:"until"`
	Ends     int64         `json:"ends"` // Until in microseconds since 1970
	Asker    string        `json:"asker"`
	Asked    time.Time     `json:"asked"`
	Approver string        `json:"approver,omitempty"`
	Approved time.Time     `json:"approved,omitzero"`
	Ended    time.Time     `json:"ended,omitzero"` // before its time
	Nonce    string        `json:"nonce"`
	Record   string        `json:"record,omitempty"` // id of the evidence
	Expires  time.Time     `json:"expires"`
}

// every stands for all rules.
const every = "*"

// Waiting reports whether a second person can still approve the exception at now.
func (x Exception) Waiting(now time.Time) bool {
	return x.Approver == "" && x.Ended.IsZero() && now.Before(x.Until) && now.Before(x.Asked.Add(AskLife))
}

// InForce reports whether the exception counts for what happens at a time.
func (x Exception) InForce(at time.Time) bool {
	return x.Approver != "" && !at.Before(x.From) && !at.Before(x.Approved) && at.Before(x.Until) && (x.Ended.IsZero() || at.Before(x.Ended))
}

// covers reports whether a hit is within the exception. Nobody is covered who is not the named actor, whatever went through
// her hands, nor who agreed on the exception.
func (t *turn) covers(x Exception, f found, d Detail) bool {
	s := x.Scope
	named, _ := t.s.Policy.Person(s.Actor)
	_, involved := t.s.who(d, t.now)
	switch {
	case slices.ContainsFunc(involved, func(id string) bool { return id != named.ID || id == x.Asker || id == x.Approver }):
		return false
	case !x.InForce(time.UnixMicro(f.at)), wide(s.Resource), t.s.aboutControls(f.Rule) && !exact(s),
		s.Rule != "" && s.Rule != f.Rule,
		s.Actor != "" && !strings.EqualFold(s.Actor, actorOf(d)),
		s.Method != "" && s.Method != f.Subject.Method,
		s.Resource != "" && !begins(f.Subject.Resource, s.Resource):
		return false
	}
	// What is critical is never let pass for who does it alone, whatever was agreed when the rule was a milder one.
	return f.Subject.Severity != policy.Critical || s.Resource != "" || s.Method != ""
}

// wide reports whether a resource stands for names that need not have their first two parts in common.
func wide(resource string) bool {
	start, open := strings.CutSuffix(resource, "*")
	parts := strings.Split(strings.TrimLeft(start, "/"), "/")
	return open && start != "" && (len(parts) < 3 || parts[0] == "" || parts[1] == "")
}

// exact reports whether a scope names one account and one resource.
func exact(s Scope) bool {
	return s.Actor != "" && s.Resource != "" && !strings.HasSuffix(s.Resource, "*")
}

// controlClass is the class of rules about the controls themselves.
const controlClass = "control-tamper"

func (s *Service) aboutControls(name string) bool {
	r, _ := s.Rules.Rule(name)
	return r.Alarm.Class == controlClass
}

// actorOf names who acted as a scope does.
func actorOf(d Detail) string {
	if d.Origin.Email != "" {
		return d.Origin.Email
	}
	_, name, _ := strings.Cut(d.Subject.Actor, ":")
	return name
}

// begins reports whether a name is the pattern, or begins as one that ends in "*" does.
func begins(name, pattern string) bool {
	if start, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(name, start)
	}
	return name == pattern
}

// use is one hit that an exception covered, under the hit's id: nobody counts on a shared document.
type use struct {
	V         int       `json:"v"`
	Exception string    `json:"exception"`
	Expires   time.Time `json:"expires"`
}

// excepted reports whether an exception covers a hit, and records it.
func (t *turn) excepted(f found, d Detail) (bool, error) {
	if f.kind != Violation && f.kind != Undetermined {
		return false, nil
	}
	var known use
	if err := t.tx.Get(uses, f.ID, &known); err == nil || !fault.Is(err, fault.NotFound) {
		return err == nil, err
	}
	for _, name := range []string{f.Rule, every} {
		all, err := store.Find[Exception](t.tx.Query(store.Query{
			Collection: exceptions, Equal: []store.Field{{Name: "rule", Value: name}}, Range: &store.Range{Name: "ends", From: f.at + 1}, Limit: store.MaxQueryResults,
		}))
		if err != nil {
			return false, err
		}
		i := slices.IndexFunc(all, func(x Exception) bool { return t.covers(x, f, d) })
		if i < 0 {
			continue
		}
		x := all[i]
		t.later(uses, f.ID, use{Version, x.ID, t.now.Add(kept)})
		t.more = append(t.more, func() error { return t.exempt(x, f) })
		return true, nil
	}
	return false, nil
}

// exempt puts the evidence that a hit was covered into the batch.
func (t *turn) exempt(x Exception, f found) error {
	r := record.New(record.Case, Control, x.Nonce+"#"+f.ID, f.promises...)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "audit", observed(time.UnixMicro(f.at), t.now), t.now
	r.Result = record.Result{State: record.Exempt}
	r.Facts = map[string]string{"event": string(x.Kind), "rule": f.Rule}
	if x.Record != "" {
		r.Refs = []record.Ref{{Rel: "under", ID: x.Record}}
	}
	return t.put(r)
}

// mayBeCritical reports whether any hit of a rule may be critical.
func mayBeCritical(r rule.Rule) bool {
	return r.Alarm.Severity == policy.Critical || slices.ContainsFunc(r.Alarm.Cases, func(c rule.Case) bool { return c.Severity == policy.Critical })
}

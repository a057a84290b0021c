package episode

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/notice"
)

// exceptionReasons are the codes of which one says why: free text never enters the evidence.
var exceptionReasons = []string{"known-noise", "planned-work", "migration", "approved-identity", "security-test", "supplier-work", "accepted-risk"}

// ExceptionReasons returns the codes of reasons, in the order a page shows them.
func ExceptionReasons() []string { return slices.Clone(exceptionReasons) }

// Request is what is asked for. A suppression names a rule and something more, of a rule that may be critical more than the
// actor. A change window names actor, resource, ticket and From.
type Request struct {
	Kind   ExceptionKind
	Scope  Scope
	Reason string
	Note   string // one line, at most 300 bytes; may be empty
	Ticket string
	From   time.Time // zero: now
	Until  time.Time
}

// ticketForm keeps what people type down to a reference.
var ticketForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/+:#-]{0,79}$`)

// Except asks for an exception; another person has to approve it. Asking for the same again returns the one there is.
// Codes: role_missing, own_matter, same_person, rule_unknown, scope_invalid, reason_invalid, note_invalid, ticket_invalid, until_invalid.
func (s *Service) Except(ctx context.Context, q Request, by policy.Person, now time.Time) (Exception, error) {
	q.Note, q.Scope.Actor = strings.TrimSpace(q.Note), strings.ToLower(q.Scope.Actor)
	if q.From.IsZero() || q.From.Before(now) {
		q.From = now
	}
	if err := s.allowed(q, by, now); err != nil {
		return Exception{}, err
	}
	id := hashed(string(q.Kind), q.Scope.Rule, q.Scope.Actor, q.Scope.Resource, q.Scope.Method, q.Ticket, q.Until.UTC().Format(time.RFC3339), by.ID)
	var x Exception
	err := s.commit(ctx, now, func(t *turn) error {
		if err := t.tx.Get(exceptions, id, &x); !fault.Is(err, fault.NotFound) {
			return err
		}
		x = Exception{
			V: Version, ID: id, Kind: q.Kind, Rule: q.Scope.Rule, Scope: q.Scope, Reason: q.Reason, Note: q.Note, Ticket: q.Ticket,
			From: q.From, Until: q.Until, Ends: q.Until.UnixMicro(), Asker: by.ID, Asked: now, Nonce: hashed(t.seed, id), Expires: q.Until.Add(kept),
		}
		if x.Rule == "" {
			x.Rule = every
		}
		t.later(exceptions, id, x)
		t.more = append(t.more, func() error { return t.excepting(x, "asked", by.ID) }, func() error { return t.tellOfAsking(x) })
		return nil
	})
	return x, err
}

// allowed checks a request.
func (s *Service) allowed(q Request, by policy.Person, now time.Time) error {
	r, known := s.Rules.Rule(q.Scope.Rule)
	beside := q.Scope.Resource != "" && q.Scope.Resource != every || q.Scope.Method != ""
	switch {
	case !decides(by):
		return roleMissing("security, dpo or owner")
	case q.Scope.Actor != "" && q.Scope.Actor == strings.ToLower(by.Email):
		return ownMatter()
	case s.Policy.Apart(by, s.named(q.Scope.Actor)) != nil:
		return policy.SamePerson()
	case q.Kind != Suppression && q.Kind != ChangeWindow:
		return fault.Refuse(fault.Invalid, "scope_invalid", "There is no such exception.", "Say suppression or change.")
	case q.Scope.Rule != "" && !known:
		return fault.Refuse(fault.NotFound, "rule_unknown", "There is no such rule.", "Choose one from the list.")
	case !named(q.Scope):
		return scopeInvalid("A part of the scope is too long, or not one line.")
	case wide(q.Scope.Resource):
		return scopeInvalid("A resource that ends in * has its first two parts before it, such as projects/shop/*.")
	case s.aboutControls(q.Scope.Rule) && !exact(q.Scope):
		return scopeInvalid("What touches the controls themselves takes an actor and a whole resource.")
	case q.Kind == Suppression && (!known || q.Scope.Actor == "" && !beside):
		return scopeInvalid("A suppression names a rule, and an actor, a resource or a method.")
	case q.Kind == Suppression && mayBeCritical(r) && !beside:
		return scopeInvalid("This rule may be critical: who acts is not enough to let it pass.")
	case q.Kind == ChangeWindow && (q.Scope.Actor == "" || q.Scope.Resource == "" || !beside):
		return scopeInvalid("A change window names an actor and a resource.")
	case q.Kind == ChangeWindow && !ticketForm.MatchString(q.Ticket), q.Ticket != "" && !ticketForm.MatchString(q.Ticket):
		return ticketInvalid()
	case !slices.Contains(exceptionReasons, q.Reason):
		return fault.Refuse(fault.Invalid, "reason_invalid", "There is no such reason.", "Give one of "+strings.Join(exceptionReasons, ", ")+".")
	case !isLine(q.Note):
		return noteInvalid()
	case !q.Until.After(q.From) || q.Until.After(now.Add(MostException)):
		return fault.Refuse(fault.Invalid, "until_invalid", "An exception ends after it begins, and within 90 days.", "Give an earlier end; a new one can be asked for then.")
	}
	return nil
}

// named is the id of the person of an address; "" for none.
func (s *Service) named(address string) string {
	p, _ := s.Policy.Person(address)
	return p.ID
}

func named(s Scope) bool {
	return !slices.ContainsFunc([]string{s.Rule, s.Actor, s.Resource, s.Method}, func(text string) bool { return !isLine(text) })
}

// isLine reports whether a text is one line of at most 300 bytes; it may be empty.
func isLine(text string) bool {
	return len(text) <= maxText && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// Approve puts an exception into force. The same again changes nothing. Codes: role_missing, exception_unknown,
// exception_self, same_person, own_matter, exception_decided.
func (s *Service) Approve(ctx context.Context, id string, by policy.Person, now time.Time) (Exception, error) {
	return s.change(ctx, id, by, now, func(x Exception) (Exception, string, error) {
		switch {
		case x.Approver == by.ID:
			return x, "", nil
		case x.Asker == by.ID:
			return x, "", fault.Refuse(fault.Denied, "exception_self", "Nobody approves what she asked for herself.", "Ask another person of security, dpo or owner.")
		case s.Policy.Apart(by, x.Asker) != nil || s.Policy.Apart(by, s.named(x.Scope.Actor)) != nil:
			return x, "", policy.SamePerson()
		case x.Scope.Actor != "" && strings.EqualFold(x.Scope.Actor, by.Email):
			return x, "", ownMatter()
		case !x.Waiting(now):
			return x, "", fault.Refuse(fault.Conflict, "exception_decided", "This exception is decided, or waited too long.", "Ask for a new one.")
		}
		x.Approver, x.Approved = by.ID, now
		return x, "approved", nil
	})
}

// End ends an exception before its time; one person is enough. The same again changes nothing. Codes: role_missing,
// exception_unknown.
func (s *Service) End(ctx context.Context, id string, by policy.Person, now time.Time) (Exception, error) {
	return s.change(ctx, id, by, now, func(x Exception) (Exception, string, error) {
		if !x.Ended.IsZero() || !now.Before(x.Until) {
			return x, "", nil
		}
		x.Ended = now
		return x, "ended", nil
	})
}

// change decides about an exception in one transaction; decide names the step, "" for none.
func (s *Service) change(ctx context.Context, id string, by policy.Person, now time.Time, decide func(Exception) (Exception, string, error)) (Exception, error) {
	var x Exception
	if !decides(by) {
		return x, roleMissing("security, dpo or owner")
	}
	if !idForm.MatchString(id) {
		return x, exceptionUnknown()
	}
	err := s.commit(ctx, now, func(t *turn) error {
		if err := t.tx.Get(exceptions, id, &x); fault.Is(err, fault.NotFound) {
			return exceptionUnknown()
		} else if err != nil {
			return err
		}
		var what string
		var err error
		if x, what, err = decide(x); err != nil || what == "" {
			return err
		}
		if what == "approved" {
			x.Record = t.waived(x).ID()
		}
		t.later(exceptions, id, x)
		t.more = append(t.more, func() error { return t.excepting(x, what, by.ID) })
		return nil
	})
	return x, err
}

// Exceptions returns those that wait, are in force or ended within the last year, newest first.
func (s *Service) Exceptions(ctx context.Context, now time.Time) ([]Exception, error) {
	all, err := store.Find[Exception](s.Store.Query(ctx, store.Query{Collection: exceptions, Limit: store.MaxQueryResults}))
	slices.SortFunc(all, func(a, b Exception) int { return b.Asked.Compare(a.Asked) })
	return all, err
}

// Uses returns how often an exception was used, at most 1,000.
func (s *Service) Uses(ctx context.Context, id string) (int, error) {
	docs, err := s.Store.Query(ctx, store.Query{Collection: uses, Equal: []store.Field{{Name: "exception", Value: id}}, Limit: store.MaxQueryResults})
	return len(docs), err
}

// excepting is the evidence of a step of an exception; what two people agreed is a waiver.
func (t *turn) excepting(x Exception, what, by string) error {
	if what == "approved" {
		return t.put(t.waived(x))
	}
	r := record.New(record.Case, Control, x.Nonce+"#"+what)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "staff", t.now, t.now
	r.Facts = map[string]string{"event": string(x.Kind) + "-" + what, "reason": x.Reason}
	r.Subjects = []record.Subject{t.person("actor", by)}
	return t.put(r)
}

func (t *turn) waived(x Exception) record.Record {
	var promises []string
	if r, known := t.s.Rules.Rule(x.Scope.Rule); known {
		promises = Promises(t.s.Policy, r)
	}
	r := record.New(record.Waiver, Control, x.Nonce+"#approved", promises...)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "staff", x.Approved, x.Approved
	r.Facts = map[string]string{"event": string(x.Kind), "reason": x.Reason}
	if x.Scope.Rule != "" {
		r.Facts["rule"] = x.Scope.Rule
	}
	r.Subjects, r.Expires = []record.Subject{t.person("actor", x.Asker), t.person("second", x.Approver)}, x.Until
	return r
}

func (t *turn) tellOfAsking(x Exception) error {
	return t.s.Notify(t.batch, notice.Notice{
		Kind: notice.ExceptionAsked, Key: x.Nonce, To: t.s.holders(t.now, []string{x.Asker}, deciders...), Link: t.s.Link + "/justify/", Due: x.Until,
		Lines: lines(notice.Line{Label: notice.RuleOf, Text: x.Scope.Rule}, notice.Line{Label: notice.Who, Text: x.Scope.Actor},
			notice.Line{Label: notice.DidWhat, Text: x.Scope.Method}, notice.Line{Label: notice.On, Text: x.Scope.Resource},
			notice.Line{Label: notice.Ticket, Text: x.Ticket}, notice.Line{Label: notice.Answer, Text: x.Reason}),
	})
}

func exceptionUnknown() error {
	return fault.Refuse(fault.NotFound, "exception_unknown", "There is no such exception.", "Look at the list again.")
}

func roleMissing(role string) error {
	return fault.Refuse(fault.Denied, "role_missing", "This takes the role "+role+".", "Ask somebody who has it.")
}

func ownMatter() error {
	return fault.Refuse(fault.Denied, "own_matter", "Nobody decides about what concerns herself.", "Ask a colleague with this role.")
}

func scopeInvalid(detail string) error {
	return fault.Refuse(fault.Invalid, "scope_invalid", detail, "Name more of what it is about.")
}

func ticketInvalid() error {
	return fault.Refuse(fault.Invalid, "ticket_invalid", "This is not a reference: letters, digits and . _ / + : # - only, at most 80.", "Give the number of the ticket.")
}

func noteInvalid() error {
	return fault.Refuse(fault.Invalid, "note_invalid", "The note is longer than 300 bytes, or not one line.", "Write less.")
}

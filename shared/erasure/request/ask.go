package request

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Ask is what somebody asks for, on the public page or signed in to the product. No reason is asked for.
type Ask struct {
	Session  *Session // nil: not signed in
	Source   string   // who asks, for the limit of repetitions: a network, a session; "" for no limit
	Around   []string // the wider networks it is of
	Tenant   string
	Kind     Kind   // "" is Person
	Email    string // of whom; "" for who is signed in. Beside a UID it is not searched for, as it may be somebody else's
	UID      string // of whom, as the product names people; only with a session
	Mandate  string // an agent's reference of her mandate: one line of at most 200 bytes
	Export   bool   // a copy first
	Language string
}

// Receipt is what whoever asked gets, once: the secret is kept as a hash.
type Receipt struct {
	ID     string       `json:"id"`
	Number string       `json:"number"`
	Secret string       `json:"secret"`
	State  State        `json:"state"`
	Due    calendar.Day `json:"due"`
	// Unsearched are the kinds of identifiers that were given and are not searched for: an address named beside an id, unless it
	// is the one on file.
	Unsearched []string `json:"unsearched,omitempty"`
}

var tenantForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// Ask takes a request. The answer is alike whether the company knows the person or not: nobody looks before it is given.
// Codes: not_allowed, other_tenant, body_invalid, identifier_invalid, reauthenticate, too_many (with RetryAfter, for who is signed in
// and asks for the same again while what she asked for is open; never for what comes from the public page, as it may be anybody's
// first: however many come from where she is, those beyond a limit wait for their letter instead).
func (s *Service) Ask(ctx context.Context, a Ask, now time.Time) (Receipt, error) {
	if a.Kind == "" {
		a.Kind = Person
	}
	if err := a.check(s); err != nil {
		return Receipt{}, err
	}
	if err := May(a); err != nil {
		return Receipt{}, err
	}
	d, err := s.draft(Request{
		Kind: a.Kind, Channel: Page, Requester: a.capacity(), Tenant: a.Tenant, Language: s.language(a.Language), Received: now, Entered: now, Export: a.Export,
	})
	if err != nil {
		return Receipt{}, err
	}
	proof := a.fill(&d, now)
	// Nobody could prove it later where no link can be sent, or where it is about somebody else.
	if a.Session != nil && proof == "" && (d.Requester != Subject || a.Session.Email == "") {
		return Receipt{}, fault.Refuse(fault.Denied, "reauthenticate", "Your sign-in is older than five minutes.", "Sign in again, and repeat this.")
	}
	var asked asking
	switch {
	case a.Source != "" && a.Session != nil:
		asked.same = s.mark("ask", a.Source, a.Tenant, string(a.Kind), strings.ToLower(a.Email), a.UID)
	case a.Source != "":
		asked.lines = s.lines(a)
	}
	return s.create(ctx, d, proof, asked, now)
}

// fill puts what is asked into the draft and says how it is proved already, if it is.
func (a Ask) fill(d *draft, now time.Time) (proof Proof) {
	d.private.Mandate = a.Mandate
	if a.Session == nil {
		d.private.Identifiers = []Identifier{{Kind: email, Value: a.Email}}
		return ""
	}
	d.Channel, d.Role, d.private.Reply = Product, a.Session.Role, a.Session.Email
	fresh := a.Session.fresh(now)
	own := []Identifier{{Kind: "uid", Value: a.Session.UID, Verified: fresh}, {Kind: email, Value: a.Session.Email, Verified: fresh}}
	switch {
	case d.Requester == Subject, a.Kind == Account:
		d.private.Identifiers, proof = own, BySession
	default:
		// That both are of one person nobody has checked: beside an id an address is kept, and neither searched for nor written to.
		for _, one := range []Identifier{{Kind: "uid", Value: a.UID, Verified: fresh}, {Kind: email, Value: a.Email, Verified: fresh && a.UID == ""}} {
			if one.Value != "" {
				d.private.Identifiers = append(d.private.Identifiers, one)
			}
		}
		proof = ByTenant
		d.Unsearched = d.private.unsearched(proof)
	}
	d.private.Identifiers = slices.DeleteFunc(d.private.Identifiers, func(one Identifier) bool { return one.Value == "" })
	if !fresh {
		return ""
	}
	return proof
}

func (a *Ask) check(s *Service) error {
	a.Email = strings.TrimSpace(a.Email)
	bad := func(what string) error {
		return fault.Refuse(fault.Invalid, "body_invalid", what, "Correct it and send it again.")
	}
	switch {
	case !tenantForm.MatchString(a.Tenant):
		return bad("The tenant is missing, or not the name of one.")
	case a.Kind != Person && a.Kind != Account:
		return bad("There is no such kind of request; it is erasure or account.")
	case a.Session == nil && a.Email == "":
		return bad("The address is missing.")
	case a.UID != "" && a.Session == nil:
		return bad("Only who is signed in names people by an id.")
	case !isLine(a.Mandate, 200) || !isLine(a.Source, 500):
		return bad("The mandate is longer than 200 bytes, or not one line.")
	case a.Session != nil && (a.Session.UID == "" || !slices.Contains([]Requester{Subject, TenantAdmin, TenantOwner}, a.Session.Role)):
		return fault.Refuse(fault.Denied, "not_allowed", "You may not ask for this.", "Sign in again.")
	}
	if err := s.identifier(email, a.Email); err != nil {
		return err
	}
	return s.identifier("uid", a.UID)
}

// identifier refuses what recognises nobody; "" is fine. Code: identifier_invalid.
func (s *Service) identifier(kind, value string) error {
	if value == "" {
		return nil
	}
	local, domain, found := strings.Cut(value, "@")
	hidden := func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }
	wrong := len(value) > 1500 || !utf8.ValidString(value) || strings.ContainsFunc(value, hidden) ||
		kind == email && (len(value) > 254 || !found || local == "" || !strings.Contains(domain, ".") || strings.Contains(domain, "@"))
	if !wrong && s.Guard != nil {
		wrong = fault.Is(s.Guard(value), fault.Invalid)
	}
	if wrong {
		return fault.Refuse(fault.Invalid, "identifier_invalid", "This is no address or id a search could use.", "Check how it is written.")
	}
	return nil
}

// draft completes a new request with what is random in it.
func (s *Service) draft(r Request) (d draft, err error) {
	d.Request = r
	d.V, d.State, d.Active = version, Received, r.Entered
	for _, one := range []struct {
		into  *string
		bytes int
	}{{&d.ID, 20}, {&d.Number, numberBytes}, {&d.Nonce, 20}, {&d.secret, secretBytes}} {
		if *one.into, err = s.random(one.bytes); err != nil {
			return d, err
		}
	}
	d.ID = s.under(r.Tenant) + d.ID
	d.Secret = hashed(d.secret)
	d.Deadline, err = s.Rules.deadline(d.Request, calendar.Day{})
	return d, err
}

// create puts a request on record before anything else is done with it; one that is proved already begins at once.
func (s *Service) create(ctx context.Context, d draft, proof Proof, asked asking, now time.Time) (Receipt, error) {
	r, err := s.written(ctx, d, proof, now, func(t *turn) error { return t.asked(asked, d.ID) })
	if err != nil {
		return Receipt{}, err
	}
	if proof == "" {
		return Receipt{ID: r.ID, Number: r.Number, Secret: d.secret, State: r.State, Due: r.Deadline.Due}, nil
	}
	v, err := s.view(ctx, r, true, now) // of a duplicate the one that counts
	return Receipt{r.ID, r.Number, d.secret, v.State, v.Due, d.unsearched()}, err
}

// written writes a draft with its first record; before runs in the same transaction.
func (s *Service) written(ctx context.Context, d draft, proof Proof, now time.Time, before func(t *turn) error) (r Request, err error) {
	if d.Private, err = s.seal(ctx, d.ID, d.private); err != nil {
		return r, err
	}
	for range attempts {
		prepared, err := s.prepare(ctx, d.Request, now, d.EnteredBy)
		if err == nil && proof != "" {
			err = prepared.unite(ctx, proof)
		}
		if err != nil {
			return r, err
		}
		err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
			t := prepared
			t.tx, t.batch = tx, batch
			if err := before(&t); err != nil {
				return err
			}
			r, err = t.begin(d, proof)
			return err
		})
		if !errors.Is(err, errMoved) {
			return r, err
		}
	}
	return r, fault.New(fault.Conflict, "writing a request: %w", errMoved)
}

// begin writes a new request, proved or not.
func (t *turn) begin(d draft, proof Proof) (Request, error) {
	e := Event{What: Looked, By: d.EnteredBy} // for the record alone: nobody has looked yet
	d.Paced = t.paced
	first := &deciding{Request: d.Request, e: e, now: t.now, rules: t.s.Rules}
	first.record("received")
	if proof == "" && !first.queues(t.now) {
		first.publish(TopicPlan)
	}
	if d.EnteredBy != "" {
		first.tell(letter.Entered)
	}
	first.schedule()
	if proof == "" {
		return t.put(Request{}, first.Request, e, first.effects)
	}
	proved, err := t.prove(d.Request, Event{Proof: proof, By: d.EnteredBy}, t.private.verified(proof))
	if err != nil {
		return d.Request, err
	}
	after, effects, err := Decide(first.Request, proved, t.now, t.s.Rules)
	if err != nil {
		return after, err
	}
	r, err := t.put(Request{}, after, proved, append(first.effects, effects...))
	if err != nil {
		return r, err
	}
	return r, t.join(r)
}

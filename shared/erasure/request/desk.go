package request

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// MaxListed is how many requests a list holds.
const MaxListed = 200

// File is a request as the desk sees it: with what the person gave, as long as it is kept.
type File struct {
	Request
	Private Private
}

// may refuses who does not look after requests. Code: role_missing.
func (s *Service) may(who policy.Person, now time.Time) error {
	if decides(who, now) {
		return nil
	}
	return fault.Refuse(fault.Denied, "role_missing", "This is for the data protection officer, security and the owner.", "Ask one of them.")
}

// List returns the requests that wait for an answer, the first due first, or those that are over; at most MaxListed.
// Code: role_missing.
func (s *Service) List(ctx context.Context, who policy.Person, over bool, now time.Time) ([]Request, error) {
	all, _, err := s.Browse(ctx, who, Listing{Over: over}, now)
	return all, err
}

// Listing says which requests a page of the desk holds.
type Listing struct {
	State State  // "" for all that wait, or are over
	Show  Show   // without a State, of those that wait
	Over  bool   // without a State: those that are over
	After string // where the page before ended; "" for the first
	Limit int    // 1 to MaxListed; 0 is MaxListed
}

// Browse returns requests that wait for an answer, the first due first, or those that are over, the last due first, and where
// the next page begins; "" for nowhere. Codes: role_missing, body_invalid.
func (s *Service) Browse(ctx context.Context, who policy.Person, l Listing, now time.Time) (all []Request, next string, err error) {
	if err := s.may(who, now); err != nil {
		return nil, "", err
	}
	q := store.Query{Collection: Requests, Equal: []store.Field{{Name: "open", Value: !l.Over}}, Range: &store.Range{Name: "due_at"}, Descending: l.Over, Limit: l.Limit}
	of := func(name string, value any) { q.Equal = []store.Field{{Name: name, Value: value}} }
	switch {
	case l.State != "":
		of("state", string(l.State))
		q.Descending = l.State.Answered()
	case l.Over:
	case l.Show == ShowDesk:
		of("desk", true)
	case l.Show == ShowOverdue:
		q.Range.To = now.UnixMicro() + 1
	case l.Show == ShowPerson:
		of("state", string(IdentityPending))
	case l.Show == ShowUnknown || l.Show == ShowWork:
		of("shown", string(l.Show))
	}
	if q.Limit < 1 || q.Limit > MaxListed {
		q.Limit = MaxListed
	}
	if l.After != "" {
		due, id, found := strings.Cut(l.After, ".")
		at, err := strconv.ParseInt(due, 10, 64)
		if err != nil || !found || !isID(id) {
			return nil, "", fault.Refuse(fault.Invalid, "body_invalid", "There is no such page.", "Begin with the first.")
		}
		q.After = &store.Cursor{Value: at, ID: id}
	}
	if all, err = store.Find[Request](s.Store.Query(ctx, q)); err != nil || len(all) < q.Limit {
		return all, "", err
	}
	last := all[len(all)-1]
	return all, strconv.FormatInt(last.DueAt, 10) + "." + last.ID, nil
}

// Get returns one request. Codes: role_missing, request_unknown.
func (s *Service) Get(ctx context.Context, id string, who policy.Person, now time.Time) (File, error) {
	if err := s.may(who, now); err != nil {
		return File{}, err
	}
	r, err := s.request(ctx, id)
	if err != nil {
		return File{}, err
	}
	private, err := s.open(ctx, r)
	return File{r, private}, err
}

// decided lets a person decide about a request, unless it is about her.
func (s *Service) decided(ctx context.Context, id string, who policy.Person, now time.Time, e Event) (Request, error) {
	return s.decidedBy(ctx, id, who, now, func(Private) (Event, error) { return e, nil })
}

// decidedBy is decided for what depends on what the person gave.
func (s *Service) decidedBy(ctx context.Context, id string, who policy.Person, now time.Time, decide func(Private) (Event, error)) (Request, error) {
	if err := s.may(who, now); err != nil {
		return Request{}, err
	}
	return s.change(ctx, id, now, who.ID, s.asked(who, decide))
}

// holding is decided for what is held or let go: in all requests of the person's.
func (s *Service) holding(ctx context.Context, id string, who policy.Person, now time.Time, e Event) (Request, error) {
	if err := s.may(who, now); err != nil {
		return Request{}, err
	}
	ids, err := s.alike(ctx, id)
	if err != nil {
		return Request{}, err
	}
	decide := s.asked(who, func(Private) (Event, error) { return e, nil })
	return s.change(ctx, id, now, who.ID, func(t *turn) (Event, error) {
		e, err := decide(t)
		if err != nil {
			return e, err
		}
		return e, t.same(ids)
	})
}

// asked is the event of a person's decision, unless it is about her.
func (s *Service) asked(who policy.Person, decide func(Private) (Event, error)) func(t *turn) (Event, error) {
	twins := s.Policy.Twins(who)
	return func(t *turn) (Event, error) {
		if slices.ContainsFunc(s.addresses(who, twins), t.private.Concerns) {
			return Event{}, fault.Refuse(fault.Denied, "own_matter", "Nobody decides about her own request.", "Ask another person.")
		}
		e, err := decide(t.private)
		e.By, e.Twins = who.ID, twins
		return e, err
	}
}

// addresses are those of a person, and of whoever may be the same human.
func (s *Service) addresses(who policy.Person, twins []string) []string {
	all := append([]string{who.Email}, who.Also...)
	for _, id := range twins {
		if twin, known := s.Policy.PersonByID(id); known {
			all = append(append(all, twin.Email), twin.Also...)
		}
	}
	return all
}

// Concerns reports whether an address is the person's.
func (p Private) Concerns(address string) bool {
	all := []string{p.OnFile, p.Reply}
	for _, one := range p.Identifiers {
		all = append(all, one.Value)
	}
	return slices.ContainsFunc(all, func(one string) bool { return one != "" && strings.EqualFold(one, address) })
}

// Approve takes a person's word for the plan with that digest. Codes: role_missing, request_unknown, own_matter, approve_self,
// plan_changed, state_conflict.
func (s *Service) Approve(ctx context.Context, id string, who policy.Person, digest string, now time.Time) (Request, error) {
	return s.decided(ctx, id, who, now, Event{What: Approve, Digest: digest})
}

// Reject refuses a request: the first person proposes it, a second one with the same ground decides. Codes as of Approve;
// ground_invalid, too_late.
func (s *Service) Reject(ctx context.Context, id string, who policy.Person, g Ground, citation string, now time.Time) (Request, error) {
	return s.decided(ctx, id, who, now, Event{What: Reject, Refusal: &Refusal{Ground: g, Citation: strings.TrimSpace(citation)}})
}

// Hold keeps something from being erased: the first person proposes it, a second one with the same words decides. ID, By,
// Second and At of h are filled in. Codes as of Approve; ground_invalid, hold_invalid, too_late.
func (s *Service) Hold(ctx context.Context, id string, who policy.Person, h Hold, now time.Time) (Request, error) {
	hold, err := s.random(10)
	if err != nil {
		return Request{}, err
	}
	h.ID, h.Citation = hold, strings.TrimSpace(h.Citation)
	return s.holding(ctx, id, who, now, Event{What: HoldIt, Hold: &h})
}

// Release ends a hold; what it kept is searched for and erased. Codes as of Approve; hold_unknown.
func (s *Service) Release(ctx context.Context, id string, who policy.Person, hold string, now time.Time) (Request, error) {
	return s.holding(ctx, id, who, now, Event{What: Release, ID: hold})
}

// Extend takes two further months and tells the person why. Codes as of Approve; extended_already, notice_late,
// reason_invalid.
func (s *Service) Extend(ctx context.Context, id string, who policy.Person, why ExtensionReason, now time.Time) (Request, error) {
	return s.decided(ctx, id, who, now, Event{What: Extend, Reason: why})
}

// Exported notes that the person got the copy she asked for, on a day; zero for today. It stands on record under who said so,
// and in the receipt. Codes as of Approve; body_invalid, for a day that is none.
func (s *Service) Exported(ctx context.Context, id string, who policy.Person, day calendar.Day, now time.Time) (Request, error) {
	return s.decided(ctx, id, who, now, Event{What: Exported, Day: day})
}

// GiveUp ends a request whose identity cannot be established, and tells the person so where she wrote from. Codes as of
// Approve.
func (s *Service) GiveUp(ctx context.Context, id string, who policy.Person, now time.Time) (Request, error) {
	return s.decided(ctx, id, who, now, Event{What: GivenUp})
}

// PassOn sends a request nobody proved to the contact of the tenant whose data it may concern: it is told what the person
// wrote, and that nobody has checked who she is. Nothing is searched, and nobody learns whether there is data. One that was
// to be passed on and could not be goes out again. Codes as of Approve but plan_changed; body_invalid, for a tenant without a
// contact.
func (s *Service) PassOn(ctx context.Context, id string, who policy.Person, tenant string, now time.Time) (Request, error) {
	return s.decided(ctx, id, who, now, Event{What: PassOn, Tenant: tenant})
}

// Settle says that there is another owner than the last one who asks: it is searched again, and goes on where the search finds that
// owner; against the search the second person's word decides. Codes as of Approve but plan_changed.
func (s *Service) Settle(ctx context.Context, id string, who policy.Person, now time.Time) (Request, error) {
	return s.decided(ctx, id, who, now, Event{What: Settle})
}

// Reviewed notes that somebody has looked at so many items of an entry and done what is right with them: searches count them
// as open no more. Items is at most what the plan or the last search counted; 0 says that an entry in which nothing can be
// searched for holds nothing of the person. Codes as of Approve; review_unknown.
func (s *Service) Reviewed(ctx context.Context, id string, who policy.Person, entry string, items int64, now time.Time) (Request, error) {
	return s.Looked(ctx, id, who, Look{Entry: entry, Items: items}, now)
}

// Looked is Reviewed of the very items that she saw, by Look.Set: when others were found since, as many or not, she has not seen them.
// Without a Set, where others were found since the first, it is refused. Codes as of Reviewed.
func (s *Service) Looked(ctx context.Context, id string, who policy.Person, l Look, now time.Time) (Request, error) {
	l.Why = ""
	return s.decided(ctx, id, who, now, Event{What: Review, Look: l})
}

// Judged notes what somebody has found out by hand of an entry of which the last search says Letters, that nothing of the
// person is there in other letters, or Group, that of so many items made anonymous nobody can be told apart. It stands on
// record under who said so. Codes as of Reviewed.
func (s *Service) Judged(ctx context.Context, id string, who policy.Person, entry, why string, items int64, now time.Time) (Request, error) {
	if why != Letters && why != Group {
		return Request{}, fault.Refuse(fault.Conflict, "review_unknown", "Nobody has to answer that.", "Look at the request again.")
	}
	return s.decided(ctx, id, who, now, Event{What: Review, Look: Look{Entry: entry, Items: items, Why: why}})
}

// DoneElsewhere notes that somebody has the person erased in an entry of which the last search says Region: where it lies this
// deployment neither searches nor erases. The reference is an id of what was done there, such as that of the other deployment's
// request or receipt; it stands on record under who said so, and in the receipt, so it names nobody. Codes as of Reviewed;
// reference_invalid.
func (s *Service) DoneElsewhere(ctx context.Context, id string, who policy.Person, entry, reference string, now time.Time) (Request, error) {
	return s.decidedBy(ctx, id, who, now, func(p Private) (Event, error) {
		return Event{What: Review, Look: Look{Entry: entry, Why: Region}, Reference: reference}, p.referring(reference)
	})
}

var referenceForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{2,127}$`)

// leastNamed is how long an identifier is that no reference may hold: shorter ones are found everywhere.
const leastNamed = 4

// referring refuses what is no id, or tells of the person.
func (p Private) referring(reference string) error {
	named := func(one Identifier) bool {
		return len(one.Value) >= leastNamed && strings.Contains(strings.ToLower(reference), strings.ToLower(one.Value))
	}
	if !referenceForm.MatchString(reference) || slices.ContainsFunc(p.Identifiers, named) {
		return fault.Refuse(fault.Invalid, "reference_invalid", "The reference is not an id of three to 128 letters, digits and . _ -, or it holds something of the person.", "Give the id of the request or the receipt in the other deployment.")
	}
	return nil
}

// Resume searches again after what stood in the way was put right. Codes as of Approve.
func (s *Service) Resume(ctx context.Context, id string, who policy.Person, now time.Time) (Request, error) {
	return s.decided(ctx, id, who, now, Event{What: Resume})
}

package episode

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// By is who acts, on what she saw.
type By struct {
	Person   policy.Person
	Revision string // View.Revision she looked at; "" for the present one
}

// Answer is a justification: a reason with maybe a ticket, or NotMe.
type Answer struct {
	Reason Reason
	Words  string // in the person's own, one line of at most 300 bytes; needed with Other. They never leave the store
	Ticket string
	NotMe  bool
}

// idForm is what ids of episodes and exceptions look like.
var idForm = regexp.MustCompile(`^[a-z2-7]{26}$`)

// Answer takes a justification. The same again changes nothing. It covers the members that are there now, or that she saw.
// Codes: episode_unknown, role_missing, reason_invalid, ticket_invalid, episode_moved, episode_settled, episode_answered.
func (s *Service) Answer(ctx context.Context, id string, by By, a Answer, now time.Time) (Episode, error) {
	switch {
	case !isLine(a.Words), a.NotMe && (a.Reason != "" && a.Reason != Other || a.Ticket != ""), !a.NotMe && !slices.Contains(Reasons(), a.Reason), a.Reason == Other && a.Words == "":
		var all []string
		for _, r := range Reasons() {
			all = append(all, string(r))
		}
		return Episode{}, fault.Refuse(fault.Invalid, "reason_invalid", "There is no such reason, it is longer than 300 bytes or not one line, or it stands beside not_me.", "Give one of "+strings.Join(all, ", ")+", or your own words in one line, or not_me without a ticket.")
	case a.Ticket != "" && !ticketForm.MatchString(a.Ticket):
		return Episode{}, ticketInvalid()
	}
	return s.decide(ctx, id, by, now, func(e Episode) (Episode, bool, []step, error) {
		if !s.answers(e, by.Person) && (e.State != Answered || e.AnsweredBy != by.Person.ID) {
			return e, false, nil, roleMissing("of who is asked, or of her manager; security where nobody can be asked")
		}
		return e.answer(by.Person.ID, a, now)
	})
}

// Review takes the second person's verdict; of what asks nobody and is below
// high, the only one's. The same again changes nothing.
// Note is one line of at most 300 bytes, or empty. Codes: episode_unknown, role_missing, verdict_invalid, note_invalid,
// episode_moved, episode_settled, not_answered, review_self, same_person.
func (s *Service) Review(ctx context.Context, id string, by By, v Verdict, note string, now time.Time) (Episode, error) {
	note = strings.TrimSpace(note)
	switch {
	case v != Accept && v != Refuse:
		return Episode{}, fault.Refuse(fault.Invalid, "verdict_invalid", "There is no such verdict.", "Say accepted or refused.")
	case !isLine(note):
		return Episode{}, noteInvalid()
	}
	return s.decide(ctx, id, by, now, func(e Episode) (Episode, bool, []step, error) {
		switch {
		case e.concerns(by.Person) || e.State == Answered && e.AnsweredBy == by.Person.ID:
			return e, false, nil, fault.Refuse(fault.Denied, "review_self", "Nobody reviews what she did, what went through her hands, or what she answered herself.", "Ask another person.")
		case s.twin(e, by.Person):
			return e, false, nil, policy.SamePerson()
		case !s.reviews(e, by.Person) && e.ReviewedBy != by.Person.ID:
			return e, false, nil, roleMissing("of the manager, or security, dpo or owner")
		}
		return e.review(by.Person.ID, v, note, now)
	})
}

// decide carries one decision about one episode out, in one transaction: the episode, its evidence, its messages.
func (s *Service) decide(ctx context.Context, id string, by By, now time.Time, decide func(Episode) (Episode, bool, []step, error)) (Episode, error) {
	if !idForm.MatchString(id) {
		return Episode{}, unknown()
	}
	var w *working
	err := s.commit(ctx, now, func(t *turn) (err error) {
		w, err = t.episode(id)
		switch {
		case err != nil:
			return err
		case w == nil || !s.MayLook(w.Episode, by.Person, now):
			return unknown()
		}
		e, same, steps, err := decide(w.Episode)
		if err != nil || same {
			return err
		}
		if by.Revision != "" {
			all, err := listed(t.tx.Query, w.Episode)
			if err != nil {
				return err
			}
			if by.Revision != revision(w.Episode, len(all)) {
				return moved()
			}
		}
		w.Episode, w.by = e, by.Person.ID
		t.touch(w, steps...)
		return nil
	})
	if err != nil {
		return Episode{}, err
	}
	return w.Episode, nil
}

// revision names a state of an episode with so many members.
func revision(e Episode, members int) string {
	return strconv.FormatInt(e.Rev, 10) + "-" + strconv.Itoa(members)
}

// listed reads the members of an episode and of those that joined it, oldest first.
func listed(read func(store.Query) ([]store.Document, error), e Episode) ([]Listed, error) {
	var all []Listed
	for _, id := range append([]string{e.ID}, e.Parts...) {
		docs, err := read(store.Query{Collection: members, Equal: []store.Field{{Name: "episode", Value: id}}, Range: &store.Range{Name: "at"}, Limit: store.MaxQueryResults})
		if err != nil {
			return nil, err
		}
		found, err := store.Find[member](docs, nil)
		if err != nil {
			return nil, err
		}
		for i, m := range found {
			all = append(all, Listed{ID: docs[i].ID, At: time.UnixMicro(m.At).UTC(), Round: m.Round})
		}
	}
	slices.SortStableFunc(all, func(a, b Listed) int { return a.At.Compare(b.At) })
	return all, nil
}

// shown is how many members of an episode a page tells the details of, the newest.
const shown = 100

// Get returns an episode with its members, for a person who may look at it. Code: episode_unknown, also for her who may
// not.
func (s *Service) Get(ctx context.Context, id string, who policy.Person, now time.Time) (View, error) {
	if !idForm.MatchString(id) {
		return View{}, unknown()
	}
	var e Episode
	for range 3 {
		if err := s.Store.Get(ctx, Episodes, id, &e); fault.Is(err, fault.NotFound) {
			return View{}, unknown()
		} else if err != nil {
			return View{}, err
		}
		if e.State != Joined {
			break
		}
		id = e.Into
	}
	if !s.MayLook(e, who, now) {
		return View{}, unknown()
	}
	all, err := listed(func(q store.Query) ([]store.Document, error) { return s.Store.Query(ctx, q) }, e)
	if err != nil {
		return View{}, err
	}
	for i := max(len(all)-shown, 0); i < len(all); i++ {
		if err := s.Store.Get(ctx, details, all[i].ID, &all[i].Detail); err != nil && !fault.Is(err, fault.NotFound) {
			return View{}, err
		}
	}
	return View{Episode: e, Revision: revision(e, len(all)), Members: all}, nil
}

// most is how many episodes a list holds.
const most = 200

// List returns the episodes a person may look at, the open ones first, the newest first, at most 200: hers and those of the people she manages;
// for security, dpo, owner and auditors also all that are open.
func (s *Service) List(ctx context.Context, who policy.Person, now time.Time) ([]Episode, error) {
	if who.ID == "" {
		return nil, nil
	}
	fields := []store.Field{{Name: "person", Value: who.ID}}
	for _, p := range s.Policy.People {
		if p.Manager == who.ID {
			fields = append(fields, store.Field{Name: "person", Value: p.ID})
		}
	}
	if decides(who) || who.Has(policy.Auditor) {
		fields = append(fields, store.Field{Name: "open", Value: true}, store.Field{Name: "open", Value: false})
	}
	byID := map[string]Episode{}
	for _, f := range fields {
		found, err := store.Find[Episode](s.Store.Query(ctx, store.Query{
			Collection: Episodes, Equal: []store.Field{f}, Range: &store.Range{Name: "alarmed", From: 1}, Descending: true, Limit: most,
		}))
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			if s.MayLook(e, who, now) {
				byID[e.ID] = e
			}
		}
	}
	all := make([]Episode, 0, len(byID))
	for _, e := range byID {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Episode) int {
		switch {
		case a.Open != b.Open:
			if a.Open {
				return -1
			}
			return 1
		case a.Alarmed != b.Alarmed:
			return int(b.Alarmed - a.Alarmed)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all[:min(len(all), most)], nil
}

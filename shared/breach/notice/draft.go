package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// private is what people wrote, and whom they wrote it for. Texts are only ever added.
type private struct {
	Draft   Draft    `json:"draft"`
	Tenants []string `json:"tenants,omitempty"` // none: for persons
	Without []string `json:"without,omitempty"` // tenants it was meant for, and nobody is named to be told at
	Texts   []string `json:"texts,omitempty"`
	// Said is what a notice to persons says, by language, as it was composed when it was written: nothing else keeps it.
	Said []Message `json:"said,omitempty"`
}

// maxPrivate bounds what people write for one notice, in bytes.
const maxPrivate = 480 << 10

// add appends a text and returns its number; 0 for none.
func (p *private) add(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	if len(text) > MaxText {
		return 0, fault.Refuse(fault.Invalid, "text_invalid", "The text has more than 8,000 bytes.", "Shorten it.")
	}
	p.Texts = append(slices.Clone(p.Texts), text)
	return len(p.Texts), nil
}

func (p private) text(n int) string {
	if n < 1 || n > len(p.Texts) {
		return ""
	}
	return p.Texts[n-1]
}

// place binds what is sealed to its notice.
func place(id string) []byte { return []byte("ostiary breach notice\x00" + id) }

func (s *Service) open(ctx context.Context, n Notice) (p private, err error) {
	if n.Private == nil {
		return p, nil
	}
	plain, err := seal.Open(ctx, s.Keys, *n.Private, place(n.ID))
	if err != nil {
		return p, err
	}
	defer seal.Wipe(plain)
	if json.Unmarshal(plain, &p) != nil {
		return p, fault.New(fault.Invalid, "reading a notice: not what was kept")
	}
	return p, nil
}

func (s *Service) seal(ctx context.Context, id string, p private) (*seal.Envelope, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, fault.New(fault.Invalid, "keeping a notice: %w", err)
	}
	defer seal.Wipe(plain)
	if len(plain) > maxPrivate {
		return nil, fault.Refuse(fault.Invalid, "texts_invalid", "The notice is too long: what is written for single tenants counts with it.", "Write two notices, each for some of the tenants.")
	}
	e, err := seal.Seal(ctx, s.Keys, s.Random, plain, place(id))
	return &e, err
}

// Opened is a notice as people of the desk read it.
type Opened struct {
	Notice
	Draft   Draft
	Tenants []string // it is for; none: for persons
	Without []string // tenants it was meant for, and nobody is named to be told at: somebody calls them
	Reason  string   // why one person approved it alone
	How     string   // by what means persons were told
	Now     string   // of Preview: digest of what would be sent now. Another than Hash: it has to be written again
}

func name(caseID string, n int) string { return fmt.Sprintf("%s.%d", caseID, n) }

func (s *Service) get(ctx context.Context, caseID string, n int) (found Notice, err error) {
	if caseID == "" || len(caseID) > 64 || n < 1 {
		return found, unknown()
	}
	if err = s.Store.Get(ctx, Notices, name(caseID, n), &found); fault.Is(err, fault.NotFound) {
		return found, unknown()
	}
	return found, err
}

func unknown() error {
	return fault.Refuse(fault.NotFound, "notice_unknown", "The case has no such notice.", "Look at the notices of the case.")
}

// Get returns a notice with what people wrote. Code: notice_unknown.
func (s *Service) Get(ctx context.Context, caseID string, n int) (Opened, error) {
	o, _, err := s.opened(ctx, caseID, n)
	return o, err
}

func (s *Service) opened(ctx context.Context, caseID string, n int) (o Opened, p private, err error) {
	if o.Notice, err = s.get(ctx, caseID, n); err != nil {
		return o, p, err
	}
	p, err = s.open(ctx, o.Notice)
	o.Draft, o.Tenants, o.Without, o.Reason, o.How = p.Draft, p.Tenants, p.Without, p.text(o.Notice.Reason), p.text(o.Notice.Means)
	return o, p, err
}

// Preview returns a notice, while it may still be written or approved with exactly what would be sent now, whoever would get
// it. Of one that was approved there is only what was approved for the persons: what tenants got is with Kept. Codes:
// notice_unknown, and those of Write, with the notice as it was written.
func (s *Service) Preview(ctx context.Context, caseID string, n int, now time.Time) (Opened, []Message, error) {
	o, p, err := s.opened(ctx, caseID, n)
	if err != nil {
		return o, nil, err
	}
	if o.State != Drafted && o.State != Expired {
		return o, p.Said, nil
	}
	about, err := s.Case(ctx, caseID)
	if err != nil {
		return o, nil, err
	}
	all, hash, err := s.compose(o.Notice, p, about, now)
	o.Now = hash
	return o, all, err
}

// maxNotices bounds a case.
const maxNotices = 500

// List returns the notices of a case, oldest first, without what people wrote.
func (s *Service) List(ctx context.Context, caseID string) ([]Notice, error) {
	return store.Find[Notice](s.Store.Query(ctx, store.Query{Collection: Notices, Equal: []store.Field{{Name: "case", Value: caseID}}, Range: &store.Range{Name: "n"}, Limit: maxNotices}))
}

// Write takes a version of a notice: of a new one where n is 0. tenants are whom it is for, nil for those of Choice; for
// persons there are none. The same again changes nothing. Codes: case_closed, contact_missing (nobody to be
// told at a tenant), subject_invalid (a tenant the case does not concern, or that is not told), texts_missing, texts_invalid,
// notice_unknown, and those of Decide.
func (s *Service) Write(ctx context.Context, by policy.Person, caseID string, n int, d Draft, tenants []string, now time.Time) (Notice, error) {
	return s.again(func() (Notice, error) {
		about, err := s.Case(ctx, caseID)
		if err != nil {
			return Notice{}, err
		}
		before := Notice{V: version, Case: caseID, N: n, ID: name(caseID, n)}
		if n > 0 {
			if before, err = s.get(ctx, caseID, n); err != nil {
				return before, err
			}
			// Of one that is sent nobody is left to be chosen: that it is sent is what is wrong.
			if _, _, err := Decide(before, Event{What: Write, By: s.actor(by)}, now); err != nil {
				return before, err
			}
		}
		p := private{Draft: d}
		if p.Tenants, err = s.choose(ctx, about, caseID, d.Kind, tenants); err != nil {
			return before, err
		}
		if p.Tenants, p.Without, err = s.reachable(p.Tenants, about, now); err != nil {
			return before, err
		}
		all, err := s.List(ctx, caseID)
		if err != nil {
			return before, err
		}
		if n == 0 {
			if before, err = s.fresh(ctx, by, caseID, p, all); err != nil || before.State != "" {
				return before, err
			}
		}
		before.Prior = prior(all, before.N)
		return s.write(ctx, by, before, p, about, now)
	})
}

// fresh is a notice that is none yet, or the draft this one is written into again.
func (s *Service) fresh(ctx context.Context, by policy.Person, caseID string, p private, all []Notice) (Notice, error) {
	if len(all) >= maxNotices {
		return Notice{}, fault.Refuse(fault.Conflict, "state_conflict", "The case has too many notices already.", "Write another version of one that is not sent yet.")
	}
	for _, one := range all {
		if one.State != Drafted || one.Author != by.ID {
			continue
		}
		old, err := s.open(ctx, one)
		if err != nil {
			return one, err
		}
		if p.Draft.Version = old.Draft.Version; reflect.DeepEqual(old.Draft, p.Draft) && slices.Equal(old.Tenants, p.Tenants) {
			return one, nil
		}
	}
	n := len(all) + 1
	return Notice{V: version, Case: caseID, N: n, ID: name(caseID, n)}, nil
}

// write makes one attempt at a version of a notice as it was read.
func (s *Service) write(ctx context.Context, by policy.Person, before Notice, p private, about About, now time.Time) (Notice, error) {
	if about.shut(p.Draft.Kind) {
		return before, closed()
	}
	old, err := s.open(ctx, before)
	if err != nil {
		return before, err
	}
	p.Texts, p.Said = old.Texts, old.Said
	if p.Draft.Version = before.Version; before.State == Drafted && reflect.DeepEqual(old, p) {
		return before, nil // the same again
	}
	p.Draft.Version++
	all, hash, err := s.compose(before, p, about, now)
	if err != nil {
		return before, err
	}
	if p.Said = nil; p.Draft.Kind == Persons {
		p.Said = all
	}
	e := Event{What: Write, By: s.actor(by), Kind: p.Draft.Kind, Hash: hash, To: len(all), Stall: about.stall(p.Draft.Kind, p.Tenants)}
	return s.change(ctx, before, e, about, &p, nil, now)
}

func closed() error {
	return fault.Refuse(fault.Conflict, "case_closed", "The case is closed; nothing is sent about it.", "Open it again, with a reason.")
}

func actor(p policy.Person) Actor { return Actor{ID: p.ID, Roles: p.Roles} }

// actor is a person who does something, with whom she is not two.
func (s *Service) actor(p policy.Person) Actor {
	a := actor(p)
	a.Twins = s.Policy.Twins(p)
	return a
}

// errMoved: the notice is not the one that was read before the transaction. Read it and begin again.
var errMoved = errors.New("the notice has changed")

// attempts is how often a change begins again because of errMoved.
const attempts = 8

func (s *Service) again(try func() (Notice, error)) (n Notice, err error) {
	for range attempts {
		if n, err = try(); !errors.Is(err, errMoved) {
			return n, err
		}
	}
	return n, fault.New(fault.Conflict, "changing a notice: %w", errMoved)
}

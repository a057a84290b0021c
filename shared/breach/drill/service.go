package drill

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Control stands in records of the tests of channels. Those of exercises have that of cases.
const Control = "breach-channels"

// Drills is the collection of the database "breach".
const Drills = "drills"

const (
	version  = 1
	schedule = "schedule" // id of the one document that is no drill
	page     = 100        // of a query
)

// Collection declares what the control's schema holds for this package.
func Collection() []store.Collection {
	return []store.Collection{{Name: Drills, Indexes: []store.Index{{"next"}, {"since"}}}}
}

//go:embed texts
var texts embed.FS

// What staff are told.
const (
	sayChannel = "channel" // the test itself
	sayLost    = "lost"
	sayUnread  = "unread"
	sayResult  = "result"
	sayReview  = "review"
)

var spec = letters.Spec{
	Control: "drill", Texts: texts,
	Needs: map[string][]string{
		sayChannel: {"channel", "desk"}, sayLost: {"channels", "desk"}, sayUnread: {"channels", "desk"}, sayResult: {"exercise", "number", "outcome", "steps", "desk"}, sayReview: {"by", "desk"},
	},
	Common: []string{"company"}, Whole: []string{"desk", "steps", "exercise"},
}

// Letters reads what staff are told: read returns a company's own text, templates/en/drill-KIND.txt, where it has one.
func Letters(read func(name string) ([]byte, bool)) (*letters.Set, error) {
	if err := cases.CheckMarks(spec, read); err != nil {
		return nil, err
	}
	return letters.Read(spec, read)
}

// Config is what a Service needs. Store and Box must be of the same database as those of cases.
type Config struct {
	Store    store.Store
	Box      *outbox.Box
	Policy   *policy.Policy
	Digest   string // of the policy, named in records
	Breach   breach.Policy
	Letters  *letters.Set
	Messages *seal.Cache
	Cases    *cases.Service
	// Notices lists those of a case, in their order.
	Notices func(ctx context.Context, caseID string) ([]notice.Notice, error)
	// OutOfBand is where somebody's number for text messages is, by the channel sms; nil: nobody has one.
	OutOfBand func(person, channel string) (to string, ok bool)
	Desk      string    // address of a case's page; its id follows in the fragment
	Page      string    // address of the page on which the message of a test is confirmed; its id follows. By default Desk
	Random    io.Reader // nil means crypto/rand
}

// Service holds drills. It is safe for concurrent use. On any error nothing was changed, but that after Transient it may have
// been: everything here may be called again.
type Service struct {
	Config
	promises []string
}

// New returns a Service, or Misconfigured when a part is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Policy == nil || c.Letters == nil || c.Messages == nil || c.Cases == nil || c.Notices == nil || c.Breach.DrillEvery.IsZero() {
		return nil, fault.New(fault.Misconfigured, "drills: store, outbox, policy, letters, keys, cases, notices and how often they are held are all needed")
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Page == "" {
		c.Page = c.Desk
	}
	s := &Service{Config: c}
	for _, p := range c.Policy.Promises {
		if p.Check == cases.Control {
			s.promises = append(s.promises, p.ID)
		}
	}
	return s, nil
}

// List returns drills, newest first; after is the cursor of the last, nil for the first page.
func (s *Service) List(ctx context.Context, after *store.Cursor, limit int) ([]Drill, error) {
	return store.Find[Drill](s.Store.Query(ctx, store.Query{Collection: Drills, Range: &store.Range{Name: "since"}, Descending: true, After: after, Limit: limit}))
}

// Confirm notes that somebody read the message of a test on a channel. Codes: drill_unknown, channel_unknown, not_allowed
// (whoever is called by no step of the ladder).
func (s *Service) Confirm(ctx context.Context, by policy.Person, id, channel string, now time.Time) (Drill, error) {
	d, err := s.get(ctx, id)
	switch {
	case err != nil:
		return d, err
	case !s.called(by):
		return d, fault.Refuse(fault.Denied, "not_allowed", "Only somebody who is called in a breach confirms that the call arrives.", "Ask somebody of the ladder.")
	case d.Kind != Channels || !d.tries(channel):
		return d, fault.Refuse(fault.NotFound, "channel_unknown", "That test has no message on this channel.", "Look at the list of drills.")
	}
	return s.do(ctx, id, Event{Confirmed: channel}, now)
}

func (d Drill) tries(channel string) bool {
	for _, t := range d.Tries {
		if t.Channel == channel && t.Key != "" {
			return true
		}
	}
	return false
}

func (s *Service) called(p policy.Person) bool {
	for _, step := range s.Breach.Rules.Ladder {
		for _, role := range step.Roles {
			if p.Has(role) {
				return true
			}
		}
	}
	return false
}

// keyed begins the key of every message of a test; the id of the drill and the channel follow.
const keyed = "breach-drill/"

// Answered takes what became of a message. Answers to others' messages are passed over.
func (s *Service) Answered(ctx context.Context, a message.Answer, now time.Time) error {
	rest, ours := strings.CutPrefix(a.Key, keyed)
	id, _, is := strings.Cut(rest, "/")
	if !ours || !is {
		return nil
	}
	try := &Try{Key: a.Key, Reached: Accepted, At: a.At}
	if a.State != message.StateAccepted {
		try.Reached, try.Why = Lost, string(a.State)
	}
	_, err := s.do(ctx, id, Event{Answer: try}, now)
	if fault.CodeOf(err) == "drill_unknown" {
		return nil
	}
	return err
}

func (s *Service) get(ctx context.Context, id string) (d Drill, err error) {
	if id == "" || len(id) > 64 || id == schedule {
		return d, unknown()
	}
	if err = s.Store.Get(ctx, Drills, id, &d); fault.Is(err, fault.NotFound) {
		return d, unknown()
	}
	return d, err
}

func unknown() error {
	return fault.Refuse(fault.NotFound, "drill_unknown", "There is no such drill.", "Look at the list of drills.")
}

// errMoved: the drill is not the one that was read before the transaction. Read it and begin again.
var errMoved = errors.New("the drill has changed")

const attempts = 8

// do lets an event happen, in one transaction with its evidence and its messages.
func (s *Service) do(ctx context.Context, id string, e Event, now time.Time) (Drill, error) {
	for range attempts {
		before, err := s.get(ctx, id)
		if err != nil {
			return before, err
		}
		after, err := s.try(ctx, before, e, now)
		if !errors.Is(err, errMoved) {
			return after, err
		}
	}
	return Drill{}, fault.New(fault.Conflict, "changing a drill: %w", errMoved)
}

// name returns so many random letters and digits.
func (s *Service) name(n int) (string, error) {
	raw := make([]byte, (n*5+7)/8)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return "", fault.New(fault.Transient, "making an id: %w", err)
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))[:n], nil
}

// begun starts a record about a drill.
func (s *Service) begun(d Drill, now time.Time) record.Record {
	control := cases.Control
	if d.Kind == Channels {
		control = Control // an exercise that is passed later mends no channel
	}
	rec := record.New(record.Drill, control, d.Nonce+"#"+d.ID, s.promises...)
	rec.Config, rec.Method = s.Digest, record.Test
	rec.Source.Type, rec.Source.Observed, rec.Source.Collected = "drill", d.Begun, now
	rec.Window = record.Window{From: d.Begun, To: now}
	rec.Facts = map[string]string{"drill": string(d.Kind), "state": string(d.State)}
	rec.Result.State = map[State]record.State{Passed: record.Kept, Failed: record.Broken, Unread: record.Unknown}[d.State]
	return rec
}

// result is the evidence of how a drill went.
func (s *Service) result(d Drill, now time.Time) record.Record {
	rec := s.begun(d, now)
	for _, step := range d.Steps {
		rec.Facts[step.Name+"_limit_s"] = fmt.Sprint(int64(step.Limit.Seconds()))
		if rec.Facts[step.Name+"_s"] = "never"; !step.At.IsZero() {
			rec.Facts[step.Name+"_s"] = fmt.Sprint(int64(step.At.Sub(d.Begun).Seconds()))
		}
	}
	for _, t := range d.Tries {
		rec.Facts["channel_"+t.Channel] = string(t.Reached)
	}
	if d.Case != "" {
		rec.Subjects = []record.Subject{{Type: "case", C: record.Commitment([]byte(d.Nonce), "case", d.Case)}}
	}
	return rec
}

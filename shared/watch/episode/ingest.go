package episode

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"time"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
)

// Outcome is what became of an entry.
type Outcome struct {
	Again     bool // it was taken before
	Waits     bool // it is a part of an entry, and the others have not come yet
	Heartbeat bool // it is our own marker, which the rules judge as any entry
	Hits      int  // that rules found by it
	Told      int  // messages to other controls
}

// taken is the mark of an entry that a rule wanted, by its id, and what rules that judge later tell of it.
type taken struct {
	V       int       `json:"v"`
	Origin  Origin    `json:"origin"`
	Expires time.Time `json:"expires"`
}

// Ingest takes an entry: the rules judge it, and what follows is one transaction with its mark. An entry that no rule
// wants writes nothing, but once an hour that its stream is written. The parts of an entry that was split are kept, for
// Lateness at most, and judged as one when the last has come; where one does not come, Tick judges what there is. Errors: Transient and others of the store, the vault and the bus; the entry is to come again.
func (s *Service) Ingest(ctx context.Context, e auditlog.Entry, now time.Time) (Outcome, error) {
	if e.Part() {
		return s.part(ctx, e, now)
	}
	beat, err := s.beaten(ctx, &e)
	if err != nil {
		return Outcome{}, err
	}
	if !beat {
		if err := s.note(ctx, &e, now); err != nil {
			return Outcome{}, err
		}
	}
	out, err := s.judge(ctx, e, nil, now)
	out.Heartbeat = beat
	return out, err
}

// judge judges an entry, one that was put together from parts with what was stored of them.
func (s *Service) judge(ctx context.Context, e auditlog.Entry, made *piecemeal, now time.Time) (Outcome, error) {
	told := s.derive(&e)
	wanted, err := s.wants(ctx, &e, now)
	if err != nil {
		return Outcome{}, err
	}
	if !wanted && made == nil {
		return Outcome{Told: len(told)}, s.publish(ctx, told, &e)
	}
	var out Outcome
	err = s.commit(ctx, now, func(t *turn) (err error) {
		out, err = t.entered(&e, told, made)
		return err
	})
	return out, err
}

// entered takes an entry that a rule wants, or that was put together, unless it was taken before.
func (t *turn) entered(e *auditlog.Entry, told []derived, made *piecemeal) (Outcome, error) {
	t.entry = e
	var mark taken
	if err := t.tx.Get(entries, e.ID, &mark); err == nil {
		return Outcome{Again: true}, nil
	} else if !fault.Is(err, fault.NotFound) {
		return Outcome{}, err
	}
	if made != nil {
		if err := t.unmoved(e.ID, made); err != nil {
			return Outcome{}, err
		}
	}
	hits, err := t.s.Rules.Evaluate(t.ctx, e, t.mem, t.now)
	if err != nil {
		return Outcome{}, err
	}
	all := make([]found, len(hits))
	for i, h := range hits {
		all[i] = t.s.finding(h, t.now)
	}
	watermark := t.now
	if made != nil {
		watermark = made.due
		if e.Service == "" && e.Method == "" {
			all = append(all, partless(e, t.now))
		}
	}
	if err := t.take(all, watermark); err != nil || !t.changes() && len(told) == 0 && made == nil {
		return Outcome{Hits: len(hits)}, err
	}
	mark = taken{V: Version, Expires: t.now.Add(keptMark)}
	if t.changes() || made == nil { // else it says only that the parts were judged
		mark.Origin = originOf(e, t.mem.policy)
	}
	t.later(entries, e.ID, mark)
	if made != nil {
		t.more = append(t.more, func() error { return t.spend(e.ID, made) })
	}
	for _, m := range told {
		t.more = append(t.more, func() error { return t.batch.Message(m.topic, m.key, m.payload) })
	}
	return Outcome{Hits: len(hits), Told: len(told)}, nil
}

// errWanted ends a reading without memory: a rule wants the entry.
var errWanted = errors.New("a rule wants the entry")

// amnesia is a memory that ends the reading when it is asked.
type amnesia struct{ rule.Memory }

func (amnesia) Range(context.Context, rule.Query) ([]rule.Member, error) { return nil, errWanted }
func (amnesia) Add(context.Context, ...rule.Member) error                { return errWanted }
func (amnesia) Stood(context.Context, rule.StandingKind, string, time.Time, string) (before, after *rule.Standing, err error) {
	return nil, nil, errWanted
}

// wants reports whether any rule makes something of an entry. It asks no store.
func (s *Service) wants(ctx context.Context, e *auditlog.Entry, now time.Time) (bool, error) {
	hits, err := s.Rules.Evaluate(ctx, e, amnesia{}, now)
	if errors.Is(err, errWanted) {
		return true, nil
	}
	return len(hits) > 0, err
}

// derived is a message to other controls.
type derived struct {
	topic, key string
	payload    any
}

// suspending are the last segments of methods of the Workspace admin log that end a person's access.
var suspending = regexp.MustCompile(`(?i)(^|\.)(suspend_?user|delete_?user|archive_?user)$`)

// Derived are the calls that other controls want to hear of, whatever the rules match; beside them, of the services in
// Config.Assets, every entry of the activity stream and of Google's own systems.
func Derived() []rule.Match {
	return []rule.Match{{Service: []string{adminService}, Method: []string{"suspenduser", "suspend_user", "deleteuser", "delete_user", "archiveuser", "archive_user"}}}
}

const adminService = "admin.googleapis.com"

// derive reads from an entry what other controls want to know.
func (s *Service) derive(e *auditlog.Entry) (told []derived) {
	if s.Bus == nil {
		return nil
	}
	if suspends(e) && done(e) {
		for _, email := range e.Parameters()["USER_EMAIL"] {
			if p, known := s.Policy.Person(email); known {
				told = append(told, derived{TopicSuspended, "watch-suspended/" + e.ID, Suspended{Version, p.ID, e.Time, e.ID}})
				break
			}
		}
	}
	if s.changes(e) {
		told = append(told, derived{TopicChanged, "watch-changed/" + e.ID, s.changed(e)})
	}
	return told
}

func suspends(e *auditlog.Entry) bool {
	return e.Service == adminService && suspending.MatchString(e.Method)
}

// publish sends what no transaction goes with. The entry comes again where it fails, and the keys are the same then.
func (s *Service) publish(ctx context.Context, told []derived, e *auditlog.Entry) error {
	for _, m := range told {
		data, err := json.Marshal(m.payload)
		if err != nil {
			return fault.New(fault.Invalid, "encoding a message for %q: %w", m.topic, err)
		}
		attributes := map[string]string{bus.AttributeID: m.key}
		if !e.Time.IsZero() {
			attributes[bus.AttributeTime] = e.Time.UTC().Format(time.RFC3339Nano)
		}
		if err := s.Bus.Publish(ctx, m.topic, bus.Message{Data: data, Attributes: attributes}); err != nil {
			return err
		}
	}
	return nil
}

// Rules of alarms that no rule of the policy makes.
const (
	UnreadableRule = "unreadable-entry"
	SilenceRule    = "watch-silent"
)

// Unreadable makes an alarm of something that should have been an entry and could not be read. Digest is
// record.Digest of its bytes, why a word, such as malformed; neither may hold content.
func (s *Service) Unreadable(ctx context.Context, digest, why string, now time.Time) error {
	return s.own(ctx, unreadable(digest, why, now), now)
}

func unreadable(digest, why string, now time.Time) found {
	return found{kind: Unreadable, Hit: rule.Hit{ID: hashed(UnreadableRule, digest), Rule: UnreadableRule, Time: now, Why: clip(why)}}
}

// own makes an alarm that no rule of the policy made.
func (s *Service) own(ctx context.Context, f found, now time.Time) error {
	return s.commit(ctx, now, func(t *turn) error { return t.take([]found{f.ours(now)}, now) })
}

func (f found) ours(now time.Time) found {
	f.gap, f.reach, f.Count, f.Verdict = time.Hour, Lateness, 1, rule.Undetermined
	f.Subject.Severity = policy.High
	return f.placed(now)
}

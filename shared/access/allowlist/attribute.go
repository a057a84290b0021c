package allowlist

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
)

// Call is an entry of the audit log that names a target: who may have written to it beside us. Person and Chain hold ids of
// people.yaml, service:ID of services.yaml, or kinds of callers; never an address.
type Call struct {
	Asset  string    `json:"asset"`            // full resource name
	Person string    `json:"person,omitempty"` // who began, where she is known
	Chain  []string  `json:"chain,omitempty"`  // who began first, who called last
	Method string    `json:"method,omitempty"`
	Entry  string    `json:"entry"` // id of the log entry
	At     time.Time `json:"at"`
	// Outcome is "failed" of a call that changed nothing.
	Outcome string `json:"outcome,omitempty"`
}

// Notice says that somebody wrote to a target beside us, and that it holds what it should again, or will; or, with Wider, that
// rules of others let more in past it, which is not ours to change; or, with Late, that nobody else took away what had
// ended; or, with Frame, that what the target is made of was changed.
type Notice struct {
	Key    string // the same whenever it is about the same
	Target string
	Found  time.Time
	Call   Call // the zero one when no log entry names anybody
	Wider  []string
	Frame  bool // what the door is made of was changed, which is not put back
	Late   int  // entries that stood at the door after their end, and were taken away by the watchdog; 0 otherwise
}

// foreign is one writing of others, until people were told.
type foreign struct {
	ID    string    `json:"id"`    // of the finding's record
	Since time.Time `json:"since"` // when it was in order last
	At    time.Time `json:"at"`    // when it was seen
	Frame bool      `json:"frame,omitempty"`
}

// owner is a target that knows its own resources by name.
type owner interface {
	// Owns reports whether a resource (its full name, "//SERVICE/PATH") is one that enforces this target.
	Owns(asset string) bool
}

const (
	unlisted   = "service" // what a Call calls a service account that services.yaml does not name, as ours
	mostWord   = 120
	rulesNamed = 8
	callsKept  = 16
	callLife   = 24 * time.Hour
	mostFound  = 8 // writings that wait to be told; more at once are told by their records alone
	logSlack   = 2 * time.Minute
	logPatient = 10 * time.Minute // after it nobody is named
)

// Called takes in who called an API about a target. It reports false, and writes nothing, when it is about none. The run that
// follows puts the target right; the one after it tells who it was. A call that failed is about none. Invalid: no asset, entry or time.
func (r *Reconciler) Called(ctx context.Context, c Call, now time.Time) (bool, error) {
	if c.Asset == "" || c.Entry == "" || c.At.IsZero() {
		return false, fault.New(fault.Invalid, "taking in a call to a target: no asset, entry or time")
	}
	if c.Outcome == "failed" {
		return false, nil
	}
	ours := false
	for _, t := range r.Targets {
		if o, ok := t.(owner); !ok || !o.Owns(c.Asset) {
			continue
		}
		ours = true
		_, err := r.edit(ctx, t, 0, func(st *state, _ *outbox.Batch) error {
			st.forget(now)
			st.Calls = slices.DeleteFunc(st.Calls, func(o Call) bool { return o.Entry == c.Entry })
			st.Calls = append(st.Calls, c)
			slices.SortStableFunc(st.Calls, func(a, b Call) int { return a.At.Compare(b.At) })
			st.Calls = st.Calls[max(0, len(st.Calls)-callsKept):]
			return nil
		})
		if err != nil {
			return ours, fmt.Errorf("keeping a call to target %s: %w", t.Name(), err)
		}
	}
	return ours, nil
}

// forget drops the calls of longer than a day ago.
func (st *state) forget(now time.Time) {
	st.Calls = slices.DeleteFunc(st.Calls, func(c Call) bool { return now.Sub(c.At) > callLife })
}

// found keeps a writing of others until people are told.
func (st *state) found(id string, since, now time.Time, frame bool) {
	if len(st.Foreign) < mostFound {
		st.Foreign = append(st.Foreign, foreign{ID: id, Since: since, At: now, Frame: frame})
	}
}

// culprit is the call that may have been the writing f: the last one of a person in its time, else the last of anybody that
// is not a write of our own, which is made by an account that the policy does not list, through nobody. The zero call when
// there is none.
func (st state) culprit(f foreign) (best Call) {
	for _, c := range st.Calls {
		if c.At.Before(f.Since.Add(-logSlack)) || c.At.After(f.At.Add(logSlack)) {
			continue
		}
		ours := c.Person == "" && slices.Equal(c.Chain, []string{unlisted}) && (near(c.At, f.Since) || near(c.At, f.At) || near(c.At, st.Wrote))
		if !ours && (c.Person != "" || best.Person == "") {
			best = c
		}
	}
	return best
}

func near(a, b time.Time) bool { return a.Sub(b).Abs() <= logSlack }

// attribute names who wrote to a target beside us, once the log says so or has had time to, and has people told.
func (r *Reconciler) attribute(ctx context.Context, t Target, st state, now time.Time) error {
	due := func(st state) (found []foreign) {
		for _, f := range st.Foreign {
			if st.culprit(f).Entry != "" || now.Sub(f.At) >= logPatient {
				found = append(found, f)
			}
		}
		return found
	}
	if len(due(st)) == 0 {
		return nil
	}
	if err := r.ready(ctx); err != nil {
		return err
	}
	_, err := r.edit(ctx, t, 0, func(st *state, b *outbox.Batch) error {
		var failed []error
		for _, f := range due(*st) {
			failed = append(failed, r.named(t, *st, f, b, now))
			st.Foreign = slices.DeleteFunc(st.Foreign, func(o foreign) bool { return o.ID == f.ID })
		}
		return errors.Join(failed...)
	})
	return err
}

func (r *Reconciler) ready(ctx context.Context) error {
	if r.Ready == nil {
		return nil
	}
	if err := r.Ready(ctx); err != nil {
		return fmt.Errorf("telling of what others did: %w", err)
	}
	return nil
}

// named records who a finding is about, as far as the log says, and has people told.
func (r *Reconciler) named(t Target, st state, f foreign, b *outbox.Batch, now time.Time) error {
	call := st.culprit(f)
	e := r.entry(record.Finding, t, st, "named "+f.ID, record.Violation, now)
	e.Facts["event"], e.Facts["who"] = "named", "unknown"
	e.Refs = []record.Ref{{Rel: "about", ID: f.ID}}
	switch {
	case call.Person != "":
		e.Facts["who"] = "person" // who she is stands in the log entry, and nowhere in the evidence
	case call.Entry != "":
		e.Facts["who"] = word(strings.Join(call.Chain, "+"))
	}
	if call.Entry != "" {
		e.Facts["entry"], e.Facts["method"] = word(call.Entry), word(call.Method)
	}
	if err := e.Put(b); err != nil || r.Tell == nil {
		return err
	}
	return r.Tell(b, Notice{Key: f.ID, Target: t.Name(), Found: f.At, Call: call, Frame: f.Frame})
}

// framed records when what a target is made of, beside its entries, is not what it was: other ports, other machines. That is
// not ours to put back: whoever made the target did it, or somebody who should not have. last is when it was looked at before.
func (r *Reconciler) framed(ctx context.Context, t Target, st state, frame string, last, now time.Time) error {
	if frame == "" || st.Frame == frame {
		return nil
	}
	_, err := r.edit(ctx, t, 0, func(st *state, b *outbox.Batch) error {
		was := st.Frame
		if st.Frame = frame; was == "" || was == frame {
			return nil
		}
		e := r.entry(record.Finding, t, *st, fmt.Sprintf("frame %d", now.UnixMicro()), record.Violation, now)
		e.Facts["event"] = "frame"
		st.found(e.ID(), last, now, true)
		return e.Put(b)
	})
	return err
}

// wider records when something begins to let more in past a target's entries, or ceases to.
func (r *Reconciler) wider(ctx context.Context, t Target, st state, rules []string, now time.Time) error {
	if slices.Equal(st.Wider, rules) {
		return nil
	}
	if err := r.ready(ctx); err != nil {
		return err
	}
	_, err := r.edit(ctx, t, 0, func(st *state, b *outbox.Batch) error {
		if slices.Equal(st.Wider, rules) {
			return nil
		}
		e := r.entry(record.Finding, t, *st, fmt.Sprintf("wider %d", now.UnixMicro()), record.Violation, now)
		if len(rules) == 0 {
			e = r.entry(record.Remediation, t, *st, fmt.Sprintf("wider %d", now.UnixMicro()), record.Pass, now)
		}
		if st.WiderID != "" {
			e.Refs = []record.Ref{{Rel: "closes", ID: st.WiderID}}
		}
		e.Facts["event"], e.Facts["rules"] = "wider", strconv.Itoa(len(rules))
		for i, rule := range rules[:min(len(rules), rulesNamed)] {
			e.Facts[fmt.Sprintf("rule_%d", i)] = word(rule)
		}
		st.Wider, st.WiderID = rules, ""
		if len(rules) > 0 {
			st.WiderID = e.ID()
		}
		if err := e.Put(b); err != nil || r.Tell == nil || len(rules) == 0 {
			return err
		}
		return r.Tell(b, Notice{Key: e.ID(), Target: t.Name(), Found: now, Wider: rules})
	})
	return err
}

// word is a name as a fact of a record may hold it; what is empty is unknown.
func word(name string) string {
	name = strings.Map(func(c rune) rune {
		if c < utf8.RuneSelf && (unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("._/+:-", c)) {
			return c
		}
		return '-'
	}, name)
	name = strings.TrimLeft(name[:min(len(name), mostWord)], "._/+:-")
	if name == "" {
		return "unknown"
	}
	return name
}

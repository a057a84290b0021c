package finding

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// turn is one transaction about one finding.
type turn struct {
	s     *Service
	tx    store.Tx
	batch *outbox.Batch
	now   time.Time
	e     Event
	words string
	nonce string
	marks map[vault.Subject]record.Subject
	lacks []vault.Subject

	was, f  Finding
	effects []Effect
	pace    *pace // that changed
}

// Step is something that happened to a finding, for who looks at it.
type Step struct {
	V        int             `json:"v"`
	Finding  string          `json:"finding"`
	N        int64           `json:"n"` // Finding.Rev of then; what Acceptance.Reason names
	At       time.Time       `json:"at"`
	What     Happened        `json:"what"`
	By       string          `json:"by,omitempty"`    // id in people.yaml
	Words    string          `json:"words,omitempty"` // hers; never in evidence
	Ticket   string          `json:"ticket,omitempty"`
	Until    time.Time       `json:"until,omitzero"`
	Severity policy.Severity `json:"severity"`
	Want     string          `json:"want,omitempty"`
	Got      string          `json:"got,omitempty"`
	Actors   []Actor         `json:"actors,omitempty"`
	Expires  time.Time       `json:"expires"`
}

// run decides, and writes what follows. A transaction reads before it writes.
func (t *turn) run(id string) error {
	if err := t.tx.Get(Findings, id, &t.was); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if t.words != "" {
		t.e.Reason = int(t.was.Rev) + 1
	}
	var err error
	if t.f, t.effects, err = Decide(t.was, t.e, t.now); err != nil || t.unchanged() {
		return err
	}
	if t.f.Nonce == "" {
		t.f.Nonce = t.nonce
	}
	t.f.Rev++
	t.f.Rank, t.f.Expires = ranked(t.f), time.Time{}
	if t.f.State.Over() {
		t.f.Expires = t.now.Add(kept)
	}
	what := t.happened()
	if err := t.evidence(what); err != nil {
		return err
	}
	if err := t.tell(what); err != nil {
		return err
	}
	if len(t.lacks) > 0 {
		return errMark
	}
	if t.pace != nil {
		if err := t.tx.Put(paces, paceID, t.pace); err != nil {
			return err
		}
	}
	if err := t.tx.Put(Findings, id, t.f); err != nil || what == "" {
		return err
	}
	return t.tx.Put(steps, fmt.Sprintf("%s-%d", id, t.f.Rev), t.step(what))
}

// unchanged reports whether there is nothing to write.
func (t *turn) unchanged() bool {
	if t.f.State == "" {
		return true
	}
	return len(t.effects) == 0 && same(t.was, t.f)
}

// same reports whether two findings are stored alike.
func same(a, b Finding) bool {
	one, err1 := json.Marshal(a)
	other, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(one, other)
}

// ranks are the severities, gravest first.
var ranks = []policy.Severity{policy.Critical, policy.High, policy.Medium, policy.Low, policy.Info}

// ranked orders findings by severity, and then the newest first.
func ranked(f Finding) int64 {
	const room = 10_000_000_000_000_000 // microseconds, until the year 2286
	at := slices.Index(ranks, f.Severity)
	if at < 0 {
		at = 0 // what nobody knows is grave
	}
	return int64(at)*room + room - 1 - f.First.UnixMicro()
}

// Happened says what happened to a finding. It stands in steps and in records.
type Happened string

// What may have happened.
const (
	Began      Happened = "opened"
	Changes    Happened = "changed"    // the value
	Promised   Happened = "promised"   // more promises are broken by it
	Named      Happened = "attributed" // who may have done it is known
	Gone       Happened = "healed"
	Unpromised Happened = "promised-no-more" // nobody wants it otherwise any more
	Fewer      Happened = "fewer-promises"   // are broken by it
	Unreadable Happened = "undetermined"
	UnreadSaid Happened = "undetermined-told"
	Asked      Happened = "asked" // a second person
	Agreed     Happened = "accepted"
	Reminded   Happened = "reminded" // that an acceptance ends
	Withdrawn  Happened = "withdrawn"
	Revoked    Happened = "revoked"
	Over       Happened = "acceptance-ended"
	Void       Happened = "acceptance-void" // the value is another
	Outgrown   Happened = "acceptance-outgrown"
	Own        Happened = "acceptance-own" // who accepted it may have done it
)

// AllHappened returns all of them.
func AllHappened() []Happened {
	return []Happened{Began, Changes, Promised, Named, Gone, Unpromised, Fewer, Unreadable, UnreadSaid, Asked, Agreed, Reminded, Withdrawn, Revoked, Over, Void, Outgrown, Own}
}

func (t *turn) does(e Effect) bool { return slices.Contains(t.effects, e) }

// happened names what this transaction is about; "" is nothing anybody needs to read of.
func (t *turn) happened() Happened {
	if t.was.State == Accepted && t.f.State == Open {
		return map[What]Happened{Out: t.voided(), Blame: Own, Revoke: Revoked, Ticking: Over}[t.e.What]
	}
	switch {
	case t.does(RecordOpen):
		return Began
	case t.does(RecordHeal):
		return Gone
	case t.does(RecordDrop):
		return Unpromised
	case t.does(Ask):
		return Asked
	case t.f.State == Accepted && t.was.State == Open:
		return Agreed
	case t.does(Remind):
		return Reminded
	case t.does(TellLost):
		return UnreadSaid
	case t.does(RecordStep):
		return map[What]Happened{Out: Changes, Blame: Named, Lost: Unreadable, Revoke: Withdrawn}[t.e.What]
	case len(t.unnamed()) > 0:
		return Promised
	case len(t.unpromised()) > 0:
		return Fewer
	}
	return ""
}

func (t *turn) voided() Happened {
	if t.was.Got == t.f.Got {
		return Outgrown
	}
	return Void
}

// unnamed are the promises that no open evidence names though they are broken.
func (t *turn) unnamed() []string {
	if t.f.State != Open && t.f.State != Accepted {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(t.f.Promises), func(id string) bool { return slices.Contains(t.f.Named, id) })
}

// unpromised are the promises that open evidence names though they are not broken by it any more.
func (t *turn) unpromised() []string {
	if t.f.State != Open && t.f.State != Accepted {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(t.f.Named), func(id string) bool { return slices.Contains(t.f.Promises, id) })
}

func (t *turn) step(what Happened) Step {
	s := Step{V: version, Finding: t.f.ID, N: t.f.Rev, At: t.now, What: what, By: t.e.By.ID, Severity: t.f.Severity, Want: t.f.Want, Got: t.f.Got, Expires: t.now.Add(kept)}
	if t.e.What == Accept {
		s.Words, s.Ticket, s.Until = t.words, t.e.Ticket, t.e.Until
	}
	if what == Named || what == Own {
		s.Actors = t.f.Actors
	}
	return s
}

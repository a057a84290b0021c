package duty

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/notice"
)

// Ask opens a task of a duty that people ask for. Asking for the same again returns the task there is, unless that was
// refused or withdrawn. Codes:
// duty_unknown (not one to ask for), about_invalid, asked_too_much.
func (s *Service) Ask(ctx context.Context, duty string, asker policy.Person, about string, now time.Time) (Task, error) {
	d, known := s.Rules.Duty(duty)
	about = strings.TrimSpace(about)
	switch {
	case !known || !d.Requested():
		return Task{}, unknown()
	case !isLine(about) || len(about) > maxAbout:
		return Task{}, fault.Refuse(fault.Invalid, "about_invalid", "What you ask for is missing, or is not one line of at most 200 bytes.", "Name it in one line, as its maker does.")
	}
	id := TaskID(duty, askID(asker.ID, about))
	return s.commitAsked(ctx, d, id, Task{Asker: asker.ID, About: about}, now)
}

// maxAbout is how much of what is asked for is kept, in bytes.
const maxAbout = 200

// MostAsked is how many requests of one duty somebody may have open at a time; mostOpen how many all people together.
const (
	MostAsked = 20
	mostOpen  = 500
)

func askID(asker, about string) string {
	sum := sha256.Sum256([]byte(asker + "\x00" + strings.ToLower(about)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:20]))
}

func (s *Service) commitAsked(ctx context.Context, d Duty, id string, asked Task, now time.Time) (Task, error) {
	nonce, err := s.Nonce()
	if err != nil {
		return Task{}, err
	}
	terms := s.terms(d)
	var t Task
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		err := tx.Get(Tasks, id, &t)
		if !fault.Is(err, fault.NotFound) && (err != nil || t.State != Lapsed && !t.Decided()) {
			return err
		}
		if err != nil {
			t = asked
			t.ID, t.Nonce = id, nonce
		}
		if err := room(tx, d, asked.Asker); err != nil {
			return err
		}
		t.Evidence = nil // it was of another time
		t = terms.begin(t, now)
		said := terms.evidence(record.Case, t, "asked", now, terms.all())
		t.Request = said.ID()
		if err := tx.Put(Tasks, id, t); err != nil {
			return err
		}
		if err := s.Put(batch, said); err != nil {
			return err
		}
		return s.tell(batch, terms, t, notice.DutyAsked, t.DoneAt, s.holders(d.Owner, now))
	})
	return t, err
}

// room refuses one more request when too many are open: whoever decides them has to read each. Code asked_too_much.
func room(tx store.Tx, d Duty, asker string) error {
	tasks, err := all(tx.Query, d.ID)
	if err != nil {
		return err
	}
	own, open := 0, 0
	for _, t := range tasks {
		if t.Owed() || t.Waiting() {
			open++
			if t.Asker == asker {
				own++
			}
		}
	}
	switch {
	case own >= MostAsked:
		return fault.Refuse(fault.Exhausted, "asked_too_much", "You have asked for "+strconv.Itoa(MostAsked)+" things of this kind that are not decided yet.",
			"Wait until some are decided, then ask again.")
	case open >= mostOpen:
		return fault.Refuse(fault.Exhausted, "asked_too_much", "People have asked for "+strconv.Itoa(mostOpen)+" things of this kind that are not decided yet.",
			"Talk to whoever decides them, then ask again.")
	}
	return nil
}

package otp

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// MaxRolloverAhead bounds how far in the future the date of a forced rollover may lie.
const MaxRolloverAhead = 366 * 24 * time.Hour

// rolloverID is the form of a rollover's id.
var rolloverID = regexp.MustCompile(`^[a-z2-7]{16,64}$`)

// NewRolloverID makes the id of a rollover from 80 random bits.
func NewRolloverID(random io.Reader) (string, error) {
	var b [10]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fault.New(fault.Transient, "naming a rollover: %w", err)
	}
	return strings.ToLower(base32NoPad.EncodeToString(b[:])), nil
}

// Rollover says by when authenticators must be replaced, and why.
type Rollover struct {
	ID     string    // made by whoever asks, once for each intent: asked for again with it, a rollover goes on and begins none
	By     time.Time // in the future; the zero time: at once
	Why    Reason    // RolledOver or Compromised
	Reason string    // in words, 1 to 500 bytes; the person reads it nowhere, the security desk does

	started time.Time // what was bound later stays
}

func (r Rollover) check() error {
	switch {
	case !rolloverID.MatchString(r.ID):
		return fault.Refuse(fault.Invalid, "body_invalid", "id: is none of a rollover.", "Give 16 to 64 of the characters a to z and 2 to 7, the same only to repeat the same rollover.")
	case r.Why != RolledOver && r.Why != Compromised:
		return fault.New(fault.Invalid, "forcing a rollover: reason %q", r.Why)
	case strings.TrimSpace(r.Reason) == "" || len(r.Reason) > maxReason:
		return reasonMissing()
	}
	return nil
}

// due is the date of a rollover that begins at now. One that has passed is a mistake: taken for "at once", it would lock
// everybody out.
func (r Rollover) due(now time.Time) (time.Time, error) {
	switch {
	case r.By.IsZero():
		return now, nil
	case !r.By.After(now):
		return now, fault.Refuse(fault.Invalid, "date_invalid", "This date has passed.", "Choose a later one, or leave it out: then it is at once.")
	case r.By.After(now.Add(MaxRolloverAhead)):
		return now, fault.Refuse(fault.Invalid, "date_invalid", "This date is more than a year away.", "Choose a date within a year.")
	}
	return r.By, nil
}

// asked tells two rollovers of one id apart. The words of the reason are no part of it: they may name somebody, and are forgotten.
func (r Rollover) asked() string {
	by := "at once"
	if !r.By.IsZero() {
		by = r.By.UTC().Format(time.RFC3339Nano)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "rollover %s %s", by, r.Why))
	return strings.ToLower(base32NoPad.EncodeToString(sum[:15]))
}

// differs refuses an id under which another rollover was begun.
func differs() error {
	return fault.Refuse(fault.Conflict, "rollover_differs", "Another rollover was begun under this id.", "Repeat that one as it was, or leave the id out for a new one.")
}

// Rolled is the last rollover that was asked for of one person alone.
type Rolled struct {
	Name    string    `json:"name"`            // Rollover.ID
	Asked   string    `json:"asked,omitempty"` // Rollover.asked
	By      time.Time `json:"by"`
	Started time.Time `json:"started"`
}

// wanted reports whether the rollover changes an authenticator: an earlier date stays, but one whose secret may be
// known ends on its date whatever was said before. What the person got after it started is what she replaced hers with.
func (r Rollover) wanted(a Authenticator) bool {
	got := a.Confirmed
	if a.Serial != "" && r.Why == Compromised { // a token she had by then may be known, though its first codes came later
		got = a.Created
	}
	bound := a.State == Active || a.State == Assigned && r.Why == Compromised
	return bound && !got.After(r.started) && (a.Until.IsZero() || r.By.Before(a.Until) || r.Why == Compromised && a.Why != Compromised)
}

// ForceRollover sets the date by which a person's active authenticators must be replaced, tells the person, and reports
// whether anything changed; the last one of a person asked for again, by its id, takes nothing she got since. From the date on they register no address, though
// their codes still vouch for what takes their place (Authenticator.Overdue); those that are Compromised end on it. A person
// without an account is no error. Codes: body_invalid, reason_missing, date_invalid, rollover_differs.
func (s *Service) ForceRollover(ctx context.Context, person string, r Rollover, meta Meta, now time.Time) (changed bool, err error) {
	if err := r.check(); err != nil {
		return false, err
	}
	err = s.change(ctx, person, nil, meta, now, RolloverForced, func(e *edit) (err error) {
		last := e.acc.Rolled
		again := last.Name == r.ID
		if again && last.Asked != r.asked() {
			return differs()
		}
		if !again {
			by, err := r.due(now)
			if err != nil {
				return err
			}
			last = Rolled{Name: r.ID, Asked: r.asked(), By: by, Started: now}
		}
		e.acc.Rolled = last
		forced := r
		forced.By, forced.started = last.By, last.Started
		if changed, err = e.rollAll(forced); err != nil || changed || again {
			return err
		}
		return e.save() // that it was asked for, and no record of an event that was none
	})
	if fault.Is(err, fault.NotFound) {
		_, err = r.due(now)
		return false, err
	}
	return changed, err
}

// force carries a rollover out for one person that began before.
func (s *Service) force(ctx context.Context, person string, r Rollover, meta Meta, now time.Time) (changed bool, err error) {
	err = s.change(ctx, person, nil, meta, now, RolloverForced, func(e *edit) (err error) {
		changed, err = e.rollAll(r)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return changed, err
}

// rollAll gives every authenticator its date that the rollover wants, and stores what it changed.
func (e *edit) rollAll(r Rollover) (changed bool, err error) {
	for i := len(e.acc.Authenticators) - 1; i >= 0; i-- {
		if !r.wanted(e.acc.Authenticators[i]) {
			continue
		}
		changed = true
		if err := e.roll(i, r); err != nil {
			return false, err
		}
	}
	if !changed {
		return false, nil
	}
	return true, e.saved("")
}

// roll gives one authenticator its date, or its end where that is now and its secret may be known.
func (e *edit) roll(i int, r Rollover) error {
	a := &e.acc.Authenticators[i]
	if a.Until.IsZero() || r.By.Before(a.Until) {
		a.Until = r.By
	}
	if a.Why != Temporary || r.Why == Compromised {
		a.Why = r.Why
	}
	a.Note = strings.TrimSpace(r.Reason)
	by := a.Until.UTC()
	err := e.notify(RolloverDue, strings.Join([]string{a.ID, string(a.Why), by.Format(time.RFC3339Nano)}, "/"), map[string]string{
		"name": a.Name, "by": by.Format(time.RFC3339),
	})
	if err == nil && a.Why == Compromised && !a.Until.After(e.now) {
		err = e.end(i, Compromised)
	}
	return err
}

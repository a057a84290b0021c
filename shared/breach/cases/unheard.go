package cases

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/policy"
)

// unheard notes that a message of a call failed for good. When none of the last call is left that may be heard, the next step
// is called at once. What is said twice, of an earlier call, after an answer, or once all were called, moves nothing: all are
// called again when it is time.
func (d *deciding) unheard() error {
	if d.e.By.ID != "" {
		return fault.Refuse(fault.Denied, "not_allowed", "Only a message says this.", "Answer the call.")
	}
	if err := d.from(Suspected, Open, Closed); err != nil {
		return err
	}
	l := &d.Ladder
	if d.State == Closed || l.Called.IsZero() || !l.Acked.IsZero() || l.Nobody || d.e.Call != l.At || slices.Contains(l.Lost, d.e.Message) {
		return nil
	}
	if l.Lost = append(slices.Clone(l.Lost), d.e.Message); len(l.Lost) < l.Sent {
		return nil
	}
	d.record("unheard")
	d.next()
	return nil
}

// calling begins the keys of the messages of calls.
const calling = "breach-" + sayPage + "/"

// callKey says in the key of a message which call it belongs to.
func callKey(id string, rev int64) string { return calling + id + "." + strconv.FormatInt(rev, 10) }

// Answered lets a case know what became of a message to staff. It may be called again with the same; of messages that call
// nobody, and of cases that are deleted, nothing follows.
func (s *Service) Answered(ctx context.Context, a message.Answer, now time.Time) error {
	rest, ours := strings.CutPrefix(a.Key, calling)
	of, one, _ := strings.Cut(rest, "/")
	id, rev, _ := strings.Cut(of, ".")
	call, err := strconv.ParseInt(rev, 10, 64)
	if !ours || err != nil || id == "" || len(one) > 64 || a.State != message.StateFailed && a.State != message.StateDead {
		return nil
	}
	if _, err = s.Do(ctx, id, policy.Person{}, Event{What: Unheard, Call: call, Message: one}, Words{}, now); fault.CodeOf(err) == "case_unknown" {
		return nil
	}
	return err
}

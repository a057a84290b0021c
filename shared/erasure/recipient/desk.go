package recipient

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// of returns the notices of a request, in the order of their recipients' ids and of time.
func of(ctx context.Context, s store.Store, request string) ([]Notice, error) {
	found, err := store.Find[Notice](s.Query(ctx, store.Query{Collection: Notices, Equal: []store.Field{{Name: "request", Value: request}}, Limit: store.MaxQueryResults}))
	slices.SortFunc(found, func(a, b Notice) int {
		return cmp.Or(strings.Compare(a.Recipient, b.Recipient), a.Since.Compare(b.Since), strings.Compare(a.ID, b.ID))
	})
	return found, err
}

// least is the order in which the outcomes of several notices to one recipient count.
var least = []receipt.Told{receipt.Pending, receipt.Asked, receipt.Impossible, receipt.Disproportionate, receipt.Acknowledged}

// Rows are what a receipt says of the recipients of a request, sorted: of one who had several notices, what became of the one
// that came least far.
func Rows(ctx context.Context, s store.Store, request string) ([]receipt.Recipient, error) {
	var rows []receipt.Recipient
	found, err := of(ctx, s, request)
	for _, n := range found {
		row := receipt.Recipient{Recipient: n.Recipient, Outcome: n.State, At: n.At}
		last := len(rows) - 1
		if last < 0 || rows[last].Recipient != row.Recipient {
			rows = append(rows, row)
			continue
		}
		if slices.Index(least, row.Outcome) <= slices.Index(least, rows[last].Outcome) {
			rows[last] = row
		}
	}
	return rows, err
}

// Told is one recipient as the person is told of him, when she asks for it (article 19, second sentence).
type Told struct {
	Name    string
	Outcome receipt.Told
	At      time.Time
}

// List returns the recipients of a request.
func List(ctx context.Context, s store.Store, m *datamap.Map, request string) ([]Told, error) {
	var all []Told
	rows, err := Rows(ctx, s, request)
	for _, row := range rows {
		told := Told{Name: row.Recipient, Outcome: row.Outcome, At: row.At}
		if to, known := m.Recipient(row.Recipient); known {
			told.Name = to.Name
		}
		all = append(all, told)
	}
	return all, err
}

// Of returns the notices of a request, for the desk.
func (s *Service) Of(ctx context.Context, request string) ([]Notice, error) {
	return of(ctx, s.Store, request)
}

// Tasks returns the notices that wait for a person, or for the answer of a recipient who was asked by mail; those to look at
// first in front, at most limit.
func (s *Service) Tasks(ctx context.Context, limit int) ([]Notice, error) {
	q := store.Query{Collection: Notices, Range: &store.Range{Name: "next", From: int64(1)}, Limit: store.MaxQueryResults}
	open, err := store.Find[Notice](s.Store.Query(ctx, q))
	open = slices.DeleteFunc(open, func(n Notice) bool { return !n.Task && n.State != receipt.Asked })
	return open[:min(limit, len(open))], err
}

// Settle takes a person's decision: Acknowledged, Impossible or Disproportionate. Refusals have codes: role_missing,
// notice_unknown, state_conflict.
func (s *Service) Settle(ctx context.Context, by policy.Person, id string, outcome receipt.Told, now time.Time) (Notice, error) {
	if !by.Active(now) || !by.Has(policy.DPO) && !by.Has(policy.Security) && !by.Has(policy.Owner) {
		return Notice{}, fault.Refuse(fault.Denied, "role_missing", "You may not decide about recipients.", "Ask the data protection officer.")
	}
	if s.Commit == nil {
		return Notice{}, fault.New(fault.Misconfigured, "settling a notice: there is nothing to make commitments with")
	}
	actor, err := s.Commit(ctx, vault.Subject{Type: "person", ID: by.ID}, now)
	if err != nil {
		return Notice{}, err
	}
	var after Notice
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var n Notice
		if err := tx.Get(Notices, id, &n); fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
			return fault.Refuse(fault.NotFound, "notice_unknown", "There is no such notice.", "Look at the list again.")
		} else if err != nil {
			return err
		}
		if n.State == outcome && n.By == by.ID {
			after = n
			return nil
		}
		done, may := Settle(n, outcome, by.ID, now)
		if !may {
			return fault.Refuse(fault.Conflict, "state_conflict", "This notice is settled, or cannot end like that.", "Look at the list again.")
		}
		done.Rev++
		if err := s.record(batch, n, &done, now, record.Subject{Type: "actor", C: actor.C}); err != nil {
			return err
		}
		after = done
		return tx.Put(Notices, id, done)
	})
	return after, err
}

// Answered takes word of a mail's delivery: one that did not arrive for certain is a person's task. What is not about a
// notice changes nothing.
func (s *Service) Answered(ctx context.Context, a message.Answer, now time.Time) error {
	id, ours := strings.CutPrefix(a.Key, keyOf)
	if id, _, _ = strings.Cut(id, "/"); !ours || a.State == message.StateAccepted {
		return nil
	}
	var n Notice
	if err := s.Store.Get(ctx, Notices, id, &n); fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
		return nil
	} else if err != nil {
		return err
	}
	if n.State != receipt.Asked || n.Task {
		return nil
	}
	lost := n.task("mail_lost", now)
	all, err := s.staff(ctx, lost, Message{}, now)
	if err != nil {
		return err
	}
	return s.change(ctx, n, lost, now, all)
}

// remind tells people of what waits for them, and records that it does.
func (s *Service) remind(ctx context.Context, n Notice, now time.Time) error {
	after := n
	if !n.Task {
		after = n.task("no_answer", now)
	}
	after.Next = now.Add(TaskTime).UnixMicro()
	all, err := s.staff(ctx, after, Message{}, now)
	if err != nil {
		return err
	}
	return s.change(ctx, n, after, now, all)
}

func (s *Service) begun(kind record.Kind, n Notice, now time.Time, step string) record.Record {
	rec := record.New(kind, Control, s.box().Name("record", n.ID)+"#"+strconv.FormatInt(n.Rev, 10)+"#"+step)
	rec.Config = s.Digest
	rec.Source.Type, rec.Source.Observed, rec.Source.Collected = "notice", now, now
	rec.Subjects = []record.Subject{{Type: "notice", C: record.Commitment(n.Salt, "notice", n.ID)}}
	return rec
}

// record puts the evidence of a step into the batch: that a recipient was asked, has confirmed, or that somebody decided. That
// a person has to look is a finding, which her decision closes.
func (s *Service) record(batch *outbox.Batch, before Notice, after *Notice, now time.Time, more ...record.Subject) error {
	if after.Task && after.Finding == "" {
		rec := s.begun(record.Finding, *after, now, "task")
		rec.Result = record.Result{State: record.Undetermined}
		rec.Facts = map[string]string{"event": "recipient", "recipient": after.Recipient, "state": string(after.State), "why": after.Why}
		after.Finding = rec.ID()
		if err := rec.Put(batch); err != nil {
			return err
		}
	}
	if before.State == after.State {
		return nil
	}
	rec := s.begun(record.DSR, *after, now, string(after.State))
	rec.Subjects = append(rec.Subjects, more...)
	rec.Facts = map[string]string{"event": "recipient", "recipient": after.Recipient, "state": string(after.State), "tries": strconv.Itoa(after.Tries)}
	if err := rec.Put(batch); err != nil || after.Finding == "" || !settled(after.State) {
		return err
	}
	mended := s.begun(record.Remediation, *after, now, "settled")
	mended.Result = record.Result{State: record.Kept}
	mended.Refs = []record.Ref{{Rel: "closes", ID: after.Finding}}
	after.Finding = ""
	return mended.Put(batch)
}

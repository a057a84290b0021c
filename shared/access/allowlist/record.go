package allowlist

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// check is the name under which the evidence speaks of the allow-list.
const check = "ip-allowlist"

// entry begins a record about one target. event tells apart what happens under one fence.
func (r *Reconciler) entry(kind record.Kind, t Target, st state, event string, state record.State, now time.Time) record.Record {
	e := record.New(kind, check, fmt.Sprintf("target %s %d #%s", t.Name(), st.Fence, event), r.Promises...)
	e.Config, e.Method, e.Result = r.Policy, record.Test, record.Result{State: state}
	e.Source.Type, e.Source.Observed, e.Source.Collected = "reconcile", now, now
	e.Facts = map[string]string{"event": event, "target": t.Name(), "fence": strconv.FormatInt(st.Fence, 10)}
	return e
}

// maxFindings bounds what one record closes: somebody who writes at each of our attempts is told once more by each.
const maxFindings = 16

// decided keeps what is about to be written, before it is; and that somebody else had written, if so.
func (r *Reconciler) decided(ctx context.Context, t Target, st state, seen Observed, s sighting, now time.Time) error {
	_, err := r.edit(ctx, t, st.Fence, func(st *state, b *outbox.Batch) error {
		if err := r.strangers(t, st, b, seen, s, now); err != nil {
			return err
		}
		decided := digest(s.set.Prefixes())
		told := st.Pending && st.Decided == decided // an attempt before this one recorded it
		st.Decided, st.Pending, st.Wrote = decided, true, now
		st.Ours, st.Wanted = st.Ours.with(st.Wanted), marked(s.set.Prefixes())
		if told {
			return nil
		}
		added, removed := difference(s.set.Prefixes(), seen.Prefixes)
		e := r.entry(record.Access, t, *st, "decided", record.Pass, now)
		e.Facts["entries"] = strconv.Itoa(s.set.Len())
		e.Facts["added"], e.Facts["removed"] = strconv.Itoa(added), strconv.Itoa(removed)
		return e.Put(b)
	})
	return err
}

// strangers records that somebody else had written, if so.
func (r *Reconciler) strangers(t Target, st *state, b *outbox.Batch, seen Observed, s sighting, now time.Time) error {
	if !s.outcome.Foreign {
		return nil
	}
	finding := r.entry(record.Finding, t, *st, "foreign", record.Violation, now)
	if len(st.Findings) < maxFindings {
		st.Findings = append(st.Findings, finding.ID())
	}
	st.found(finding.ID(), r.last(t, *st), now, false)
	st.Known = st.Known.with(marked(st.strange(seen)))
	return finding.Put(b)
}

// narrowed keeps that entries are about to be taken away, for the rest has no room; and that somebody else had written, if nobody has
// recorded that under this fence.
func (r *Reconciler) narrowed(ctx context.Context, t Target, st state, seen Observed, s sighting, entries int, now time.Time) error {
	_, err := r.edit(ctx, t, st.Fence, func(st *state, b *outbox.Batch) error {
		if len(st.strange(seen)) > 0 {
			if err := r.strangers(t, st, b, seen, s, now); err != nil {
				return err
			}
		}
		e := r.entry(record.Access, t, *st, "narrowed", record.Pass, now)
		e.Facts["removed"] = strconv.Itoa(entries)
		return e.Put(b)
	})
	return err
}

// done keeps what was read back, and gives the lock up.
func (r *Reconciler) done(ctx context.Context, t Target, st state, s sighting, now time.Time) error {
	_, err := r.edit(ctx, t, st.Fence, func(st *state, b *outbox.Batch) error {
		st.Decided, st.Pending = digest(s.set.Prefixes()), false
		st.Done, st.DoneAt, st.Entries = st.Decided, now, s.set.Len()
		st.Ours, st.Wanted, st.Known = marked(s.set.Prefixes()), nil, nil
		st.Held, st.Failures, st.NextTry, st.Part = time.Time{}, 0, time.Time{}, time.Time{}
		st.forget(now)
		if len(st.Findings) > 0 {
			righted := r.entry(record.Remediation, t, *st, "righted", record.Pass, now)
			for _, id := range st.Findings {
				righted.Refs = append(righted.Refs, record.Ref{Rel: "closes", ID: id})
			}
			st.Findings = nil
			if err := righted.Put(b); err != nil {
				return err
			}
		}
		e := r.entry(record.Access, t, *st, "done", record.Pass, now)
		e.Facts["entries"] = strconv.Itoa(st.Entries)
		return e.Put(b)
	})
	return err
}

// note keeps that a target did not come to hold its set, and when to try again. It returns why, with what went wrong
// while noting it. Only the first of a row of failures is evidence; the rest are counted.
func (r *Reconciler) note(ctx context.Context, t Target, st state, why error, now time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteLimit)
	defer cancel()
	_, err := r.edit(ctx, t, st.Fence, func(st *state, b *outbox.Batch) error {
		st.Failures++
		pause := min(max(wait(st.Failures), fault.RetryAfter(why)), longestWait)
		st.Held, st.NextTry = time.Time{}, r.Leases.Clock.Now().Add(pause)
		if st.Failures > 1 {
			return nil
		}
		e := r.entry(record.Access, t, *st, "failed", record.Violation, now)
		e.Facts["kind"] = string(fault.KindOf(why))
		if e.Facts["kind"] == "" {
			e.Facts["kind"] = "other"
		}
		return e.Put(b)
	})
	return errors.Join(why, err)
}

// part keeps that a target holds part of what was decided, and gives the lock up. It is no failure: something was written, and
// the next run goes on. Nothing is confirmed until it is read back whole.
func (r *Reconciler) part(ctx context.Context, t Target, st state, s *sighting, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteLimit)
	defer cancel()
	s.took, s.prefix = false, nil
	s.outcome.Applied = true
	s.outcome.Wait = max(t.Limits().Every, min(fault.RetryAfter(why), longestWait), time.Second)
	_, err := r.edit(ctx, t, st.Fence, func(st *state, _ *outbox.Batch) error {
		now := r.Leases.Clock.Now()
		if st.Part.IsZero() {
			st.Part = now
		}
		st.Held, st.Failures, st.NextTry, st.Wrote = time.Time{}, 0, now.Add(s.outcome.Wait), now
		s.outcome.partly(*st, now)
		return nil
	})
	r.Log.InfoContext(ctx, "part of the allow-list is written", "target", t.Name(), "entries", s.set.Len(), "why", why)
	return err
}

// partly says whether a target holds a part of what was decided, and for how long.
func (o *Outcome) partly(st state, now time.Time) {
	if o.Part = !st.Part.IsZero(); o.Part {
		o.PartFor = now.Sub(st.Part)
	}
}

// standing remembers when it was last recorded that somebody's standing could not be read.
type standing struct {
	V        int       `json:"v"`
	Recorded time.Time `json:"recorded"`
}

const (
	standingDocument = "=standing" // no target has such a name
	standingEvery    = 15 * time.Minute
)

// undetermined records, once a quarter of an hour, that the standing of people with live leases could not be read.
func (r *Reconciler) undetermined(ctx context.Context, people int, now time.Time) error {
	return r.Box.Commit(ctx, func(tx store.Tx, b *outbox.Batch) error {
		var last standing
		if err := tx.Get(reconciles, standingDocument, &last); err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("reading when standing was last recorded: %w", err)
		}
		if now.Sub(last.Recorded) < standingEvery {
			return nil
		}
		e := record.New(record.Access, check, fmt.Sprintf("standing %d", now.UnixMicro()), r.Promises...)
		e.Source.Type, e.Source.Observed, e.Source.Collected = "reconcile", now, now
		e.Result = record.Result{State: record.Undetermined}
		e.Facts = map[string]string{"event": "standing-unreadable", "people": strconv.Itoa(people)}
		if err := e.Put(b); err != nil {
			return err
		}
		return tx.Put(reconciles, standingDocument, standing{V: 1, Recorded: now})
	})
}

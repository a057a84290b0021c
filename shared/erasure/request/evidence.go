package request

import (
	"strconv"

	"ostiary.internal/shared/evidence/record"
)

// begun starts a record about a request. Its event holds the nonce that stays here, so that nobody can guess it; the
// commitment to the request is the same in all records of one request, and says nothing else.
func (t *turn) begun(kind record.Kind, r Request, step string) record.Record {
	rec := record.New(kind, Control, r.Nonce+"#"+rev(r)+"#"+step, t.s.promises...)
	rec.Config = t.s.Digest
	rec.Source.Type, rec.Source.Observed, rec.Source.Collected = "request", t.now, t.now
	rec.Subjects = []record.Subject{{Type: "request", C: record.Commitment([]byte(r.Nonce), "request", r.ID)}}
	return rec
}

func (t *turn) emit(rec record.Record) error {
	return rec.Put(t.batch)
}

// record puts the evidence of a step into the batch; of one that answers an overdue request also that this is mended.
func (t *turn) record(before, r Request, e Event, step, nth string) error {
	rec := t.begun(record.DSR, r, step+"#"+nth)
	rec.Facts = facts(r, e, step)
	if made, known := t.people[e.By]; known && e.By != "" {
		rec.Subjects = append(rec.Subjects, record.Subject{Type: "actor", C: made.C})
		if p := before.Proposed; p != nil && r.Proposed == nil && p.By != e.By && p.What == e.What {
			rec.Subjects = append(rec.Subjects, record.Subject{Type: "second", C: t.people[p.By].C})
		}
	}
	if e.What == Verified {
		rec.Method = record.Test
		rec.Result = record.Result{State: record.Pass, Metric: "rows_left", Value: r.Outcome.Left, Op: "==", Limit: 0}
		if r.Outcome.Left > 0 {
			rec.Result.State = record.Violation
		}
		if len(r.Outcome.Open) > 0 {
			rec.Result.State = record.Undetermined
		}
	}
	if err := t.emit(rec); err != nil {
		return err
	}
	if before.Finding == "" || r.Finding != "" {
		return nil
	}
	if step != string(r.State) {
		return nil
	}
	mended := t.begun(record.Remediation, r, "answered")
	mended.Result = record.Result{State: record.Kept}
	mended.Refs = []record.Ref{{Rel: "closes", ID: before.Finding}}
	return t.emit(mended)
}

// facts are the words of a record: codes, numbers and days, nothing anybody wrote.
func facts(r Request, e Event, step string) map[string]string {
	f := map[string]string{
		"event": step, "state": string(r.State), "kind": string(r.Kind), "channel": string(r.Channel), "requester": string(r.Requester),
		"due": r.Deadline.Due.String(), "round": strconv.Itoa(r.Round),
	}
	add := func(name, value string) {
		if value != "" {
			f[name] = value
		}
	}
	count := func(name string, n int64) { f[name] = strconv.FormatInt(n, 10) }
	add("why", string(r.Why))
	add("proof", string(r.Proof))
	switch e.What {
	case Planned, Approve, Started:
		if r.Plan != nil {
			add("plan", r.Plan.Digest)
			add("map", r.Plan.Map)
			count("items", r.Plan.Items)
			count("kept", r.Plan.Kept)
			count("review", r.Plan.Review)
		}
		for _, d := range r.Doubts {
			f["doubt_"+string(d)] = "yes"
		}
	case Executed, Verified:
		count("erased", r.Totals.Erased)
		count("anonymised", r.Totals.Anonymised)
		count("gone", r.Totals.Gone)
		count("retained", int64(len(r.Outcome.Kept)))
		count("open", int64(len(r.Outcome.Open)))
		count("search", int64(e.Pass))
	case Review:
		add("entry", e.Look.Entry)
		add("answer", e.Look.Why)
		add("reference", e.Reference)
		count("items", e.Look.Items)
	case Exported:
		add("handed", r.Handed.String())
	case Receipted:
		count("receipt", int64(e.Pass))
	case HoldIt:
		add("ground", string(e.Hold.Ground))
		add("until", e.Hold.Until.String())
	case Reject:
		add("ground", string(e.Refusal.Ground))
	case Extend:
		add("reason", string(e.Reason))
	}
	return f
}

// finding opens what is out of order. It is closed by the record of the answer.
func (t *turn) finding(r *Request, step string) error {
	rec := t.begun(record.Finding, *r, step)
	rec.Method = record.Test
	rec.Result = record.Result{State: record.Broken}
	rec.Facts = map[string]string{"event": step, "state": string(r.State), "due": r.Deadline.Due.String()}
	r.Finding = rec.ID()
	return t.emit(rec)
}

package promise

import (
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

// watched is a mechanism that runs by itself: rule, assertion, records, probe. It needs a live heartbeat that saw
// its whole population, no missing run, and a newest measurement that is good and fresh. A rule, an assertion or a
// check that finds nothing needs no measurement beside its heartbeat; a probe does, and a check whose heartbeat says so: what
// senders feed may have told it that something is broken, and that record be late or lost.
func (v *evaluation) watched(p Promise, e *entry, m policy.Mechanism, ref string) verdict {
	own := place(m, ref)
	run, runs := v.newest(e, own, record.Run)
	seen, measured := e.Proofs[key(own, string(record.Observation))] // a measurement speaks only of the promises it names
	d := shown(run, runs, seen, measured)
	say := func(state record.State, reason Reason, since, until int64) verdict {
		d.state, d.reason, d.since, d.until = state, reason, since, until
		return d
	}
	// What was measured broken stays so, however old, until something is measured again.
	if measured && seen.State == record.Broken {
		d.last, d.measure = seen.evidence(), seen.Measure
		return say(record.Broken, failure(seen), seen.At, 0)
	}
	if !runs {
		return say(record.Unknown, NotRunning, 0, 0)
	}
	live := run.At + defaultBeat.Milliseconds()
	if run.Expires > 0 {
		live = run.until(longestBeat)
	}
	gap := v.l.heads.Controls[own].gap()
	switch {
	case run.State == record.Broken:
		return say(record.Broken, failure(run), run.At, 0)
	case v.ahead(run.At), measured && v.ahead(seen.At):
		return say(record.Unknown, ClockAhead, 0, 0)
	case v.reached(live):
		return say(record.Unknown, Silent, live, 0)
	case run.State != record.Kept || !run.Whole:
		return say(record.Unknown, Incomplete, run.At, 0)
	case gap > 0 && !v.reached(v.healed(p.ID, gap)):
		return say(record.Unknown, GapInRuns, gap, v.healed(p.ID, gap))
	case !measured && (m == policy.Probe || run.Needs):
		return say(record.Unknown, NoProof, run.At, 0)
	case !measured:
		return say(record.Kept, "", run.At, live)
	case seen.State == record.Unknown:
		return say(record.Unknown, Incomplete, seen.At, 0)
	}
	if end := v.end(p, seen, calendar.Period{}); v.reached(end) {
		return say(Stale, Expired, end, end)
	} else {
		return say(record.Kept, "", seen.At, min(end, live))
	}
}

// shown begins a verdict with the newer of run and measurement, and the measured number.
func shown(run proof, runs bool, seen proof, measured bool) (d verdict) {
	switch {
	case measured && (!runs || seen.At >= run.At):
		d.last, d.measure = seen.evidence(), seen.Measure
	case runs:
		d.last, d.measure = run.evidence(), run.Measure
	}
	if measured && seen.Measure != nil {
		d.measure = seen.Measure
	}
	return d
}

func failure(p proof) Reason {
	if p.Beyond {
		return BeyondLimit
	}
	return Failed
}

// duty is kept while the newest thing done for it is in force; attested where that is what people state, measured by
// nothing.
func (v *evaluation) duty(p Promise, e *entry, ref string) verdict {
	done, any := v.newest(e, place(policy.Duty, ref), record.Review, record.Attestation, record.Observation)
	every, planned := v.l.duties[ref]
	if !any {
		if planned {
			return verdict{state: record.Unknown, reason: NotDone}
		}
		return verdict{state: record.Unknown, reason: NotRunning}
	}
	good := record.Kept
	if done.Said {
		good = record.Attested
	}
	return v.dated(done, good, v.end(p, done, every))
}

// certificate is inherited while the document on file is in force.
func (v *evaluation) certificate(p Promise, e *entry, ref string) verdict {
	filed, any := v.newest(e, place(policy.Certificate, ref), record.Attestation)
	if !any {
		return verdict{state: record.Unknown, reason: NoCertificate}
	}
	return v.dated(filed, record.Inherited, v.end(p, filed, calendar.Period{}))
}

// dated is a proof that is good until its end.
func (v *evaluation) dated(q proof, good record.State, end int64) verdict {
	d := verdict{last: q.evidence(), measure: q.Measure, since: q.At}
	switch {
	case q.State == record.Broken:
		d.state, d.reason = record.Broken, failure(q)
	case v.ahead(q.At):
		d.state, d.reason, d.since = record.Unknown, ClockAhead, 0
	case q.State != record.Kept:
		d.state, d.reason = record.Unknown, Incomplete
	case v.reached(end):
		d.state, d.reason, d.since, d.until = Stale, Expired, end, end
	default:
		d.state, d.until = good, end
	}
	return d
}

// statement is attested while the newest signature under the present text, by a role the policy asks, is in force.
// What was signed for the same sentence in another document counts too, unless this one was signed itself and is
// another sentence by now: then nobody knows whether it still says the same.
func (v *evaluation) statement(p Promise, roles []string) verdict {
	d := v.signed(p, roles)
	i, known := v.l.index[p.SameAs]
	if !known || d.state == record.Attested || d.state == record.Broken {
		return d
	}
	twin := v.l.register.Promises[i]
	if d.reason == TextChanged && twin.TextHash != p.TextHash {
		return d
	}
	if same := v.signed(twin, roles); same.state == record.Attested || d.reason == NotSigned {
		same.via = p.SameAs
		return same
	}
	return d
}

func (v *evaluation) signed(p Promise, roles []string) verdict {
	proofs := v.l.entries[p.ID].Proofs
	var q proof
	any := false
	for _, role := range roles {
		if s, there := proofs[key(StatementControl, role)]; there && (!any || s.newer(q)) {
			q, any = s, true
		}
	}
	wrong, instead := proofs[StatementControl]
	switch {
	case !any && instead:
		return verdict{state: record.Unknown, reason: WrongRole, since: wrong.At, last: wrong.evidence(), role: wrong.Role}
	case !any:
		return verdict{state: record.Unknown, reason: NotSigned}
	}
	end := q.until(longestStatement)
	if age := v.l.maxAge[p.ID]; !age.IsZero() {
		end = min(end, after(q.At, age))
	}
	d := v.dated(q, record.Attested, end)
	d.role = q.Role
	if (d.state == record.Attested || d.state == Stale) && q.Hash != p.TextHash {
		d.state, d.reason, d.until = record.Unknown, TextChanged, 0
	}
	return d
}

// part is the state of a promise another one is made of.
func (v *evaluation) part(id string) verdict {
	s := v.status(id)
	return verdict{
		state: s.State, reason: s.Reason, since: unix(s.Since), until: unix(s.Until), last: s.Last, measure: s.Measure,
		role: s.SignedBy, via: id, waiver: s.Waiver,
	}
}

// newest returns the newest record of some kinds in a place, whether it names the promise or no promise at all.
func (v *evaluation) newest(e *entry, place string, kinds ...record.Kind) (found proof, any bool) {
	for _, kind := range kinds {
		of := key(place, string(kind))
		for _, in := range []map[string]proof{e.Proofs, v.l.heads.Proofs} {
			if q, there := in[of]; there && (!any || q.newer(found)) {
				found, any = q, true
			}
		}
	}
	return found, any
}

// end returns when a proof is too old: as it says, else a period after it was made, and never past the promise's own
// max_age.
func (v *evaluation) end(p Promise, q proof, every calendar.Period) int64 {
	end := q.until(longestProof)
	if q.Expires == 0 && !every.IsZero() {
		end = min(end, after(q.At, every))
	}
	if age := v.l.maxAge[p.ID]; !age.IsZero() {
		end = min(end, after(q.At, age))
	}
	return end
}

// unix returns a time as it is stored.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// after returns the instant a period after another. Days have 24 hours: evidence is dated in UTC.
func after(ms int64, p calendar.Period) int64 {
	if p.Years == 0 && p.Months == 0 {
		return ms + int64(p.Days)*dayLength.Milliseconds() + p.Clock.Milliseconds()
	}
	return p.Add(at(ms), time.UTC).UnixMilli()
}

func sortedKeys[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil // as it is for most promises, at each page record
	}
	return slices.Sorted(maps.Keys(m))
}

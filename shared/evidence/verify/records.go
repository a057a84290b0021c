package verify

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
)

// take notes what later checks need of a leaf.
func (v *verifier) take(ctx context.Context, index int64, l leaf) error {
	r := l.record
	if l.wrong != nil {
		v.spoil(failure(recordMalformed, strconv.FormatInt(index, 10), l.wrong))
		return nil
	}
	v.selectRecord(index, r)
	if r.Run > 0 {
		v.runs.saw(r.Control, r.Facts[record.Mechanism], r.Run)
	}
	if w, is := log.ReadRewind(r); is && w.Kept.Size == index && len(v.report.Rewinds) < maxListed {
		v.report.Rewinds = append(v.report.Rewinds, Rewind{index, r.Source.Collected, w.Gone, w.Kept, w.Why})
	}
	switch {
	case r.Kind == record.Page && r.Control == pageControl:
		v.page, v.pageAt = r, index
	case r.Kind == record.Erasure && len(v.erased) < maxListed:
		for _, ref := range r.Refs {
			v.erased[ref.ID] = true
		}
	}
	return v.noted(v.checkPayload(ctx, r))
}

// selectRecord counts a record that was asked for. A record without a time of its own has the one it was learnt at.
func (v *verifier) selectRecord(index int64, r record.Record) {
	o, at := v.options, r.Source.Observed
	if at.IsZero() {
		at = r.Source.Collected
	}
	named := o.Promise == ""
	for _, id := range r.Promises {
		named = named || id == o.Promise
	}
	if !named || !o.From.IsZero() && at.Before(o.From) || !o.To.IsZero() && !at.Before(o.To) {
		return
	}
	s := &v.report.Selected
	if s.Records++; s.First < 0 {
		s.First = index
	}
	s.Last = index
	if at.After(s.Newest) {
		s.Newest = at
	}
}

// settle reports what can be said only when the whole log was read.
func (v *verifier) settle() {
	for _, id := range slices.Sorted(maps.Keys(v.payloads)) {
		v.fail(failure(payloadUnknown, payloadFolder+"/"+id, nil))
	}
	v.report.Erased = len(v.erased)
	gaps, cut := v.runs.gaps()
	v.report.Gaps, v.report.GapsCut = append(v.report.Gaps, gaps...), cut
	if v.options.Strict {
		if cut {
			v.fail(failure(runsUncounted, "--strict", nil))
		}
		for _, g := range v.report.Gaps {
			v.fail(failure(runMissing, g.String(), nil))
		}
	}
}

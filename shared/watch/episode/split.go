package episode

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
)

// Bounds of what is kept of entries that were split: how many splits wait at once, and of one part the bytes as stored.
// They wait for Lateness, so that in an hour six times as many can begin. Of what is beyond that, what is known is judged
// at once.
const (
	mostSplits = 200
	mostPart   = 700_000 // in base64 less than store.MaxDocumentBytes
)

// split is an entry of which parts are waited for, as it is stored under the ID of the whole entry. It tells nothing of
// the entry.
type split struct {
	V       int       `json:"v"`
	Due     int64     `json:"due"` // microseconds since 1970: when the other parts count as lost
	Total   int       `json:"total"`
	Have    []int     `json:"have"`  // indexes of the parts that came
	Bytes   int       `json:"bytes"` // of their payloads
	Expires time.Time `json:"expires"`
}

// splitPart is one part, as the log holds it: personal data of whoever acted may be in it. It is deleted with the
// transaction that judges the entry.
type splitPart struct {
	V       int       `json:"v"`
	Data    []byte    `json:"data"` // compressed (RFC 1952)
	Expires time.Time `json:"expires"`
}

func partID(id string, index int) string { return hashed("part", id, strconv.Itoa(index)) }

// whole reports whether nothing is missing.
func (p split) whole() bool { return len(p.Have) == p.Total }

// piecemeal is an entry that was put together, and what was stored for it.
type piecemeal struct {
	stored split // as it was read
	due    time.Time
}

// errMore: another part came while the entry was put together.
var errMore = errors.New("another part of the entry came")

// part takes a part of an entry that was split. It is stored until the others have come, in one transaction; the entry is
// judged when the last one is there, and again by whoever finds it so, until it is judged. Parts that no rule and no other
// control can want leave nothing.
func (s *Service) part(ctx context.Context, e auditlog.Entry, now time.Time) (Outcome, error) {
	if !s.Rules.Concerns(&e) && len(s.derive(&e)) == 0 && !suspends(&e) {
		return Outcome{}, s.note(ctx, &e, now)
	}
	data := packed(&e)
	keep, err := s.keeps(ctx, &e, len(data))
	if err != nil {
		return Outcome{}, err
	}
	var more []auditlog.Entry
	if keep {
		again, waits, err := s.keep(ctx, &e, data, now)
		if err != nil || again || waits {
			return Outcome{Again: again, Waits: waits}, err
		}
	} else {
		more = []auditlog.Entry{e}
	}
	return s.joined(ctx, e.WholeID(), more, now)
}

// keeps reports whether a part is stored: it can be, and there are not too many.
func (s *Service) keeps(ctx context.Context, e *auditlog.Entry, size int) (bool, error) {
	if !e.Split.Joinable() || size == 0 || size > mostPart {
		return false, nil
	}
	var p split
	err := s.Store.Get(ctx, splits, e.WholeID(), &p)
	switch {
	case err == nil:
		return slices.Contains(p.Have, e.Split.Index) || p.Bytes+len(e.Payload) <= auditlog.MaxSize, nil
	case !fault.Is(err, fault.NotFound):
		return false, err
	}
	waiting, err := s.Store.Query(ctx, store.Query{Collection: splits, Range: &store.Range{Name: "due"}, Limit: s.splits})
	return len(waiting) < s.splits, err
}

// keep stores a part, once, and reports whether its entry was judged before, or waits for others.
func (s *Service) keep(ctx context.Context, e *auditlog.Entry, data []byte, now time.Time) (again, waits bool, err error) {
	id := e.WholeID()
	err = s.Store.Tx(ctx, func(tx store.Tx) error {
		again, waits = false, false
		var mark taken
		if err := tx.Get(entries, id, &mark); err == nil {
			again = true
			return nil
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		due := now.Add(Lateness)
		p := split{V: Version, Due: due.UnixMicro(), Total: e.Split.Total, Expires: due.Add(keptUnjudged)}
		if err := tx.Get(splits, id, &p); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if slices.Contains(p.Have, e.Split.Index) {
			waits = !p.whole()
			return nil
		}
		p.Have, p.Bytes = append(p.Have, e.Split.Index), p.Bytes+len(e.Payload)
		waits = !p.whole()
		if err := tx.Put(splits, id, p); err != nil {
			return err
		}
		return tx.Put(splitParts, partID(id, e.Split.Index), splitPart{Version, data, p.Expires})
	})
	return again, waits, err
}

// joined judges what is there of an entry, and more parts that are not stored; nothing where it was judged before.
func (s *Service) joined(ctx context.Context, id string, more []auditlog.Entry, now time.Time) (out Outcome, err error) {
	for range attempts {
		p, parts, err := s.parts(ctx, id)
		if err != nil {
			return Outcome{}, err
		}
		if parts = append(parts, more...); len(parts) == 0 {
			return Outcome{Again: true}, nil
		}
		made := &piecemeal{stored: p, due: now}
		if due := time.UnixMicro(p.Due).UTC(); p.Due > 0 && due.Before(now) {
			made.due = due
		}
		e := auditlog.Join(parts)
		if err := s.note(ctx, &e, now); err != nil {
			return Outcome{}, err
		}
		if out, err = s.judge(ctx, e, made, now); !errors.Is(err, errMore) {
			return out, err
		}
	}
	return Outcome{}, fault.New(fault.Conflict, "putting an entry together: %w", errMore)
}

// parts reads what is stored of an entry. One that is judged meanwhile has none.
func (s *Service) parts(ctx context.Context, id string) (p split, parts []auditlog.Entry, err error) {
	if err := s.Store.Get(ctx, splits, id, &p); err != nil {
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return split{}, nil, err
	}
	for _, index := range p.Have {
		var one splitPart
		if err := s.Store.Get(ctx, splitParts, partID(id, index), &one); fault.Is(err, fault.NotFound) {
			continue
		} else if err != nil {
			return split{}, nil, err
		}
		if e, err := unpacked(one.Data); err == nil {
			parts = append(parts, e)
		}
	}
	return p, parts, nil
}

// unmoved makes sure that what was judged is what is stored. ErrMore: it is not.
func (t *turn) unmoved(id string, made *piecemeal) error {
	var p split
	if err := t.tx.Get(splits, id, &p); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if !slices.Equal(p.Have, made.stored.Have) {
		return errMore
	}
	return nil
}

// spend deletes what was stored of an entry, with the transaction that judges it.
func (t *turn) spend(id string, made *piecemeal) error {
	for _, index := range made.stored.Have {
		if err := t.tx.Delete(splitParts, partID(id, index)); err != nil {
			return err
		}
	}
	if len(made.stored.Have) == 0 {
		return nil
	}
	return t.tx.Delete(splits, id)
}

// overdue judges what is there of the entries whose other parts count as lost, and reports whether none is left.
func (s *Service) overdue(ctx context.Context, now time.Time) (drained bool, err error) {
	docs, err := s.Store.Query(ctx, store.Query{Collection: splits, Range: &store.Range{Name: "due", To: now.UnixMicro() + 1}, Limit: store.MaxQueryResults})
	if err != nil {
		return false, fmt.Errorf("reading which entries are not whole: %w", err)
	}
	var errs []error
	for _, d := range docs {
		if _, err := s.joined(ctx, d.ID, nil, now); err != nil {
			errs = append(errs, fmt.Errorf("judging an entry that is not whole: %w", err))
		}
	}
	return len(errs) == 0 && len(docs) < store.MaxQueryResults, errors.Join(errs...)
}

// partless is the finding of an entry of which no part says what was called: no rule can look at it.
func partless(e *auditlog.Entry, now time.Time) found {
	return unreadable(e.ID, rule.PartsMissing, now).ours(now)
}

// packed returns a part as it is stored, nil for one that could not be read again.
func packed(e *auditlog.Entry) []byte {
	data, err := e.Written()
	if err != nil {
		return nil
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(data); err != nil || z.Close() != nil {
		return nil
	}
	if _, err := unpacked(out.Bytes()); err != nil {
		return nil
	}
	return out.Bytes()
}

func unpacked(data []byte) (auditlog.Entry, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return auditlog.Entry{}, err
	}
	text, err := io.ReadAll(io.LimitReader(z, auditlog.MaxSize+1))
	if err != nil {
		return auditlog.Entry{}, err
	}
	all, err := auditlog.Decode(text)
	if err != nil {
		return auditlog.Entry{}, err
	}
	return all[0], nil
}

package gcs

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/storage"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

const (
	atOnce   = 8 // objects of one call erased at the same time
	attempts = 3 // at one object that others write to
)

// Erase implements erasure.Store. After an error it answers for the items whose fate is known.
func (s *Store) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	err := check(q)
	if err == nil {
		err = q.CheckErase(items)
	}
	if err != nil {
		return nil, err
	}
	done := make([]*erasure.Result, len(items))
	errs := make([]error, len(items))
	work, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, item := range items {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if done[i], errs[i] = s.one(work, q, item); errs[i] != nil {
				stop() // who is asked too much is not asked more
			}
		})
	}
	all.Wait()
	var results []erasure.Result
	for _, r := range done {
		if r != nil {
			results = append(results, *r)
		}
	}
	return results, first(errs)
}

// first is the error that stopped the others, which were cancelled.
func first(errs []error) (found error) {
	for _, err := range errs {
		if err != nil && (found == nil || fault.KindOf(found) == fault.Transient) {
			found = err
		}
	}
	return found
}

// one erases one generation: it reads what the object says of itself, and deletes it if it still says so.
func (s *Store) one(ctx context.Context, q erasure.Query, item erasure.Item) (*erasure.Result, error) {
	name, generation, ok := parseRef(item.Ref)
	if !ok || !inside(q, name) {
		return &erasure.Result{Ref: item.Ref, Outcome: erasure.OutcomeForeign}, nil
	}
	handle, ctx, cancel, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	object := handle.Object(name).Generation(generation)
	for range attempts {
		now, err := object.Attrs(ctx)
		if missing(err) {
			return &erasure.Result{Ref: item.Ref, Outcome: erasure.OutcomeGone}, nil
		}
		if err != nil {
			return nil, s.explain("erasing in", err)
		}
		result := &erasure.Result{Ref: item.Ref, Outcome: decide(q, item, now)}
		if result.Outcome != erasure.OutcomeErased {
			return result, nil
		}
		err = object.If(storage.Conditions{MetagenerationMatch: now.Metageneration}).Delete(ctx)
		switch code, reason, _ := status(err); {
		case err == nil:
			return result, nil
		case missing(err):
			result.Outcome = erasure.OutcomeGone
			return result, nil
		case code == http.StatusForbidden && (reason == "objectUnderActiveHold" || reason == "retentionPolicyNotMet"):
			result.Outcome, result.Until = erasure.OutcomeHeld, until(s.held(now))
			return result, nil
		case code != http.StatusPreconditionFailed:
			return nil, s.explain("erasing in", err)
		}
	}
	return &erasure.Result{Ref: item.Ref, Outcome: erasure.OutcomeChanged}, nil
}

// decide is what is to become of an object as it is now.
func decide(q erasure.Query, item erasure.Item, now *storage.ObjectAttrs) erasure.Outcome {
	switch {
	case tenant(q, now) != q.Tenant.ID:
		return erasure.OutcomeForeign
	case !matches(q, now):
		return erasure.OutcomeGone
	case item.Version != version(now):
		return erasure.OutcomeChanged
	}
	return erasure.OutcomeErased
}

// inside reports whether a name can be an item of the query at all.
func inside(q erasure.Query, name string) bool {
	if names(q) == nil {
		return strings.HasPrefix(name, q.Place)
	}
	return matches(q, &storage.ObjectAttrs{Name: name})
}

// until is when a hold ends, zero where nobody knows.
func until(held time.Time) time.Time {
	if held.Equal(erasure.Endless) {
		return time.Time{}
	}
	return held
}

func missing(err error) bool {
	code, reason, _ := status(err)
	return code == http.StatusNotFound && reason != noBucket
}

// parseRef is the reverse of how an item is named.
func parseRef(ref string) (name string, generation int64, ok bool) {
	i := strings.LastIndex(ref, "#")
	if i <= 0 {
		return "", 0, false
	}
	generation, err := strconv.ParseInt(ref[i+1:], 10, 64)
	return ref[:i], generation, err == nil && generation > 0
}

// Traces implements erasure.Reader.
func (r *Reader) Traces(ctx context.Context) (erasure.Traces, error) {
	handle, ctx, cancel, err := r.begin(ctx)
	if err != nil {
		return erasure.Traces{}, err
	}
	defer cancel()
	attrs, err := handle.Attrs(ctx)
	if code, _, _ := status(err); code == http.StatusForbidden {
		return erasure.Traces{Unknown: []string{"how long the bucket lets deleted objects be restored"}}, nil
	}
	if err != nil {
		return erasure.Traces{}, r.explain("describing", err)
	}
	var t erasure.Traces
	if p := attrs.SoftDeletePolicy; p != nil {
		t.SoftDelete = p.RetentionDuration
	}
	return t, nil
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

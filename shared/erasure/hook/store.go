package hook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

var head = Head{V: version}

func about(doing string, q erasure.Query) string {
	return fmt.Sprintf("%s of entry %q", doing, q.Entry)
}

// Find implements erasure.Reader.
func (h *Hook) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	if err := errors.Join(q.Check(), erasure.CheckLimit(limit)); err != nil {
		return erasure.Page{}, err
	}
	doing, answer := about("finding items", q), FindAnswer{}
	if err := h.call(ctx, doing, "find", FindRequest{Head: head, Query: queryToWire(q), Cursor: cursor, Limit: limit}, &answer); err != nil {
		return erasure.Page{}, err
	}
	if len(answer.Items) > limit || len(answer.Next) > maxName || answer.Next != "" && answer.Next == cursor {
		return erasure.Page{}, broken(doing, "the answer is longer than asked for, or goes on where it began")
	}
	page, seen := erasure.Page{Next: answer.Next}, map[string]bool{}
	for _, w := range answer.Items {
		if w.Ref == "" || len(w.Ref) > maxName || seen[w.Ref] {
			return erasure.Page{}, broken(doing, "an item has no name, one too long, or that of another")
		}
		if q.Tenant.Binding != erasure.BindField && w.Tenant != q.Tenant.ID {
			return erasure.Page{}, broken(doing, "an item is of another tenant than its place")
		}
		seen[w.Ref] = true
		item := w.item()
		page.Items = append(page.Items, q.Shows(item, func(field string) string { return item.Shown[field] }))
	}
	return page, nil
}

// Erase implements erasure.Store.
func (h *Hook) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	if err := errors.Join(q.CheckErase(items), q.CheckTotals()); err != nil || len(items) == 0 {
		return nil, err
	}
	request, answer := EraseRequest{Head: head, Query: queryToWire(q)}, EraseAnswer{}
	for _, i := range items {
		request.Items = append(request.Items, itemToWire(i))
	}
	doing := about("erasing items", q)
	if err := h.call(ctx, doing, "erase", request, &answer); err != nil {
		return nil, err
	}
	if len(answer.Results) != len(items) {
		return nil, broken(doing, "the answer does not tell of each item")
	}
	var results []erasure.Result
	for i, w := range answer.Results {
		outcome := erasure.Outcome(w.Outcome)
		known := slices.Contains([]erasure.Outcome{
			erasure.OutcomeErased, erasure.OutcomeGone, erasure.OutcomeChanged, erasure.OutcomeForeign, erasure.OutcomeHeld, erasure.OutcomeIncomplete,
		}, outcome)
		if w.Ref != items[i].Ref || !known || w.Until != nil && outcome != erasure.OutcomeHeld {
			return nil, broken(doing, "a result is of another item, or of no kind that is known")
		}
		results = append(results, erasure.Result{Ref: w.Ref, Outcome: outcome, Until: moment(w.Until)})
	}
	return results, nil
}

// Values implements erasure.Reader.
func (h *Hook) Values(ctx context.Context, q erasure.Query, field string, limit int) ([]string, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	doing, answer := about("reading identifiers", q), ValuesAnswer{}
	if err := h.call(ctx, doing, "values", ValuesRequest{Head: head, Query: queryToWire(q), Field: field, Limit: limit}, &answer); err != nil {
		return nil, err
	}
	slices.Sort(answer.Values)
	values := slices.DeleteFunc(slices.Compact(answer.Values), func(v string) bool { return v == "" })
	if len(values) > limit {
		return nil, fault.New(fault.Exhausted, "%s: more than %d", doing, limit)
	}
	return values, nil
}

// Group implements erasure.Reader. Invalid where the service does not have it.
func (h *Hook) Group(ctx context.Context, q erasure.Query, fields []string) (int, error) {
	if err := q.Check(); err != nil {
		return 0, err
	}
	doing, answer := about("counting items", q), GroupAnswer{}
	if err := h.call(ctx, doing, "group", GroupRequest{Head: head, Query: queryToWire(q), Fields: fields}, &answer); err != nil {
		return 0, err
	}
	if answer.Smallest < 0 {
		return 0, broken(doing, "the answer is no count")
	}
	return answer.Smallest, nil
}

// Places implements erasure.Reader.
func (h *Hook) Places(ctx context.Context, limit int) ([]string, error) {
	const doing = "listing a hook's places"
	var answer PlacesAnswer
	if err := h.call(ctx, doing, "places", PlacesRequest{Head: head, Limit: limit}, &answer); err != nil {
		return nil, err
	}
	if slices.Contains(answer.Places, "") {
		return nil, broken(doing, "a place has no name")
	}
	if len(answer.Places) > limit {
		return nil, fault.New(fault.Exhausted, "%s: there are more than %d", doing, limit)
	}
	slices.Sort(answer.Places)
	return slices.Compact(answer.Places), nil
}

// longest is the longest time that a service may say it keeps something.
const longest = 100 * 365 * 24 * 60 * 60

// Traces implements erasure.Reader. A service that does not have it is one of which nothing is known.
func (h *Hook) Traces(ctx context.Context) (erasure.Traces, error) {
	const doing = "asking what a hook keeps"
	var answer TracesAnswer
	err := h.call(ctx, doing, "traces", TracesRequest{head}, &answer)
	if errors.Is(err, errMissing) {
		return erasure.Traces{Unknown: []string{"what the service behind the hook keeps of erased data"}}, nil
	}
	if err != nil {
		return erasure.Traces{}, err
	}
	if min(answer.SoftDelete, answer.Rewind) < 0 || max(answer.SoftDelete, answer.Rewind) > longest {
		return erasure.Traces{}, broken(doing, "the answer is no time")
	}
	return erasure.Traces{SoftDelete: time.Duration(answer.SoftDelete) * time.Second, Rewind: time.Duration(answer.Rewind) * time.Second, Unknown: answer.Unknown}, nil
}

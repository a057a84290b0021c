package parts

import (
	"context"
	"slices"

	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/store"
)

// Held returns the entries of each tenant of which two people hold something back, for a request that is not closed: nothing
// of them is erased by age, whomever it is about.
func (p *Parts) Held(ctx context.Context) (map[string][]string, error) {
	held := map[string][]string{}
	q := store.Query{Collection: request.Requests, Range: &store.Range{Name: "next"}, Limit: store.MaxQueryResults}
	for {
		waiting, err := store.Find[request.Request](p.Store.Query(ctx, q))
		if err != nil {
			return nil, err
		}
		for _, r := range waiting {
			for _, h := range r.Holds {
				if !slices.Contains(held[r.Tenant], h.Entry) {
					held[r.Tenant] = append(held[r.Tenant], h.Entry)
				}
			}
		}
		if len(waiting) < q.Limit {
			return held, nil
		}
		last := waiting[len(waiting)-1]
		q.After = &store.Cursor{Value: last.Next, ID: last.ID}
	}
}

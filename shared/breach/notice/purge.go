package notice

import (
	"context"
	"time"

	"ostiary.internal/shared/platform/store"
)

// purgePage is how many documents one transaction deletes.
const purgePage = 100

// Purge deletes the notices of a case, and their deliveries first. It may be called again: what is left is deleted then.
func (s *Service) Purge(ctx context.Context, caseID string, _ time.Time) error {
	all, err := s.List(ctx, caseID)
	if err != nil {
		return err
	}
	for _, n := range all {
		if err := s.purgeDeliveries(ctx, n.ID); err != nil {
			return err
		}
	}
	var ids []string
	for _, n := range all {
		ids = append(ids, n.ID)
	}
	for len(ids) > 0 {
		some := ids[:min(len(ids), purgePage)]
		if err := s.erase(ctx, Notices, some); err != nil {
			return err
		}
		ids = ids[len(some):]
	}
	return nil
}

func (s *Service) purgeDeliveries(ctx context.Context, notice string) error {
	type one struct {
		ID string `json:"id"`
	}
	for {
		some, err := store.Find[one](s.Store.Query(ctx, store.Query{Collection: Deliveries, Equal: []store.Field{{Name: "notice", Value: notice}}, Range: &store.Range{Name: "at"}, Limit: purgePage}))
		if err != nil || len(some) == 0 {
			return err
		}
		var ids []string
		for _, d := range some {
			ids = append(ids, d.ID)
		}
		if err := s.erase(ctx, Deliveries, ids); err != nil {
			return err
		}
	}
}

func (s *Service) erase(ctx context.Context, collection string, ids []string) error {
	return s.Store.Tx(ctx, func(tx store.Tx) error {
		for _, id := range ids {
			if err := tx.Delete(collection, id); err != nil {
				return err
			}
		}
		return nil
	})
}

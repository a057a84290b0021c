package scan

import (
	"context"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// night is a list of everything that was whole.
type night struct {
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
}

const (
	nightsID   = "nights"
	mostNights = 60
)

type nights struct {
	V      int     `json:"v"`
	Nights []night `json:"nights"` // the newest last
}

func (s *Service) nights(ctx context.Context) ([]night, error) {
	var n nights
	if err := s.Store.Get(ctx, scans, nightsID, &n); err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	return n.Nights, nil
}

// noted adds a list of which everything could be read.
func noted(tx store.Tx, h *head) error {
	var n nights
	if err := tx.Get(scans, nightsID, &n); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	n.V, n.Nights = version, append(n.Nights, night{h.WholeBegan, h.WholeEnded})
	n.Nights = n.Nights[max(0, len(n.Nights)-mostNights):]
	return tx.Put(scans, nightsID, n)
}

// inOrder is since when at the latest something was in order that was found for the first time at a time: it was not out of order by
// the list before the one that may have found it, which may have been behind. Zero: nobody knows.
func inOrder(all []night, first time.Time) time.Time {
	ended := slices.IndexFunc(all, func(n night) bool { return n.Ended.After(first) })
	if ended < 0 {
		ended = len(all)
	}
	if ended < 2 {
		return time.Time{}
	}
	return all[ended-2].Began.Add(-Lag)
}

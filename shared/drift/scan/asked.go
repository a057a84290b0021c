package scan

import (
	"context"
	"errors"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/platform/veil"
)

// compared holds what a call asked for against what is known of the asset from before the call. What was read since is no
// "before": then what was asked for stands alone, and it is said that nobody knows what it was.
func (s *Service) compared(ctx context.Context, h attribution.Hint) (attribution.Hint, error) {
	if h.Request == nil {
		h.Unasked = attribution.NotLogged
		return h, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.learn(ctx)
	if err == nil {
		err = errors.Join(s.desire(ctx, k), s.salted(ctx))
	}
	if err != nil {
		return h, err
	}
	var was *asset.Asset
	if a, there := k.live.Get("", h.Asset); there && !a.Deleted {
		was = &asset.Asset{Key: a.Key, Type: a.Type}
		if a.Read.Before(h.At) {
			was.Data = a.Data
		}
		if a.IAM != nil && a.IAM.Read.Before(h.At) {
			was.IAM = a.IAM
		}
	}
	h.Asked, h.Unasked = attribution.Asked(h.Request, was, veil.Veil{Salt: s.want.salt, Secret: s.want.secret(h.Asset)})
	return h, nil
}

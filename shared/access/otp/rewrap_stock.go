package otp

import (
	"context"
	"errors"
	"fmt"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// stockPage is how many tokens are sealed again in one transaction, under one data key.
const stockPage = SeedsPerCall

// rewrapStock seals the secrets of the tokens in stock, and the key of their digests, again under the key service's present key,
// and returns how many it moved. A token that is assigned meanwhile stays as it is: its secret has left the stock.
func (s *Service) rewrapStock(ctx context.Context) (moved int, err error) {
	present, err := s.presentKey(ctx)
	if err != nil {
		return 0, err
	}
	moved, err = s.rewrapDigestKey(ctx, present)
	var failed []error
	if err != nil {
		failed = append(failed, err)
	}
	var after *store.Cursor
	for {
		page, err := s.Store.Query(ctx, store.Query{Collection: Tokens, After: after, Limit: stockPage})
		if err != nil {
			return moved, errors.Join(append(failed, fmt.Errorf("reading the stock: %w", err))...)
		}
		n, err := s.rewrapTokens(ctx, page, present)
		if moved += n; err != nil {
			failed = append(failed, err)
		}
		if len(page) < stockPage {
			return moved, errors.Join(failed...)
		}
		after = &store.Cursor{ID: page[len(page)-1].ID}
	}
}

// presentKey names the key under which the key service seals now.
func (s *Service) presentKey(ctx context.Context) (string, error) {
	key, err := seal.NewDataKey(ctx, s.Keys, s.Random, stockBound("present"))
	if err != nil {
		return "", fmt.Errorf("asking for the present key: %w", err)
	}
	envelope, err := key.Seal(s.Random, nil)
	if err != nil {
		return "", fmt.Errorf("asking for the present key: %w", err)
	}
	return envelope.Key, nil
}

// rewrapDigestKey seals the key of the seed digests again, where there is one under another key.
func (s *Service) rewrapDigestKey(ctx context.Context, present string) (moved int, err error) {
	var kept sealedKey
	err = s.Store.Get(ctx, Seeds, digestKeyID, &kept)
	if fault.Is(err, fault.NotFound) || err == nil && kept.Envelope.Key == present {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the key of the seed digests: %w", err)
	}
	key, err := seal.Open(ctx, s.Keys, *kept.Envelope, digestBound)
	defer seal.Wipe(key)
	if err != nil {
		return 0, fmt.Errorf("opening the key of the seed digests: %w", err)
	}
	envelope, err := seal.Seal(ctx, s.Keys, s.Random, key, digestBound)
	if err != nil {
		return 0, fmt.Errorf("sealing the key of the seed digests: %w", err)
	}
	kept.Envelope = &envelope // the key itself never changes: whoever writes last writes the same
	if err := s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Put(Seeds, digestKeyID, kept) }); err != nil {
		return 0, fmt.Errorf("storing the key of the seed digests: %w", err)
	}
	return 1, nil
}

// rewrapTokens seals those of some tokens again that are in stock under another key.
func (s *Service) rewrapTokens(ctx context.Context, page []store.Document, present string) (moved int, err error) {
	fresh := map[string]HardwareToken{}
	keys := map[string]*seal.DataKey{} // by import: the envelopes of one are bound to it
	var failed []error
	for _, document := range page {
		var t HardwareToken
		if err := document.Decode(&t); err != nil {
			failed = append(failed, err)
			continue
		}
		if t.State != TokenInStock || t.Envelope == nil || t.Envelope.Key == present {
			continue
		}
		if err := s.reseal(ctx, &t, keys); err != nil {
			failed = append(failed, fmt.Errorf("sealing a token in stock again: %w", err))
			continue
		}
		fresh[document.ID] = t
	}
	if len(fresh) > 0 {
		if moved, err = s.restock(ctx, fresh); err != nil {
			failed = append(failed, fmt.Errorf("sealing the stock again: %w", err))
		}
	}
	return moved, errors.Join(failed...)
}

// reseal gives a token an envelope under the present key.
func (s *Service) reseal(ctx context.Context, t *HardwareToken, keys map[string]*seal.DataKey) error {
	plain, err := seal.Open(ctx, s.Keys, *t.Envelope, stockBound(t.File))
	defer seal.Wipe(plain)
	if err != nil {
		return err
	}
	if keys[t.File] == nil {
		if keys[t.File], err = seal.NewDataKey(ctx, s.Keys, s.Random, stockBound(t.File)); err != nil {
			return err
		}
	}
	envelope, err := keys[t.File].Seal(s.Random, plain)
	t.Envelope = &envelope
	return err
}

// restock stores the new envelopes of tokens that are still what they were, and returns how many it stored.
func (s *Service) restock(ctx context.Context, fresh map[string]HardwareToken) (moved int, err error) {
	err = s.Store.Tx(ctx, func(tx store.Tx) error {
		write := map[string]HardwareToken{}
		for id, t := range fresh {
			var current HardwareToken
			err := tx.Get(Tokens, id, &current)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			if err == nil && current.State == TokenInStock && current.Seed == t.Seed && current.File == t.File {
				current.Envelope = t.Envelope
				write[id] = current
			}
		}
		for id, t := range write {
			if err := tx.Put(Tokens, id, t); err != nil {
				return err
			}
		}
		moved = len(write)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return moved, nil
}

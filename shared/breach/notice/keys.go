package notice

import (
	"context"
	"errors"
	"io"
	"sync"

	"ostiary.internal/shared/platform/seal"
)

// atOnce is how many calls to the key service are under way: each recipient has a key of her own.
const atOnce = 10

// each calls do for the numbers from 0 to n-1, some at once, and returns all errors.
func each(n int, do func(i int) error) error {
	errs := make([]error, n)
	room := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i := range n {
		room <- struct{}{}
		all.Go(func() {
			errs[i] = do(i)
			<-room
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// keysOf makes the keys of so many recipients of a notice.
func (s *Service) keysOf(ctx context.Context, n Notice, recipients int) ([]*seal.DataKey, error) {
	keys := make([]*seal.DataKey, recipients)
	random := &shared{r: s.Random}
	return keys, each(recipients, func(i int) (err error) {
		keys[i], err = seal.NewDataKey(ctx, s.Keys, random, place(n.ID))
		return err
	})
}

// shared is a reader that several may read.
type shared struct {
	mu sync.Mutex
	r  io.Reader
}

func (s *shared) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return io.ReadFull(s.r, p)
}

// memory asks the key service once for a key that several envelopes share. It is for one call.
type memory struct {
	seal.Keys
	known map[string][]byte
}

func (m *memory) Unwrap(ctx context.Context, wrapped, bound []byte) ([]byte, error) {
	name := string(wrapped) + "\x00" + string(bound)
	if key, known := m.known[name]; known {
		return append([]byte(nil), key...), nil
	}
	key, err := m.Keys.Unwrap(ctx, wrapped, bound)
	if err == nil {
		m.known[name] = append([]byte(nil), key...)
	}
	return key, err
}

func (m *memory) wipe() {
	for _, key := range m.known {
		seal.Wipe(key)
	}
}

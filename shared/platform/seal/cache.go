package seal

import (
	"context"
	"io"
	"sync"
	"time"

	"ostiary.internal/shared/platform/clock"
)

// Limits of a Cache: a data key is used for an hour, and only so many places are remembered at a time.
const (
	MaxKeyAge     = time.Hour
	MaxCachedKeys = 256
)

// Cache keeps one DataKey per place, so that a busy function asks the key service once an hour and not once a
// value. It is safe for concurrent use.
type Cache struct {
	keys   Keys
	random io.Reader
	clock  clock.Clock

	mu     sync.Mutex
	cached map[string]cachedKey
}

type cachedKey struct {
	key  *DataKey
	made time.Time
}

// NewCache returns an empty cache in front of keys; random feeds the data keys.
func NewCache(keys Keys, random io.Reader, clk clock.Clock) *Cache {
	return &Cache{keys: keys, random: random, clock: clk, cached: map[string]cachedKey{}}
}

// Key returns the data key of a place, making one when there is none, it is an hour old or has sealed its fill.
// Call it before a transaction and seal inside. Errors are those of NewDataKey; none is remembered.
func (c *Cache) Key(ctx context.Context, bound []byte) (*DataKey, error) {
	if key := c.fresh(string(bound)); key != nil {
		return key, nil
	}
	key, err := NewDataKey(ctx, c.keys, c.random, bound)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.cached) >= MaxCachedKeys {
		c.dropOldest()
	}
	c.cached[string(bound)] = cachedKey{key, c.clock.Now()}
	return key, nil
}

func (c *Cache) fresh(bound string) *DataKey {
	c.mu.Lock()
	defer c.mu.Unlock()
	held, ok := c.cached[bound]
	if !ok {
		return nil
	}
	if c.clock.Now().Sub(held.made) >= MaxKeyAge || held.key.spent() {
		delete(c.cached, bound)
		return nil
	}
	return held.key
}

func (c *Cache) dropOldest() {
	var oldest string
	var at time.Time
	for bound, held := range c.cached {
		if at.IsZero() || held.made.Before(at) {
			oldest, at = bound, held.made
		}
	}
	delete(c.cached, oldest)
}

// Package memory keeps a store of the evidence log in memory, for tests: the same checks as the other drivers, and
// nothing survives the process.
package memory

import (
	"bytes"
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

func init() { log.Stores.Register("memory", opener()) }

// opener opens memory:NAME. Stores of one name share their objects for the life of the process; without a name each
// is its own.
func opener() driver.Open[log.Options, log.Objects] {
	var mu sync.Mutex
	named := map[string]*Objects{}
	return func(_ context.Context, u *url.URL, o log.Options) (log.Objects, error) {
		if u.Host != "" || u.Path != "" || u.RawQuery != "" {
			return nil, fault.New(fault.Misconfigured, "evidence log: a memory URL is memory:NAME")
		}
		if o.Clock == nil {
			return nil, fault.New(fault.Misconfigured, "evidence log: no clock")
		}
		if u.Opaque == "" {
			return New(o.Clock), nil
		}
		mu.Lock()
		defer mu.Unlock()
		if named[u.Opaque] == nil {
			named[u.Opaque] = New(o.Clock)
		}
		return named[u.Opaque], nil
	}
}

// Objects is a store in memory.
type Objects struct {
	clock clock.Clock
	mu    sync.RWMutex
	kept  map[string]stored
	last  int64 // the newest generation of all
}

type stored struct {
	log.Listed
	data []byte
}

// New returns an empty store; clk tells when objects are made.
func New(clk clock.Clock) *Objects { return &Objects{clock: clk, kept: map[string]stored{}} }

// Get returns an object, as log.Objects says; so do the other methods.
func (o *Objects) Get(ctx context.Context, name string) (log.Object, error) {
	if err := check(ctx, name); err != nil {
		return log.Object{}, err
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	s, ok := o.kept[name]
	if !ok {
		return log.Object{}, fault.New(fault.NotFound, "object %s does not exist", name)
	}
	return log.Object{Data: bytes.Clone(s.data), Generation: s.Generation}, nil
}

func (o *Objects) Create(ctx context.Context, name string, data []byte) (int64, error) {
	return o.Swap(ctx, name, data, 0)
}

func (o *Objects) Swap(ctx context.Context, name string, data []byte, generation int64) (int64, error) {
	if err := check(ctx, name); err != nil {
		return 0, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kept[name].Generation != generation {
		return 0, fault.New(fault.Conflict, "object %s is of another generation", name)
	}
	o.last++
	listed := log.Listed{Name: name, Generation: o.last, Size: int64(len(data)), Created: o.clock.Now()}
	o.kept[name] = stored{listed, bytes.Clone(data)}
	return o.last, nil
}

func (o *Objects) Delete(ctx context.Context, name string, generation int64) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if s, ok := o.kept[name]; ok && s.Generation != generation {
		return fault.New(fault.Conflict, "object %s is of another generation", name)
	}
	delete(o.kept, name)
	return nil
}

func (o *Objects) List(ctx context.Context, prefix, after string, limit int) ([]log.Listed, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.New(fault.Transient, "listing objects: %w", err)
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	var found []log.Listed
	for name, s := range o.kept {
		if strings.HasPrefix(name, prefix) && name > after {
			found = append(found, s.Listed)
		}
	}
	slices.SortFunc(found, func(a, b log.Listed) int { return strings.Compare(a.Name, b.Name) })
	return found[:min(limit, len(found))], nil
}

// Close does nothing: stores of one name share their objects.
func (o *Objects) Close() error { return nil }

func check(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return fault.New(fault.Transient, "reaching an object: %w", err)
	}
	return log.CheckName(name)
}

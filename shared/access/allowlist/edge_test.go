package allowlist_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/platform/fault"
)

// edge is an enforcement point in memory; several handles may share it.
type edge struct {
	mu       sync.Mutex
	prefixes []netip.Prefix
	digest   string
	etag     int
	fence    int64
	written  bool
}

// target is one handle on an edge.
type target struct {
	*edge
	name     string
	capacity int
	// hook is called before and after each look and each effect; an error ends the call there, as a death would.
	hook  func(point string) error
	lies  bool // it accepts and does nothing
	every time.Duration
	wider []string
	frame string
	over  func(allowlist.Set) []string
	parts bool // it is written an entry at a time, and remembers no digest, as rules of ten entries each
}

func (t *target) at(point string) error {
	if t.hook == nil {
		return nil
	}
	return t.hook(point)
}

func (t *target) Name() string { return t.name }

func (t *target) Limits() allowlist.Limits {
	return allowlist.Limits{Capacity: t.capacity, Every: t.every}
}

// Over implements allowlist.Packer.
func (t *target) Over(s allowlist.Set) []string {
	if t.over == nil {
		return nil
	}
	return t.over(s)
}

func (t *target) Read(ctx context.Context) (allowlist.Observed, error) {
	if err := errors.Join(ctx.Err(), t.at("read")); err != nil {
		return allowlist.Observed{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	o := allowlist.Observed{Prefixes: slices.Clone(t.prefixes), Digest: t.digest, Etag: fmt.Sprint(t.etag), Fence: t.fence, Wider: t.wider, Frame: t.frame}
	if t.parts {
		o.Digest = ""
	}
	if !t.written {
		o.Torn = "never written"
	}
	return o, nil
}

func (t *target) Apply(ctx context.Context, s allowlist.Set, w allowlist.Write) error {
	if err := s.Check(t.Limits()); err != nil {
		return err
	}
	if err := errors.Join(ctx.Err(), t.at("before apply")); err != nil {
		return err
	}
	if t.parts {
		if err := t.piecemeal(s, w); err != nil {
			return err
		}
	} else if err := t.replace(s, w); err != nil {
		return err
	}
	return t.at("after apply")
}

// piecemeal makes the changes one by one; it may die between any two.
func (t *target) piecemeal(s allowlist.Set, w allowlist.Write) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.Fence < t.fence || w.Etag != fmt.Sprint(t.etag) {
		return fault.New(fault.Conflict, "applying: fence %d against %d, etag %s against %d", w.Fence, t.fence, w.Etag, t.etag)
	}
	t.fence, t.written = w.Fence, true
	want := s.Prefixes()
	for _, p := range slices.Concat(t.prefixes, want) {
		switch at := slices.Index(t.prefixes, p); {
		case at >= 0 && !slices.Contains(want, p):
			t.prefixes = slices.Delete(slices.Clone(t.prefixes), at, at+1)
		case at < 0 && slices.Contains(want, p):
			t.prefixes = append(slices.Clone(t.prefixes), p)
			slices.SortFunc(t.prefixes, netip.Prefix.Compare)
		default:
			continue
		}
		t.etag++
		if err := t.at("part"); err != nil {
			return err
		}
	}
	return nil
}

func (t *target) Remove(ctx context.Context, gone []netip.Prefix) error {
	if err := errors.Join(ctx.Err(), t.at("before apply")); err != nil {
		return err
	}
	t.foreign(func(all []netip.Prefix) []netip.Prefix {
		return slices.DeleteFunc(all, func(p netip.Prefix) bool { return slices.Contains(gone, p) })
	})
	return t.at("after apply")
}

func (t *target) replace(s allowlist.Set, w allowlist.Write) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.Fence < t.fence || w.Etag != fmt.Sprint(t.etag) {
		return fault.New(fault.Conflict, "applying: fence %d against %d, etag %s against %d", w.Fence, t.fence, w.Etag, t.etag)
	}
	if t.lies {
		return nil
	}
	t.prefixes, t.digest, t.fence, t.written = s.Prefixes(), s.Digest(), w.Fence, true
	t.etag++
	return nil
}

// foreign replaces what is let in, behind everybody's back.
func (t *target) foreign(change func(prefixes []netip.Prefix) []netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prefixes = slices.SortedFunc(slices.Values(change(slices.Clone(t.prefixes))), netip.Prefix.Compare)
	t.etag++
}

// world lets the suite look at an edge.
type world struct{ edge *edge }

func (w world) Open(*testing.T) allowlist.Target {
	return &target{edge: w.edge, name: "edge", capacity: targettest.Capacity}
}

func (w world) Dying(_ *testing.T, n int) allowlist.Target {
	effects := 0
	return &target{edge: w.edge, name: "edge", capacity: targettest.Capacity, hook: func(point string) error {
		if point == "before apply" {
			if effects++; effects >= n {
				return errors.New("killed")
			}
		}
		return nil
	}}
}

func (w world) Admits(_ *testing.T, addr netip.Addr) []bool {
	w.edge.mu.Lock()
	defer w.edge.mu.Unlock()
	return []bool{slices.ContainsFunc(w.edge.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })}
}

func (w world) Foreign(t *testing.T, p netip.Prefix) {
	w.Open(t).(*target).foreign(func(all []netip.Prefix) []netip.Prefix { return append(all, p) })
}

func (world) Atomic() bool { return true }

func TestTargetInMemory(t *testing.T) {
	t.Parallel()
	targettest.Run(t, func(*testing.T) targettest.World { return world{&edge{}} })
}

func newTarget(name string) *target {
	return &target{edge: &edge{}, name: name, capacity: 100}
}

// Package driver chooses an implementation by the scheme of a URL, as database/sql does by name: an adapter
// package registers itself in init, and whoever blank-imports it may open its URLs.
package driver

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"

	"ostiary.internal/shared/platform/fault"
)

// Open opens the thing that u names. It does no I/O that may be put off to the first use.
type Open[O, T any] func(ctx context.Context, u *url.URL, options O) (T, error)

// Registry maps URL schemes to openers of one seam: O are the options every opener receives, T is the seam.
type Registry[O, T any] struct {
	seam    string
	mu      sync.RWMutex
	openers map[string]Open[O, T]
}

// NewRegistry returns an empty registry; seam names it in errors.
func NewRegistry[O, T any](seam string) *Registry[O, T] {
	return &Registry[O, T]{seam: seam, openers: map[string]Open[O, T]{}}
}

// Register adds an opener. It panics when the scheme is taken: two drivers of one scheme is a fault of the build.
func (r *Registry[O, T]) Register(scheme string, open Open[O, T]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.openers[scheme]; taken {
		panic(r.seam + ": scheme " + scheme + " registered twice")
	}
	r.openers[scheme] = open
}

// Open opens raw by its scheme. An unknown scheme, an unreadable URL or one with a fragment, of which no driver knows
// anything, is Misconfigured; the URL's query and password never reach the error text.
func (r *Registry[O, T]) Open(ctx context.Context, raw string, options O) (T, error) {
	var none T
	u, err := url.Parse(raw)
	var escape url.EscapeError
	switch {
	case strings.Contains(raw, "#"):
		return none, fault.New(fault.Misconfigured, `%s: a "#" ends what a URL names; write %%23 for one that belongs to a name`, r.seam)
	case errors.As(err, &escape):
		return none, fault.New(fault.Misconfigured, `%s: a "%%" in the URL begins no two hexadecimal digits; write %%25 for one that belongs to a name`, r.seam)
	case err != nil || u.Scheme == "":
		return none, fault.New(fault.Misconfigured, "%s: not a URL with a scheme; known schemes: %s", r.seam, r.schemes())
	}
	r.mu.RLock()
	open, ok := r.openers[u.Scheme]
	r.mu.RUnlock()
	if !ok {
		return none, fault.New(fault.Misconfigured, "%s: unknown scheme %q; known schemes: %s", r.seam, u.Scheme, r.schemes())
	}
	return open(ctx, u, options)
}

func (r *Registry[O, T]) schemes() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	known := make([]string, 0, len(r.openers))
	for scheme := range r.openers {
		known = append(known, scheme)
	}
	slices.Sort(known)
	return strings.Join(known, ", ")
}

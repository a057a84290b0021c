package functiontest

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"ostiary.internal/shared/platform/web"
)

// Coverage collects which problems the routes of a function answered, over the Worlds that share it. The zero Coverage
// is ready.
type Coverage struct {
	mu   sync.Mutex
	seen map[string]map[string]bool // pattern -> code
}

// general are the problems any route may answer, which no table lists.
var general = []string{"cross_origin", "internal", "method_not_allowed", "not_found", "too_many_requests"}

// Saw notes an answer and returns it.
func (c *Coverage) Saw(a Answer) Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]map[string]bool{}
	}
	if c.seen[a.Pattern] == nil {
		c.seen[a.Pattern] = map[string]bool{}
	}
	if a.Code != "" {
		c.seen[a.Pattern][a.Code] = true
	}
	return a
}

// Complete fails the test for every problem that a route lists and never answered, and for every one it answered and
// does not list. Pages are left out: they answer in words.
func (c *Coverage) Complete(t testing.TB, function string, routes []web.Route) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range routes {
		if r.Page || r.Problems == nil && r.Body == nil {
			continue
		}
		p := pattern(function, r)
		for _, code := range r.Problems {
			if !c.seen[p][code] && !slices.Contains(general, code) {
				t.Errorf("%s lists the problem %q, which no test reached", p, code)
			}
		}
		for code := range maps.Keys(c.seen[p]) {
			if !slices.Contains(r.Problems, code) && !slices.Contains(general, code) {
				t.Errorf("%s answered the problem %q, which it does not list", p, code)
			}
		}
	}
}

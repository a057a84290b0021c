package run_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
)

// TestConnections: what ends a connection is kept before the connection is erased; while it cannot be, and where nobody
// would, no connection is.
func TestConnections(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refuse error
		absent bool
		left   int
	}{"kept": {}, "not kept": {refuse: fault.New(fault.Denied, "no"), left: 5}, "nobody does": {absent: true, left: 5}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.config.Map = readMap(t, strings.Replace(mapText, "access: true,", "access: true, grants: {provider: zoom, token: token},", 1)+
				"providers: [{id: zoom, name: Zoom, by: rfc7009, endpoint: \"https://zoom.example/revoke\"}]\n")
			w.fill(5)
			asked := 0
			if !c.absent {
				w.config.Disconnect = func(_ context.Context, request, tenant string, s datamap.Step, refs []string) error {
					asked++
					if len(refs) != 5 {
						t.Errorf("told of %d of 5", len(refs))
					}
					if request != "r1" || tenant != "acme" || s.Entry.ID != "sessions" || s.Query.Tenant.ID != "acme" || len(s.Query.Match.Values) == 0 {
						t.Errorf("asked for %s of %s in %s", s.Entry.ID, tenant, request)
					}
					if left := strings.Count(w.people.export("acme"), "acme-u1-"); asked == 1 && left != 5 {
						t.Errorf("%d of 5 connections were there when they were to be kept", left)
					}
					return c.refuse
				}
			}
			e := w.engine()
			w.again(func() (bool, error) { _, done, err := e.Plan(t.Context(), job(1), forever); return done, err })
			var x run.Execution
			w.again(func() (done bool, err error) {
				x, done, err = e.Execute(t.Context(), job(1), forever)
				return done, err
			})
			if left := strings.Count(w.people.export("acme"), "acme-u1-"); left != c.left || (c.left > 0) != (len(x.Open) > 0) || !c.absent && asked == 0 {
				t.Errorf("%d connections are left, open %v, asked %d times", left, x.Open, asked)
			}
		})
	}
}

// TestConnectionsThatStay: connections of which nobody can tell whether they are hers, or of who has her address since, are
// not asked to be ended with one of hers that came late.
func TestConnectionsThatStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use(`place: notes, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: email, of: email, case: lower}, action: delete,`,
		`place: notes, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: email, of: email, case: lower}, action: delete, access: true, grants: {provider: zoom, token: token},`,
		"strict: true", `providers: [{id: zoom, name: Zoom, by: rfc7009, endpoint: "https://zoom.example/revoke"}]`)
	w.fill(1)
	var told []string
	w.config.Disconnect = func(_ context.Context, _, _ string, _ datamap.Step, refs []string) error {
		told = append(told, refs...)
		return nil
	}
	j := w.erased(job(1))
	w.people.put("notes", "late", "tenant", "acme", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	w.people.put("notes", "unknown", "tenant", "acme", "email", "jo@acme.example")
	w.people.put("notes", "new", "tenant", "acme", "email", "jo@acme.example", "created", w.pass(time.Hour))
	w.people.put("users", "new", "tenant", "acme", "uid", "u77", "email", "jo@acme.example", "created", w.pass(time.Hour))
	told, j.Round = nil, 2
	w.plan(j)
	w.execute(j)
	if !slices.Equal(told, []string{"notes/late"}) {
		t.Errorf("asked to end %q", told)
	}
}

package main_test

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	sealing "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
)

const keptEntries = `  - {id: orders, store: "firestore://{project}/main", place: "tenants/{tenant}/orders", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: uid, of: uid}, action: delete, created: made, backup_class: files}
  - {id: invoices, store: "firestore://{project}/main", place: "tenants/{tenant}/invoices", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: uid, of: uid}, action: retain, created: made,
     retain: {ground: statute, citation: "HGB 257", from: created, period: P10Y, fields: [uid]}, backup_class: files}
`

// requested has jo erased by a request of which two people hold the orders.
func (r *restoring) requested(executed time.Time) {
	t := r.t
	t.Helper()
	clk := clock.System{}
	state, err := store.Drivers.Open(t.Context(), driver.URL("bolt", filepath.Join(r.dir, "ostiary.db"), "tree", "erasure"), store.Options{Schema: append(request.Collection(), run.Collection()...), Clock: clk})
	fatal(t, err)
	until := calendar.Date(clk.Now().AddDate(1, 0, 0), time.UTC)
	fatal(t, state.Tx(t.Context(), func(tx store.Tx) error {
		return tx.Put(request.Requests, "r1", request.Request{V: 1, ID: "r1", Tenant: "acme", Deadline: request.Deadline{Due: until, Conservative: until, NoticeBy: until}, Holds: []request.Hold{{Entry: "orders", Ground: "art17-3-e", Until: until}}})
	}))
	r.remember(func(l *ledger.Ledger) {
		subject := func(tenant string, role datamap.Role, id datamap.Identifier) ledger.Subject {
			return ledger.Subject{Tenant: tenant, Role: role, Kind: id.Kind, ID: id.Value}
		}
		e, err := run.New(run.Config{
			Store: state, Keys: sealing.New(filepath.Join(t.TempDir(), "key"), rand.Reader), Random: rand.Reader, Clock: clk, Map: r.m, Zone: time.UTC,
			Reader: func(context.Context, string) (erasure.Reader, error) { return r.data, nil },
			Eraser: func(context.Context, string) (erasure.Store, error) { return r.data, nil },
			Suppress: func(ctx context.Context, tenant string, role datamap.Role, ids []datamap.Identifier, _ time.Time) error {
				for _, id := range ids {
					fatal(t, l.Add(ctx, subject(tenant, role, id), executed))
				}
				return nil
			},
			Names: func(_ context.Context, tenant string, role datamap.Role, ids []datamap.Identifier) (all []string, err error) {
				for _, id := range ids {
					names, err := l.Names(subject(tenant, role, id))
					fatal(t, err)
					all = append(all, names...)
				}
				return all, nil
			},
		})
		fatal(t, err)
		j := run.Job{Request: "r1", Round: 1, Tenant: "acme", Scope: run.Person, IDs: []datamap.Identifier{{Kind: "email", Value: "jo@acme.example", Verified: true}},
			Holds: []run.Hold{{Entry: "orders", Until: until.End(time.UTC)}}}
		_, done, err := e.Plan(t.Context(), j, clk.Now().Add(time.Hour))
		if err != nil || !done {
			t.Fatal(done, err)
		}
		if _, done, err = e.Execute(t.Context(), j, clk.Now().Add(time.Hour)); err != nil || !done {
			t.Fatal(done, err)
		}
	})
	fatal(t, state.Close())
}

// TestRestoredHeld: what two people hold, or a law keeps, brings nobody back, and stays when she is; without the control's database
// nobody could tell, and nothing is erased.
func TestRestoredHeld(t *testing.T) {
	t.Parallel()
	data := openDrawers(t)
	r := &restoring{t: t, data: data, dir: filepath.Dir(data.file)}
	r.folder, r.m = company(t, "demo-company", "", keptEntries)
	now := clock.System{}.Now().UTC()
	old := now.Add(-1000 * time.Hour).Format(time.RFC3339)
	jo := map[string]any{"uid": "u1", "email": "jo@acme.example", "made": old}
	data.put(t, "tenants/acme/users/u1", jo)
	data.put(t, "tenants/acme/orders/o1", map[string]any{"uid": "u1", "made": old})
	data.put(t, "tenants/acme/invoices/i1", map[string]any{"uid": "u1", "made": old})
	r.requested(now)
	kept := []string{"tenants/acme/invoices/i1", "tenants/acme/orders/o1"}
	left := func() []string {
		var paths []string
		for path := range data.all(t) {
			paths = append(paths, path)
		}
		slices.Sort(paths)
		return paths
	}
	if got := left(); !slices.Equal(got, kept) {
		t.Fatalf("after the request: %v", got)
	}
	taken := now.Add(-time.Minute)
	if exit, found, errs := r.replay(taken); exit != 0 || len(found.People) != 0 {
		t.Errorf("nothing is back: exit %d, %+v, %s", exit, found, errs)
	}
	data.put(t, "tenants/acme/users/u1", jo)
	if exit, found, errs := r.replay(taken, "--execute"); exit != 0 || len(found.People) != 1 || found.People[0].Done == nil || found.People[0].Done.Erased != 1 {
		t.Errorf("she is back: exit %d, %+v, %s", exit, found, errs)
	}
	if got := left(); !slices.Equal(got, kept) {
		t.Errorf("after the replay: %v", got)
	}
	if exit, found, errs := r.replay(taken, "--execute", "--store", ""); exit != 0 { // --data says where it is
		t.Errorf("exit %d, %+v, %s", exit, found, errs)
	}
	d := &deaf{data, r}
	r.data = d
	if exit, _, errs := r.replay(taken, "--execute"); exit != 64 || !strings.Contains(errs, "--store") {
		t.Errorf("without the control's database: exit %d, %s", exit, errs)
	}
	fatal(t, data.Close()) // one process has a file at a time
	if exit, _, said := r.replay(taken, "--json=false"); exit != 1 || !strings.Contains(said, "what two people hold: the control's own database") {
		t.Errorf("looking without it: exit %d, %s", exit, said)
	}
}

// deaf leads the command to ledger and data, and not to the control's database.
type deaf struct {
	*drawers
	r *restoring
}

func (d *deaf) lead() (environment, flags []string) {
	file := driver.URL("bolt", filepath.Join(d.r.dir, "ostiary.db"), "tree", "")
	return []string{"OSTIARY_STORE=", "OSTIARY_DATA=" + file}, []string{"--ledger", file + "ledger", "--secrets",
		driver.URL("file", filepath.Join(d.r.dir, "secrets"), "key", filepath.Join(d.r.dir, "keys", "secrets"))}
}

package main_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/platform/clock"
)

const bookingsEntry = `  - {id: bookings, store: "firestore://{project}/main", place: "tenants/{tenant}/bookings", region: europe-west1, role: processor, tenant: {path: true}, select: {equals: guest, of: uid}, action: delete, created: made, backup_class: files}
  - {id: mails, store: "firestore://{project}/main", place: "tenants/{tenant}/mails", region: europe-west1, role: processor, tenant: {path: true}, select: {equals: email, of: email, case: lower}, action: delete, created: made, backup_class: files}
`

// TestRestoredForACustomer: what a customer of ours had erased of somebody comes back with a backup and goes again; her own
// account, under the same id, stands, and so does what he has of her since. Where nothing of it is back, nobody is listed.
func TestRestoredForACustomer(t *testing.T) {
	t.Parallel()
	data := openDrawers(t)
	r := &restoring{t: t, data: data, dir: filepath.Dir(data.file)}
	r.folder, r.m = company(t, "demo-company", "", bookingsEntry)
	now := clock.System{}.Now().UTC()
	erased := now.Add(-time.Hour)
	old, since := now.Add(-1000*time.Hour).Format(time.RFC3339), now.Add(-time.Minute).Format(time.RFC3339)
	r.remember(func(l *ledger.Ledger) {
		fatal(t, l.Add(t.Context(), ledger.Subject{Tenant: "acme", Role: datamap.Processor, Kind: "uid", ID: "u1"}, erased))
	})
	jo := "jo@acme.example"
	own := map[string]map[string]any{
		"tenants/acme/users/u1":      {"uid": "u1", "email": jo, "made": old},
		"tenants/acme/notes/n1":      {"email": jo, "made": old},
		"tenants/acme/sessions/s1":   {"uid": "u1"},
		"tenants/acme/bookings/new":  {"guest": "u1", "made": since},
		"tenants/acme/bookings/al":   {"guest": "u10", "made": old},
		"tenants/twin/bookings/twin": {"guest": "u1", "made": old},
	}
	for path, fields := range own {
		data.put(t, path, fields)
	}
	taken := now.Add(-30 * time.Minute)
	if exit, found, errs := r.replay(taken, "--execute"); exit != 0 || len(found.People) != 0 || len(data.all(t)) != len(own) {
		t.Fatalf("nothing is back: exit %d, %+v, %s", exit, found, errs)
	}
	data.put(t, "tenants/acme/mails/m1", map[string]any{"email": jo, "made": old}) // told of by her account alone
	if exit, found, errs := r.replay(taken); exit != 1 || len(found.People) != 1 || found.People[0].ID != "u1" || found.People[0].Role != "processor" {
		t.Fatalf("a mail is back: exit %d, %+v, %s", exit, found, errs)
	}
	data.put(t, "tenants/acme/bookings/old", map[string]any{"guest": "u1", "made": old})
	exit, found, errs := r.replay(taken, "--execute")
	if exit != 0 || len(found.People) != 1 || found.People[0].Done == nil || found.People[0].Done.Erased == 0 {
		t.Errorf("both are back: exit %d, %+v, %s", exit, found, errs)
	}
	left := data.all(t)
	for path := range own {
		if left[path] == nil {
			t.Errorf("%s is gone", path)
		}
	}
	if gone := []string{"tenants/acme/mails/m1", "tenants/acme/bookings/old"}; slices.ContainsFunc(gone, func(path string) bool { return left[path] != nil }) {
		t.Errorf("left are %v", left)
	}
}

const loginsEntry = `  - {id: logins, store: "firestore://{project}/main", place: "logins", region: europe-west1, role: controller, tenant: {global: "logins carry no tenant; reviewed by the DPO, 2026-03-02"}, select: {equals: uid, of: uid}, action: delete, created: made, backup_class: files}
`

// TestRestoredOfNoTenant: what she had erased that is of no tenant goes again when something of the tenant's tells of her, and
// stays of whoever did not.
func TestRestoredOfNoTenant(t *testing.T) {
	t.Parallel()
	data := openDrawers(t)
	r := &restoring{t: t, data: data, dir: filepath.Dir(data.file)}
	r.folder, r.m = company(t, "demo-company", "", loginsEntry)
	now := clock.System{}.Now().UTC()
	old, erased := now.Add(-1000*time.Hour).Format(time.RFC3339), now.Add(-time.Hour)
	r.remember(func(l *ledger.Ledger) {
		for _, role := range []datamap.Role{datamap.Controller, datamap.Global} {
			fatal(t, l.Add(t.Context(), ledger.Subject{Tenant: "acme", Role: role, Kind: "uid", ID: "u1"}, erased))
		}
		fatal(t, l.Add(t.Context(), ledger.Subject{Tenant: "acme", Role: datamap.Controller, Kind: "uid", ID: "u2"}, erased))
	})
	for _, uid := range []string{"u1", "u2", "u10"} {
		data.put(t, "tenants/acme/users/"+uid, map[string]any{"uid": uid, "email": uid + "@acme.example", "made": old})
		data.put(t, "logins/of-"+uid, map[string]any{"uid": uid, "made": old})
	}
	taken := now.Add(-2 * time.Hour)
	exit, found, errs := r.replay(taken, "--execute")
	if exit != 0 || len(found.People) != 3 || found.People[1].ID != "u1" || found.People[1].Role != "global" {
		t.Errorf("exit %d, %+v, %s", exit, found, errs)
	}
	left := slices.Sorted(maps.Keys(data.all(t)))
	if want := []string{"logins/of-u10", "logins/of-u2", "tenants/acme/users/u10"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
	if exit, found, errs := r.replay(taken, "--execute"); exit != 0 || len(found.People) != 0 {
		t.Errorf("once more: exit %d, %+v, %s", exit, found, errs)
	}
}

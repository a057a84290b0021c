package datamap_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"ostiary.internal/testdata/policies"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestUnmapped: what a store holds and the map does not is told, whatever way the store names it.
func TestUnmapped(t *testing.T) {
	t.Parallel()
	m := read(t, strings.Replace(good, "no_personal_data: [", `  - {id: orders, store: "firestore://{project}/main", place: "tenants/{tenant}/**/orders", region: eu, role: controller, tenant: {path: true},
     select: {equals: uid, of: uid}, action: delete, backup_class: none}
no_personal_data: ["firestore://{project}/main/tenants", `, 1))
	const main, sql = "firestore://acme-live/main", "postgres://read@sql-europe-west1.acme.example/app?secret=sql-read"
	found := map[string][]string{
		main: {"**/devices", "**/drafts", "**/logins", "**/orders", "**/totals", "**/sessions", "**/users", "drafts", "logins", "sessions", "tenants", "totals",
			"tenants/*/logins", "tenants/*/users", "tenants/*/users/*/devices", "tenants/*/projects/*/users", "tenants/*/projects/*/orders", "projects/*/orders", "projects/*/devices"},
		"firestore://acme-live/access": {"leases", "accounts"},
		"firestore://acme-live/other":  {"leases"},
		"gcs://acme-files":             {"tenants/", "exports/"},
		"gcs://acme-site":              {"images/", "anything/"},
		sql:                            {"billing.invoices", "billing.payments", "public.plans"},
		"mongodb://reader-read@mongo.acme.example/?secret=mongo-read": {"app.usage", "app.users", "other.usage"},
		"https://hook.acme.example/erasure?secret=hook":               {"guests", "hosts"},
	}
	equal(t, "unmapped", m.Unmapped(found), []string{
		"firestore://acme-live/access/accounts", "firestore://acme-live/main/**/drafts", "firestore://acme-live/main/**/logins", "firestore://acme-live/main/**/totals", "firestore://acme-live/main/drafts",
		"firestore://acme-live/main/projects/*/devices", "firestore://acme-live/main/projects/*/orders", "firestore://acme-live/main/sessions", "firestore://acme-live/main/tenants/*/logins", "firestore://acme-live/main/tenants/*/projects/*/users",
		"firestore://acme-live/other/leases", "gcs://acme-files/exports/", "https://hook.acme.example/erasure/hosts", "mongodb://mongo.acme.example/app.users",
		"mongodb://mongo.acme.example/other.usage", "postgres://sql-europe-west1.acme.example/app/billing.payments",
	})
	for _, store := range m.Stores() {
		if strings.Contains(store, "{") {
			t.Errorf("%s cannot be opened", store)
		}
	}
	if told := m.Unmapped(nil); len(told) > 0 {
		t.Errorf("nothing found, and told %v", told)
	}
}

// TestTables holds the samples as people read them, in the order in which they are erased.
func TestTables(t *testing.T) {
	t.Parallel()
	folders, err := fs.ReadDir(policies.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		_, m := seed(t, folder.Name())
		var b strings.Builder
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "order\tentry\trole\ttenant\tselector\taction\taccount\tafter\twithin\tbackups\tplace\tretention\tchanges")
		for _, r := range m.Table() {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s/%s\t%s\t%s\n", r.Order, r.Entry, r.Role, r.Tenant, r.Selector, r.Action, r.Account, strings.Join(r.After, " "), strings.Join(r.Within, " "), r.Backups, r.Store, r.Place, r.Retention, strings.Join(r.Changes, ", "))
		}
		w.Flush()
		file := filepath.Join("testdata", folder.Name()+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(file); err != nil || string(want) != b.String() {
			t.Errorf("%s is not %s (%v); -update writes it anew:\n%s", folder.Name(), file, err, b.String())
		}
	}
}

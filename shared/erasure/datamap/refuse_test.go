package datamap_test

import (
	"strings"
	"testing"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/policy"
)

// TestEachMistakeIsRefused: what is wrong is told at its key, once, and the map then compiles nothing.
func TestEachMistakeIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, old, new, key, says string }{
		{"an unknown key", "access: true", "acess: true", "entries[0].acess", "unknown key"},
		{"no entry", good[strings.Index(good, "entries:"):strings.Index(good, "no_personal_data:")], "entries: []\n", "entries", "holds 0"},
		{"an id twice", "id: usage", "id: sessions", "entries[1].id", "of another"},
		{"an id that is a path", "id: usage", "id: a/b", "entries[1].id", "is not an id"},
		{"a kind of identifier that means a tenant", "{id: uid}", "{id: tenant}", "identifiers[1].id", "something else"},
		{"an unknown normalisation", "normalise: email", "normalise: lower", "identifiers[0].normalise", "unknown"},

		{"an identity type nobody knows", "{id: uid}", "{id: uid, opendsr: passport}", "identifiers[1].opendsr", "no identity type"},
		{"an identity type of two kinds", "{id: uid}", "{id: uid, opendsr: email}", "identifiers[1].opendsr", "of another kind"},

		{"no tenant", "tenant: {field: tenant_id}", "tenant: {}", "entries[1].tenant", "binds the data to no tenant"},
		{"a tenant left out", "    tenant: {field: tenant_id}\n", "", "entries[1].tenant", ""},
		{"two tenants", "tenant: {path: true}", "tenant: {path: true, field: x}", "entries[0].tenant", "more than once"},
		{"a path without the tenant", "place: tenants/{tenant}/sessions", "place: sessions", "entries[0].tenant", "does not"},
		{"a tenant beside other text", "place: tenants/{tenant}/sessions", "place: tenants/t-{tenant}/sessions", "entries[0].place", "beside other text"},
		{"a tenant in the place that counts by field", "place: app.usage", "place: \"{tenant}.usage\"", "entries[1].place", "says otherwise"},
		{"a prefix that forgets the tenant", "    place: tenants/{tenant}/\n", "", "entries[3].tenant", "does not"},
		{"global without a date", "logins carry no tenant; reviewed by the DPO, 2026-03-02", "logins carry no tenant, everybody knows", "entries[5].tenant.global", "by whom and when"},
		{"global without a word", "logins carry no tenant; reviewed by the DPO, 2026-03-02", "2026-03-02", "entries[5].tenant.global", ""},

		{"a prefix without its separator", "users/{uid}/", "users/{uid}", "entries[3].select.prefix", "u10"},
		{"a prefix that ends in a dash", "users/{uid}/", "users/{uid}-", "entries[3].select.prefix", "u10"},
		{"a prefix with the identifier beside text", "users/{uid}/", "u{uid}/", "entries[3].select.prefix", "beside other text"},
		{"a tenant in a template", "users/{uid}/", "{tenant}/{uid}/", "entries[3].select.prefix", "belongs to the place"},
		{"a template of nobody", "users/{uid}/", "users/", "entries[3].select.prefix", "no identifier"},
		{"a template of two", `document: "{uid}"`, `document: "{uid}-{customer_id}"`, "entries[7].select.document", "several"},
		{"open braces", `document: "{uid}"`, `document: "{uid"`, "entries[7].select.document", "braces"},
		{"a document that is a path", `document: "{uid}"`, `document: "private/{uid}"`, "entries[7].select.document", "more than the name"},
		{"no selector", "select: {equals: owner.id, of: uid}", "select: {of: uid}", "entries[0].select", "in no way"},
		{"two selectors", "select: {equals: owner.id, of: uid}", "select: {equals: owner.id, contains: members, of: uid}", "entries[0].select", "in several"},
		{"a selector of nobody", "select: {equals: owner.id, of: uid}", "select: {equals: owner.id, of: login}", "entries[0].select.of", "no kind"},
		{"a selector of another store", "select: {equals: owner.id, of: uid}", "select: {metadata: owner, of: uid}", "entries[0].select.metadata", "no way this store"},
		{"a field that is an expression", "select: {equals: owner.id, of: uid}", "select: {equals: \"owner['id']\", of: uid}", "entries[0].select.equals", "no field"},
		{"two ways by one identifier", "or: {equals: email, of: email}", "or: {equals: email, of: uid}", "entries[7].select.or", "is looked for already"},

		{"hashing called anonymous", "{field: user_id, do: detach}", "{field: user_id, do: hash}", "entries[1].fields[0].do", "leads back to her"},
		{"a keyed hash called anonymous", "{field: user_id, do: detach}", "{field: user_id, do: hmac}", "entries[1].fields[0].do", "leads back to her"},
		{"encryption called anonymous", "{field: user_id, do: detach}", "{field: user_id, do: encrypt}", "entries[1].fields[0].do", "leads back to her"},
		{"an unknown change", "{field: user_id, do: detach}", "{field: user_id, do: mask}", "entries[1].fields[0].do", "nothing that can be done"},
		{"the person's field stays", "      - {field: user_id, do: detach}\n", "", "entries[1].fields", "leave the field that names the person"},
		{"the person's field is made coarser", "{field: user_id, do: detach}", "{field: user_id, do: generalise, to: month}", "entries[1].fields", "leave the field that names the person"},
		{"the tenant's field changes", "{field: user_id, do: detach}", "{field: user_id, do: detach}\n      - {field: tenant_id, do: delete}", "entries[1].fields", "tells the tenant"},
		{"a field twice", "{field: city, do", "{field: at, do: delete}\n      - {field: city, do", "entries[1].fields[3].field", "already"},
		{"coarse in no unit", "do: generalise, to: month", "do: generalise, to: week", "entries[1].fields[2].to", "how coarse"},
		{"a map that goes on", "coarser: {Lyon: FR}", "coarser: {Lyon: FR, FR: EU}", "entries[1].fields[1].coarser", "change again"},
		{"totals of a store that changes one thing at a time", "{field: minutes, do: delete}", "{field: minutes, do: aggregate, into: \"firestore://{project}/main/totals\"}", "entries[1].fields[3].do", "in one step"},
		{"a region twice", "no_personal_data:", "regions: [europe-west1, europe-west1]\nno_personal_data:", "regions[1]", "listed already"},
		{"a region of nothing", "no_personal_data:", "regions: [mars-north1]\nno_personal_data:", "regions[0]", "nothing lies"},
		{"anonymising names", "action: delete\n    descend: true", "action: anonymise\n    fields: [{field: email, do: delete}]\n    descend: true", "entries[7].action", "the item's name says"},
		{"a group too small", "    backup_class: pitr\n  - id: invoices", "    group: {fields: [city], min: 4}\n    backup_class: pitr\n  - id: invoices", "entries[1].group.min", "out of bounds"},
		{"a group of what is gone", "    backup_class: pitr\n  - id: invoices", "    group: {fields: [user_id]}\n    backup_class: pitr\n  - id: invoices", "entries[1].group.fields[0]", "no field that is left"},
		{"an action unknown", "action: review", "action: ignore", "entries[5].action", "no action"},
		{"fields with nothing to do", "action: review", "action: review\n    fields: [{field: a, do: delete}]", "entries[5].fields", "do not fit"},
		{"retained for no reason", "action: review", "action: retain", "entries[5].retain", "does not fit"},

		{"a ground of one's own", "ground: statute", "ground: legitimate-interest", "entries[2].retain.ground", "no ground"},
		{"no citation", `citation: "Code de commerce, art. L123-22", `, "", "entries[2].retain.citation", ""},
		{"kept for ever", "period: P10Y,", "period: P101Y,", "entries[2].retain.period", "out of bounds"},
		{"kept for no time", "period: P10Y,", "period: PT0S,", "entries[2].retain.period", "out of bounds"},
		{"nothing needed", "fields: [number, customer], ", "", "entries[2].retain.fields", ""},
		{"what is needed is removed", "minimise: [phone]", "minimise: [number]", "entries[2].retain.minimise[0]", "is needed"},
		{"what it is found by is removed", "fields: [number, customer], minimise: [phone]", "fields: [number], minimise: [customer]", "entries[2].retain.minimise[0]", "is needed"},
		{"a neighbour erases what is kept", "  - id: files", "  - {id: bills, store: \"postgres://{account}@sql-{region}.acme.example/app?secret=sql-{account}\", place: billing.invoices, region: eu, role: controller, tenant: {field: tenant_id}, select: {column: customer, of: customer_id}, action: delete, backup_class: none}\n  - id: files", "entries[3].action", "another entry of the same place keeps"},
		{"a parent takes what is kept", "below: [devices]", "below: [devices, logins]", "entries[7].descend", "would erase with its items"},

		{"a parent takes what is the tenant's", "  - id: files", "  - {id: relatives, store: \"firestore://{project}/main\", place: \"tenants/{tenant}/users/all/relatives\", region: eu, role: processor, tenant: {path: true}, select: {equals: uid, of: uid}, action: delete, backup_class: none}\n  - id: files", "entries[8].descend", "relatives does not: processor, delete"},

		{"a prefix takes what is kept", "  - id: guests", "  - {id: contracts, store: \"gcs://acme-files\", place: \"tenants/{tenant}/\", region: eu, role: controller, tenant: {path: true}, select: {prefix: \"users/{uid}/contracts/\"}, action: retain, retain: {ground: statute, citation: \"Code civil, art. 2224\", from: created, period: P5Y}, backup_class: none}\n  - id: guests", "entries[3].place", "contracts does not: controller, retain"},
		{"a prefix takes what a person has to look at", "  - id: guests", "  - {id: contracts, store: \"gcs://acme-files\", place: \"tenants/{tenant}/\", region: eu, role: controller, tenant: {path: true}, select: {prefix: \"users/{uid}/contracts/\"}, action: review, backup_class: none}\n  - id: guests", "entries[3].place", "contracts does not: controller, review"},
		{"an account's end takes what is kept beside", "  - id: guests", "  - {id: bills, store: \"gcs://acme-files\", place: \"tenants/{tenant}/bills/\", region: eu, role: controller, tenant: {path: true}, select: {prefix: \"{uid}/\"}, action: retain, retain: {ground: statute, citation: \"Code civil, art. 2224\", from: created, period: P5Y}, backup_class: none}\n  - id: guests", "entries[3].place", "at the end of an account"},
		{"an account's end takes what is kept in its place", "  - id: guests", "  - {id: bills, store: \"gcs://acme-files\", place: \"tenants/{tenant}/\", region: eu, role: controller, tenant: {path: true}, select: {prefix: \"bills/{uid}/\"}, action: retain, retain: {ground: statute, citation: \"Code civil, art. 2224\", from: created, period: P5Y}, backup_class: none}\n  - id: guests", "entries[3].place", "at the end of an account"},
		{"a bucket told by metadata holds what is kept", "  - id: guests", "  - {id: bills, store: \"gcs://acme-files\", region: eu, role: controller, tenant: {field: tenant}, select: {metadata: payer, of: uid}, action: retain, retain: {ground: statute, citation: \"Code civil, art. 2224\", from: created, period: P5Y}, backup_class: none}\n  - id: guests", "entries[3].action", "keeps"},
		{"a group holds what is kept", "  - id: guests", "  - {id: trail, store: \"firestore://{project}/main\", place: \"**/sessions\", region: eu, role: controller, tenant: {field: tenant}, select: {equals: by, of: uid}, action: retain, created: at, retain: {ground: statute, citation: \"Code civil, art. 2224\", from: created, period: P5Y, fields: [by]}, backup_class: none}\n  - id: guests", "entries[0].action", "keeps"},
		{"a foreign key takes what is kept", "  - id: guests", "  - {id: orders, store: \"postgres://{account}@sql-{region}.acme.example/app?secret=sql-{account}\", place: billing.orders, region: eu, role: controller, tenant: {field: tenant_id}, select: {column: uid, of: uid}, action: delete, below: [billing.invoices], backup_class: none}\n  - id: guests", "entries[4].below", "invoices does not: controller, retain"},
		{"a table of no schema", "  - id: guests", "  - {id: orders, store: \"postgres://{account}@sql-{region}.acme.example/app?secret=sql-{account}\", place: billing.orders, region: eu, role: controller, tenant: {field: tenant_id}, select: {column: uid, of: uid}, action: delete, below: [invoices], backup_class: none}\n  - id: guests", "entries[4].below[0]", "no table"},
		{"the directory goes with its parent", "  - id: guests", "  - {id: accounts, store: \"firestore://{project}/main\", place: tenants, region: eu, role: controller, tenant: {field: id}, select: {equals: owner, of: uid}, action: delete, descend: true, backup_class: none}\n  - id: guests", "entries[4].descend", "who exists"},
		{"below of a store without it", "    descend: true\n    below: [devices]", "    below: [devices]", "entries[7].below", "does not reach"},

		{"comes after itself", "after: [usage]", "after: [invoices]", "entries[2].after[0]", "is the entry itself"},
		{"comes after nobody", "after: [usage]", "after: [used]", "entries[2].after[0]", "is no entry"},
		{"public, and nobody is told", "    recipients: [mailer]\n", "    published: \"our site\"\n", "entries[2].published", "nobody who shows it"},
		{"public in two lines", "    recipients: [mailer]\n", "    recipients: [mailer]\n    published: \"our\\nsite\"\n", "entries[2].published", "does not say where"},
		{"a recipient nobody knows", "recipients: [mailer]", "recipients: [postman]", "entries[2].recipients[0]", "is no recipient"},
		{"a recipient nobody gives anything", "    recipients: [mailer]\n", "", "recipients[0]", "given nothing"},
		{"a recipient at no address", "by: webhook", "by: mail", "recipients[0].to", "no address"},
		{"a recipient over a plain line", "https://mailer.example", "http://mailer.example", "recipients[0].to", "no address of a program"},
		{"a class of backups nobody knows", "backup_class: pitr", "backup_class: weekly", "entries[1].backup_class", "no class"},
		{"no class of backups", "    backup_class: pitr\n", "", "entries[1].backup_class", ""},
		{"an identifier of nothing", "{identifier: customer_id,", "{identifier: customer,", "entries[7].derives[1].identifier", "no kind"},
		{"an identifier by way of itself", "select: {column: customer, of: customer_id}", "select: {column: customer, of: customer_id}\n    derives: [{identifier: uid, from: uid}]", "entries[2].derives[0]", "by way of itself"},

		{"two directories", "access: true", "directory: true", "entries[7].directory", "second"},
		{"an address without a directory", "action: review", "action: review\n    address: email", "entries[5].address", "belongs to the directory"},
		{"an address nobody can ask for", "address: email", "address: mail", "entries[7].address", "cannot be asked"},
		{"no way to tell two owners apart", "    created: at\n    backup_class: none", "    backup_class: none", "entries[4].created", "somebody else may have the same email"},

		{"a store of no kind", "gcs://acme-files", "ftp://acme-files", "entries[3].store", "no store"},
		{"a password", "mongodb://reader-{account}@", "mongodb://reader:secret@", "entries[1].store", "password"},
		{"a store of braces", "gcs://acme-files", "gcs://{bucket}", "entries[3].store", "braces"},
		{"no region", "    region: europe-west1\n", "", "entries[0].region", ""},
		{"no role", "role: processor", "role: joint", "entries[4].role", "no role"},
		{"descending into a row", "place: app.usage", "place: app.usage\n    descend: true", "entries[1].descend", "means nothing"},
		{"a place of no kind", "place: app.usage", "place: usage", "entries[1].place", "no place"},
		{"a document for a place", "place: tenants/{tenant}/sessions", "place: tenants/{tenant}", "entries[0].place", "no place"},

		{"free and in an entry", "firestore://{project}/main/totals\",", "firestore://{project}/main/totals\", \"firestore://{project}/main/logins\",", "no_personal_data[1]", "is in an entry"},
		{"free of everything", "firestore://{project}/main/totals\",", "firestore://{project}/main/totals\", \"firestore://{project}/other/*\",", "no_personal_data[1]", "added later"},
		{"free of nowhere", "firestore://{project}/main/totals\",", "firestore://{project}/main/totals\", \"main/x\",", "no_personal_data[1]", "no place of a store"},

		{"swept within the day", "older_than: P90D", "older_than: PT23H", "retention[0].older_than", "out of bounds"},
		{"swept before its time", "field: issued_at, older_than: P10Y", "field: issued_at, older_than: P9Y", "retention[1].older_than", "has to keep"},
		{"swept by another clock", "field: issued_at, older_than: P10Y", "field: created_at, older_than: P10Y", "retention[1].older_than", "has to keep"},
		{"swept nowhere", "entry: sessions, older", "entry: session, older", "retention[0].entry", "no entry"},
		{"swept of all tenants at once", "entry: sessions, older", "entry: logins, older", "retention[0].entry", "of no tenant"},
		{"swept into nothing known", "older_than: P90D", "older_than: P90D, action: anonymise", "retention[0].action", "needs to know"},
		{"a limit beyond", "auto_approve_items: 50", "account_grace_days: 31", "limits.account_grace_days", "0 to 30"},
		{"people kept too long", "auto_approve_items: 50", "leaver_days: 401", "limits.leaver_days", "0 to 400"},
		{"recovery that Firestore has not", "{class: pitr, days: 7}", "{class: pitr, days: 30}", "backups[0].days", "7 days"},
		{"recovery said to be gone before it is", "{class: pitr, days: 7}", "{class: pitr, days: 3, by: firestore_pitr}", "backups[0].days", "7 days"},
		{"copies longer than Firestore keeps them", "{class: pitr, days: 7}", "{class: pitr, days: 99, by: firestore_schedule}", "backups[0].days", "1 to 98 days"},
		{"recovery longer than Cloud SQL has it", "{class: pitr, days: 7}", "{class: pitr, days: 36, by: cloudsql_pitr}", "backups[0].days", "1 to 35 days"},
		{"objects gone before they are", "{class: pitr, days: 7}", "{class: pitr, days: 6, by: gcs_soft_delete}", "backups[0].days", "7 to 90 days"},
		{"objects kept longer than a bucket can", "{class: pitr, days: 7}", "{class: pitr, days: 91, by: gcs_soft_delete}", "backups[0].days", "7 to 90 days"},
		{"backups by nobody", "{class: pitr, days: 7}", "{class: pitr, days: 7, by: tape}", "backups[0].by", "unknown"},
		{"backups of another platform", "{class: pitr, days: 7}", "{class: pitr, days: 7, by: gcs_soft_delete}", "entries[1].backup_class", "another platform"},
		{"a circle", "    access: true\n", "    access: true\n    after: [invoices]\n", "entries[0].after", "comes after itself"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := load(t, map[string]string{"datamap.yaml": with(t, c.old, c.new)})
			m, problems := datamap.Read(p)
			if !told(problems, c.key, c.says) {
				t.Errorf("told %v, want %s: ... %s", problems, c.key, c.says)
			}
			for _, problem := range problems {
				if problem.Line < 2 && problem.Key != "file" || problem.Dangling {
					t.Errorf("%v: in line %d, dangling %v", problem, problem.Line, problem.Dangling)
				}
			}
			if steps, err := m.Compile("north", known("uid", "u1")); err == nil || len(steps) > 0 {
				t.Errorf("a map with problems compiled %d steps", len(steps))
			}
			if steps, err := m.Close("north"); err == nil || len(steps) > 0 {
				t.Errorf("a map with problems closed an account in %d steps", len(steps))
			}
		})
	}
}

func told(problems []policy.Problem, key, says string) bool {
	for _, p := range problems {
		if p.Key == key && strings.Contains(p.String(), says) {
			return true
		}
	}
	return false
}

// TestProjectsAreNamed: {project} is the one live project, and nothing where there could be several.
func TestProjectsAreNamed(t *testing.T) {
	t.Parallel()
	for name, environments := range map[string]string{
		"none": "[]",
		"two":  "[{id: a, project: acme-live, kind: live}, {id: b, project: acme-live-us, kind: live}]",
	} {
		_, problems := datamap.Read(load(t, map[string]string{"datamap.yaml": good, "company.yaml": strings.Replace(company,
			"[{id: live, project: acme-live, kind: live}, {id: staging, project: acme-staging, kind: staging}]", environments, 1)}))
		if !told(problems, "entries[0].store", "several projects") {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

// TestOtherFilesAgree: what tenants and promises say of the data is held against the map.
func TestOtherFilesAgree(t *testing.T) {
	t.Parallel()
	check := func(files map[string]string) []policy.Problem {
		p := load(t, files)
		m, problems := datamap.Read(p)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		found := datamap.Check(p, m)
		for _, problem := range found {
			if !problem.Dangling {
				t.Errorf("%v stops a server", problem)
			}
		}
		return found
	}
	if found := check(map[string]string{"datamap.yaml": good}); len(found) > 0 {
		t.Error(found)
	}
	if found := check(map[string]string{}); len(found) > 0 {
		t.Errorf("without a map: %v", found)
	}
	elsewhere := strings.Replace(tenants, "domains: [south.example]", "domains: [south.example], region: europe-west3", 1)
	found := check(map[string]string{"datamap.yaml": good, "tenants.yaml": elsewhere})
	if !told(found, "entries[0].region", "data of south stays in europe-west3") || told(found, "entries[2].region", "") || told(found, "entries[5].region", "") {
		t.Errorf("a tenant whose data is elsewhere: %v", found)
	}
	unswept := good[:strings.Index(good, "retention:")] + good[strings.Index(good, "limits:"):]
	if found := check(map[string]string{"datamap.yaml": unswept}); !told(found, "promises[0].kept_by", "nothing is erased by age") {
		t.Errorf("a promise that nothing keeps: %v", found)
	}
}

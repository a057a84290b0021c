package datamap_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/policy"
)

// good is a small map with one of everything.
const good = `identifiers:
  - {id: email, reusable: true, normalise: email}
  - {id: uid}
  - {id: customer_id}
  - {id: person, staff: true}
entries:
  - id: sessions
    store: firestore://{project}/main
    place: tenants/{tenant}/sessions
    region: europe-west1
    role: controller
    tenant: {path: true}
    select: {equals: owner.id, of: uid}
    action: delete
    access: true
    backup_class: none
  - id: usage
    store: mongodb://reader-{account}@mongo.acme.example/?secret=mongo-{account}
    place: app.usage
    region: europe-west1
    role: controller
    tenant: {field: tenant_id}
    select: {equals: user_id, of: uid}
    action: anonymise
    created: at
    fields:
      - {field: user_id, do: detach}
      - {field: city, do: generalise, to: map, coarser: {Lyon: FR}}
      - {field: at, do: generalise, to: month}
      - {field: minutes, do: delete}
    backup_class: pitr
  - id: invoices
    store: postgres://{account}@sql-{region}.acme.example/app?secret=sql-{account}
    place: billing.invoices
    region: europe-west1
    role: controller
    tenant: {field: tenant_id}
    select: {column: customer, of: customer_id}
    action: retain
    created: created_at
    retain: {ground: statute, citation: "Code de commerce, art. L123-22", from: issued_at, period: P10Y, fields: [number, customer], minimise: [phone]}
    after: [usage]
    recipients: [mailer]
    backup_class: pitr
  - id: files
    store: gcs://acme-files
    place: tenants/{tenant}/
    region: europe-west1
    role: controller
    tenant: {path: true}
    select: {prefix: "users/{uid}/"}
    action: delete
    backup_class: pitr
  - id: guests
    store: https://hook.acme.example/erasure?secret=hook
    place: guests
    region: europe-west1
    role: processor
    tenant: {field: tenant}
    select: {hook: true, of: email}
    action: delete
    created: at
    backup_class: none
  - id: logins
    store: firestore://{project}/main
    place: logins
    region: europe-west1
    role: controller
    tenant: {global: "logins carry no tenant; reviewed by the DPO, 2026-03-02"}
    select: {equals: uid, of: uid}
    action: review
    backup_class: none
  - id: leases
    store: firestore://{project}/access
    place: leases
    region: europe-west1
    role: controller
    tenant: {global: "employees belong to no tenant; reviewed by the DPO, 2026-03-02"}
    select: {equals: person, of: person}
    action: delete
    backup_class: none
  - id: users
    store: firestore://{project}/main
    place: tenants/{tenant}/users
    region: europe-west1
    role: controller
    tenant: {path: true}
    select: {document: "{uid}", or: {equals: email, of: email}}
    action: delete
    descend: true
    below: [devices]
    directory: true
    address: email
    derives:
      - {identifier: uid, from: uid}
      - {identifier: customer_id, from: billing.customer}
    backup_class: pitr
no_personal_data: ["firestore://{project}/main/totals", "gcs://acme-site/*", "postgres://sql-{region}.acme.example/app/public.plans"]
outside: [{place: "Cloud Logging, bucket _Required", days: 400, what: Audit logs of the platform.}]
backups: [{class: pitr, days: 7}]
recipients: [{id: mailer, name: Mailer, by: webhook, to: "https://mailer.example/erasures", gives: [email]}]
retention: [{id: old-sessions, entry: sessions, older_than: P90D}, {id: paid, entry: invoices, field: issued_at, older_than: P10Y}]
limits: {auto_approve_items: 50}
`

const company = `company: {name: Acme, domains: [acme.example], zone: Europe/Paris, country: FR, languages: [en],
  environments: [{id: live, project: acme-live, kind: live}, {id: staging, project: acme-staging, kind: staging}]}`

const tenants = `tenants:
  - {id: north, name: North, country: FR, language: fr, domains: [north.example]}
  - {id: south, name: South, country: DE, language: de, domains: [south.example]}
`

// load returns a policy with the files given over those every policy here has. An empty text leaves a file out.
func load(t testing.TB, files map[string]string) *policy.Policy {
	t.Helper()
	all := map[string]string{
		"company.yaml": company, "tenants.yaml": tenants,
		"people.yaml":     "people:\n  - {id: ada, email: ada@acme.example, name: Ada, roles: [employee], zone: Europe/Paris, language: en}\n",
		"promises/a.yaml": "promises:\n  - {id: A1, text: {en: We clean.}, check: retention-sweep, severity: low, kept_by: [{records: retention-sweep}]}\n",
	}
	folder := fstest.MapFS{}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		if text != "" {
			folder["acme/"+name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	p, problems, err := policy.Load(folder, "acme")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return p
}

// read returns the map of a text, which has to be in order.
func read(t testing.TB, text string) *datamap.Map {
	t.Helper()
	m, problems := datamap.Read(load(t, map[string]string{"datamap.yaml": text}))
	for _, problem := range problems {
		t.Error(problem)
	}
	if t.Failed() {
		t.FailNow()
	}
	return m
}

// with returns good with one piece of it replaced.
func with(t testing.TB, old, new string) string {
	t.Helper()
	if strings.Count(good, old) == 0 {
		t.Fatalf("good does not hold %q", old)
	}
	return strings.Replace(good, old, new, 1)
}

// known are identifiers of one person, verified.
func known(pairs ...string) (ids []datamap.Identifier) {
	for i := 0; i < len(pairs); i += 2 {
		ids = append(ids, datamap.Identifier{Kind: pairs[i], Value: pairs[i+1], Verified: true})
	}
	return ids
}

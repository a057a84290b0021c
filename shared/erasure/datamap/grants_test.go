package datamap_test

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/policy"
)

const oneProvider = "providers: [{id: google, name: Google, by: google}, {id: crm, name: CRM, by: salesforce}]\n"

// connected is the small map with an entry of connections, in a place of each tenant's own, and one bound by a field.
func connected(grants string) string {
	const by = "    action: delete\n    access: true\n"
	text := strings.Replace(good, by, by+"    grants: "+grants+"\n", 1)
	return strings.Replace(text, "retention: [{id: old-sessions, entry: sessions, older_than: P90D}, ", "retention: [", 1) + oneProvider
}

// TestConnections: connections are searched with what ends them, and those alike across tenants without.
func TestConnections(t *testing.T) {
	t.Parallel()
	m := read(t, connected("{provider: google, token: tokens.refresh, account: account.id}"))
	steps, err := m.Compile("north", known("uid", "u1"))
	if err != nil {
		t.Fatal(err)
	}
	found := datamap.Connections(steps)
	if len(found) != 1 || found[0].Entry.ID != "sessions" || !slices.Equal(found[0].Query.Show, []string{"tokens.refresh", "account.id"}) || found[0].Query.Action != erasure.ActionDelete {
		t.Errorf("connections are %+v", found)
	}
	if slices.ContainsFunc(steps, func(s datamap.Step) bool { return len(s.Query.Show) > 0 }) {
		t.Error("other searches show what is in items")
	}
	alike := m.Alike("google", "sub")
	if len(alike) != 1 {
		t.Fatalf("alike are searched by %+v", alike)
	}
	q := alike[0].Query
	if q.Check() != nil || q.Place != "**/sessions" || q.Tenant.Binding != erasure.BindGlobal || q.Match.Field != "account.id" || !slices.Equal(q.Match.Values, []string{"sub"}) || len(q.Show) > 0 {
		t.Errorf("alike are searched by %+v", q)
	}
	if others := m.Alike("other", "sub"); len(others) != 0 {
		t.Errorf("of another provider: %+v", others)
	}
	if _, known := m.Provider("google"); !known {
		t.Error("the provider is not known")
	}
	if r, known := m.Recipient("mailer"); !known || !slices.Equal(r.Gives, []string{"email"}) {
		t.Errorf("the recipient is %+v", r)
	}
}

// TestEachMistakeWithConnectionsIsRefused: what could not be ended, or would end what is somebody else's, is not read.
func TestEachMistakeWithConnectionsIsRefused(t *testing.T) {
	t.Parallel()
	const right = "{provider: google, token: token, account: account}"
	for _, c := range []struct{ name, old, new, key string }{
		{"no provider", right, "{token: token, account: account}", "entries[0].grants"},
		{"two ways to know it", right, "{provider: google, provider_in: p, token: token, account: account}", "entries[0].grants"},
		{"an unknown provider", right, "{provider: other, token: token, account: account}", "entries[0].grants.provider"},
		{"no token", right, "{provider: google, account: account}", "entries[0].grants.token"},
		{"a token that is an expression", right, `{provider: google, token: "a b", account: account}`, "entries[0].grants.token"},
		{"nobody could tell who else", right, "{provider: google, token: token}", "entries[0].grants.account"},
		{"no instance", right, "{provider: crm, token: token}", "entries[0].grants.instance"},
		{"an unknown hint", right, "{provider: google, token: token, account: account, hint: code}", "entries[0].grants.hint"},
		{"any secret", right, `{provider: google, token: token, account: account, vault: "projects/{project}/secrets/"}`, "entries[0].grants.vault"},
		{"items without fields", "select: {prefix: \"users/{uid}/\"}\n    action: delete", "select: {prefix: \"users/{uid}/\"}\n    action: delete\n    access: true\n    grants: {provider: crm, token: t, instance: i}", "entries[3].grants"},
		{"not first", "    access: true\n    grants", "    grants", "entries[0].grants"},
		{"swept by age", "retention: [", "retention: [{id: old-sessions, entry: sessions, older_than: P90D}, ", "retention[0].entry"},
		{"an unknown way", "name: Google, by: google", "name: Google, by: magic", "providers[0].by"},
		{"an endpoint it has of its own", "name: Google, by: google", `name: Google, by: google, endpoint: "https://evil.example/"`, "providers[0].endpoint"},
		{"no endpoint", "name: Google, by: google", "name: Google, by: rfc7009", "providers[0].endpoint"},
		{"an endpoint without TLS", "name: Google, by: google", `name: Google, by: rfc7009, endpoint: "http://p.example/"`, "providers[0].endpoint"},
		{"by hand, and nowhere", "name: Google, by: google", "name: Google, by: hand", "providers[0].page"},
		{"half of a client", "name: Google, by: google", "name: Google, by: google, client: x", "providers[0].client"},
		{"a client that is a path", "name: Google, by: google", "name: Google, by: github, client: ../x, secret: s", "providers[0].client"},
		{"a provider twice", "{id: crm,", "{id: google,", "providers[1].id"},
		{"a recipient who knows nobody", ", gives: [email]", "", "recipients[0].gives"},
		{"a recipient who knows what is none", "gives: [email]", "gives: [login]", "recipients[0].gives"},
		{"a recipient who knows what his protocol has no word for", "by: webhook, to: \"https://mailer.example/erasures\", gives: [email]", "by: opendsr, to: \"https://mailer.example/erasures\", gives: [email, uid]", "recipients[0].gives"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := connected(right)
			if !strings.Contains(text, c.old) {
				t.Fatalf("the map has no %q", c.old)
			}
			m, problems := datamap.Read(load(t, map[string]string{datamap.File: strings.Replace(text, c.old, c.new, 1)}))
			if len(problems) == 0 || !slices.ContainsFunc(problems, func(p policy.Problem) bool { return p.Key == c.key }) {
				t.Fatalf("problems: %v", problems)
			}
			if _, err := m.Close("north"); err == nil {
				t.Error("it compiles all the same")
			}
		})
	}
}

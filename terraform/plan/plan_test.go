package plan

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// tree is a root that calls two modules, one of them once for each function.
var tree = fstest.MapFS{
	"live/main.tf": {Data: []byte(`
module "base" {
  source = "../base"
}

module "function" {
  source   = "../function"
  for_each = local.functions
  topics   = module.base.topics
  keys     = merge(module.base.keys, { extra = google_kms_crypto_key.extra.id })
  builds   = module.base.account
}

resource "google_kms_crypto_key" "extra" {
  name = "extra"
}

resource "google_project_iam_member" "all" {
  role   = "roles/x"
  member = module.function["a"].member
}

resource "google_project_iam_member" "every" {
  role   = "roles/x"
  member = join(",", [for f in module.function : f.member])
}
`)},
	"base/main.tf": {Data: []byte(`
resource "google_pubsub_topic" "event" {
  for_each = toset(["one", "two"])
  name     = each.key
}

resource "google_kms_crypto_key" "seal" {
  for_each = local.keys
}

output "topics" {
  value = { for name, topic in google_pubsub_topic.event : name => topic.id }
}

output "keys" {
  value = { for name, key in google_kms_crypto_key.seal : name => key.id }
}

output "account" {
  value = google_service_account.build.name
}

resource "google_service_account" "build" {
}
`)},
	"function/main.tf": {Data: []byte(`
locals {
  name  = var.name
  url   = google_cloudfunctions2_function.this.service_config[0].uri
  roles = { one = google_project_iam_custom_role.first.name, two = google_project_iam_custom_role.second.name }
  loop  = local.loop
  names = { for k in ["x"] : k => toset(["one"]) }
}

resource "google_cloudfunctions2_function" "this" {
  build_config {
    service_account = var.builds
  }
}

resource "google_service_account" "invoker" {
  count = 1
}

resource "google_pubsub_subscription" "push" {
  for_each = { one = "x" }
  topic    = var.topics[each.key]
  push_config {
    push_endpoint = "${local.url}/${local.name}/events"
    oidc_token {
      service_account_email = google_service_account.invoker[0].email
      audience              = local.url
    }
  }
}

resource "google_pubsub_subscription_iam_member" "dead" {
  for_each     = google_pubsub_subscription.push
  subscription = each.value.name
  role         = local.roles["two"]
  member       = local.loop
}

resource "google_project_iam_custom_role" "first" {
}

resource "google_project_iam_custom_role" "second" {
}

resource "google_project_iam_custom_role" "grant" {
  for_each = toset(["key:seal", "signing-key:seal"])
}

resource "google_kms_crypto_key_iam_member" "use" {
  for_each      = toset(["seal"])
  crypto_key_id = var.keys[each.value]
  role          = google_project_iam_custom_role.grant["key:${each.key}"].name
}

resource "google_kms_crypto_key_iam_member" "extra" {
  crypto_key_id = var.keys["extra"]
  role          = google_project_iam_custom_role.grant["key:${local.name}"].name
}

resource "google_pubsub_topic_iam_member" "of" {
  for_each = local.names["x"]
  topic    = var.topics[each.value]
}

output "member" {
  value = google_service_account.invoker[0].member
}
`)},
}

// shown is what terraform show -json says of resources, each an address; after holds what is known of them.
func shown(t *testing.T, after map[string]string, addresses ...string) []byte {
	t.Helper()
	var changes []map[string]any
	for _, address := range addresses {
		dot := strings.LastIndex(address, ".google_")
		module, rest := "", address
		if dot >= 0 {
			module, rest = address[:dot], address[dot+1:]
		}
		kind, name, _ := strings.Cut(rest, ".")
		var index any
		if base, key, indexed := strings.Cut(strings.TrimSuffix(name, "]"), "["); indexed {
			name = base
			if err := json.Unmarshal([]byte(key), &index); err != nil {
				t.Fatal(err)
			}
		}
		known := json.RawMessage(`{}`)
		if text := after[address]; text != "" {
			known = json.RawMessage(text)
		}
		changes = append(changes, map[string]any{"address": address, "module_address": module, "mode": "managed", "type": kind, "name": name, "index": index,
			"change": map[string]any{"actions": []string{"create"}, "after": known, "after_unknown": map[string]any{"id": true, "nested": []any{map[string]any{"uri": true, "name": false}}}}})
	}
	text, err := json.Marshal(map[string]any{"resource_changes": changes, "variables": map[string]any{"project": map[string]any{"value": map[string]any{"number": "12"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func everything(t *testing.T) *Plan {
	t.Helper()
	p, err := Read(shown(t, nil,
		`google_kms_crypto_key.extra`, `google_project_iam_member.all`, `google_project_iam_member.every`,
		`module.base.google_pubsub_topic.event["one"]`, `module.base.google_pubsub_topic.event["two"]`, `module.base.google_service_account.build`,
		`module.base.google_kms_crypto_key.seal["seal"]`, `module.base.google_kms_crypto_key.seal["other"]`,
		`module.function["a"].google_cloudfunctions2_function.this`, `module.function["b"].google_cloudfunctions2_function.this`,
		`module.function["a"].google_service_account.invoker[0]`, `module.function["b"].google_service_account.invoker[0]`,
		`module.function["a"].google_pubsub_subscription.push["one"]`, `module.function["b"].google_pubsub_subscription.push["one"]`,
		`module.function["a"].google_pubsub_subscription_iam_member.dead["one"]`,
		`module.function["a"].google_project_iam_custom_role.first`, `module.function["a"].google_project_iam_custom_role.second`,
		`module.function["a"].google_project_iam_custom_role.grant["key:seal"]`, `module.function["a"].google_project_iam_custom_role.grant["signing-key:seal"]`,
		`module.function["a"].google_kms_crypto_key_iam_member.use["seal"]`, `module.function["a"].google_kms_crypto_key_iam_member.extra`,
		`module.function["a"].google_pubsub_topic_iam_member.of["one"]`,
	), tree, "live")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOrigins: what an attribute comes from, through locals, modules and indexes; of several, the one that is meant, and all
// where the text leaves it open.
func TestOrigins(t *testing.T) {
	t.Parallel()
	p := everything(t)
	const a = `module.function["a"].`
	for _, c := range []struct{ of, attribute, want string }{
		{a + `google_cloudfunctions2_function.this`, "build_config service_account", `module.base.google_service_account.build`},
		{a + `google_pubsub_subscription.push["one"]`, "topic", `module.base.google_pubsub_topic.event["one"]`},
		{a + `google_pubsub_subscription.push["one"]`, "push_config push_endpoint", a + `google_cloudfunctions2_function.this`},
		{`module.function["b"].google_pubsub_subscription.push["one"]`, "push_config push_endpoint", `module.function["b"].google_cloudfunctions2_function.this`},
		{a + `google_pubsub_subscription.push["one"]`, "push_config oidc_token service_account_email", a + `google_service_account.invoker[0]`},
		{a + `google_pubsub_subscription.push["one"]`, "push_config oidc_token audience", a + `google_cloudfunctions2_function.this`},
		{a + `google_pubsub_subscription_iam_member.dead["one"]`, "subscription", a + `google_pubsub_subscription.push["one"]`},
		{a + `google_pubsub_subscription_iam_member.dead["one"]`, "role", a + `google_project_iam_custom_role.second`},
		{a + `google_pubsub_subscription_iam_member.dead["one"]`, "member", ""}, // follows from itself
		{a + `google_kms_crypto_key_iam_member.use["seal"]`, "crypto_key_id", `module.base.google_kms_crypto_key.seal["seal"]`},
		{a + `google_kms_crypto_key_iam_member.use["seal"]`, "role", a + `google_project_iam_custom_role.grant["key:seal"]`},
		{a + `google_kms_crypto_key_iam_member.extra`, "crypto_key_id", `google_kms_crypto_key.extra`},
		{a + `google_kms_crypto_key_iam_member.extra`, "role", a + `google_project_iam_custom_role.grant["key:seal"] ` + a + `google_project_iam_custom_role.grant["signing-key:seal"]`},
		{a + `google_pubsub_topic_iam_member.of["one"]`, "topic", `module.base.google_pubsub_topic.event["one"]`},
		{`google_project_iam_member.all`, "member", a + `google_service_account.invoker[0]`},
		{`google_project_iam_member.every`, "member", ""}, // not followed
		{`google_project_iam_member.all`, "role", ""},
		{`google_project_iam_member.all`, "project", ""},
		{`google_project_iam_member.all`, "condition expression", ""},
	} {
		i := slices.IndexFunc(p.Resources, func(r *Resource) bool { return r.Address == c.of })
		if i < 0 {
			t.Fatalf("there is no %s", c.of)
		}
		var have []string
		for _, o := range p.Origins(p.Resources[i], strings.Fields(c.attribute)...) {
			have = append(have, o.Address)
		}
		slices.Sort(have)
		if strings.Join(have, " ") != c.want {
			t.Errorf("%s of %s comes from %q, want %q", c.attribute, c.of, have, c.want)
		}
	}
}

func TestResource(t *testing.T) {
	t.Parallel()
	p, err := Read(shown(t, map[string]string{
		"google_kms_crypto_key.extra": `{"name":"x","count":3,"on":true,"list":["a",null,"b"],"nested":[{"name":"inner","deep":[{"x":"y"}]}],"none":[]}`,
	}, "google_kms_crypto_key.extra"), tree, "live")
	if err != nil {
		t.Fatal(err)
	}
	r := p.Of("google_kms_crypto_key")[0]
	if r.Text("name") != "x" || r.Text("nested", "deep", "x") != "y" || r.Text("none", "x") != "" || r.Text("count") != "" {
		t.Errorf("texts: %+v", r.Values)
	}
	if r.Number("count") != 3 || r.Number("name") != -1 || !r.True("on") || r.True("name") || len(r.List("nested")) != 1 {
		t.Errorf("values: %+v", r.Values)
	}
	if have := r.Texts("list"); !slices.Equal(have, []string{"a", "b"}) {
		t.Errorf("list: %v", have)
	}
	if !r.Later("id") || !r.Later("nested") || r.Later("nested", "name") || r.Later("name") {
		t.Errorf("unknown: %+v", r.Unknown)
	}
	if project, _ := p.Variables["project"].(map[string]any); project["number"] != "12" {
		t.Errorf("variables: %v", p.Variables)
	}
	if _, found := p.Block(r); !found || p.Expression(r, "name") != `"extra"` {
		t.Errorf("its block: %q", p.Expression(r, "name"))
	}
}

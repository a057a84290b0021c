package diff

import (
	"encoding/json"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
)

// bound is a type that says who may use a resource.
type bound struct {
	asset string // type of what it is about
	name  string // template of its name
	form  string // member, binding, policy or audit_config
}

// about are the beginnings of the types that say so, and what they are about.
var about = map[string]bound{
	"google_project_iam":                  {asset: "cloudresourcemanager.googleapis.com/Project", name: "projects/{project}"},
	"google_folder_iam":                   {asset: "cloudresourcemanager.googleapis.com/Folder", name: "{folder}"},
	"google_organization_iam":             {asset: "cloudresourcemanager.googleapis.com/Organization", name: "organizations/{org_id}"},
	"google_storage_bucket_iam":           {asset: "storage.googleapis.com/Bucket", name: "{bucket}"},
	"google_service_account_iam":          {asset: "iam.googleapis.com/ServiceAccount", name: "{service_account_id}"},
	"google_secret_manager_secret_iam":    {asset: "secretmanager.googleapis.com/Secret", name: "projects/{project}/secrets/{secret_id}"},
	"google_kms_crypto_key_iam":           {asset: "cloudkms.googleapis.com/CryptoKey", name: "{crypto_key_id}"},
	"google_kms_key_ring_iam":             {asset: "cloudkms.googleapis.com/KeyRing", name: "{key_ring_id}"},
	"google_pubsub_topic_iam":             {asset: "pubsub.googleapis.com/Topic", name: "projects/{project}/topics/{topic}"},
	"google_pubsub_subscription_iam":      {asset: "pubsub.googleapis.com/Subscription", name: "projects/{project}/subscriptions/{subscription}"},
	"google_cloud_run_v2_service_iam":     {asset: "run.googleapis.com/Service", name: "projects/{project}/locations/{location}/services/{name}"},
	"google_cloud_run_service_iam":        {asset: "run.googleapis.com/Service", name: "projects/{project}/locations/{location}/services/{service}"},
	"google_cloudfunctions2_function_iam": {asset: "cloudfunctions.googleapis.com/Function", name: "projects/{project}/locations/{location}/functions/{cloud_function}"},
}

// boundOf returns what a type of Terraform's says who may use.
func boundOf(kind string) (bound, bool) {
	for _, form := range []string{"member", "binding", "policy", "audit_config"} {
		if begin, is := strings.CutSuffix(kind, "_"+form); is {
			b, known := about[begin]
			b.form = form
			return b, known
		}
	}
	return bound{}, false
}

// key names the resource a resource of Terraform's says who may use; "" where it does not say.
func (b bound) key(r Resource, names *asset.Names) string {
	name, whole := filled(b.name, r.Values)
	if !whole {
		return ""
	}
	if b.asset == "storage.googleapis.com/Bucket" {
		name = strings.TrimPrefix(name, "b/")
	}
	return names.Key(b.asset, name)
}

// grants are what is wanted of who may use one resource, all of Terraform's words about it together.
type grants struct {
	key, kind string
	addresses map[string]string // by role, condition and member, or role and condition: who said so
	wanted    asset.Policy
	whole     []string // roles and conditions, as joined: nobody else may have them
	all       string   // the address of what says the whole policy; "" for nothing
	audit     map[string]asset.Audit
	audits    map[string]string // addresses, by service
	unread    []string          // addresses of what could not be read
}

func joined(role, condition string) string { return role + "\x00" + condition }

// take adds what one resource of Terraform's says.
func (g *grants) take(r Resource, form string) {
	role, _ := r.Values["role"].(string)
	conditionValue, err := at(r.Values, "condition.expression")
	condition, _ := conditionValue.(string)
	switch form {
	case "member":
		member, _ := r.Values["member"].(string)
		if role == "" || member == "" || err != nil {
			g.unread = append(g.unread, r.Address)
			return
		}
		g.wanted.Grant(role, condition, member)
		g.addresses[joined(role, condition)+"\x00"+asset.Member(member)] = r.Address
	case "binding":
		list, err := listed(r.Values["members"], text)
		if role == "" || err != nil {
			g.unread = append(g.unread, r.Address)
			return
		}
		g.wanted.Grant(role, condition, list...)
		g.whole = append(g.whole, joined(role, condition))
		g.addresses[joined(role, condition)] = r.Address
	case "policy":
		g.policy(r)
	case "audit_config":
		g.audited(r)
	}
}

func (g *grants) policy(r Resource) {
	data, _ := r.Values["policy_data"].(string)
	var p struct {
		Bindings []struct {
			Role      string                       `json:"role"`
			Members   []string                     `json:"members"`
			Condition *struct{ Expression string } `json:"condition"`
		} `json:"bindings"`
		Audit []struct {
			Service string `json:"service"`
			Logs    []struct {
				Type   string   `json:"logType"`
				Exempt []string `json:"exemptedMembers"`
			} `json:"auditLogConfigs"`
		} `json:"auditConfigs"`
	}
	if json.Unmarshal([]byte(data), &p) != nil {
		g.unread = append(g.unread, r.Address)
		return
	}
	g.all = r.Address
	for _, b := range p.Bindings {
		condition := ""
		if b.Condition != nil {
			condition = b.Condition.Expression
		}
		g.wanted.Grant(b.Role, condition, b.Members...)
	}
	for _, a := range p.Audit {
		g.audits[a.Service] = r.Address
		for _, logs := range a.Logs {
			g.logs(a.Service, logs.Type, logs.Exempt)
		}
	}
}

// logs adds that logs are wanted, of everybody but some.
func (g *grants) logs(service, kind string, exempt []string) {
	var members []string
	for _, m := range exempt {
		members = append(members, asset.Member(m))
	}
	slices.Sort(members)
	g.audit[service+"/"+kind] = asset.Audit{Service: service, Type: kind, Exempt: members}
}

func (g *grants) audited(r Resource) {
	service, _ := r.Values["service"].(string)
	logs, is := r.Values["audit_log_config"].([]any)
	if service == "" || !is {
		g.unread = append(g.unread, r.Address)
		return
	}
	g.audits[service] = r.Address
	for _, one := range logs {
		m, _ := one.(map[string]any)
		kind, _ := m["log_type"].(string)
		exempt, err := listed(m["exempted_members"], text)
		if err != nil || kind == "" {
			g.unread = append(g.unread, r.Address)
			return
		}
		g.logs(service, kind, exempt)
	}
}

// from returns who said that a member has a role.
func (g *grants) from(role, condition, member string) string {
	for _, key := range []string{joined(role, condition) + "\x00" + member, joined(role, condition)} {
		if address := g.addresses[key]; address != "" {
			return address
		}
	}
	return g.all
}

// compare returns the differences from what there is. A member somebody gave by hand counts where Terraform says the whole role, or
// the whole policy; elsewhere package baseline judges who may have what.
func (g *grants) compare(live *asset.Policy) (found []Finding) {
	has := func(p *asset.Policy, role, condition, member string) bool {
		return slices.ContainsFunc(p.Bindings, func(b asset.Binding) bool {
			return b.Role == role && b.Condition == condition && slices.Contains(b.Members, member)
		})
	}
	add := func(class Class, address, role, condition, member string, to Direction) {
		field := "iam " + role
		if condition != "" {
			field += " if " + condition
		}
		f := Finding{Key: g.key, Type: g.kind, Address: address, Class: class, Field: field, Direction: to, Severity: severityOf(role, member)}
		if f.Want = member; class == Extra {
			f.Want, f.Got = "", member
		}
		found = append(found, f)
	}
	for _, b := range g.wanted.Bindings {
		for _, m := range b.Members {
			if !has(live, b.Role, b.Condition, m) {
				add(Changed, g.from(b.Role, b.Condition, m), b.Role, b.Condition, m, Tightened)
			}
		}
	}
	for _, b := range live.Bindings {
		ours := g.all != "" || slices.Contains(g.whole, joined(b.Role, b.Condition))
		for _, m := range b.Members {
			if (ours || g.freed(b, m)) && !has(&g.wanted, b.Role, b.Condition, m) && !strings.HasPrefix(m, "deleted:") {
				add(Extra, g.from(b.Role, b.Condition, ""), b.Role, b.Condition, m, Loosened)
			}
		}
	}
	return append(found, g.compareAudit(live)...)
}

// freed reports whether a member has under another condition, or none, what Terraform gives it under one: nobody can tell of
// two conditions which lets more pass, so that it counts as loosened.
func (g *grants) freed(b asset.Binding, member string) bool {
	conditional := false
	for _, w := range g.wanted.Bindings {
		if w.Role == b.Role && slices.Contains(w.Members, member) {
			if w.Condition == "" {
				return false // Terraform gives it under any
			}
			conditional = true
		}
	}
	return conditional
}

func (g *grants) compareAudit(live *asset.Policy) (found []Finding) {
	for name, want := range g.audit {
		at := slices.IndexFunc(live.Audit, func(a asset.Audit) bool { return a.Service == want.Service && a.Type == want.Type })
		f := Finding{Key: g.key, Type: g.kind, Address: g.audits[want.Service], Class: Changed, Field: "audit logs " + name, Severity: critical, Direction: Loosened}
		switch {
		case at < 0:
			f.Want = "written"
			found = append(found, f)
		case !slices.Equal(live.Audit[at].Exempt, want.Exempt):
			f.Want, f.Got = "without "+strings.Join(want.Exempt, ", "), "without "+strings.Join(live.Audit[at].Exempt, ", ")
			f.Direction = wider(strings.Join(want.Exempt, "\n"), strings.Join(live.Audit[at].Exempt, "\n"))
			found = append(found, f)
		}
	}
	return found
}

// severityOf says how bad a wrong member is: everybody, and whoever may do everything, worst.
func severityOf(role, member string) severity {
	if member == "allUsers" || member == "allAuthenticatedUsers" {
		return critical
	}
	for _, powerful := range []string{"roles/owner", "roles/editor", "admin", "Admin", "TokenCreator", "serviceAccountUser", "serviceAccountKey"} {
		if strings.Contains(role, powerful) {
			return critical
		}
	}
	return high
}

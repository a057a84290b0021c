package rules

import (
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/terraform/plan"
)

var forgeRules = []Rule{
	{"forge", "Only runs of our own repository act as the accounts that plan and deploy.", "bootstrap", forge},
	{"pipeline", "Who plans changes nothing, and who deploys reads no data, opens no seal and acts as no function.", "bootstrap", pipeline},
}

const issuer = "https://token.actions.githubusercontent.com"

// mapped is what is known of a run, and whose runs are let in: each compared whole, as a comparison says nothing of what stands around
// it. Names can be given up and taken by others; numbers are never given twice.
func (in Input) mapped() (attributes map[string]string, condition string) {
	github := in.given()
	chosen := func(name, otherwise string) string { // as the variable has it where it is left out
		if said := github.Text("github", name); said != "" {
			return said
		}
		return otherwise
	}
	ref := "refs/heads/" + chosen("branch", "main")
	return map[string]string{
			"google.subject":  "assertion.repository_id + '/' + assertion.run_id + '/' + assertion.run_attempt",
			"attribute.plans": "assertion.repository_id",
			"attribute.deploys": "has(assertion.environment) && assertion.ref == '" + ref + "' && assertion.workflow_ref.endsWith('/" + chosen("workflow", ".github/workflows/deploy.yml") + "@" + ref +
				"') && assertion.event_name in ['push', 'workflow_dispatch'] ? assertion.environment : 'nothing'",
		},
		"assertion.repository_id == '" + github.Text("github", "repository_id") + "' && assertion.repository_owner_id == '" + github.Text("github", "owner_id") + "'"
}

// number is what the forge calls a repository or an owner by.
var number = regexp.MustCompile(`^[0-9]+$`)

func forge(l *look) {
	attributes, condition := l.mapped()
	for _, p := range l.of("google_iam_workload_identity_pool_provider") {
		if have := p.Text("attribute_condition"); have != condition || !number.MatchString(l.given().Text("github", "repository_id")) || !number.MatchString(l.given().Text("github", "owner_id")) {
			l.wrong(p, "lets runs of other repositories in: its condition is %q, and compares the numbers of the repository and its owner: %s", have, condition)
		}
		have, _ := p.At("attribute_mapping").(map[string]any)
		for name, each := range have {
			if each != attributes[name] {
				l.wrong(p, "takes %s from %q: what runs are told apart by is %q", name, each, attributes[name])
			}
		}
		other := p.Later("attribute_mapping") || p.Later("attribute_condition") || len(p.List("aws"))+len(p.List("saml"))+len(p.List("x509")) > 0
		if p.Text("oidc", "issuer_uri") != issuer || p.Text("oidc", "jwks_json") != "" || len(p.Texts("oidc", "allowed_audiences")) > 0 || len(have) != len(attributes) || other {
			l.wrong(p, "takes other tokens than those that %s signs for this pool", issuer)
		}
	}
	for _, r := range l.Plan.Of("google_service_account_iam_member") {
		if r.Text("role") != "roles/iam.workloadIdentityUser" {
			continue
		}
		l.seen++
		if who := l.the(account, r, "service_account_id"); who == nil || !l.lets(r, who.Text("account_id")) {
			l.wrong(r, "lets others act as the account: deploy-NAME is for runs with attribute.deploys/NAME, plan-NAME for those with attribute.plans and the number of the repository")
		}
	}
}

// letIn is whom a pool lets act as an account: the pool by reference, or written out, and what an attribute has to be.
var letIn = regexp.MustCompile(`^"?principalSet://iam\.googleapis\.com/(?:\$\{google_iam_workload_identity_pool\.[a-z]+\.name\}|projects/[0-9]+/locations/global/workloadIdentityPools/[a-z0-9-]+)/attribute\.(plans|deploys)/([^"/]+)"?$`)

// lets tells whether a grant lets just those runs in that an account is for.
func (l *look) lets(r *plan.Resource, id string) bool {
	written := r.Text("member")
	if written == "" {
		written = l.Plan.Expression(r, "member")
	}
	found := letIn.FindStringSubmatch(written)
	if found == nil || len(r.List("condition")) > 0 || l.the("google_iam_workload_identity_pool", r, "member") == nil {
		return false
	}
	is := found[2]
	switch is {
	case "${each.key}":
		is = r.Key
	case "${var.github.repository_id}":
		is = l.given().Text("github", "repository_id")
	}
	if found[1] == "plans" {
		return strings.HasPrefix(id, "plan-") && is == l.given().Text("github", "repository_id")
	}
	return id == "deploy-"+is
}

// content are permissions, or how they end, of whoever sees or changes what is kept, and of whoever acts as somebody else.
var content = []string{
	"datastore.entities.", "storage.objects.", "secretmanager.versions.access", "secretmanager.versions.add", "cloudkms.cryptoKeyVersions.useTo",
	"cloudkms.cryptoKeyVersions.destroy", "pubsub.subscriptions.consume", "pubsub.topics.publish", "logging.logEntries.list", "logging.privateLogEntries.",
	"iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken", "iam.serviceAccounts.sign", "iam.serviceAccounts.actAs", "iam.serviceAccounts.implicitDelegation",
	"iam.serviceAccountKeys.create", "iam.serviceAccountKeys.delete", "iam.serviceAccountKeys.disable", "iam.serviceAccountKeys.enable", "datastore.databases.delete", "storage.buckets.delete", "resourcemanager.projects.delete", "orgpolicy.",
}

func pipeline(l *look) {
	for _, r := range l.members() {
		// Where the text leaves open of which environment, each account stands for those of the others.
		who, plans := "", true
		for _, o := range l.Plan.Origins(r, "member") {
			if o.Type == account {
				who = o.Text("account_id")
				plans = plans && strings.HasPrefix(who, "plan-")
			}
		}
		if who == "" {
			continue
		}
		l.seen++
		if l.closed(r.Text("project")) && (strings.HasPrefix(r.Text("role"), "roles/") || slices.ContainsFunc(l.permissions(r), changes)) {
			l.wrong(r, "gives %s more than a look in the project of evidence: administrators set that up", who)
		}
		if role := r.Text("role"); strings.HasPrefix(role, "roles/") && !slices.Contains(predefined[r.Type], role) {
			l.wrong(r, "gives %s %s, which reads data or reaches further than what is set up", who, role)
		}
		for _, permission := range l.permissions(r) {
			sees := slices.ContainsFunc(content, func(begin string) bool { return strings.HasPrefix(permission, begin) })
			if sees || plans && changes(permission) {
				l.wrong(r, "gives %s %s", who, permission)
			}
			if strings.HasSuffix(permission, ".setIamPolicy") && !limited(r) && conditional(permission) {
				l.wrong(r, "gives %s %s without saying which roles may be given", who, permission)
			}
		}
	}
}

// givesOnly is a list of roles that somebody may give (IAM documentation, "Set limits on granting roles").
var givesOnly = regexp.MustCompile(`^api\.getAttribute\('iam\.googleapis\.com/modifiedGrantsByRole', \[\]\)\.hasOnly\(\['([^'\]]+(?:', '[^'\]]+)*)'\]\)$`)

// givable are Google's own roles that who deploys gives; beside them those of functions, made from their manifests.
var givable = []string{"roles/logging.logWriter", "roles/storage.objectViewer", "roles/storage.objectCreator", "roles/iam.serviceAccountUser"}

// limited tells whether a grant says of every role that may be given which it is, and names no other than those of functions.
func limited(r *plan.Resource) bool {
	for _, term := range strings.Split(r.Text("condition", "expression"), " || ") {
		found := givesOnly.FindStringSubmatch(term)
		if found == nil {
			return false
		}
		for _, role := range strings.Split(found[1], "', '") {
			if !slices.Contains(givable, role) && !strings.HasPrefix(role, "projects/"+r.Text("project")+"/roles/ostiary.") {
				return false
			}
		}
	}
	return true
}

// closed tells whether a project is there for evidence, by its label.
func (in Input) closed(project string) bool {
	return project != "" && slices.ContainsFunc(in.Plan.Of("google_project"), func(p *plan.Resource) bool {
		return p.Text("project_id") == project && p.Text("labels", "purpose") == "evidence"
	})
}

// changes tells whether a permission does more than look.
func changes(permission string) bool {
	verb := permission[strings.LastIndex(permission, ".")+1:]
	return !strings.HasPrefix(verb, "get") && !strings.HasPrefix(verb, "list") && verb != "viewPublicKey" && verb != "use"
}

// conditional tells whether a service says, when rights are given, which roles are (IAM documentation, "Set limits on granting roles").
func conditional(permission string) bool {
	return slices.ContainsFunc([]string{"resourcemanager.", "cloudkms.", "iam.serviceAccounts.", "storage.buckets."}, func(begin string) bool { return strings.HasPrefix(permission, begin) })
}

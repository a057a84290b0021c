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

// Names can be given up and taken by others; numbers are never given twice.
var ownRepository = []*regexp.Regexp{
	regexp.MustCompile(`assertion\.repository_id\s*==\s*["'][0-9]+["']`),
	regexp.MustCompile(`assertion\.repository_owner_id\s*==\s*["'][0-9]+["']`),
}

func forge(l *look) {
	for _, p := range l.of("google_iam_workload_identity_pool_provider") {
		condition := p.Text("attribute_condition")
		for _, form := range ownRepository {
			if !form.MatchString(condition) || strings.Contains(condition, "||") {
				l.wrong(p, "lets runs of other repositories in: its condition is %q; compare repository_id and repository_owner_id with numbers", condition)
			}
		}
	}
	for _, r := range l.Plan.Of("google_service_account_iam_member") {
		if r.Text("role") != "roles/iam.workloadIdentityUser" {
			continue
		}
		l.seen++
		member := r.Text("member") + l.Plan.Expression(r, "member")
		if !strings.Contains(member, "/attribute.") && !strings.Contains(member, "/subject/") {
			l.wrong(r, "lets everybody of the pool act as the account: name an attribute")
		}
	}
}

// content are permissions, or how they end, of whoever sees or changes what is kept, and of whoever acts as somebody else.
var content = []string{
	"datastore.entities.", "storage.objects.", "secretmanager.versions.access", "secretmanager.versions.add", "cloudkms.cryptoKeyVersions.useTo",
	"cloudkms.cryptoKeyVersions.destroy", "pubsub.subscriptions.consume", "pubsub.topics.publish", "logging.logEntries.list", "logging.privateLogEntries.",
	"iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken", "iam.serviceAccounts.sign", "iam.serviceAccounts.actAs", "iam.serviceAccounts.implicitDelegation",
	"iam.serviceAccountKeys.create", "iam.serviceAccountKeys.delete", "iam.serviceAccountKeys.disable", "iam.serviceAccountKeys.enable", "datastore.databases.delete", "storage.buckets.delete", "resourcemanager.projects.delete", "orgpolicy.",
}

// broad are roles of Google's that hold such permissions.
var broad = []string{
	"roles/owner", "roles/editor", "roles/iam.serviceAccountUser", "roles/iam.serviceAccountTokenCreator", "roles/iam.serviceAccountKeyAdmin", "roles/iam.securityAdmin",
	"roles/resourcemanager.projectIamAdmin", "roles/secretmanager.admin", "roles/secretmanager.secretAccessor", "roles/datastore.owner", "roles/datastore.user", "roles/datastore.viewer",
	"roles/cloudkms.admin", "roles/cloudkms.cryptoKeyDecrypter", "roles/cloudkms.cryptoKeyEncrypterDecrypter", "roles/storage.admin", "roles/storage.objectAdmin",
	"roles/pubsub.admin", "roles/pubsub.editor", "roles/pubsub.subscriber", "roles/logging.viewer", "roles/logging.privateLogViewer", "roles/logging.admin", "roles/iam.workloadIdentityPoolAdmin",
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
		if role := r.Text("role"); slices.Contains(broad, role) || strings.Contains(r.Type, "_project_") && strings.HasPrefix(role, "roles/storage.") {
			l.wrong(r, "gives %s %s, which reads data or reaches further than what is set up", who, role)
		}
		for _, permission := range l.permissions(r) {
			sees := slices.ContainsFunc(content, func(begin string) bool { return strings.HasPrefix(permission, begin) })
			if sees || plans && changes(permission) {
				l.wrong(r, "gives %s %s", who, permission)
			}
			if strings.HasSuffix(permission, ".setIamPolicy") && !strings.Contains(r.Text("condition", "expression"), "modifiedGrantsByRole") && conditional(permission) {
				l.wrong(r, "gives %s %s without saying which roles may be given", who, permission)
			}
		}
	}
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

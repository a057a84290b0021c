package rules

import (
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/terraform/plan"
)

var aroundRules = []Rule{
	{"listed-around", "In the organization rights are given to functions, with custom roles, and to the agents of Google that bring messages; to nobody else.", "org", listedAround},
	{"listed-bootstrap", "The roots of the pipeline give rights to the accounts that plan and deploy, each role on the kind of thing it is listed for.", "bootstrap", listedBootstrap},
}

// custom are the kinds of things that a function holds a custom role on beyond its own project.
var custom = []string{
	"google_project_iam_member", "google_folder_iam_member", "google_organization_iam_member", "google_access_context_manager_access_policy_iam_member",
	"google_storage_bucket_iam_member", "google_kms_crypto_key_iam_member", "google_secret_manager_secret_iam_member",
}

// wholeRole is a role of the organization that another environment's plan makes, written out.
var wholeRole = regexp.MustCompile(`^organizations/[0-9]+/roles/ostiary\.[a-z]+\.[a-z]+$`)

// listedAround holds every grant of the organization's root to one of the forms there are. Which permissions a function's roles hold,
// and on what, its manifest says: that is another rule.
func listedAround(l *look) {
	id, number := l.given().Text("project", "id"), l.number()
	for _, r := range l.members() {
		l.seen++
		member, ok := r.Text("member"), false
		if who := runtimeForm.FindStringSubmatch(member); who != nil {
			whole := wholeRole.MatchString(r.Text("role")) && !slices.Contains([]string{"google_project_iam_member", "google_storage_bucket_iam_member", "google_kms_crypto_key_iam_member"}, r.Type)
			ok = slices.Contains(custom, r.Type) && (len(l.customs(r)) > 0 || whole)
			ok = ok && accountForm.MatchString(member) && (id == "" || member == "serviceAccount:fn-"+who[1]+"@"+id+".iam.gserviceaccount.com")
		} else if r.Type == "google_pubsub_topic_iam_member" && r.Text("role") == "roles/pubsub.publisher" {
			feed := number != "" && member == "serviceAccount:service-"+number+"@gcp-sa-cloudasset.iam.gserviceaccount.com"
			ok = feed && lastPart(r.Text("topic")) == "asset.feed" || l.sink(r) && lastPart(r.Text("topic")) == "audit.entries"
		}
		if !ok {
			l.wrong(r, "gives %q %q: here functions are given custom roles, and agents of Google publish on the topics of their messages", member, r.Text("role"))
		}
	}
}

// sink tells whether a grant is to what log sinks of this plan write as.
func (in Input) sink(r *plan.Resource) bool {
	from := in.Plan.Origins(r, "member")
	return r.Text("member") == "" && len(from) > 0 && !slices.ContainsFunc(from, func(o *plan.Resource) bool {
		return !strings.HasPrefix(o.Type, "google_logging_") || !strings.HasSuffix(o.Type, "_sink")
	})
}

// lastPart is what a topic is called, with its project or without.
func lastPart(name string) string { return name[strings.LastIndex(name, "/")+1:] }

// predefined are Google's own roles that the accounts of the pipeline hold, by the kind of thing they are on: configuration of things that
// hold no data, and of its data the state of the environment alone.
var predefined = map[string][]string{
	"google_project_iam_member": {
		"roles/certificatemanager.editor", "roles/cloudfunctions.developer", "roles/cloudscheduler.admin", "roles/compute.loadBalancerAdmin",
		"roles/compute.securityAdmin", "roles/iap.settingsAdmin", "roles/monitoring.admin", "roles/serviceusage.serviceUsageAdmin",
	},
	"google_billing_account_iam_member": {"roles/billing.costsManager"},
	"google_storage_bucket_iam_member":  {"roles/storage.objectUser", "roles/storage.objectViewer"}, // which of whom, ownState tells
	"google_tags_tag_value_iam_member":  {"roles/resourcemanager.tagUser"},
}

func listedBootstrap(l *look) {
	for _, r := range l.members() {
		l.seen++
		role, ok := r.Text("role"), false
		switch r.Type {
		case "google_service_account_iam_member":
			ok = role == "roles/iam.workloadIdentityUser" // whom it lets in is looked at with the forge
		case "google_kms_crypto_key_iam_member":
			ok = role == "roles/cloudkms.cryptoKeyEncrypterDecrypter" && strings.HasSuffix(r.Text("member")+strings.Trim(l.Plan.Expression(r, "member"), `"`), "@gs-project-accounts.iam.gserviceaccount.com")
		case "google_project_iam_member", "google_organization_iam_member", "google_billing_account_iam_member":
			ok = l.pipelines(r) && (len(l.customs(r)) > 0 || slices.Contains(predefined[r.Type], role))
		case "google_storage_bucket_iam_member":
			ok = l.pipelines(r) && l.ownState(r)
		default:
			ok = l.pipelines(r) && slices.Contains(predefined[r.Type], role)
		}
		if !ok {
			l.wrong(r, "gives %q %q: list the role on this kind of thing, and give it to an account that plans or deploys", r.Text("member"), role)
		}
	}
}

// ownState tells whether a grant is on the state of the environment an account is for: below it, not on what administrators keep beside
// it, and for who plans to read.
func (l *look) ownState(r *plan.Resource) bool {
	who, on := l.the(account, r, "member"), r.Text("bucket")
	if who == nil {
		return false
	}
	does, environment, _ := strings.Cut(who.Text("account_id"), "-")
	role := map[string]string{"plan": "roles/storage.objectViewer", "deploy": "roles/storage.objectUser"}[does]
	return r.Text("role") == role && strings.HasSuffix(on, "-state-"+environment) && either(r.Text("condition", "expression"), is("projects/_/buckets/"+on), below("projects/_/buckets/"+on+"/objects/environment/"))
}

// pipelines tells whether a grant is to accounts that plan or deploy, and to nobody else.
func (in Input) pipelines(r *plan.Resource) bool {
	accounts := 0
	for _, o := range in.Plan.Origins(r, "member") {
		if id := o.Text("account_id"); o.Type == account && (strings.HasPrefix(id, "plan-") || strings.HasPrefix(id, "deploy-")) {
			accounts++
		} else if o.Type == account {
			return false
		}
	}
	member := r.Text("member")
	return accounts > 0 && (member == "" || accountForm.MatchString(member))
}

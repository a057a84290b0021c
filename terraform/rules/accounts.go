package rules

import (
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/terraform/plan"
)

var accountRules = []Rule{
	{"own-account", "Every function runs as an account of its own, and none shares it.", "environments/", ownAccount},
	{"basic-role", "Nobody holds owner, editor or viewer: what somebody may do is named.", "", basicRole},
	{"public-member", "Everybody is let in to functions for the public, and to nothing else.", "", publicMember},
	{"members-only", "A grant adds one member to one role: nothing else that was granted is taken away.", "", membersOnly},
	{"no-long-lived-key", "There is no key of a service account, and none for HMAC: what does not exist is not stolen.", "", noKey},
	{"runtime-grants", "A runtime account holds custom roles alone; an invoker account may invoke one service, its function's.", "environments/", runtimeGrants},
	{"acts-as", "Who deploys may let functions run as their accounts; nobody makes tokens of one.", "", actsAs},
	{"listed-role", "Of Google's own roles an environment grants those that are listed here, each on the kind of thing it is for.", "environments/", listedRole},
	{"invoker", "A function is invoked by IAP's agent for staff, by its own account for machines, by named accounts for services, and by everybody if it is for the public.", "environments/", invoker},
}

func ownAccount(l *look) {
	used := map[*plan.Resource]string{}
	for _, f := range l.of(function) {
		name := f.Text("name")
		runs := l.the(account, f, "service_config", "service_account_email")
		switch {
		case runs == nil:
			l.wrong(f, "runs as no account of its own that this plan makes: give service_account_email the module's own account")
		case used[runs] != "":
			l.wrong(f, "shares %s with %s", runs.Address, used[runs])
		case runs.Module != f.Module || runs.Text("account_id") != "fn-"+name:
			l.wrong(f, "runs as %s, whose id is %q: its own is fn-%s", runs.Address, runs.Text("account_id"), name)
		}
		used[runs] = name
		if builds := l.the(account, f, "build_config", "service_account"); builds == nil || strings.HasPrefix(builds.Text("account_id"), "fn-") {
			l.wrong(f, "is built by no account that is there for building: what it would be built by otherwise may do more")
		}
	}
}

// basic are the roles from before there were others; they hold hundreds of permissions, on everything.
var basic = []string{"roles/owner", "roles/editor", "roles/viewer", "roles/browser", "roles/admin", "roles/writer", "roles/reader"}

func basicRole(l *look) {
	for _, r := range l.members() {
		l.seen++
		if role := r.Text("role"); slices.Contains(basic, role) {
			l.wrong(r, "grants %s: grant a role that holds what is needed", role)
		}
	}
	for _, r := range l.Plan.Of(customOwn, customOrg) {
		l.seen++
		for _, permission := range r.Texts("permissions") {
			if strings.Contains(permission, "*") {
				l.wrong(r, "holds %s: a custom role names each permission", permission)
			}
		}
	}
}

func publicMember(l *look) {
	open := map[string]bool{}
	for _, r := range l.members() {
		l.seen++
		member := r.Text("member")
		if member != "allUsers" && member != "allAuthenticatedUsers" {
			continue
		}
		m, known := l.manifest(r.Text("service"))
		if member != "allUsers" || r.Type != invokes || r.Text("role") != "roles/run.invoker" || !known || m.Callers != "public" {
			l.wrong(r, "lets %s in: only functions whose manifest says public are for everybody", member)
			continue
		}
		open[m.Name] = true
	}
	for _, m := range l.Manifests {
		if m.Callers == "public" && l.deployed(m.Name) != nil && !open[m.Name] {
			l.missing(m.Name, "is for the public, and nobody may invoke it")
		}
	}
}

func membersOnly(l *look) {
	for _, r := range l.Plan.Resources {
		if !strings.Contains(r.Type, "_iam_") {
			continue
		}
		l.seen++
		if strings.HasSuffix(r.Type, "_iam_binding") || strings.HasSuffix(r.Type, "_iam_policy") {
			l.wrong(r, "replaces whatever else is granted there: use %s_iam_member", strings.TrimSuffix(strings.TrimSuffix(r.Type, "_iam_binding"), "_iam_policy"))
		}
	}
}

func noKey(l *look) {
	for _, r := range l.Plan.Resources {
		l.seen++
		if r.Type == "google_service_account_key" || r.Type == "google_storage_hmac_key" || r.Type == "google_apikeys_key" {
			l.wrong(r, "is a key that lasts until somebody remembers it: use the account itself, or workload identity")
		}
	}
}

func runtimeGrants(l *look) {
	invoked := map[*plan.Resource]int{}
	for _, r := range l.members() {
		who := l.who(r)
		if who == nil {
			continue
		}
		l.seen++
		id := who.Text("account_id")
		switch {
		case strings.HasPrefix(id, "fn-"):
			if len(l.customs(r)) == 0 {
				l.wrong(r, "gives %s the role %q: it takes custom roles, with what its manifest lists", id, r.Text("role"))
			}
		case strings.HasPrefix(id, "in-"):
			if r.Type != invokes || r.Text("role") != "roles/run.invoker" || r.Text("service") != strings.TrimPrefix(id, "in-") {
				l.wrong(r, "gives %s %q on %q: an invoker account may invoke its own function and do nothing else", id, r.Text("role"), r.Text("service"))
			}
			invoked[who]++
		}
	}
	for _, who := range l.Plan.Of(account) {
		if id := who.Text("account_id"); strings.HasPrefix(id, "in-") && invoked[who] != 1 {
			l.wrong(who, "holds %d grants, and needs one: to invoke its function", invoked[who])
		}
	}
}

func actsAs(l *look) {
	for _, r := range l.Plan.Of("google_service_account_iam_member") {
		l.seen++
		if l.Folder == "bootstrap" && r.Text("role") == "roles/iam.workloadIdentityUser" {
			continue // whom it lets in is looked at with the forge
		}
		who := l.who(r)
		runs := who != nil && (strings.HasPrefix(who.Text("account_id"), "fn-") || strings.HasPrefix(who.Text("account_id"), "in-"))
		if r.Text("role") != "roles/iam.serviceAccountUser" || !strings.HasPrefix(r.Text("member"), "serviceAccount:") || runs {
			l.wrong(r, "gives %s %s on an account: only who deploys needs a right there, to attach it", r.Text("member"), r.Text("role"))
		}
	}
}

// listed are Google's own roles that an environment grants, by what they are granted on. In a whole project one of them needs more
// than to be listed.
var listed = map[string][]string{
	invokes: {"roles/run.invoker"},
	"google_iap_web_backend_service_iam_member":      {"roles/iap.httpsResourceAccessor"},
	"google_pubsub_topic_iam_member":                 {"roles/pubsub.publisher"},
	"google_pubsub_subscription_iam_member":          {"roles/pubsub.subscriber"},
	"google_artifact_registry_repository_iam_member": {"roles/artifactregistry.writer"},
	"google_service_account_iam_member":              {"roles/iam.serviceAccountUser"},
	"google_storage_bucket_iam_member":               {"roles/storage.objectCreator", "roles/storage.objectViewer"},
	"google_project_iam_member":                      {"roles/logging.logWriter", "roles/storage.objectViewer", "roles/iam.serviceAccountTokenCreator"},
}

// copied is a bucket that Cloud Functions copies what it builds to, or what lies in it (Cloud Functions documentation, "Build process").
var copied = regexp.MustCompile(`^resource\.name(?: == "projects/_/buckets/gcf-v2-sources-([0-9]+)-[a-z0-9-]+"|\.startsWith\("projects/_/buckets/gcf-v2-sources-([0-9]+)-[a-z0-9-]+/objects/"\))$`)

// copies tells whether an expression names such buckets of the functions' own project and nothing else.
func (l *look) copies(expression string) bool {
	for _, term := range strings.Split(expression, " || ") {
		if found := copied.FindStringSubmatch(term); found == nil || found[1]+found[2] != l.number() {
			return false
		}
	}
	return true
}

func listedRole(l *look) {
	for _, r := range l.members() {
		l.seen++
		role, ok := r.Text("role"), true
		switch {
		case strings.HasPrefix(r.Type, "google_folder_") || strings.HasPrefix(r.Type, "google_organization_"):
			l.wrong(r, "reaches beyond the projects of the environment: it belongs to terraform/org")
			continue
		case len(l.customs(r)) > 0:
			continue // held to manifests
		case r.Type == "google_project_iam_member" && role == "roles/storage.objectViewer":
			ok = l.who(r) != nil && l.copies(r.Text("condition", "expression"))
		case role == "roles/iam.serviceAccountTokenCreator":
			ok = r.Text("member") == "serviceAccount:service-"+l.number()+pubsubAgent // in projects older than its own role
		case r.Type == "google_pubsub_subscription_iam_member":
			ok = r.Text("member") == "serviceAccount:service-"+l.number()+pubsubAgent // whoever else reads takes messages away
		case r.Type == "google_pubsub_topic_iam_member":
			ok = l.publisher(r)
		case r.Type == "google_artifact_registry_repository_iam_member":
			ok = program(r) || l.who(r) != nil
		}
		if !ok || !slices.Contains(listed[r.Type], role) {
			l.wrong(r, "gives %s %s: grant what is needed on the one thing it is needed for, and list it", r.Text("member"), role)
		}
	}
}

// told are the topics that the product publishes on.
var told = []string{"data.written", "account.changed"}

// publisher tells whether a grant lets the agent of Pub/Sub publish dead letters, or the product what it tells.
func (l *look) publisher(r *plan.Resource) bool {
	name := lastPart(r.Text("topic"))
	if on := l.the(topic, r, "topic"); on != nil {
		name = on.Text("name")
	} else if name == "" { // one of several, by the topic and the member
		name, _, _ = strings.Cut(r.Key, " ")
	}
	if strings.HasPrefix(name, "dead.") {
		return r.Text("member") == "serviceAccount:service-"+l.number()+pubsubAgent
	}
	return program(r) && slices.Contains(told, name) && slices.Contains(l.given().Texts("product_publishers", name), r.Text("member"))
}

// program tells whether a grant is to programs, and not to people or everybody.
func program(r *plan.Resource) bool {
	member := r.Text("member")
	return strings.HasPrefix(member, "serviceAccount:") || strings.HasPrefix(member, "principal:") || strings.HasPrefix(member, "principalSet:")
}

func invoker(l *look) {
	for _, r := range l.Plan.Of(invokes, "google_cloud_run_v2_service_iam_member", "google_cloudfunctions2_function_iam_member") {
		l.seen++
		name := r.Text("service") + r.Text("name") + r.Text("cloud_function")
		m, known := l.manifest(name)
		who := l.who(r)
		ok := known && r.Type == invokes && r.Text("role") == "roles/run.invoker"
		switch m.Callers {
		case "staff":
			ok = ok && r.Text("member") == "serviceAccount:service-"+l.number()+"@gcp-sa-iap.iam.gserviceaccount.com"
		case "machine":
			ok = ok && who != nil && who.Text("account_id") == "in-"+name
		case "service":
			ok = ok && program(r) && who == nil
		}
		if !ok {
			l.wrong(r, "lets %s invoke %s with %q: callers %s", r.Text("member"), name, r.Text("role"), m.Callers)
		}
	}
}

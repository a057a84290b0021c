package rules

import (
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/terraform/plan"
)

// sequencer is the one function that adds to the evidence log.
const sequencer = "sealevidence"

// told is the bucket that a function is told of in a variable, gs://BUCKET or below; nil where the plan has none of this name.
func (in Input) told(f *plan.Resource, variable string) *plan.Resource {
	if f == nil {
		return nil
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(f.Text("service_config", "environment_variables", variable), "gs://"), "/")
	for _, b := range in.Plan.Of(bucket) {
		if name != "" && b.Text("name") == name {
			return b
		}
	}
	return nil
}

// tiles holds the log to how it is kept. Which bucket it is, the sequencer is told.
func tiles(l *look) {
	f := l.deployed(sequencer)
	if f == nil {
		return
	}
	m, _ := l.manifest(sequencer)
	for _, variable := range []string{"OSTIARY_LOG_INBOX", "OSTIARY_LOG_TILES", "OSTIARY_LOG_HEAD"} {
		b := l.told(f, variable)
		if b == nil && slices.Contains(m.Environment, variable) {
			l.wrong(f, "is told of no bucket of this plan in %s", variable)
		}
		if b == nil {
			continue
		}
		l.seen++
		if project := b.Text("project"); project != l.evidence() {
			l.wrong(b, "holds evidence in %s, and the project of evidence is %s", project, l.evidence())
		}
		if variable == "OSTIARY_LOG_TILES" {
			l.retained(b)
		}
	}
}

// evidenceApart holds an environment to give nobody anything in the project of evidence: who deploys functions would give it to
// one of its own.
func evidenceApart(l *look) {
	apart := l.evidence()
	if apart == "" {
		l.missing("var.evidence_project", "does not say which the project of evidence is")
		return
	}
	for _, role := range l.of(customOwn) {
		if role.Text("project") == apart {
			l.wrong(role, "is a role in the project of evidence: administrators make it, with terraform/org")
		}
	}
	for _, r := range l.members() {
		l.seen++
		where, _ := l.home(r)
		if where == apart || strings.HasPrefix(r.Text("bucket"), apart+"-") {
			l.wrong(r, "gives %s something in the project of evidence: administrators do, with terraform/org", r.Text("member"))
		}
	}
}

// evidenceWritten holds the log to who may touch it: the sequencer adds, functions read, and nobody deletes; and whoever else is given
// anything there is denied it.
func evidenceWritten(l *look) {
	apart, writes := l.evidence(), false
	for _, r := range l.members() {
		where, _ := l.home(r)
		if apart == "" || where != apart {
			continue
		}
		l.seen++
		who, may := runtimeForm.FindStringSubmatch(r.Text("member")), l.permissions(r)
		if r.Type == "google_project_iam_member" {
			l.around(r, may)
			continue
		}
		if who == nil || len(l.customs(r)) == 0 {
			l.wrong(r, "gives %s %s on evidence: functions hold custom roles there, and nobody else holds any", r.Text("member"), r.Text("role"))
			continue
		}
		if r.Text("bucket") != apart+"-log" {
			continue
		}
		for _, permission := range may {
			adds := who[1] == sequencer && permission == "storage.objects.create"
			writes = writes || adds
			if !adds && permission != "storage.objects.get" && permission != "storage.objects.list" {
				l.wrong(r, "gives %s %s on the evidence log", who[1], permission)
			}
		}
	}
	if l.expected(sequencer) && !writes {
		l.missing(sequencer, "may not add to the evidence log: nobody writes it")
	}
	l.denied(apart)
}

// around holds a grant in the whole project of evidence to the one that is given there: a function looks at what there is, and reaches no
// object in it.
func (l *look) around(r *plan.Resource, may []string) {
	looks := runtimeForm.MatchString(r.Text("member")) && len(may) > 0
	for _, role := range l.customs(r) {
		looks = looks && strings.HasSuffix(role.Text("role_id"), ".assets")
	}
	if !looks {
		l.wrong(r, "gives %s %s in the whole project of the evidence log: functions look at what there is, with a custom role, and nobody else is given anything", r.Text("member"), r.Text("role"))
	}
	for _, permission := range may {
		if strings.HasPrefix(permission, "storage.objects.") || strings.HasPrefix(permission, "cloudkms.cryptoKeyVersions.useTo") {
			l.wrong(r, "gives %s in the whole project of the evidence log", permission)
		}
	}
}

// denied holds the project of evidence to a policy that keeps from everybody what manifests give to functions alone.
func (l *look) denied(apart string) {
	kept := map[string][]string{} // functions by what deny policies call a permission
	for _, m := range l.Manifests {
		for _, right := range m.rights(true) {
			if !strings.HasPrefix(right.On, "bucket:evidence-") && !strings.HasPrefix(right.On, "place:") && !strings.HasPrefix(right.On, "signing-key:") {
				continue
			}
			for _, permission := range right.Permissions {
				service, rest, _ := strings.Cut(permission, ".")
				kept[service+".googleapis.com/"+rest] = append(kept[service+".googleapis.com/"+rest], m.Name)
			}
		}
	}
	// Who may delete and add could change a record as well.
	kept["storage.googleapis.com/objects.update"] = append(kept["storage.googleapis.com/objects.update"], kept["storage.googleapis.com/objects.delete"]...)
	for _, permission := range []string{"storage.googleapis.com/objects.create", "storage.googleapis.com/objects.delete", "storage.googleapis.com/objects.update", "cloudkms.googleapis.com/cryptoKeyVersions.useToSign"} {
		if !l.denies(apart, permission, kept[permission]) {
			l.missing(apart, "no policy denies %s to everybody but those whose manifest lists it", permission)
		}
	}
}

// denies tells whether a policy of a project denies a permission to everybody but some functions.
func (l *look) denies(project, permission string, functions []string) bool {
	for _, policy := range l.Plan.Of("google_iam_deny_policy") {
		if !strings.HasSuffix(policy.Text("parent"), "projects%2F"+project) {
			continue
		}
		for _, each := range policy.List("rules") {
			rule := &plan.Resource{Values: map[string]any{"rule": each}}
			if !slices.Contains(rule.Texts("rule", "deny_rule", "denied_permissions"), permission) || !slices.Equal(rule.Texts("rule", "deny_rule", "denied_principals"), []string{"principalSet://goog/public:all"}) {
				continue
			}
			spared := true
			for _, who := range rule.Texts("rule", "deny_rule", "exception_principals") {
				found := exceptionForm.FindStringSubmatch(who)
				spared = spared && found != nil && slices.Contains(functions, found[1])
			}
			whole := len(rule.List("rule", "deny_rule", "denial_condition")) == 0 && len(rule.List("rule", "deny_rule", "exception_permissions")) == 0
			if spared && whole {
				return true
			}
		}
	}
	return false
}

// exceptionForm is a runtime account as deny policies name it.
var exceptionForm = regexp.MustCompile(`^principal://iam\.googleapis\.com/projects/-/serviceAccounts/fn-([a-z]+)@[a-z0-9-]+\.iam\.gserviceaccount\.com$`)

// day is one in seconds.
const day = 24 * 3600

// retained holds the log to its retention.
func (l *look) retained(log *plan.Resource) {
	days := l.given().Number("evidence", "retention_days")
	if kept := log.Number("retention_policy", "retention_period"); kept < day || days > 0 && kept != days*day {
		l.wrong(log, "keeps what is in it for %d seconds (-1: no time): write a retention_policy with the days that are promised, one at least", kept)
	}
	if len(log.List("lifecycle_rule")) > 0 {
		l.wrong(log, "is changed by age: nothing of the evidence log goes by itself")
	}
}

// on tells whether a grant is on a bucket.
func (in Input) on(b, r *plan.Resource) bool {
	return strings.HasPrefix(r.Type, "google_storage_") && (r.Text("bucket") == b.Text("name") || r.Text("bucket") == "" && in.from(b, r, "bucket"))
}

// customs are the custom roles of this plan that a grant may give: one, unless the text leaves open which; none where it gives another
// kind of role. A role's name may be written out: its id follows from what it is for.
func (in Input) customs(r *plan.Resource) []*plan.Resource {
	if written := r.Text("role"); written != "" {
		for _, role := range in.Plan.Of(customOwn, customOrg) {
			if written == "projects/"+role.Text("project")+"/roles/"+role.Text("role_id") || written == "organizations/"+role.Text("org_id")+"/roles/"+role.Text("role_id") {
				return []*plan.Resource{role}
			}
		}
		return nil
	}
	return slices.DeleteFunc(in.Plan.Origins(r, "role"), func(o *plan.Resource) bool { return o.Type != customOwn && o.Type != customOrg })
}

// permissions are those of the custom roles that a grant may give; none where it gives another kind of role.
func (in Input) permissions(r *plan.Resource) []string {
	var all []string
	for _, role := range in.customs(r) {
		all = append(all, role.Texts("permissions")...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

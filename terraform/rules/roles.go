package rules

import (
	"regexp"
	"strings"

	"ostiary.internal/terraform/plan"
)

// mostRoles is how many custom roles a project or an organization has at most; those deleted in the last week count (IAM
// documentation, "Quotas and limits").
const mostRoles = 300

// roleForm is what ids of roles are made of, 64 characters at most (IAM API, projects.roles.create).
var roleForm = regexp.MustCompile(`^[a-zA-Z0-9_.]{3,64}$`)

// customRole holds roles to where they may be used: of another project's role, IAM says when it is granted that there is none.
func customRole(l *look) {
	there := map[string]int{}
	for _, role := range l.of(customOwn, customOrg) {
		if id := role.Text("role_id"); !roleForm.MatchString(id) {
			l.wrong(role, "%q is no id of a role: 3 to 64 letters, digits, dots and underscores", id)
		}
		there[role.Text("project")+role.Text("org_id")]++
	}
	for where, n := range there {
		if n > mostRoles {
			l.missing(where, "would have %d custom roles, and takes %d: let functions share what is alike", n, mostRoles)
		}
	}
	for _, r := range l.members() {
		for _, role := range l.customs(r) {
			if role.Type != customOwn {
				continue
			}
			l.seen++
			where, known := l.home(r)
			data := strings.HasSuffix(role.Text("role_id"), ".gcs") // in buckets of the product, which no plan here holds
			if have := role.Text("project"); known && where != have {
				l.wrong(r, "is in %s, and gives a role of %s: make the role where it is granted", where, have)
			} else if !known && !data {
				l.wrong(r, "gives a role of %s on something that is not of this plan: IAM knows the role in that project alone", have)
			}
		}
	}
}

// home is the project of what a grant is on, where the plan tells.
func (in Input) home(r *plan.Resource) (string, bool) {
	switch {
	case strings.HasPrefix(r.Type, "google_storage_"):
		for _, b := range in.Plan.Of(bucket) {
			if in.on(b, r) {
				return b.Text("project"), true
			}
		}
		// Buckets of evidence are made by the environment, and begin with their project's id.
		if apart := in.evidence(); apart != "" && strings.HasPrefix(r.Text("bucket"), apart+"-") {
			return apart, true
		}
		project := in.given().Text("state", "project") // made with the projects, and given here
		return project, project != "" && r.Text("bucket") == in.given().Text("state", "bucket")
	case strings.HasPrefix(r.Type, "google_kms_"):
		if written := strings.Split(r.Text("crypto_key_id"), "/"); len(written) > 2 && written[0] == "projects" {
			return written[1], true
		}
		k := in.the(key, r, "crypto_key_id")
		if k == nil {
			return "", false
		}
		ring := in.the("google_kms_key_ring", k, "key_ring")
		if ring == nil {
			return "", false
		}
		return ring.Text("project"), true
	}
	project := r.Text("project")
	return project, project != ""
}

package rules

import (
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/terraform/plan"
)

var grantRules = []Rule{
	{"manifest-grants", "A function may do what its manifest lists on each resource, on no other resource, and nothing else.", "environments/", manifestGrants},
	{"custom-role", "A custom role is granted where it can be, in its own project or organization, and there is room for it.", "", customRole},
	{"organization-grants", "In the organization a function may do what its manifest lists there, and nothing else.", "org", organizationGrants},
}

// Right is what a function may do on one resource, in the words of manifests.
type Right struct {
	Function, On string
	Permissions  []string
}

// inbox is where what a manifest says of a whole bucket holds for a function's own places in it alone.
const inbox = "bucket:evidence-inbox"

// states is the bucket of Terraform's own states, in a project that no environment administers.
const states = "bucket:terraform-state"

// beyond is what resources begin with that lie outside of the functions' own project: whoever deploys functions has no rights there, and
// administrators grant them with the root of the organization.
var beyond = []string{"bucket:evidence-", "place:", "signing-key:", "door:", "data:firestore", "data:gcs", "data:project", "data:secrets-grants", states}

// rights are those that a manifest lists in the functions' own project, or beyond it. The right to create in the inbox of the evidence
// log is one on places in it. What the directory grants, neither root does; what is looked at may lie in both.
func (m Manifest) rights(organization bool) []Right {
	on := map[string][]string{}
	for _, p := range m.Permissions {
		where := p.Resource
		if where == inbox && p.Permission == "storage.objects.create" {
			where = "place:evidence-inbox"
		}
		outside := slices.ContainsFunc(beyond, func(begin string) bool { return strings.HasPrefix(where, begin) })
		if where != "directory" && (where == "assets" || outside == organization) {
			on[where] = append(on[where], p.Permission)
		}
	}
	var all []Right
	for where, permissions := range on {
		slices.Sort(permissions)
		all = append(all, Right{m.Name, where, permissions})
	}
	slices.SortFunc(all, func(a, b Right) int { return strings.Compare(a.On, b.On) })
	return all
}

var odd = regexp.MustCompile(`[^a-zA-Z0-9_.]`)

// roleID is the id of the custom role for a right. Of what the data map names and of doors the kind is enough.
func (r Right) roleID() string {
	on := strings.TrimPrefix(strings.TrimPrefix(r.On, "data:"), "door:")
	return odd.ReplaceAllString("ostiary."+r.Function+"."+on, "_")
}

// held are the grants of custom roles to runtime accounts, by account and role. Which of several roles one gives can be left open
// by the text only where each is one of the manifest's: then it counts for each.
func (l *look) held() map[string][]*plan.Resource {
	granted := map[string][]*plan.Resource{}
	for _, r := range l.members() {
		who := l.who(r)
		if who == nil || !strings.HasPrefix(who.Text("account_id"), "fn-") {
			continue
		}
		l.seen++
		for _, role := range l.customs(r) {
			at := who.Text("account_id") + " " + role.Text("role_id")
			granted[at] = append(granted[at], r)
		}
	}
	return granted
}

func manifestGrants(l *look) {
	granted := l.held()
	roles := map[string][]*plan.Resource{} // one of a name in each project that has it
	for _, role := range l.Plan.Of(customOwn, customOrg) {
		roles[role.Text("role_id")] = append(roles[role.Text("role_id")], role)
	}
	for _, m := range l.Manifests {
		if l.deployed(m.Name) == nil {
			continue
		}
		for _, right := range m.rights(false) {
			if l.seen++; right.On == "assets" {
				right.Permissions = slices.DeleteFunc(right.Permissions, above)
			}
			at := "fn-" + m.Name + " " + right.roleID()
			if len(granted[at]) == 0 && !optional(right) {
				l.missing(m.Name, "its manifest lists %v on %s, and no grant gives them", right.Permissions, right.On)
			}
			for _, r := range granted[at] {
				l.target(right, m, r)
			}
			for _, role := range roles[right.roleID()] {
				if have := slices.Sorted(slices.Values(role.Texts("permissions"))); !slices.Equal(have, right.Permissions) {
					l.wrong(role, "holds %v, and the manifest lists %v on %s", have, right.Permissions, right.On)
				}
			}
			delete(granted, at)
		}
	}
	for at, all := range granted {
		for _, r := range all {
			l.wrong(r, "gives %s, which no manifest lists", at)
		}
	}
}

// optional tells whether a right may be without a grant: what a company's data map does not name, doors it does not have, what is
// looked at elsewhere, and a state that nobody is let read.
func optional(r Right) bool {
	return strings.HasPrefix(r.On, "data:") || strings.HasPrefix(r.On, "door:") || r.On == "assets" || r.On == states
}

// above tells whether a permission is one that only folders and organizations have.
func above(permission string) bool {
	return strings.HasPrefix(permission, "resourcemanager.folders.") || strings.HasPrefix(permission, "resourcemanager.organizations.")
}

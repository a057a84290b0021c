package rules

import (
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/terraform/plan"
)

// runtimeForm is the address of a runtime account as roots write it that do not make the account themselves.
var runtimeForm = regexp.MustCompile(`^serviceAccount:fn-([a-z]+)@`)

// organizationGrants holds what is granted beyond the functions' own project to manifests.
func organizationGrants(l *look) {
	given := map[string]bool{} // by function and resource
	for _, r := range l.members() {
		who := runtimeForm.FindStringSubmatch(r.Text("member"))
		if who == nil {
			continue
		}
		l.seen++
		m, known := l.manifest(who[1])
		roles := l.customs(r)
		if !known || len(roles) == 0 {
			// The roles of an organization may be kept by one environment for both.
			if _, name, _ := strings.Cut(r.Text("role"), "/roles/ostiary."); !known || !strings.HasPrefix(name, m.Name+".") {
				l.wrong(r, "gives %s %s: no custom role of a function", r.Text("member"), r.Text("role"))
			}
			continue
		}
		for _, role := range roles {
			right, listed := l.listed(m, role)
			if !listed {
				l.wrong(r, "gives %s, which the manifest of %s does not list beyond its own project", role.Text("role_id"), m.Name)
				continue
			}
			given[m.Name+" "+right.On] = true
			l.exactly(right, role)
			l.target(right, m, r)
		}
	}
	for _, m := range l.Manifests {
		for _, right := range m.rights(true) {
			if l.expected(m.Name) && !given[m.Name+" "+right.On] && !optional(right) {
				l.missing(m.Name, "its manifest lists %v on %s, and no grant gives them", right.Permissions, right.On)
			}
		}
	}
}

// listed is the right of a function that a role is there for, by the role's id: that of a state names the environment, and what lies
// above the places that are looked at has a role beside.
func (l *look) listed(m Manifest, role *plan.Resource) (Right, bool) {
	id := role.Text("role_id")
	environment := l.given().Text("environment")
	for _, right := range m.rights(true) {
		own := right.roleID()
		if id == own || right.On == states && id == own+"_"+environment || right.On == "assets" && id == "ostiary."+m.Name+".above" {
			return right, true
		}
	}
	return Right{}, false
}

// exactly holds a role to the permissions that a manifest lists. What is looked at is split by where it is.
func (l *look) exactly(right Right, role *plan.Resource) {
	have := slices.Sorted(slices.Values(role.Texts("permissions")))
	if right.On != "assets" {
		if !slices.Equal(have, right.Permissions) {
			l.wrong(role, "holds %v, and the manifest lists %v on %s", have, right.Permissions, right.On)
		}
		return
	}
	for _, permission := range have {
		if !slices.Contains(right.Permissions, permission) {
			l.wrong(role, "holds %s, which the manifest does not list on %s", permission, right.On)
		}
	}
	for _, permission := range right.Permissions {
		if strings.HasSuffix(role.Text("role_id"), ".assets") && !above(permission) && !slices.Contains(have, permission) {
			l.wrong(role, "lacks %s, which the manifest lists on %s", permission, right.On)
		}
	}
}

// expected tells whether a function is deployed, as far as this root is told: all are where it is not.
func (l *look) expected(name string) bool {
	deployed, told := l.Plan.Variables["deployed"].([]any)
	return !told || slices.Contains(deployed, any(name))
}

// evidence is the project of evidence, as a root is given it.
func (in Input) evidence() string { return in.given().Text("evidence_project", "id") }

// given are the variables of a root.
func (in Input) given() *plan.Resource { return &plan.Resource{Values: in.Plan.Variables} }

// each are the places a function adds evidence at: below its own name, and the names of those it sweeps for.
func each(m Manifest) []string {
	places := []string{m.Name + "/"}
	for _, name := range m.Sweeps {
		places = append(places, name+"/")
	}
	return places
}

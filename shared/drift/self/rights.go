package self

import (
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/policy"
)

const (
	folders       = "cloudresourcemanager.googleapis.com/Folder"
	organizations = "cloudresourcemanager.googleapis.com/Organization"
)

// unread is why nobody can tell who has rights.
const unread = "who may use it was not read"

// roles compares the rights in a function's roles with its manifest's: one role for each resource.
func (c *comparing) roles(f Function) {
	want := map[string][]string{}
	for _, p := range f.Permissions {
		on := p.Resource
		switch {
		case on == "directory", on == "assets", on == "bucket:terraform-state", strings.HasPrefix(on, "data:"), strings.HasPrefix(on, "door:"): // given elsewhere
			continue
		case on == "bucket:evidence-inbox" && p.Permission == "storage.objects.create":
			on = "place:evidence-inbox"
		}
		want[on] = append(want[on], p.Permission)
	}
	for _, on := range slices.Sorted(maps.Keys(want)) {
		a := c.get(roles, "//iam.googleapis.com/projects/"+c.e.Home(on)+"/roles/"+roleID(f.Name, on))
		if a == nil {
			continue
		}
		c.same(a, "deleted", "false", boolean(a.Data["deleted"] == true))
		got := permissions(a)
		slices.Sort(got)
		slices.Sort(want[on])
		c.same(a, "includedPermissions", strings.Join(want[on], "\n"), strings.Join(got, "\n"))
	}
}

// Home is the project that holds a resource of manifests and the roles on it, for a project's role is given in that project alone.
func (e Expected) Home(resource string) string {
	kind, name, _ := strings.Cut(resource, ":")
	if e.Evidence != "" && (kind == "place" || kind == "signing-key" || kind == "bucket" && strings.HasPrefix(name, "evidence-")) {
		return e.Evidence
	}
	return e.Project
}

func roleID(function, on string) string {
	return unfit.ReplaceAllString("ostiary."+function+"."+on, "_")
}

func permissions(role *asset.Asset) (all []string) {
	for _, p := range list(role.Data, "includedPermissions") {
		s, _ := p.(string)
		all = append(all, s)
	}
	return all
}

// rights looks for what the functions may do beside their own roles, and for who else may read or change what they keep, or become
// one of them: in their project and in what that lies in. In the other projects that are watched the functions alone are looked at.
func (c *comparing) rights() {
	own, there := c.place(projects, "projects/"+c.e.Project)
	if !there {
		return
	}
	c.given(own)
	c.holders(own)
	for _, above := range own.Ancestors {
		kind := folders
		switch {
		case strings.HasPrefix(above, "organizations/"):
			kind = organizations
		case !strings.HasPrefix(above, "folders/"):
			continue
		}
		if a, there := c.place(kind, above); there {
			c.given(a)
			c.holders(a)
		}
	}
	for _, id := range c.e.Watched {
		if id == c.e.Project {
			continue
		}
		if a, there := c.place(projects, "projects/"+id); there {
			c.given(a)
		}
	}
}

// place is a project, or what one lies in, with who has rights there.
func (c *comparing) place(kind, name string) (*asset.Asset, bool) {
	key := "//cloudresourcemanager.googleapis.com/" + name
	a, there := c.live.Get(kind, key)
	if !there || a.Deleted || a.IAM == nil {
		c.doubt(kind, key, "iam", unread)
		return nil, false
	}
	return a, true
}

// given tells what the accounts of the functions may do somewhere that none of their roles says.
func (c *comparing) given(a *asset.Asset) {
	for _, b := range a.IAM.Bindings {
		for _, m := range b.Members {
			for _, f := range c.e.Functions {
				right, why := false, ""
				switch m {
				case "serviceAccount:" + c.mail("fn", f.Name):
					right, why = c.right(f, b)
				case "serviceAccount:" + c.mail("in", f.Name):
				default:
					continue
				}
				if why != "" {
					c.doubt(roles, a.Key, "iam", why)
				} else if !right {
					c.tell(a.Type, a.Key, "iam", "", line(b, m))
				}
			}
		}
	}
}

// wide are the roles of a function that it has in a whole project or above one, by how their names end: of which resource of the
// manifest they hold the permissions, and whether they are given under a condition alone.
var wide = map[string]struct {
	resource    string
	conditional bool
}{
	"assets": {"assets", false}, "above": {"assets", false}, "firestore": {"data:firestore", true}, "project": {"data:project", false}, "secrets_grants": {"data:secrets-grants", true},
	"firewalls": {"door:firewalls", true}, "armor": {"door:armor", false},
}

// right reports whether a binding gives a function one of its roles as Terraform does, and why nobody can tell.
func (c *comparing) right(f Function, b asset.Binding) (is bool, why string) {
	home, id, _ := strings.Cut(b.Role, "/roles/")
	for _, p := range f.Permissions {
		if database, is := strings.CutPrefix(p.Resource, "database:"); is && id == roleID(f.Name, p.Resource) {
			return home == "projects/"+c.e.Project && b.Condition == c.only(database), ""
		}
	}
	end, own := strings.CutPrefix(id, "ostiary."+f.Name+".")
	w, is := wide[end]
	if !own || !is || w.conditional && b.Condition == "" {
		return false, ""
	}
	role, there := c.live.Get(roles, "//iam.googleapis.com/"+b.Role)
	switch {
	case there && role.Deleted:
		return true, ""
	case !there || role.Data == nil:
		return false, b.Role + " was not read"
	}
	return !slices.ContainsFunc(permissions(role), func(got string) bool {
		return !slices.ContainsFunc(f.Permissions, func(p Permission) bool { return p.Permission == got && p.Resource == w.resource })
	}), ""
}

// only is the condition under which a function may use one database.
func (c *comparing) only(database string) string {
	name := "projects/" + c.e.Project + "/databases/" + database
	return `resource.name == "` + name + `" || resource.name.startsWith("` + name + `/")`
}

func line(b asset.Binding, member string) string {
	if b.Condition == "" {
		return b.Role + " " + member
	}
	return b.Role + " " + member + " {" + b.Condition + "}"
}

// holders names who may read or change what the controls keep, or get at an account or a right by which she could, beside the
// functions and Google's own machinery: whoever may change it may change what they know.
func (c *comparing) holders(a *asset.Asset) {
	if all := c.reaching(a, "holders"); len(all) > 0 {
		c.weighed(policy.High, a.Type, a.Key, "holders", "the controls alone", strings.Join(all, "\n"))
	}
}

// reaching are the lines of who, beside the functions and Google's machinery, has a role somewhere that reaches what is kept.
func (c *comparing) reaching(a *asset.Asset, field string) (all []string) {
	for _, b := range a.IAM.Bindings {
		var lines []string
		for _, m := range b.Members {
			if !c.own(b.Role, m) && !baseline.Agent(m) {
				lines = append(lines, line(b, m))
			}
		}
		if len(lines) == 0 {
			continue
		}
		is, _, err := baseline.Reaches(c.live, b.Role)
		switch {
		case strings.HasPrefix(b.Role, "projects/"+c.e.Project+"/roles/ostiary."): // a function's, in the hands of somebody else
			all = append(all, lines...)
		case err != nil:
			c.doubt(roles, a.Key, field, err.Error())
		case is:
			all = append(all, lines...)
		}
	}
	slices.Sort(all)
	return all
}

// own reports whether a member is an account of one of the functions: given looks at those. A role of a function's in the hands of
// its account is its own, whatever release it is of.
func (c *comparing) own(role, member string) bool {
	name, _, _ := strings.Cut(strings.TrimPrefix(role, "projects/"+c.e.Project+"/roles/ostiary."), ".")
	return member == "serviceAccount:"+c.mail("fn", name) || slices.ContainsFunc(c.e.Functions, func(f Function) bool {
		return member == "serviceAccount:"+c.mail("fn", f.Name) || member == "serviceAccount:"+c.mail("in", f.Name)
	})
}

// acting tells who may act as one of the functions' accounts, or make a key to it, by a right to that account itself. Who deploys
// may act as it; nobody else is given anything. Of an account that has no policy the inventory tells none.
func (c *comparing) acting(a *asset.Asset) {
	if a.IAM == nil {
		if !c.read(accounts) {
			c.doubt(a.Type, a.Key, "iam", unread)
		}
		return
	}
	for _, b := range a.IAM.Bindings {
		for _, m := range b.Members {
			if baseline.Agent(m) || b.Role == "roles/iam.serviceAccountUser" && slices.Contains(c.e.Deployers, m) {
				continue
			}
			if is, _, err := baseline.Reaches(c.live, b.Role); err != nil {
				c.doubt(roles, a.Key, "iam", err.Error())
			} else if is {
				c.tell(a.Type, a.Key, "iam", "", line(b, m))
			}
		}
	}
}

// closed tells where everybody may write to what wakes the functions, or read it.
func (c *comparing) closed(a *asset.Asset) {
	if a == nil {
		return
	}
	if a.IAM == nil {
		c.doubt(a.Type, a.Key, "iam", unread)
		return
	}
	for _, b := range a.IAM.Bindings {
		for _, m := range b.Members {
			if m == "allUsers" || m == "allAuthenticatedUsers" || strings.HasPrefix(m, "principalSet://goog/public:") {
				c.tell(a.Type, a.Key, "iam", "", line(b, m))
			}
		}
	}
}

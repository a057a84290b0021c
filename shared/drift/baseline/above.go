package baseline

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/policy"
)

// Types of what resources lie in.
const (
	resources        = "cloudresourcemanager.googleapis.com"
	projectType      = resources + "/Project"
	folderType       = resources + "/Folder"
	organizationType = resources + "/Organization"

	firewallPolicyType = "compute.googleapis.com/FirewallPolicy"
)

// upper is what a resource lies in above its project, from the nearest: type and key of each.
func upper(a *asset.Asset) (all [][2]string) {
	for _, name := range a.Ancestors {
		kind := ""
		switch {
		case strings.HasPrefix(name, "folders/"):
			kind = folderType
		case strings.HasPrefix(name, "organizations/"):
			kind = organizationType
		}
		if key := "//" + resources + "/" + name; kind != "" && key != a.Key {
			all = append(all, [2]string{kind, key})
		}
	}
	return all
}

// above lists the folders and the organization an asset lies in: what is given there is given in it. Where one of them was
// not read, or who may use it was not, it is an error.
func (k lookup) above() ref.Val {
	v := k.v
	if v.a == nil || len(v.a.Ancestors) == 0 && v.a.Type != organizationType {
		return types.NewErr("what it belongs to was not read")
	}
	var all []ref.Val
	for _, up := range upper(v.a) {
		a, known := v.live.Inventory.Get(up[0], up[1])
		if !known || a.Deleted || a.IAM == nil {
			return types.NewErr("who has rights in %s was not read", strings.TrimPrefix(up[1], "//"+resources+"/"))
		}
		v.looked(a.IAM.Read)
		v.others = append(v.others, a)
		all = append(all, types.DefaultTypeAdapter.NativeToValue(v.live.named(v.world, a)))
	}
	return types.NewRefValList(types.DefaultTypeAdapter, all)
}

// tests reports whether only tests run in a folder or an organization, or in all that a firewall policy is attached to: projects lie in it, all of them are
// for that, and where those for something else lie was read.
func (l *Live) tests(w World, a *asset.Asset) bool {
	switch {
	case a.Type == folderType || a.Type == organizationType:
		return l.onlyTests(w)[a.Key]
	case a.Type == firewallPolicyType && a.Project == "":
		all := attached(a.Data, nil)
		return len(all) > 0 && !slices.ContainsFunc(all, func(to any) bool {
			name, _ := to.(string)
			return !l.onlyTests(w)["//"+resources+"/"+name]
		})
	}
	return false
}

// onlyTests tells, by key, of what projects lie in whether all of them are for tests.
func (l *Live) onlyTests(w World) map[string]bool {
	if l.staged != nil {
		return l.staged
	}
	l.staged = map[string]bool{}
	read := map[string]bool{}
	projects, _ := l.of(projectType)
	for _, p := range projects {
		read[p.Project] = true
		for _, up := range upper(p) {
			only, seen := l.staged[up[1]]
			l.staged[up[1]] = (only || !seen) && w.Projects[p.Project] == policy.Staging
		}
	}
	for name, kind := range w.Projects {
		if kind != policy.Staging && !read[name] {
			clear(l.staged)
		}
	}
	return l.staged
}

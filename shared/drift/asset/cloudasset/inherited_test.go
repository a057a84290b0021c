package cloudasset_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/asset/assettest"
	"ostiary.internal/shared/drift/asset/cloudasset"
	"ostiary.internal/shared/platform/fault"
)

const firewallPolicy = "compute.googleapis.com/FirewallPolicy"

// policyOf is a firewall policy that lies in a place and is attached to some.
func policyOf(number, parent string, targets ...string) assettest.Thing {
	var associations []any
	for _, target := range targets {
		associations = append(associations, asset.Object{"name": target, "attachmentTarget": target})
	}
	data := asset.Object{"name": number, "parent": parent, "rules": []any{asset.Object{"priority": 1.0, "action": "goto_next", "direction": "INGRESS"}}}
	if associations != nil {
		data["associations"] = associations
	}
	return assettest.Thing{Type: firewallPolicy, Key: "//compute.googleapis.com/locations/global/firewallPolicies/" + number, URL: "https://compute.googleapis.com/compute/v1/locations/global/firewallPolicies/" + number, Data: data}
}

// inheriting is a project in two folders, with firewall policies above it and elsewhere.
func inheriting(t *testing.T) *assettest.Cloud {
	t.Helper()
	cloud := nested(t, policyOf("100", "organizations/1", "organizations/1"), policyOf("101", "organizations/1", "folders/22"), policyOf("102", "organizations/1"),
		policyOf("103", "organizations/1", "folders/99"), policyOf("200", "folders/22", "folders/22"), policyOf("300", "folders/33", "folders/33"))
	cloud.Unlisted = append(cloud.Unlisted, firewallPolicy)
	return cloud
}

// inherited lists a place and returns the firewall policies found, by number with what they lie in, in the order they came.
func inherited(t *testing.T, cloud *assettest.Cloud, scopes ...string) (found, unread []string, err error) {
	t.Helper()
	s, err := cloudasset.New(scopes, nil, cloud.Dial, cloud.Client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for page := ""; ; {
		p, err := s.List(t.Context(), scopes[0], asset.Resources, []string{firewallPolicy, "storage.googleapis.com/Bucket"}, page)
		if err != nil {
			return nil, nil, err
		}
		for _, a := range p.Assets {
			if a.Type != firewallPolicy {
				continue
			}
			if a.Data["rules"] == nil || a.Project != "" || a.Read.IsZero() {
				t.Errorf("%s is %+v", a.Key, a)
			}
			found = append(found, asset.Base(a.Key)+" "+strings.Join(a.Ancestors, " "))
		}
		unread = append(unread, p.Unread...)
		if page = p.Next; page == "" {
			return found, unread, nil
		}
	}
}

// TestInherited: the firewall policies that hold in a place from above are read with their rules, the organization's first, and
// those of other places are not.
func TestInherited(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1} {
		for scope, want := range map[string][]string{
			"projects/company-live": {"100 organizations/1", "101 organizations/1", "300 folders/33 organizations/1", "200 folders/22 folders/33 organizations/1"},
			"folders/22":            {"100 organizations/1", "101 organizations/1", "103 organizations/1", "300 folders/33 organizations/1"},
			org:                     nil,
		} {
			cloud := inheriting(t)
			cloud.Page = size
			found, unread, err := inherited(t, cloud, scope)
			if err != nil || len(unread) > 0 || !slices.Equal(found, want) {
				t.Errorf("%s, %d on a page: %q, unread %q, %v", scope, size, found, unread, err)
			}
		}
	}
	want := []string{"300 folders/33 organizations/1", "200 folders/22 folders/33 organizations/1"}
	if found, unread, err := inherited(t, inheriting(t), "projects/company-live", org); err != nil || len(unread) > 0 || !slices.Equal(found, want) {
		t.Errorf("with the organization, whose own list tells its: %q, unread %q, %v", found, unread, err)
	}
}

// TestInheritedRefused: where those of a place may not be read that is named, and the others are known; what does not answer is
// asked again.
func TestInheritedRefused(t *testing.T) {
	t.Parallel()
	const grant = ` may not be read: grant compute.firewallPolicies.get and compute.firewallPolicies.list there`
	list := func(parent string) func(*http.Request) bool {
		return func(r *http.Request) bool {
			return strings.HasSuffix(r.URL.Path, "/firewallPolicies") && r.URL.Query().Get("parentId") == parent
		}
	}
	for name, c := range map[string]struct {
		is     func(*http.Request) bool
		status int
		body   string
		unread string
		found  int
		kind   fault.Kind
	}{
		"the list":       {is: list("organizations/1"), status: 403, unread: firewallPolicy + ": organizations/1" + grant, found: 2},
		"a folder's":     {is: list("folders/22"), status: 403, unread: firewallPolicy + ": folders/22" + grant, found: 3},
		"one of them":    {is: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/300") }, status: 403, unread: firewallPolicy + ": folders/33" + grant, found: 3},
		"no answer":      {is: list("folders/33"), status: 503, kind: fault.Transient},
		"too many":       {is: list("folders/33"), status: 429, kind: fault.Exhausted},
		"cut off":        {is: list("folders/33"), status: 200, body: `{"items":[{"na`, kind: fault.Transient},
		"a strange name": {is: list("folders/33"), status: 200, body: `{"items":[{"name":"../projects/p"}]}`, unread: firewallPolicy + ": folders/33: one is called by no number", found: 3},
		"no end":         {is: list("folders/33"), status: 200, body: `{"nextPageToken":"again"}`, unread: firewallPolicy + ": folders/33: there are more pages than are read", found: 3},
	} {
		cloud := inheriting(t)
		cloud.Answer = func(w http.ResponseWriter, r *http.Request) bool {
			switch {
			case !c.is(r):
				return false
			case c.body != "":
				_, _ = w.Write([]byte(c.body))
			default:
				assettest.Refuse(w, c.status, "forbidden")
			}
			return true
		}
		found, unread, err := inherited(t, cloud, "projects/company-live")
		if c.kind != "" {
			if !fault.Is(err, c.kind) {
				t.Errorf("%s: %v is of kind %q", name, err, fault.KindOf(err))
			}
			continue
		}
		if err != nil || !slices.Equal(unread, []string{c.unread}) || len(found) != c.found {
			t.Errorf("%s: %q, unread %q, %v", name, found, unread, err)
		}
	}
	if _, unread, err := inherited(t, assettest.NewCloud(t, nil), "projects/company-live"); err != nil || !slices.Equal(unread, []string{firewallPolicy + ": what the place lies in is not told"}) {
		t.Errorf("nobody tells what it lies in: unread %q, %v", unread, err)
	}
	cloud := inheriting(t)
	gone := policyOf("300", "folders/33", "folders/33")
	cloud.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/300") {
			cloud.Remove(gone)
		}
		return false
	}
	if found, unread, err := inherited(t, cloud, "projects/company-live"); err != nil || len(found) != 3 || len(unread) > 0 {
		t.Errorf("one goes meanwhile: %q, unread %q, %v", found, unread, err)
	}
}

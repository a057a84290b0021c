package cloudasset_test

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cloud.google.com/go/asset/apiv1/assetpb"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/asset/assettest"
	"ostiary.internal/shared/drift/asset/cloudasset"
	"ostiary.internal/shared/platform/fault"
)

const (
	managers     = "cloudresourcemanager.googleapis.com/"
	folderType   = managers + "Folder"
	organization = managers + "Organization"
)

// lying is what a folder in a folder in an organization has, each with who has a right in it.
func lying() []assettest.Thing {
	one := func(kind, version, name string) assettest.Thing {
		at := "https://cloudresourcemanager.googleapis.com/" + version + "/" + name
		return assettest.Thing{Type: kind, Key: "//cloudresourcemanager.googleapis.com/" + name, URL: at, PolicyURL: "POST " + at + ":getIamPolicy", Data: asset.Object{"name": name},
			Policy: asset.Object{"bindings": []any{asset.Object{"role": "roles/owner", "members": []any{"user:asha@company.example"}}}}}
	}
	return []assettest.Thing{one(folderType, "v2", "folders/22"), one(folderType, "v2", "folders/33"), one(organization, "v1", "organizations/1")}
}

// climbed lists a place, and tells by key what of folders and organizations was read, and what was not.
func climbed(t *testing.T, cloud *assettest.Cloud, scope string, kinds ...string) (found map[string]asset.Asset, unread []string, err error) {
	t.Helper()
	s, err := cloudasset.New([]string{scope}, nil, cloud.Dial, cloud.Client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	found = map[string]asset.Asset{}
	for page := ""; ; {
		p, err := s.List(t.Context(), scope, asset.Resources, append(kinds, "storage.googleapis.com/Bucket"), page)
		if err != nil {
			return nil, nil, err
		}
		for _, a := range p.Assets {
			if strings.HasPrefix(a.Type, managers) {
				found[strings.TrimPrefix(a.Key, "//cloudresourcemanager.googleapis.com/")] = a
			}
		}
		unread = append(unread, p.Unread...)
		if page = p.Next; page == "" {
			return found, unread, nil
		}
	}
}

// nested is a cloud whose inventory lists a project alone, which lies in two folders.
func nested(t *testing.T, more ...assettest.Thing) *assettest.Cloud {
	t.Helper()
	cloud := assettest.NewCloud(t, append(assettest.Things(), append(lying(), more...)...))
	cloud.Above, cloud.Unlisted = []string{"folders/22", "folders/33", "organizations/1"}, []string{folderType, organization}
	return cloud
}

// TestAbove: what a project or a folder lies in is read by itself, with who has rights there; of an organization the list tells it.
func TestAbove(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string][]string{
		"projects/company-live": {"folders/22", "folders/33", "organizations/1"}, "folders/22": {"folders/33", "organizations/1"}, "folders/33": {"organizations/1"}, org: nil,
	} {
		found, unread, err := climbed(t, nested(t), scope, folderType, organization)
		if err != nil || len(unread) > 0 || len(found) != len(want) {
			t.Errorf("%s: %v, unread %q, %v", scope, found, unread, err)
		}
		for _, name := range want {
			a, all := found[name], []string{"folders/22", "folders/33", "organizations/1"}
			if a.Data == nil || a.IAM == nil || len(a.IAM.Bindings) != 1 || a.Read.IsZero() || !reflect.DeepEqual(a.Ancestors, all[slices.Index(all, name):]) {
				t.Errorf("%s: %s is %+v", scope, name, a)
			}
		}
	}
	if found, unread, err := climbed(t, nested(t), "projects/company-live", organization); err != nil || len(found) != 1 || len(unread) > 0 {
		t.Errorf("the organization alone: %v, unread %q, %v", found, unread, err)
	}
	if found, unread, err := climbed(t, nested(t), "projects/company-live"); err != nil || len(found) > 0 || len(unread) > 0 {
		t.Errorf("nobody asks: %v, unread %q, %v", found, unread, err)
	}
}

// TestAboveRefused: what may not be read above a place is named, with what has to be granted where; the rest is known.
func TestAboveRefused(t *testing.T) {
	t.Parallel()
	refuse := func(path string, code int, reason string) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Path, path) {
				return false
			}
			assettest.Refuse(w, code, reason)
			return true
		}
	}
	for name, c := range map[string]struct {
		path, reason string
		code         int
		line         string
	}{
		"it":            {"/v1/organizations/1", "forbidden", 403, organization + ": organizations/1 may not be read: grant resourcemanager.organizations.get and resourcemanager.organizations.getIamPolicy there"},
		"who may":       {"/v1/organizations/1:getIamPolicy", "forbidden", 403, organization + ": organizations/1 may not be read: grant resourcemanager.organizations.get and resourcemanager.organizations.getIamPolicy there"},
		"a folder":      {"/v2/folders/22", "forbidden", 403, folderType + ": folders/22 may not be read: grant resourcemanager.folders.get and resourcemanager.folders.getIamPolicy there"},
		"one not there": {"/v2/folders/33", "NOT_FOUND", 404, folderType + ": folders/33 is not there"},
	} {
		cloud := nested(t)
		cloud.Answer = refuse(c.path, c.code, c.reason)
		found, unread, err := climbed(t, cloud, "projects/company-live", folderType, organization)
		if err != nil || len(found) != 2 || !slices.Equal(unread, []string{c.line}) {
			t.Errorf("%s: %v, unread %q, %v", name, found, unread, err)
		}
	}
	cloud := nested(t)
	cloud.Answer = refuse("/v2/folders/33", 503, "UNAVAILABLE")
	if _, _, err := climbed(t, cloud, "projects/company-live", folderType, organization); !fault.Is(err, fault.Transient) {
		t.Errorf("it does not answer: %v", err)
	}
	cloud = nested(t)
	cloud.Lists = func(r *assetpb.ListAssetsRequest) error {
		if slices.Equal(r.GetAssetTypes(), []string{managers + "Project", folderType}) {
			return status.Error(codes.Unavailable, "asha@company.example")
		}
		return nil
	}
	if _, _, err := climbed(t, cloud, "projects/company-live", folderType); !fault.Is(err, fault.Transient) || strings.Contains(err.Error(), "asha") {
		t.Errorf("the inventory does not answer: %v", err)
	}
	cloud = assettest.NewCloud(t, nil)
	want := []string{folderType + ": what the place lies in is not told", organization + ": what the place lies in is not told"}
	if found, unread, err := climbed(t, cloud, "projects/company-live", folderType, organization); err != nil || len(found) > 0 || !slices.Equal(unread, want) {
		t.Errorf("nothing is listed: %v, unread %q, %v", found, unread, err)
	}
}

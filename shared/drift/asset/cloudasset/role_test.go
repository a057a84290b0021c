package cloudasset_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/asset/assettest"
	"ostiary.internal/shared/platform/fault"
)

// TestRoles: of a role of the company's own it is told what it allows, though the list left that out; one that allows nothing says so.
func TestRoles(t *testing.T) {
	t.Parallel()
	const kind = "iam.googleapis.com/Role"
	role := func(name string, allows ...any) assettest.Thing {
		thing := assettest.Thing{Type: kind, Key: "//iam.googleapis.com/" + name, Location: "global", URL: "https://iam.googleapis.com/v1/" + name, Data: asset.Object{"name": name, "stage": "GA"}}
		if allows != nil {
			thing.Data["includedPermissions"] = allows
		}
		return thing
	}
	brief := func(thing assettest.Thing) assettest.Thing {
		thing.Brief = []string{"includedPermissions"}
		return thing
	}
	things := []assettest.Thing{role("organizations/1/roles/whole", "storage.objects.get"), brief(role("projects/company-live/roles/brief", "storage.objects.list")), role("projects/company-live/roles/empty")}
	cloud := assettest.NewCloud(t, things)
	cloud.Page = 2
	s := open(t, cloud)
	listed := assettest.List(t, s, kind)
	for i, want := range [][]any{{"storage.objects.get"}, {"storage.objects.list"}, {}} {
		a, _ := listed.Get(kind, things[i].Key)
		one, err := s.Get(t.Context(), kind, things[i].Key)
		if a == nil || err != nil || !reflect.DeepEqual(a.Data["includedPermissions"], want) || !reflect.DeepEqual(one.Data, a.Data) || len(a.Ancestors) == 0 {
			t.Errorf("%s: listed as %+v, read as %+v, %v", things[i].Key, a, one, err)
		}
	}
	for code, want := range map[int]fault.Kind{403: "", 404: "", 503: fault.Transient} {
		cloud.Answer = func(w http.ResponseWriter, _ *http.Request) bool {
			assettest.Refuse(w, code, "no")
			return true
		}
		var unread []string
		var err error
		for page := ""; ; {
			var p asset.Page
			if p, err = s.List(t.Context(), org, asset.Resources, []string{kind}, page); err != nil {
				break
			}
			unread = append(unread, p.Unread...)
			if page = p.Next; page == "" {
				break
			}
		}
		switch {
		case want != "" && !fault.Is(err, want), want == "" && err != nil:
			t.Errorf("%d: %v", code, err)
		case code == 403 && (len(unread) != 2 || !strings.HasPrefix(unread[0], kind+": what one allows was not read: ")):
			t.Errorf("%d: unread %q", code, unread)
		case code == 404 && len(unread) > 0:
			t.Errorf("%d: unread %q", code, unread)
		}
	}
}

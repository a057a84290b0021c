package asset

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

func names() *Names {
	n := NewNames()
	n.Learn("4711", "acme-live")
	return n
}

func TestKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, name, want string }{
		{"compute.googleapis.com/Firewall", "//compute.googleapis.com/projects/acme-live/global/firewalls/f", "//compute.googleapis.com/projects/acme-live/global/firewalls/f"},
		{"compute.googleapis.com/Firewall", "https://www.googleapis.com/compute/v1/projects/acme-live/global/firewalls/f", "//compute.googleapis.com/projects/acme-live/global/firewalls/f"},
		{"compute.googleapis.com/Firewall", "https://compute.googleapis.com/compute/beta/projects/4711/global/firewalls/f", "//compute.googleapis.com/projects/acme-live/global/firewalls/f"},
		{"compute.googleapis.com/Firewall", "projects/acme-live/global/firewalls/f", "//compute.googleapis.com/projects/acme-live/global/firewalls/f"},
		{"sqladmin.googleapis.com/Instance", "https://sqladmin.googleapis.com/sql/v1beta4/projects/acme-live/instances/db", "//cloudsql.googleapis.com/projects/acme-live/instances/db"},
		{"sqladmin.googleapis.com/Instance", "//cloudsql.googleapis.com/projects/acme-live/instances/db", "//cloudsql.googleapis.com/projects/acme-live/instances/db"},
		{"storage.googleapis.com/Bucket", "https://www.googleapis.com/storage/v1/b/files?alt=json", "//storage.googleapis.com/files"},
		{"storage.googleapis.com/Bucket", "projects/_/buckets/files", "//storage.googleapis.com/files"},
		{"storage.googleapis.com/Bucket", "files", "//storage.googleapis.com/files"},
		{"secretmanager.googleapis.com/Secret", "projects/4711/secrets/s", "//secretmanager.googleapis.com/projects/acme-live/secrets/s"},
		{"secretmanager.googleapis.com/Secret", "projects/99/secrets/s", "//secretmanager.googleapis.com/projects/99/secrets/s"},
		{"container.googleapis.com/Cluster", "//container.googleapis.com/projects/acme-live/zones/europe-west1-b/clusters/c", "//container.googleapis.com/projects/acme-live/locations/europe-west1-b/clusters/c"},
		{"cloudresourcemanager.googleapis.com/Project", "//cloudresourcemanager.googleapis.com/projects/4711", "//cloudresourcemanager.googleapis.com/projects/acme-live"},
		{"x.googleapis.com/Y", " ", ""},
	} {
		if got := names().Key(c.kind, c.name); got != c.want {
			t.Errorf("Key(%q) = %q, want %q", c.name, got, c.want)
		}
		if got := names().Key(c.kind, c.want); c.want != "" && got != c.want {
			t.Errorf("the key %q is written anew as %q", c.want, got)
		}
	}
}

const firewall = `{"name":"//compute.googleapis.com/projects/acme-live/global/firewalls/f",%s,"resource":{"data":{"priority":1000},"location":"global"},"ancestors":["projects/4711","organizations/1"]}`

func decode(t *testing.T, text string) (all []Asset, errs []error) {
	t.Helper()
	for a, err := range Decode(strings.NewReader(text), noon, names()) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, a)
	}
	return all, errs
}

// Exports, lists, arrays and answers hold the same.
func TestDecodeForms(t *testing.T) {
	t.Parallel()
	camel := fmt.Sprintf(firewall, `"assetType":"compute.googleapis.com/Firewall"`)
	snake := fmt.Sprintf(firewall, `"asset_type":"compute.googleapis.com/Firewall"`)
	want, errs := decode(t, camel)
	if len(want) != 1 || errs != nil || want[0].Project != "acme-live" || want[0].Data["priority"] != 1000.0 || want[0].IAM != nil || !want[0].Read.Equal(noon) {
		t.Fatalf("%+v, %v", want, errs)
	}
	for name, text := range map[string]string{
		"export": snake + "\n", "array": "[" + snake + "]", "answer": `{"readTime":"2026-03-03T12:00:00Z","assets":[` + camel + `]}`,
		"mark of the byte order": "\ufeff" + snake, "over lines": strings.ReplaceAll(snake, ",", ",\n"),
	} {
		got, errs := decode(t, text)
		if errs != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, errs)
		}
	}
}

func TestDecodeMistakes(t *testing.T) {
	t.Parallel()
	good := fmt.Sprintf(firewall, `"assetType":"compute.googleapis.com/Firewall"`)
	for name, c := range map[string]struct {
		text string
		good int
		want string
	}{
		"empty":           {"", 0, "empty"},
		"no asset":        {`{"kind":"x"}`, 0, "name or type"},
		"no type":         {`{"name":"//a/b","assetType":"Firewall"}`, 0, "name or type"},
		"cut off":         {good + "\n" + good[:40], 1, "asset 2"},
		"list cut off":    {"[" + good, 1, "cut off after 1"},
		"one bad of two":  {"[" + `{"name":7},` + good + "]", 1, "asset 1"},
		"a search":        {`{"name":"//a/b","assetType":"a/B","versionedResources":[]}`, 0, "search"},
		"another version": {`<html>`, 0, "asset 1"},
	} {
		got, errs := decode(t, c.text)
		if len(got) != c.good || len(errs) != 1 || !fault.Is(errs[0], fault.Invalid) || !strings.Contains(errs[0].Error(), c.want) {
			t.Errorf("%s: %d assets, %v", name, len(got), errs)
		}
	}
}

func TestPolicyIsReadOneWay(t *testing.T) {
	t.Parallel()
	const camel = `{"name":"//x.googleapis.com/projects/acme-live","assetType":"x.googleapis.com/P","iamPolicy":{"bindings":[
		{"role":"roles/viewer","members":["user:Ben@acme.example","user:anna@acme.example"]},
		{"role":"roles/viewer","members":["user:ben@acme.example"]},
		{"role":"roles/viewer","members":["user:cleo@acme.example"],"condition":{"expression":"request.time < x","title":"t"}}],
		"auditConfigs":[{"service":"allServices","auditLogConfigs":[{"logType":"DATA_READ","exemptedMembers":["user:b@x","user:a@x"]}]}]}}`
	const snake = `{"name":"//x.googleapis.com/projects/acme-live","asset_type":"x.googleapis.com/P","iam_policy":{"bindings":[
		{"role":"roles/viewer","members":["user:anna@acme.example"]},
		{"role":"roles/viewer","members":["user:cleo@acme.example"],"condition":{"expression":"request.time < x"}},
		{"role":"roles/viewer","members":["user:ben@acme.example"]}],
		"audit_configs":[{"service":"allServices","audit_log_configs":[{"log_type":3,"exempted_members":["user:a@x","user:b@x"]}]}]}}`
	a, errs := decode(t, camel)
	b, more := decode(t, snake)
	if errs != nil || more != nil {
		t.Fatal(errs, more)
	}
	byRole := func(x, y Binding) int { return compare(x.Role+x.Condition, y.Role+y.Condition) }
	slices.SortFunc(a[0].IAM.Bindings, byRole)
	slices.SortFunc(b[0].IAM.Bindings, byRole)
	if !reflect.DeepEqual(a[0].IAM, b[0].IAM) {
		t.Fatalf("%+v\n%+v", a[0].IAM, b[0].IAM)
	}
	if got := a[0].IAM.Bindings[0].Members; !slices.Equal(got, []string{"user:anna@acme.example", "user:ben@acme.example"}) || a[0].Data != nil {
		t.Fatalf("members %v", got)
	}
	if got := Member("deleted:user:Gone@Acme.example?uid=1"); got != "deleted:user:gone@acme.example?uid=1" {
		t.Error(got)
	}
}

func TestInventory(t *testing.T) {
	t.Parallel()
	v := NewInventory()
	add := func(at time.Time, text string) {
		t.Helper()
		for a, err := range Decode(strings.NewReader(text), at, v.Names()) {
			if err != nil {
				t.Fatal(err)
			}
			v.Add(a)
		}
	}
	add(noon, `{"name":"//secretmanager.googleapis.com/projects/4711/secrets/s","assetType":"secretmanager.googleapis.com/Secret","resource":{"data":{"n":"new"}}}`)
	add(noon.Add(-time.Hour), `{"name":"//secretmanager.googleapis.com/projects/acme-live/secrets/s","assetType":"secretmanager.googleapis.com/Secret","resource":{"data":{"n":"old"}},"iamPolicy":{}}`)
	add(noon, `{"name":"//cloudresourcemanager.googleapis.com/projects/acme-live","assetType":"cloudresourcemanager.googleapis.com/Project","resource":{"data":{"projectId":"acme-live","projectNumber":"4711"}}}`)
	if v.Len() != 3 {
		t.Fatalf("%d before the number is known", v.Len())
	}
	v.Settle()
	s, known := v.Get("secretmanager.googleapis.com/Secret", "projects/4711/secrets/s")
	if !known || v.Len() != 2 || s.Data["n"] != "new" || s.IAM == nil || len(s.IAM.Bindings) != 0 || s.Project != "acme-live" {
		t.Fatalf("%+v of %d", s, v.Len())
	}
	if !s.Read.Equal(noon) || !s.IAM.Read.Equal(noon.Add(-time.Hour)) {
		t.Errorf("ages %v %v", s.Read, s.IAM.Read)
	}
	before := v.Kinds()
	gone, err := Feed([]byte(`{"asset":{"name":"//secretmanager.googleapis.com/projects/4711/secrets/s","assetType":"secretmanager.googleapis.com/Secret"},"deleted":true,"window":{"startTime":"2026-03-03T12:00:01Z"}}`), v.Names())
	if err != nil {
		t.Fatal(err)
	}
	v.Add(gone)
	if lost := v.Lost(before); !slices.Equal(lost, []string{"secretmanager.googleapis.com/Secret"}) || len(v.All()) != 1 {
		t.Errorf("lost %v", lost)
	}
	add(noon.Add(-time.Minute), `{"name":"//secretmanager.googleapis.com/projects/4711/secrets/s","assetType":"secretmanager.googleapis.com/Secret","resource":{"data":{"n":"late"}}}`)
	if len(v.All()) != 1 {
		t.Error("a late fact brought back what is gone")
	}
}

func TestServiceAccountsGoByAddress(t *testing.T) {
	t.Parallel()
	got, errs := decode(t, `{"name":"//iam.googleapis.com/projects/acme-live/serviceAccounts/108","assetType":"iam.googleapis.com/ServiceAccount","resource":{"data":{"email":"run@acme-live.iam.gserviceaccount.com","uniqueId":"108"}}}`)
	if errs != nil || got[0].Key != "//iam.googleapis.com/projects/acme-live/serviceAccounts/run@acme-live.iam.gserviceaccount.com" {
		t.Fatal(got, errs)
	}
}

// TestAccountsAreOne: what names an account by its number, and what leaves out its project, is about the account whose address is
// known: its policy, its keys, and that it is gone.
func TestAccountsAreOne(t *testing.T) {
	t.Parallel()
	const own = "//iam.googleapis.com/projects/acme-live/serviceAccounts/run@acme-live.iam.gserviceaccount.com"
	v := NewInventory()
	for _, text := range []string{
		`{"name":"//iam.googleapis.com/projects/4711/serviceAccounts/108","assetType":"iam.googleapis.com/ServiceAccount","iamPolicy":{}}`,
		`{"name":"//iam.googleapis.com/projects/acme-live/serviceAccounts/108/keys/k","assetType":"iam.googleapis.com/ServiceAccountKey","resource":{"data":{}}}`,
		`{"name":"//iam.googleapis.com/projects/acme-live/serviceAccounts/108","assetType":"iam.googleapis.com/ServiceAccount","resource":{"data":{"email":"run@acme-live.iam.gserviceaccount.com","uniqueId":"108"}}}`,
		`{"name":"//iam.googleapis.com/projects/acme-live/serviceAccounts/109","assetType":"iam.googleapis.com/ServiceAccount","iamPolicy":{}}`,
	} {
		for a, err := range Decode(strings.NewReader(text), noon, v.Names()) {
			if err != nil {
				t.Fatal(err)
			}
			v.Add(a)
		}
	}
	v.Names().Learn("4711", "acme-live")
	v.Settle()
	var keys []string
	for _, a := range v.All() {
		keys = append(keys, strings.TrimPrefix(a.Key, own))
	}
	if want := []string{"//iam.googleapis.com/projects/acme-live/serviceAccounts/109", "", "/keys/k"}; !slices.Equal(keys, want) {
		t.Errorf("%q", keys)
	}
	names := v.Names().Clone()
	for _, name := range []string{"projects/-/serviceAccounts/108", "projects/-/serviceAccounts/run@acme-live.iam.gserviceaccount.com", "//iam.googleapis.com/projects/4711/serviceAccounts/108"} {
		if got := names.Key("iam.googleapis.com/ServiceAccount", name); got != own {
			t.Errorf("%s is %s", name, got)
		}
	}
	gone, err := Feed([]byte(`{"asset":{"name":"//iam.googleapis.com/projects/4711/serviceAccounts/108","assetType":"iam.googleapis.com/ServiceAccount"},"deleted":true,"window":{"startTime":"2026-03-03T12:00:01Z"}}`), names)
	if err != nil || gone.Key != own {
		t.Errorf("deleted: %+v %v", gone, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(fmt.Sprintf(firewall, `"assetType":"compute.googleapis.com/Firewall"`))
	f.Add(`[{"name":"a","asset_type":"b/c"}]`)
	f.Add(`{"assets":[{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		for a, err := range Decode(strings.NewReader(text), noon, names()) {
			if n++; n > len(text)+2 {
				t.Fatal("more assets than bytes")
			}
			if err == nil && (a.Key == "" || a.Type == "") {
				t.Fatalf("an asset without key or type: %+v", a)
			}
		}
	})
}

// TestOf: a type's own list is what All tells of it, after whatever was added, deleted or given another name.
func TestOf(t *testing.T) {
	t.Parallel()
	const bucket, wall = "storage.googleapis.com/Bucket", "compute.googleapis.com/Firewall"
	v := NewInventory()
	check := func(after string, kind string, want ...string) {
		t.Helper()
		var got, all []string
		for _, a := range v.Of(kind) {
			got = append(got, a.Key)
		}
		for _, a := range v.All() {
			if a.Type == kind {
				all = append(all, a.Key)
			}
		}
		if !slices.Equal(got, want) || !slices.Equal(got, all) {
			t.Errorf("%s: %v, of all %v, want %v", after, got, all, want)
		}
	}
	check("nothing", bucket)
	v.Add(Asset{Key: "//storage.googleapis.com/b", Type: bucket, Data: Object{}, Read: noon})
	v.Add(Asset{Key: "//compute.googleapis.com/projects/4711/global/firewalls/f", Type: wall, Project: "4711", Data: Object{}, Read: noon})
	check("two", bucket, "//storage.googleapis.com/b")
	v.Add(Asset{Key: "//storage.googleapis.com/a", Type: bucket, Data: Object{}, Read: noon})
	check("another", bucket, "//storage.googleapis.com/a", "//storage.googleapis.com/b")
	v.Add(Asset{Key: "//storage.googleapis.com/b", Type: bucket, Deleted: true, Read: noon.Add(time.Hour)})
	check("one is gone", bucket, "//storage.googleapis.com/a")
	v.Add(Asset{Key: "//storage.googleapis.com/b", Type: bucket, Data: Object{}, Read: noon.Add(2 * time.Hour)})
	check("and there again", bucket, "//storage.googleapis.com/a", "//storage.googleapis.com/b")
	check("by number", wall, "//compute.googleapis.com/projects/4711/global/firewalls/f")
	v.Names().Learn("4711", "acme-live")
	v.Settle()
	check("by name", wall, "//compute.googleapis.com/projects/acme-live/global/firewalls/f")
}

// Package assettest is the suite every source of assets passes, and Cloud Asset Inventory and Google's APIs in a test.
//
// It promises that what a source lists and what it reads one by one is the same, that a list ends, tells each kind of fact by
// itself and only of the types that were asked for, and that gone is told apart from unknown. The servers answer the real
// clients: the inventory over gRPC, the APIs over HTTP at the addresses a test writes down. It is for tests; nothing deployed
// links it.
package assettest

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
)

// Thing is an asset of a test, as its service tells it.
type Thing struct {
	Type, Key string
	Name      string // in the inventory, where it is another than Key
	URL       string // at which its service tells of it
	PolicyURL string // "GET https://..." or "POST https://..."; "" for a service that tells no policy
	Location  string // as the inventory has it
	Data      asset.Object
	Policy    asset.Object // nil: the inventory has none
	Brief     []string     // fields of Data the inventory leaves out
}

// Things are some of several services: each form of address and of policy is among them.
func Things() []Thing {
	const project = "projects/company-live"
	const version = project + "/locations/europe-west1/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
	binding := asset.Object{"version": 3.0, "etag": "BwX", "bindings": []any{
		asset.Object{"role": "roles/viewer", "members": []any{"user:Asha@company.example", "group:all@company.example"}},
		asset.Object{"role": "roles/viewer", "members": []any{"user:ben@company.example"}, "condition": asset.Object{"title": "for a week", "expression": "request.time < timestamp('2026-01-01T00:00:00Z')"}},
	}}
	compute := "https://compute.googleapis.com/compute/v1/" + project
	run := "https://run.googleapis.com/v1/" + project + "/locations/europe-west1/services/front"
	return []Thing{
		{Type: "cloudresourcemanager.googleapis.com/Project", Key: "//cloudresourcemanager.googleapis.com/" + project, Name: "//cloudresourcemanager.googleapis.com/projects/4711", Location: "global",
			URL: "https://cloudresourcemanager.googleapis.com/v1/" + project, PolicyURL: "POST https://cloudresourcemanager.googleapis.com/v1/" + project + ":getIamPolicy",
			Data: asset.Object{"projectId": "company-live", "projectNumber": "4711", "lifecycleState": "ACTIVE"},
			Policy: asset.Object{"bindings": binding["bindings"], "auditConfigs": []any{asset.Object{"service": "allServices", "auditLogConfigs": []any{asset.Object{"logType": "ADMIN_READ"},
				asset.Object{"logType": "DATA_READ", "exemptedMembers": []any{"user:ben@company.example"}}}}}}},
		{Type: "storage.googleapis.com/Bucket", Key: "//storage.googleapis.com/company-files", Location: "eu",
			URL: "https://storage.googleapis.com/storage/v1/b/company-files", PolicyURL: "GET https://storage.googleapis.com/storage/v1/b/company-files/iam",
			Data: asset.Object{"name": "company-files", "location": "EU", "projectNumber": "4711", "iamConfiguration": asset.Object{"publicAccessPrevention": "inherited"}}, Policy: binding},
		{Type: "sqladmin.googleapis.com/Instance", Key: "//cloudsql.googleapis.com/" + project + "/instances/db", Location: "europe-west1", URL: "https://sqladmin.googleapis.com/v1/" + project + "/instances/db",
			Data: asset.Object{"name": "db", "region": "europe-west1", "settings": asset.Object{"settingsVersion": "12", "ipConfiguration": asset.Object{"ipv4Enabled": true}}}},
		{Type: "cloudkms.googleapis.com/CryptoKeyVersion", Key: "//cloudkms.googleapis.com/" + version, Location: "europe-west1", URL: "https://cloudkms.googleapis.com/v1/" + version,
			Data: asset.Object{"name": version, "state": "DISABLED", "protectionLevel": "SOFTWARE"}},
		{Type: "compute.googleapis.com/Snapshot", Key: "//compute.googleapis.com/" + project + "/global/snapshots/s", Location: "global", URL: compute + "/global/snapshots/s",
			PolicyURL: "GET " + compute + "/global/snapshots/s/getIamPolicy", Data: asset.Object{"name": "s", "storageLocations": []any{"us"}}, Policy: binding},
		{Type: "compute.googleapis.com/Firewall", Key: "//compute.googleapis.com/" + project + "/global/firewalls/open", Location: "global", URL: compute + "/global/firewalls/open",
			Data: asset.Object{"direction": "INGRESS", "sourceRanges": []any{"0.0.0.0/0"}, "allowed": []any{asset.Object{"IPProtocol": "tcp", "ports": []any{"22"}}}}},
		{Type: "compute.googleapis.com/Subnetwork", Key: "//compute.googleapis.com/" + project + "/regions/europe-west1/subnetworks/core", Location: "europe-west1",
			URL: compute + "/regions/europe-west1/subnetworks/core", PolicyURL: "GET " + compute + "/regions/europe-west1/subnetworks/core/getIamPolicy", Data: asset.Object{"ipCidrRange": "10.0.0.0/16"}, Policy: binding},
		{Type: "secretmanager.googleapis.com/Secret", Key: "//secretmanager.googleapis.com/" + project + "/secrets/key", Location: "global",
			URL: "https://secretmanager.googleapis.com/v1/" + project + "/secrets/key", PolicyURL: "GET https://secretmanager.googleapis.com/v1/" + project + "/secrets/key:getIamPolicy",
			Data: asset.Object{"name": "projects/4711/secrets/key", "replication": asset.Object{"automatic": asset.Object{}}}, Policy: binding},
		{Type: "logging.googleapis.com/LogSink", Key: "//logging.googleapis.com/organizations/1/sinks/all", Location: "global", URL: "https://logging.googleapis.com/v2/organizations/1/sinks/all",
			Data: asset.Object{"name": "all", "destination": "storage.googleapis.com/company-logs", "includeChildren": true}},
		{Type: "iam.googleapis.com/ServiceAccount", Key: "//iam.googleapis.com/" + project + "/serviceAccounts/fn@company-live.iam.gserviceaccount.com", Location: "global",
			Name: "//iam.googleapis.com/" + project + "/serviceAccounts/1029384756",
			URL:  "https://iam.googleapis.com/v1/" + project + "/serviceAccounts/fn@company-live.iam.gserviceaccount.com", PolicyURL: "POST https://iam.googleapis.com/v1/" + project + "/serviceAccounts/fn@company-live.iam.gserviceaccount.com:getIamPolicy",
			Data: asset.Object{"email": "fn@company-live.iam.gserviceaccount.com", "uniqueId": "1029384756"}, Policy: asset.Object{"etag": "ACAB"}},
		{Type: "run.googleapis.com/Service", Key: "//run.googleapis.com/" + project + "/locations/europe-west1/services/front", Location: "europe-west1", URL: run, PolicyURL: "GET " + run + ":getIamPolicy",
			Data: asset.Object{"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": asset.Object{"annotations": asset.Object{"run.googleapis.com/ingress": "all"}},
				"spec": asset.Object{"template": asset.Object{"spec": asset.Object{"serviceAccountName": "fn@company-live.iam.gserviceaccount.com", "timeoutSeconds": 60.0, "containers": []any{asset.Object{"image": "i"}}}}}}, Policy: binding},
	}
}

// World is what a source is asked about.
type World struct {
	Source asset.Source
	Remove func(Thing) // from the world, so that it is gone from then on
}

// Run runs the suite; open makes a world with these things in it, and nothing else.
func Run(t *testing.T, open func(t *testing.T, things []Thing) World) {
	t.Run("a list and a single read tell the same", func(t *testing.T) { same(t, open) })
	t.Run("a list is of what was asked for", func(t *testing.T) { only(t, open) })
	t.Run("what is gone", func(t *testing.T) { gone(t, open) })
}

// List reads everything of a source; it fails the test when the list does not end.
func List(t *testing.T, s asset.Source, kinds ...string) *asset.Inventory {
	t.Helper()
	all := asset.NewInventory()
	for _, scope := range s.Scopes() {
		for _, what := range asset.Contents() {
			for n, page := 0, ""; ; n++ {
				p, err := s.List(t.Context(), scope, what, kinds, page)
				if err != nil {
					t.Fatal(err)
				}
				if len(p.Unread) > 0 || p.Read.IsZero() || n > 1000 {
					t.Fatalf("page %d of %s has unread %v, was read at %v", n, scope, p.Unread, p.Read)
				}
				for _, a := range p.Assets {
					if what == asset.Resources && a.Data == nil || what == asset.Policies && a.IAM == nil || !slices.Contains(kinds, a.Type) {
						t.Errorf("a list of %s of %v tells of %s without it", what, kinds, a.Key)
					}
					all.Add(a)
				}
				if page = p.Next; page == "" {
					break
				}
			}
		}
	}
	all.Settle()
	return all
}

// Types returns the types of things.
func Types(things []Thing) []string {
	var kinds []string
	for _, thing := range things {
		kinds = append(kinds, thing.Type)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

func same(t *testing.T, open func(*testing.T, []Thing) World) {
	things := Things()
	w := open(t, things)
	listed := List(t, w.Source, Types(things)...)
	if n := len(listed.All()); n != len(things) {
		t.Errorf("%d of %d are listed", n, len(things))
	}
	for _, thing := range things {
		from, there := listed.Get(thing.Type, thing.Key)
		if !there {
			t.Errorf("%s is not listed", thing.Key)
			continue
		}
		if from.Location != thing.Location || from.Type != thing.Type || from.Read.IsZero() {
			t.Errorf("%s is listed as of %q in %q, read at %v", thing.Key, from.Type, from.Location, from.Read)
		}
		if (from.IAM == nil) != (thing.Policy == nil) {
			t.Errorf("%s has the policy %v", thing.Key, from.IAM)
		}
		one, err := w.Source.Get(t.Context(), thing.Type, from.Key)
		if err != nil {
			t.Errorf("%s: %v", thing.Key, err)
			continue
		}
		one.Project = listed.Names().ID(one.Project)
		if one.Key != from.Key || one.Project != from.Project || one.Location != from.Location || one.Deleted || !reflect.DeepEqual(one.Data, from.Data) {
			t.Errorf("%s is listed as\n%+v\nand read as\n%+v", thing.Key, *from, one)
		}
		if (one.IAM == nil) != (from.IAM == nil) || one.IAM != nil && !equal(*one.IAM, *from.IAM) {
			t.Errorf("%s: may be used by %+v as listed, by %+v as read", thing.Key, from.IAM, one.IAM)
		}
	}
}

// equal reports whether two policies say the same, whenever they were read.
func equal(a, b asset.Policy) bool {
	a.Read, b.Read = time.Time{}, time.Time{}
	return reflect.DeepEqual(a, b)
}

func only(t *testing.T, open func(*testing.T, []Thing) World) {
	w := open(t, Things())
	const kind = "storage.googleapis.com/Bucket"
	if all := List(t, w.Source, kind).All(); len(all) != 1 || all[0].Type != kind || all[0].IAM == nil || all[0].Data == nil {
		t.Errorf("of buckets %+v is listed", all)
	}
	if all := List(t, w.Source, "directory.ostiary/Account").All(); len(all) > 0 {
		t.Errorf("of another's type %v is listed", all)
	}
	if _, err := w.Source.List(t.Context(), "projects/another", asset.Resources, []string{kind}, ""); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("listing a scope that is none of its: %v", err)
	}
}

func gone(t *testing.T, open func(*testing.T, []Thing) World) {
	things := Things()
	extra := things[1]
	extra.Key, extra.URL, extra.PolicyURL = extra.Key+"-2", extra.URL+"-2", "GET "+extra.URL+"-2/iam"
	w := open(t, append(things, extra))
	if a, err := w.Source.Get(t.Context(), extra.Type, extra.Key); err != nil || a.Deleted {
		t.Fatalf("before: %+v, %v", a, err)
	}
	w.Remove(extra)
	if a, err := w.Source.Get(t.Context(), extra.Type, extra.Key); err != nil || !a.Deleted || a.Key != extra.Key || a.Type != extra.Type || a.Read.IsZero() || a.Data != nil || a.IAM != nil {
		t.Errorf("after: %+v, %v", a, err)
	}
	for kind, key := range map[string]string{"directory.ostiary/Account": "//directory.ostiary/accounts/1", "strange.googleapis.com/Thing": "//strange.googleapis.com/projects/p/things/t"} {
		if _, err := w.Source.Get(t.Context(), kind, key); !fault.Is(err, fault.NotFound) {
			t.Errorf("a type nobody can be asked about: %v", err)
		}
	}
}

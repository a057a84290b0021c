package house

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/access/allowlist/accesslevel"
	"ostiary.internal/shared/access/allowlist/cloudarmor"
	"ostiary.internal/shared/access/allowlist/vpcfirewall"
	"ostiary.internal/shared/drift/asset/cloudasset"
	states "ostiary.internal/shared/drift/diff/gcs"
	"ostiary.internal/shared/drift/self/monitoring"
	personal "ostiary.internal/shared/erasure/firestore"
	files "ostiary.internal/shared/erasure/gcs"
	grants "ostiary.internal/shared/erasure/oauth/secretmanager"
	logs "ostiary.internal/shared/evidence/log/gcs"
	inboxes "ostiary.internal/shared/evidence/record/gcs"
	signing "ostiary.internal/shared/evidence/sign/kms"
	"ostiary.internal/shared/platform/bus/pubsub"
	"ostiary.internal/shared/platform/directory/workspace"
	"ostiary.internal/shared/platform/seal/kms"
	"ostiary.internal/shared/platform/secret/secretmanager"
	"ostiary.internal/shared/platform/store/firestore"
	policies "ostiary.internal/shared/policy/gcs"
)

// A manifest lists, on each resource, what the driver of that resource asks for: more fails, fewer fails. Where a function calls
// only some of a driver's methods, it is written below which; who may encrypt and who may decrypt with which key, in
// TestWhoMayUseKeys. Each function's own tests run with the rights of its manifest and no other besides.
func TestManifestsListWhatDriversAskFor(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, f := range manifests(t) {
		listed := map[string][]string{}
		for _, p := range f.Permissions {
			listed[p.Resource] = append(listed[p.Resource], p.Permission)
		}
		for resource, have := range listed {
			slices.Sort(have)
			kind, _, _ := strings.Cut(resource, ":")
			want := asked(f, resource)
			if only, narrow := narrower[f.Name+" "+resource]; narrow {
				used[f.Name+" "+resource] = true
				if slices.Equal(want, only) {
					t.Errorf("%s on %s: it calls every method: drop the exception", f.Name, resource)
				}
				want = only
			}
			switch {
			case len(want) == 0:
				t.Errorf("%s: nothing here asks for anything on %s", f.Name, resource)
			case kind == "key" && slices.ContainsFunc(have, func(p string) bool { return !slices.Contains(want, p) }), kind != "key" && !slices.Equal(have, want):
				t.Errorf("%s on %s: the manifest lists %v, the driver asks for %v", f.Name, resource, have, want)
			}
		}
	}
	for exception := range narrower {
		if !used[exception] {
			t.Errorf("%s: no manifest lists anything there: drop the exception", exception)
		}
	}
}

// narrower are the functions that call only some of a driver's methods, and what those ask for.
var narrower = map[string][]string{
	// Strangers reach it, and it shows what others wrote.
	"trustpage database:trust": union(firestore.Permissions, "Store.Get", "Store.Query"),
	// It takes away from doors what nobody else took away, and keeps what it knows in a database of its own.
	"watchallowlist database:access":   union(firestore.Permissions, "Store.Tx", "Store.Query"),
	"watchallowlist door:accesslevels": union(accesslevel.Permissions, "Target.Read", "Target.Remove"),
	// Who was erased is added to and looked up, never listed; what is past its time is marked there by another, which adds nobody.
	"runerasure database:ledger":   union(firestore.Permissions, "Store.Tx", "Tx.Get", "Tx.Create"),
	"purgeexpired database:ledger": slices.Sorted(slices.Values(append(union(firestore.Permissions, "Store.Tx", "Store.Query"), "datastore.entities.update"))),
	// The sequencer takes from the inbox what every function, it as well, puts there.
	"sealevidence bucket:evidence-inbox": slices.Sorted(slices.Values(append(union(logs.Permissions, "Objects.Get", "Objects.List", "Objects.Delete"), every(inboxes.Permissions)...))),
	// A tile is written once; the head is replaced.
	"sealevidence bucket:evidence-log":  union(logs.Permissions, "Objects.Get", "Objects.List", "Objects.Create"),
	"sealevidence bucket:evidence-head": union(logs.Permissions, "Objects.Get", "Objects.List", "Objects.Create", "Objects.Swap"),
}

// union is what some methods of a driver ask for.
func union(table map[string][]string, methods ...string) []string {
	var all []string
	for _, method := range methods {
		if table[method] == nil {
			panic("no driver has the method " + method)
		}
		all = append(all, table[method]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// every is what all methods of some drivers ask for.
func every(tables ...map[string][]string) []string {
	var all []string
	for _, table := range tables {
		all = append(all, union(table, slices.Collect(maps.Keys(table))...)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// asked is what a function asks for on a resource by calling every method that its driver has for it.
func asked(f manifest.Function, resource string) []string {
	switch kind, name, _ := strings.Cut(resource, ":"); kind {
	case "database":
		return every(firestore.Permissions)
	case "topic":
		return every(pubsub.Permissions)
	case "secret":
		return every(secretmanager.Permissions)
	case "key":
		return every(kms.Permissions)
	case "signing-key":
		return every(signing.Permissions)
	case "directory":
		return every(workspace.Permissions)
	case "assets":
		return every(cloudasset.Permissions, monitoring.Permissions)
	case "door":
		return ofDoor(resource)
	case "data":
		return ofData(f, resource)
	case "bucket":
		return ofBucket(name)
	}
	return nil
}

// ofBucket is what is asked for on a bucket: each has a driver of its own, or one use of one. The log and its head are read by all
// but the sequencer.
func ofBucket(name string) []string {
	switch name {
	case "evidence-inbox":
		return every(inboxes.Permissions)
	case "evidence-log", "evidence-head":
		return union(logs.Permissions, "Objects.Get", "Objects.List")
	case "policy":
		return every(policies.Permissions)
	case "terraform-state":
		return every(states.Permissions)
	}
	return nil
}

// ofDoor is what keeping a door asks for; who only takes away asks for part of it, though no service has a right to
// take away alone.
func ofDoor(resource string) (permissions []string) {
	doors := map[string][]map[string][]string{
		"door:firewalls": {vpcfirewall.Permissions}, "door:armor": {cloudarmor.Permissions, cloudarmor.RegionalPermissions}, "door:accesslevels": {accesslevel.Permissions},
	}
	for _, table := range doors[resource] {
		for _, list := range table {
			permissions = append(permissions, list...)
		}
	}
	slices.Sort(permissions)
	return slices.Compact(permissions)
}

// ofData is what a function asks for on the stores that the data map names: what searches needs, and of one that erases what
// erases needs beside.
func ofData(f manifest.Function, resource string) []string {
	tables := map[string][]map[string][]string{
		"data:firestore": {personal.ReadPermissions, personal.Permissions}, "data:gcs": {files.ReadPermissions, files.Permissions},
		"data:project":      {{"databases": personal.ListPermissions["Lister.Stores"], "buckets": files.ListPermissions["Lister.Stores"]}},
		"data:secrets-read": {secretmanager.Permissions}, "data:secrets-erase": {secretmanager.Permissions},
		"data:secrets-parties": {secretmanager.Permissions},
		"data:secrets-grants":  {{"Secrets.Read": grants.Permissions["Secrets.Read"]}, grants.Permissions},
	}[resource]
	var all []string
	for i, table := range tables {
		if i > 0 && (!erases[f.Name] || resource == "data:secrets-grants" && f.Name != "revokegrants") {
			break
		}
		for _, list := range table {
			all = append(all, list...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// erases are the functions that may change the stores of personal data, and be given the passwords of accounts that do. All
// others search at most: what completes a request is not said by who carried it out.
var erases = map[string]bool{"runerasure": true, "purgeexpired": true, "revokegrants": true}

// Who may change personal data is written down here, so that no manifest widens it unseen.
func TestWhoMayErase(t *testing.T) {
	t.Parallel()
	for _, f := range manifests(t) {
		for _, p := range f.Permissions {
			kind, name, _ := strings.Cut(p.Resource, ":")
			changes := strings.HasSuffix(p.Permission, ".delete") || strings.HasSuffix(p.Permission, ".update") || strings.HasSuffix(p.Permission, ".create") || name == "secrets-erase"
			if kind == "data" && changes && !erases[f.Name] {
				t.Errorf("%s has %s on %s: it may search at most", f.Name, p.Permission, p.Resource)
			}
			if kind == "database" && name == "ledger" && strings.HasSuffix(p.Permission, ".delete") {
				t.Errorf("%s may delete from the ledger of who was erased", f.Name)
			}
		}
	}
}

// Evidence can be added to by every control and rewritten by none: what the inbox, the log and its head let anybody but
// the sequencer do is written down here, and that not even the sequencer deletes from the log. Who reads the log also lists
// it: without that, what is missing looks as if it may not be read.
func TestWhoMayTouchEvidence(t *testing.T) {
	t.Parallel()
	const sequencer = "sealevidence"
	signs := map[string]string{"signing-key:evidence": sequencer, "signing-key:receipts": "planerasure"}
	read := []string{"storage.objects.get", "storage.objects.list"}
	everybody := map[string][]string{"bucket:evidence-inbox": {"storage.objects.create"}, "bucket:evidence-log": read, "bucket:evidence-head": read}
	for _, f := range manifests(t) {
		for _, p := range f.Permissions {
			lists := manifest.Permission{Permission: "storage.objects.list", Resource: p.Resource}
			if p.Permission == "storage.objects.get" && strings.HasPrefix(p.Resource, "bucket:evidence-") && !slices.Contains(f.Permissions, lists) {
				t.Errorf("%s reads %s and cannot tell what is missing", f.Name, p.Resource)
			}
			allowed, evidence := everybody[p.Resource]
			kind, _, _ := strings.Cut(p.Resource, ":")
			switch {
			case kind == "signing-key" && f.Name != signs[p.Resource]:
				t.Errorf("%s may use %s: only %s signs with it", f.Name, p.Resource, signs[p.Resource])
			case evidence && f.Name != sequencer && !slices.Contains(allowed, p.Permission):
				t.Errorf("%s has %s on %s: only %s may", f.Name, p.Permission, p.Resource, sequencer)
			case p.Resource == "bucket:evidence-log" && p.Permission == "storage.objects.delete":
				t.Errorf("%s may delete from the log", f.Name)
			}
		}
	}
}

// Who may open one-time-password secrets is written down here too, so that no manifest widens it unseen.
func TestWhoMayUseKeys(t *testing.T) {
	t.Parallel()
	const use = "cloudkms.cryptoKeyVersions.useTo"
	want := map[string]string{
		"syncallowlist": "key:message Encrypt", "watchallowlist": "key:message Encrypt",
		"registerip": "key:message Encrypt, key:otp Decrypt", "checkotp": "key:message Encrypt, key:otp Decrypt",
		"attest":          "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"collectevidence": "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"enrolotp":        "key:message Encrypt, key:otp Decrypt, key:otp Encrypt", "deliver": "key:message Decrypt, key:message Encrypt",
		"watchaudit":    "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"tickwatch":     "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"acceptdrift":   "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"checkdrift":    "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"justify":       "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"declarebreach": "key:breach Decrypt, key:breach Encrypt, key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"tickbreach":    "key:breach Decrypt, key:breach Encrypt, key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"sealevidence":  "signing-key:evidence Sign", "keeppromises": "key:message Encrypt",
		"decideerasure":  "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt, key:request Decrypt, key:request Encrypt",
		"requesterasure": "key:message Encrypt, key:request Decrypt, key:request Encrypt",
		"planerasure":    "key:message Encrypt, key:request Decrypt, key:request Encrypt, signing-key:receipts Sign",
		"runerasure":     "key:message Encrypt, key:request Decrypt, key:request Encrypt",
		"purgeexpired":   "key:message Encrypt, key:request Decrypt, key:request Encrypt",
		"opendsr":        "key:message Encrypt, key:request Decrypt, key:request Encrypt",
		"revokegrants":   "key:message Encrypt, key:request Decrypt, key:request Encrypt",
	}
	have := map[string]string{}
	for _, f := range manifests(t) {
		var keys []string
		for _, p := range f.Permissions {
			if verb, ok := strings.CutPrefix(p.Permission, use); ok {
				keys = append(keys, p.Resource+" "+verb)
			}
		}
		if len(keys) > 0 {
			have[f.Name] = strings.Join(slices.Sorted(slices.Values(keys)), ", ")
		}
	}
	if !maps.Equal(have, want) {
		t.Errorf("keys are used by %v, want %v", have, want)
	}
}

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
)

// A manifest lists, on each resource, what the driver of that resource asks for: more fails, fewer fails. Keys and
// buckets are the exception: a function may be let to encrypt or to decrypt, to create or to read alone, as the next tests
// say; each function's own tests run with the rights of its manifest and no other, so that too few of them show there.
func TestManifestsListWhatDriversAskFor(t *testing.T) {
	t.Parallel()
	for _, f := range manifests(t) {
		listed := map[string][]string{}
		for _, p := range f.Permissions {
			listed[p.Resource] = append(listed[p.Resource], p.Permission)
		}
		for resource, have := range listed {
			slices.Sort(have)
			kind, _, _ := strings.Cut(resource, ":")
			want, partial := asked(kind)
			if kind == "data" {
				want, partial = ofData(f, resource), false
			}
			if kind == "door" {
				want, partial = ofDoor(resource), f.Name == "watchallowlist"
			}
			partial = partial || kind == "database" && f.Callers == manifest.Public          // strangers reach it: it may be let to read alone
			partial = partial || resource == "database:ledger"                               // added to, and listed or deleted from by nobody
			partial = partial || f.Name == "watchallowlist" && resource == "database:access" // it only takes away, and so it only reads
			switch {
			case want == nil:
				t.Errorf("%s: nothing here asks for anything on %s", f.Name, resource)
			case want != nil && !partial && !slices.Equal(have, want):
				t.Errorf("%s on %s: the manifest lists %v, the driver asks for %v", f.Name, resource, have, want)
			case partial && slices.ContainsFunc(have, func(p string) bool { return !slices.Contains(want, p) }):
				t.Errorf("%s on %s: the manifest lists %v, the driver asks for no more than %v", f.Name, resource, have, want)
			}
		}
	}
}

// asked is everything a driver asks for on a kind of resource, and whether a function may need only part of it.
func asked(kind string) (permissions []string, partial bool) {
	tables := map[string][]map[string][]string{
		"database": {firestore.Permissions}, "topic": {pubsub.Permissions}, "secret": {secretmanager.Permissions}, "key": {kms.Permissions}, "directory": {workspace.Permissions},
		"signing-key": {signing.Permissions}, "bucket": {logs.Permissions, inboxes.Permissions}, "assets": {cloudasset.Permissions, monitoring.Permissions},
	}
	for _, table := range tables[kind] {
		for _, list := range table {
			permissions = append(permissions, list...)
		}
	}
	all := slices.Sorted(slices.Values(permissions))
	return slices.Compact(all), kind == "key" || kind == "bucket"
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

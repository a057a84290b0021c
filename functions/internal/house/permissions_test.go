package house

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/manifest"
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
			partial = partial || kind == "database" && f.Callers == manifest.Public // strangers reach it: it may be let to read alone
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
		"signing-key": {signing.Permissions}, "bucket": {logs.Permissions, inboxes.Permissions},
	}
	for _, table := range tables[kind] {
		for _, list := range table {
			permissions = append(permissions, list...)
		}
	}
	all := slices.Sorted(slices.Values(permissions))
	return slices.Compact(all), kind == "key" || kind == "bucket"
}

// Evidence can be added to by every control and rewritten by none: what the inbox, the log and its head let anybody but
// the sequencer do is written down here, and that not even the sequencer deletes from the log. Who reads the log also lists
// it: without that, what is missing looks as if it may not be read.
func TestWhoMayTouchEvidence(t *testing.T) {
	t.Parallel()
	const sequencer = "sealevidence"
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
			case kind == "signing-key" && f.Name != sequencer:
				t.Errorf("%s may use %s: only %s signs", f.Name, p.Resource, sequencer)
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
		"registerip": "key:message Encrypt, key:otp Decrypt", "checkotp": "key:message Encrypt, key:otp Decrypt",
		"attest":          "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"collectevidence": "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"enrolotp":        "key:message Encrypt, key:otp Decrypt, key:otp Encrypt", "deliver": "key:message Decrypt",
		"watchaudit":   "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"tickwatch":    "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"justify":      "key:evidence Decrypt, key:evidence Encrypt, key:message Encrypt",
		"sealevidence": "signing-key:evidence Sign", "keeppromises": "key:message Encrypt",
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
